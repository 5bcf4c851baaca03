//! Result files: lines of JSON, the first of which gives the version, the others one result each.

use crate::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// The version of result files. It changes when the meaning of a field does.
pub const VERSION: u32 = 1;

/// A result. A number that was not measured is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The suite.
    pub suite: String,
    /// The case in it.
    pub case: String,
    /// Our median.
    pub value: Option<f64>,
    /// The unit of the numbers.
    pub unit: String,
    /// The peer.
    pub peer: Option<String>,
    /// The peer's median.
    pub peer_value: Option<f64>,
    /// Ours over the peer's: the median of the rounds' ratios.
    pub ratio: Option<f64>,
    /// Samples of each.
    pub repeat: u32,
    /// Our least sample.
    pub min: Option<f64>,
    /// Our median once more, between the two that show the noise.
    pub median: Option<f64>,
    /// Our greatest sample.
    pub max: Option<f64>,
    /// The revision that was measured.
    pub commit: String,
    /// The host of rank 0.
    pub host: String,
    /// The model of its processors.
    pub cpu: String,
    /// The transport that was forced between ranks, or `auto`.
    pub fabric: String,
    /// Ranks that took part.
    pub ranks: u32,
    /// Hosts that they were on.
    pub hosts: usize,
    /// The seed of random choices.
    pub seed: u64,
    /// True if nothing else ran before and after its suite; `None` if the suite did not end, or an older command
    /// measured it. The suite's [`Machine`] says it.
    #[serde(skip)]
    pub quiet: Option<bool>,
}

/// How busy the machine was: the line behind the results of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The suite.
    pub suite: String,
    /// The part of the CPUs' time that was idle before it.
    pub idle_before: f64,
    /// The same after it.
    pub idle_after: f64,
    /// True if nothing else ran then.
    pub quiet: bool,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
}

/// Checks that results can be appended to a file: writes the first line of a new one, and refuses one of another
/// version.
///
/// # Errors
/// `Failure::Results` for a file of another version or of something else, `Failure::File` if it cannot be written.
pub fn begin(path: Option<&Path>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let text = fs::read_to_string(path).unwrap_or_default();
    if text.is_empty() {
        return write(path, &Head { version: VERSION });
    }
    read(path).map(|_| ())
}

/// Appends a result, in one write: an interrupted process leaves whole lines.
///
/// # Errors
/// `Failure::File` if it cannot be written.
pub fn append(path: &Path, line: &Line) -> Result<()> {
    write(path, line)
}

/// Appends how busy the machine was, behind the results of a suite.
///
/// # Errors
/// `Failure::File` if it cannot be written.
pub fn append_machine(path: &Path, machine: &Machine) -> Result<()> {
    write(path, machine)
}

fn write(path: &Path, line: &impl Serialize) -> Result<()> {
    let fail = |reason: String| Failure::File { path: path.to_path_buf(), reason };
    let mut text = serde_json::to_string(line).map_err(|error| fail(error.to_string()))?;
    text.push('\n');
    let mut file = File::options().create(true).append(true).open(path).map_err(|error| fail(error.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|error| fail(error.to_string()))
}

/// Reads a file. Of a case that is there several times, as after a run that was repeated into the same file, the last
/// counts.
///
/// # Errors
/// `Failure::Results` if it is missing, is of another version, or has a line that is no result.
pub fn read(path: &Path) -> Result<Vec<Line>> {
    let fail = |reason: String| Failure::Results { path: path.to_path_buf(), reason };
    let text = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|_| {
        fail(format!("its first line is not that of a result file: expected {{\"version\":{VERSION}}}"))
    })?;
    if head.version != VERSION {
        let found = head.version;
        return Err(fail(format!("it is of version {found}, this command reads version {VERSION}: measure again")));
    }
    let mut results: Vec<Line> = Vec::new();
    for (index, text) in lines.enumerate() {
        if let Ok(machine) = serde_json::from_str::<Machine>(text) {
            let its = |line: &&mut Line| line.suite == machine.suite && line.quiet.is_none();
            results.iter_mut().filter(its).for_each(|line| line.quiet = Some(machine.quiet));
            continue;
        }
        let line: Line =
            serde_json::from_str(text).map_err(|error| fail(format!("line {} is no result: {error}", index + 2)))?;
        let line = line.with_present_names();
        match results.iter_mut().find(|known| known.is_of_the_same(&line)) {
            Some(known) => *known = line,
            None => results.push(line),
        }
    }
    Ok(results)
}

impl Line {
    /// The line with today's names: the cases of `limits-remote` were once of `limits-far`, and ended in `, far`.
    fn with_present_names(mut self) -> Line {
        if self.suite == "limits-far" {
            self.suite = "limits-remote".to_string();
            if let Some(name) = self.case.strip_suffix(", far") {
                self.case = format!("{name}, remote");
            }
        }
        self
    }

    /// Returns true if two results can be compared: the same case, over the same transport, on as many ranks.
    pub fn is_of_the_same(&self, other: &Line) -> bool {
        let key = |line: &Line| (line.suite.clone(), line.case.clone(), line.fabric.clone(), line.ranks, line.hosts);
        key(self) == key(other)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A result like any other.
    pub fn line(case: &str, median: f64) -> Line {
        let text = |text: &str| text.to_string();
        Line {
            suite: text("rpc"),
            case: text(case),
            value: Some(median),
            unit: text("us"),
            peer: Some(text("MPI")),
            peer_value: Some(median / 2.0),
            ratio: Some(2.0),
            repeat: 3,
            min: Some(median * 0.9),
            median: Some(median),
            max: Some(median * 1.1),
            commit: text("abc-dirty"),
            host: text("n\"1"),
            cpu: text("a\tCPU"),
            fabric: text("auto"),
            ranks: 2,
            hosts: 1,
            seed: 7,
            quiet: None,
        }
    }

    fn file(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("mobula-bench-results-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn a_line_holds_every_field_in_order() {
        let text = serde_json::to_string(&line("round trip", 3.0)).unwrap();
        assert_eq!(
            text,
            "{\"suite\":\"rpc\",\"case\":\"round \
             trip\",\"value\":3.0,\"unit\":\"us\",\"peer\":\"MPI\",\"peer_value\":1.5,\
             \"ratio\":2.0,\"repeat\":3,\"min\":2.7,\"median\":3.0,\"max\":3.3000000000000003,\"commit\":\"abc-dirty\",\
             \"host\":\"n\\\"1\",\"cpu\":\"a\\tCPU\",\"fabric\":\"auto\",\"ranks\":2,\"hosts\":1,\"seed\":7}"
        );
    }

    #[test]
    fn what_was_written_is_read_and_the_last_of_a_case_counts() {
        let path = file("again");
        begin(Some(&path)).unwrap();
        append(&path, &line("a", 1.0)).unwrap();
        append(&path, &line("b", 2.0)).unwrap();
        begin(Some(&path)).unwrap();
        append(&path, &line("a", 3.0)).unwrap();
        assert_eq!(read(&path).unwrap(), [line("a", 3.0), line("b", 2.0)]);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn results_are_marked_by_the_line_behind_their_suite() {
        let path = file("quiet");
        begin(Some(&path)).unwrap();
        append(&path, &line("a", 1.0)).unwrap();
        let machine = Machine { suite: "rpc".to_string(), idle_before: 1.0, idle_after: 0.5, quiet: false };
        append_machine(&path, &machine).unwrap();
        append(&path, &line("b", 1.0)).unwrap();
        let quiet = |path| read(path).unwrap().iter().map(|line| line.quiet).collect::<Vec<_>>();
        assert_eq!(quiet(&path), [Some(false), None], "the second was interrupted");
        append(&path, &line("a", 2.0)).unwrap();
        append_machine(&path, &Machine { quiet: true, ..machine }).unwrap();
        assert_eq!(quiet(&path), [Some(true), Some(true)], "a case that was measured again has the later mark");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_with_old_names_is_read_with_todays() {
        let path = file("names");
        begin(Some(&path)).unwrap();
        append(&path, &Line { suite: "limits-far".to_string(), ..line("wait, 10,000 objects, far", 1.0) }).unwrap();
        let expected = Line { suite: "limits-remote".to_string(), ..line("wait, 10,000 objects, remote", 1.0) };
        assert_eq!(read(&path).unwrap(), [expected]);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn another_version_is_refused_to_read_and_to_append() {
        let path = file("version");
        fs::write(&path, "{\"version\":2}\n").unwrap();
        for refused in [read(&path).map(|_| ()), begin(Some(&path))] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("version 2") && message.contains("reads version 1"), "{message}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"version\":2}\n");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_without_results_is_an_error_with_its_line() {
        let path = file("other");
        fs::write(&path, "something else\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("first line"));
        fs::write(&path, "{\"version\":1}\n{\"suite\":\"rpc\"}\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2 is no result"));
        fs::remove_file(path).unwrap();
    }
}
