//! The cases, and what is done with their numbers.

use super::callgrind::{self, Counted};
use super::kept::{self, Change, Kept, TOLERANCE_PERCENT};
use super::native;
use super::program::{self, Build, Program};
use super::turns::Pace;
use crate::case::{Bar, Case, case};
use crate::failure::{Failure, Result};
use crate::peers::mpi;
use crate::suite::Bench;

/// Calls of an MPI function that are counted.
const MPI_CALLS: u32 = 8_000;

/// A path through mobula, on one of the ranks that take part.
struct Path {
    /// The case.
    name: &'static str,
    /// As the program names it.
    path: &'static str,
    /// Which rank's instructions these are.
    rank: usize,
    ranks: usize,
    rounds: u32,
    pace: Pace,
    /// Counts of which the median is taken.
    repeat: u32,
    bar: Bar,
    /// The function of MPI beside it.
    beside: Option<&'static str>,
}

/// A path of one process, in which one worker does everything: one count is enough.
const fn local(name: &'static str, path: &'static str, most: f64) -> Path {
    let bar = Bar::AtMost(most);
    Path { name, path, rank: 0, ranks: 1, rounds: 10, pace: Pace::Together, repeat: 1, bar, beside: None }
}

/// A path between two ranks, a thousand operations in flight.
const fn remote(name: &'static str, path: &'static str, rank: usize) -> Path {
    Path { ranks: 2, rank, pace: Pace::InTurns, repeat: 3, bar: Bar::Open, ..local(name, path, 0.0) }
}

/// One operation at a time. In turns a rank would poll as long as it ever does in every one, so the two run together,
/// and how often each polls is chance: [`is_kept`] leaves these out.
const fn round_trip(name: &'static str, rank: usize) -> Path {
    Path { rounds: 2, pace: Pace::Together, ..remote(name, ROUND_TRIPS, rank) }
}

const ROUND_TRIPS: &str = "remote-round-trips";

const PATHS: &[Path] = &[
    local("batch", "batch", 500.0),
    local("fib", "fib", 300.0),
    local("chain", "chain", 700.0),
    local("local actor call", "actor", 500.0),
    Path { bar: Bar::AtMost(1200.0), beside: Some("MPI_Isend"), ..remote("remote call, caller", "remote-calls", 0) },
    Path { bar: Bar::AtMost(1200.0), beside: Some("MPI_Irecv"), ..remote("remote call, callee", "remote-calls", 1) },
    Path { bar: Bar::AtMost(700.0), ..remote("remote leaf call, caller", "remote-leaf-calls", 0) },
    Path { bar: Bar::AtMost(700.0), ..remote("remote leaf call, callee", "remote-leaf-calls", 1) },
    remote("remote actor call, caller", "remote-actor", 0),
    remote("remote actor call, callee", "remote-actor", 1),
    round_trip("remote round trip, caller", 0),
    round_trip("remote round trip, callee", 1),
];

/// Every case: each path, built and traced as users do at first, and otherwise; and those of C.
pub fn cases() -> Vec<Case> {
    let variants = [(Build::Default, false), (Build::Default, true), (Build::ThinLto, false), (Build::ThinLto, true)];
    let own = variants.iter().flat_map(|variant| PATHS.iter().map(|path| of(path, *variant)));
    own.chain(native::cases()).collect()
}

fn of(path: &'static Path, (build, traced): (Build, bool)) -> Case {
    let tracing = if traced { "traced" } else { "untraced" };
    let Path { name, path: argument, rank, ranks, rounds, pace, repeat, bar, beside } = *path;
    let counted = Counted { program: Program::Rust, path: argument, rounds, ranks, pace, build, traced };
    let counted_case =
        case(format!("{name} ({build}, {tracing})"), "instr.", move |_| callgrind::an_operation(counted, rank))
            .repeat_at_most(repeat);
    // Bars and peers are for what users get.
    if (build, traced) != (Build::Default, false) {
        return counted_case;
    }
    let counted_case = counted_case.bar(bar);
    match beside {
        Some(function) => counted_case.peer(function, move |_| mpi::instructions(function, MPI_CALLS)),
        None => counted_case,
    }
}

/// True for a case whose count repeats: others are measured, and not compared.
fn is_kept(case: &str) -> bool {
    let repeats = |path: &&Path| path.path != ROUND_TRIPS;
    PATHS.iter().filter(repeats).any(|path| case.strip_prefix(path.name).is_some_and(|rest| rest.starts_with(" (")))
}

/// Counts all of it, and compares it with the numbers kept, or keeps it.
///
/// # Errors
/// `Failure::Risen` where a case takes more than is kept; or if a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    if !callgrind::is_installed() {
        bench.note(
            "left out: valgrind is missing, which counts: install it (make setup-valgrind), or name it in VALGRIND"
                .to_string(),
        );
        return Ok(());
    }
    bench.measure(&cases())?;
    let counts: Vec<(String, f64)> = bench.medians().iter().filter(|(case, _)| is_kept(case)).cloned().collect();
    let (file, tools) = (kept::file(), program::tools());
    let kept = Kept::read(&file)?;
    if bench.keeps() {
        kept.with(tools, &counts).write(&file)?;
        bench.note(format!("{} counts kept in {}", counts.len(), kept::FILE));
        return Ok(());
    }
    let compared = kept.compare(&counts);
    compared.iter().filter(|one| one.change != Change::Same).for_each(|one| bench.note(one.line()));
    let number = |change: Change| compared.iter().filter(|one| one.change == change).count();
    let (same, risen, fallen, new) =
        (number(Change::Same), number(Change::Risen), number(Change::Fallen), number(Change::New));
    bench.note(format!(
        "beside {}: {same} within {TOLERANCE_PERCENT} %, {risen} more, {fallen} less, {new} not kept yet",
        kept::FILE
    ));
    if kept.tools != tools && risen + fallen > 0 {
        bench.note(format!("those were counted with {}, these with {tools}", kept.tools));
    }
    if risen > 0 { Err(Failure::Risen(risen)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_counted_in_four_ways() {
        assert_eq!(cases().len(), 4 * PATHS.len() + native::cases().len());
        assert!(cases().iter().any(|case| case.name == "remote actor call, callee (thin LTO, untraced)"));
    }

    #[test]
    fn what_waits_for_each_answer_is_not_compared() {
        assert!(is_kept("remote call, caller (default, untraced)") && is_kept("batch (thin LTO, traced)"));
        assert!(!is_kept("remote round trip, callee (default, untraced)"));
    }

    #[test]
    fn what_is_kept_are_cases() {
        let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
        for case in Kept::read(&kept::file()).unwrap().counts.keys() {
            assert!(names.contains(case) && is_kept(case), "{case}");
        }
    }
}
