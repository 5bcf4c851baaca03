//! Runs of the counted program under callgrind, and what callgrind writes.

use super::program::{self, Build, Program};
use super::turns::{self, Pace};
use crate::failure::{Failure, Result};
use crate::peers;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The function of the counted program before which callgrind writes what it has counted so far: it is called when the
/// counted rounds begin, and when they end.
const MARK: &str = "mobula_measured_mark";

/// What is counted lies between the two calls of [`MARK`], in the second part that callgrind writes.
const COUNTED_PART: u32 = 2;

/// Tasks that are traced if any are: more than a count has.
const TRACED_TASKS: &str = "1000000";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The program.
    pub program: Program,
    /// The path through mobula, as the program names it.
    pub path: &'static str,
    /// Rounds of it.
    pub rounds: u32,
    /// Processes that take part.
    pub ranks: usize,
    /// How the ranks run.
    pub pace: Pace,
    /// How the program is built.
    pub build: Build,
    /// True if tasks are recorded for timelines.
    pub traced: bool,
}

/// Instructions of one operation on this rank. A run counts every rank; what the others took is kept until their case
/// asks for it.
///
/// # Errors
/// `Failure::Program` if the program cannot be built or fails, or valgrind is missing.
pub fn an_operation(counted: Counted, rank: usize) -> Result<f64> {
    static NOT_ASKED_FOR: Mutex<BTreeMap<(Counted, usize), VecDeque<f64>>> = Mutex::new(BTreeMap::new());
    let mut counts = NOT_ASKED_FOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = counts.get_mut(&(counted, rank)).and_then(VecDeque::pop_front) {
        return Ok(count);
    }
    let each = count(counted)?;
    for (other, count) in each.iter().enumerate().filter(|(other, _)| *other != rank) {
        counts.entry((counted, other)).or_default().push_back(*count);
    }
    Ok(each[rank])
}

/// Instructions of one operation on each rank.
fn count(counted: Counted) -> Result<Vec<f64>> {
    let binary = program::built(counted.program, counted.build)?;
    let folder = Folder::fresh()?;
    let mut ranks = turns::Ranks::default();
    for rank in 0..counted.ranks {
        let mut command = peers::outside_of_launchers(&peers::valgrind());
        command.args(["--tool=callgrind", &format!("--dump-before={MARK}")]);
        command.arg(format!("--callgrind-out-file={}", folder.0.join(rank.to_string()).display()));
        command.arg(&binary).args([counted.path, &counted.rounds.to_string()]);
        command.env("MOBULA_WORKERS", "1").env("MOBULA_SPIN_US", "0").env("MOBULA_STALL_S", "0");
        command.env("MOBULA_TRACE_TASKS", if counted.traced { TRACED_TASKS } else { "0" });
        if counted.ranks > 1 {
            command.env("MOBULA_RENDEZVOUS", folder.0.join("meeting")).env("MOBULA_SECRET", "of one count");
            command.env("MOBULA_RANK", rank.to_string()).env("MOBULA_SIZE", counted.ranks.to_string());
        }
        command.stdin(Stdio::null());
        command.stdout(folder.file(&format!("{rank}.output"))?).stderr(folder.file(&format!("{rank}.errors"))?);
        ranks.start(command)?;
    }
    let outcome = ranks.run(counted.pace);
    outcome.map_err(|failure| with_errors_of(failure, &folder, counted.ranks))?;
    let operations = peers::number(counted.path, &folder.text("0.output")?)?;
    let counts = (0..counted.ranks).map(|rank| {
        let part = folder.text(&format!("{rank}.{COUNTED_PART}"))?;
        Ok(total(&part).ok_or_else(|| not_callgrinds(counted.path))? as f64 / operations)
    });
    counts.collect()
}

fn not_callgrinds(path: &str) -> Failure {
    let reason = format!("its output of {path} has no total of instructions");
    Failure::Program { program: "valgrind".to_string(), reason }
}

/// The failure, with the last line that a rank wrote on standard error.
fn with_errors_of(failure: Failure, folder: &Folder, ranks: usize) -> Failure {
    let Failure::Program { program, reason } = failure else { return failure };
    let last_line = |rank: usize| {
        let text = folder.text(&format!("{rank}.errors")).unwrap_or_default();
        // valgrind's own lines begin with the number of the process.
        let line = text.lines().rev().find(|line| !line.starts_with("==") && !line.trim().is_empty());
        line.map(|line| format!("; rank {rank}: {line}"))
    };
    let errors: String = (0..ranks).filter_map(last_line).collect();
    Failure::Program { program, reason: format!("{reason}{errors}") }
}

/// The instructions that a file of callgrind's counts: its totals, or, where a part was written before the end, its
/// summary. `None` if it counts something else.
pub fn total(text: &str) -> Option<u64> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    if field("events:")?.split_whitespace().next() != Some("Ir") {
        return None;
    }
    let numbers = field("totals:").or_else(|| field("summary:"))?;
    numbers.split_whitespace().next()?.parse().ok()
}

/// Returns true if valgrind is here, which counts.
pub fn is_installed() -> bool {
    let output = Command::new(peers::valgrind()).arg("--version").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// A folder of one count, which is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> Result<Folder> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mobula-bench-count-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| not_written(&path, &error))?;
        Ok(Folder(path))
    }

    fn file(&self, name: &str) -> Result<File> {
        let path = self.0.join(name);
        File::create(&path).map_err(|error| not_written(&path, &error))
    }

    fn text(&self, name: &str) -> Result<String> {
        let path = self.0.join(name);
        fs::read_to_string(&path).map_err(|error| Failure::Results { path, reason: error.to_string() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::File { path: path.to_path_buf(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# callgrind format\nversion: 1\ncmd: ./a totals: 3\npart: 2\n\npositions: line\n";

    #[test]
    fn the_totals_count_and_else_the_summary() {
        let whole = format!("{HEAD}events: Ir\nsummary: 900\n\nfn=(1) main\n0 5\n\ntotals: 1000\n");
        assert_eq!(total(&whole), Some(1000));
        assert_eq!(total(&format!("{HEAD}events: Ir\nsummary: 900\n\nfn=(1) main\n0 5\n")), Some(900));
    }

    #[test]
    fn of_several_events_instructions_are_the_first() {
        assert_eq!(total(&format!("{HEAD}events: Ir Dr Dw\ntotals: 70 20 10\n")), Some(70));
        assert_eq!(total(&format!("{HEAD}events: Dr Ir\ntotals: 20 70\n")), None);
    }

    #[test]
    fn something_else_has_no_total() {
        for text in ["", "totals: 5\n", "events: Ir\n", "events: Ir\ntotals:\n", "events: Ir\ntotals: many\n"] {
            assert_eq!(total(text), None, "{text}");
        }
    }
}
