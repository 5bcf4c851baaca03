//! The numbers that are kept in the tree, and the comparison with them.

use crate::failure::{Failure, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A rise by more percent than this fails.
pub const TOLERANCE_PERCENT: f64 = 3.0;

/// The line before the versions of the tools that the numbers were counted with.
const TOOLS: &str = "# Counted with ";

/// Instructions an operation, by case, and what they were counted with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The compiler and valgrind.
    pub tools: String,
    /// The numbers.
    pub counts: BTreeMap<String, u64>,
}

/// How a count differs from the one kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By no more than the tolerance.
    Same,
    /// It takes more.
    Risen,
    /// It takes less.
    Fallen,
    /// None is kept.
    New,
}

/// A count beside the one kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The case.
    pub case: String,
    /// Instructions an operation now.
    pub now: f64,
    /// Those kept.
    pub kept: Option<u64>,
    /// The difference.
    pub change: Change,
}

impl Compared {
    /// A line that says both numbers.
    pub fn line(&self) -> String {
        let Compared { case, now, kept, .. } = self;
        match kept {
            Some(kept) => format!("{case}: {now:.0} instructions, kept are {kept}: {:+.1} %", percent(*now, *kept)),
            None => format!("{case}: {now:.0} instructions, none are kept"),
        }
    }
}

fn percent(now: f64, kept: u64) -> f64 {
    (now / kept as f64 - 1.0) * 100.0
}

/// The file of the kept numbers, as messages name it.
pub const FILE: &str = "bench/results/instructions.txt";

/// The file of the kept numbers.
pub fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE)
}

impl Kept {
    /// Reads the file; without one, nothing is kept.
    ///
    /// # Errors
    /// `Failure::Results` for a line that is none of a count.
    pub fn read(path: &Path) -> Result<Kept> {
        if !path.exists() {
            return Ok(Kept::default());
        }
        let fail = |reason: String| Failure::Results { path: path.to_path_buf(), reason };
        let text = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        Kept::parse(&text).map_err(fail)
    }

    fn parse(text: &str) -> Result<Kept, String> {
        let mut kept = Kept::default();
        for (index, line) in text.lines().enumerate() {
            if let Some(tools) = line.strip_prefix(TOOLS) {
                kept.tools = tools.to_string();
            }
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let count = line.trim().split_once(' ').and_then(|(count, case)| Some((count.parse().ok()?, case.trim())));
            let Some((count, case)) = count.filter(|(count, _)| *count > 0) else {
                return Err(format!("line {} is no count: expected a number above 0 and a case", index + 1));
            };
            kept.counts.insert(case.to_string(), count);
        }
        Ok(kept)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// `Failure::File` if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, self.text())
            .map_err(|error| Failure::File { path: path.to_path_buf(), reason: error.to_string() })
    }

    fn text(&self) -> String {
        let mut text = format!(
            "# Instructions an operation. `make instructions` fails if one rises by more than {TOLERANCE_PERCENT} %;\n\
             # `make instructions KEEP=1` writes what it counts to this file.\n{TOOLS}{}\n",
            self.tools
        );
        for (case, count) in &self.counts {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{count:>7} {case}");
        }
        text
    }

    /// The same with these counts; others stay.
    pub fn with(mut self, tools: String, counts: &[(String, f64)]) -> Kept {
        self.tools = tools;
        self.counts.extend(counts.iter().map(|(case, count)| (case.clone(), count.round() as u64)));
        self
    }

    /// Compares counts with those kept.
    pub fn compare(&self, counts: &[(String, f64)]) -> Vec<Compared> {
        let compared = |(case, now): &(String, f64)| {
            let kept = self.counts.get(case).copied();
            let change = match kept.map(|kept| percent(*now, kept)) {
                None => Change::New,
                Some(percent) if percent > TOLERANCE_PERCENT => Change::Risen,
                Some(percent) if percent < -TOLERANCE_PERCENT => Change::Fallen,
                Some(_) => Change::Same,
            };
            Compared { case: case.clone(), now: *now, kept, change }
        };
        counts.iter().map(compared).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept::default().with("rustc 1, valgrind-3".to_string(), &[("batch".to_string(), 1000.4)])
    }

    fn change(now: f64) -> Compared {
        kept().compare(&[("batch".to_string(), now)]).remove(0)
    }

    #[test]
    fn a_rise_of_more_than_three_percent_is_one() {
        assert_eq!(change(1029.0).change, Change::Same);
        assert_eq!(change(1031.0).change, Change::Risen);
        assert_eq!(change(971.0).change, Change::Same);
        assert_eq!(change(969.0).change, Change::Fallen);
    }

    #[test]
    fn both_numbers_are_printed() {
        assert_eq!(change(1055.0).line(), "batch: 1055 instructions, kept are 1000: +5.5 %");
        assert_eq!(change(900.0).line(), "batch: 900 instructions, kept are 1000: -10.0 %");
    }

    #[test]
    fn a_case_that_is_not_kept_is_new() {
        let new = kept().compare(&[("leaf".to_string(), 5.0)]).remove(0);
        assert_eq!((new.change, new.line().as_str()), (Change::New, "leaf: 5 instructions, none are kept"));
    }

    #[test]
    fn what_is_written_is_read_and_other_counts_stay() {
        let more =
            kept().with("rustc 2, valgrind-3".to_string(), &[("remote call, caller (a, b)".to_string(), 5482.5)]);
        assert_eq!(Kept::parse(&more.text()), Ok(more.clone()));
        assert_eq!(more.counts.len(), 2);
        assert_eq!(more.tools, "rustc 2, valgrind-3");
    }

    #[test]
    fn a_line_that_is_no_count_is_named() {
        for text in ["# a comment\nbatch 5\n", "\n5\n", "# a\n0 batch\n"] {
            let error = Kept::parse(text).unwrap_err();
            assert!(error.contains("line 2"), "{text}: {error}");
        }
    }

    #[test]
    fn the_file_of_the_tree_can_be_read() {
        assert!(!Kept::read(&file()).unwrap().counts.is_empty());
    }
}
