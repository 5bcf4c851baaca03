//! The results as they come: a table for the reader, and a line for each result in the requested file.

use crate::case::{BarStatus, Case, Run};
use crate::failure::Result;
use crate::quiet::Idle;
use crate::results::{self, Line, Machine};
use crate::sample::{Outcome, Summary};
use crate::setting::Setting;
use std::path::{Path, PathBuf};

/// Columns that the name of a case takes in tables.
pub const NAME_COLUMNS: usize = 46;

/// The results of a suite so far.
pub struct Table {
    setting: Setting,
    json: Option<PathBuf>,
    with_bar: u32,
    missed: u32,
    failed: u32,
    notes: Vec<String>,
}

impl Table {
    /// Opens `json`, and prints the circumstances and the head of the table.
    ///
    /// # Errors
    /// `Failure::File` if `json` cannot be written, `Failure::Results` if it is of another version.
    pub fn start(setting: Setting, json: Option<&Path>) -> Result<Table> {
        results::begin(json)?;
        println!("{setting}");
        println!("{}", row(["case", "unit", "median", "min..max", "peer", "", "ratio", "bar", ""]));
        Ok(Table { setting, json: json.map(Path::to_path_buf), with_bar: 0, missed: 0, failed: 0, notes: Vec::new() })
    }

    /// Prints the row of a case and writes its line, which is whole in the file before the next case runs.
    ///
    /// # Errors
    /// `Failure::File` where the line cannot be written.
    pub fn add(&mut self, case: &Case, run: &Run, outcome: &Outcome) -> Result<()> {
        if let (Some(peer), Some(Err(failure))) = (&case.peer, &outcome.peer) {
            self.note(format!("not measured: {}: {failure}", peer.name));
        }
        let ours = match &outcome.ours {
            Ok(ours) => ours,
            Err(failure) => {
                self.failed += 1;
                println!("{:<NAME_COLUMNS$} FAILED: {failure}", case.name);
                return Ok(());
            }
        };
        let status = case.bar.status(ours.median, outcome.ratio);
        self.with_bar += u32::from(status != BarStatus::Open);
        self.missed += u32::from(status == BarStatus::Missed);
        println!("{}", measured(case, ours, outcome, status));
        if let Some(path) = &self.json {
            results::append(path, &line(&self.setting, case, run, ours, outcome))?;
        }
        Ok(())
    }

    /// Says how idle the CPUs were before and after, and writes it behind the results, whose times it qualifies.
    ///
    /// # Errors
    /// `Failure::File` where the line cannot be written.
    pub fn machine_was(&mut self, before: Idle, after: Idle) -> Result<()> {
        let quiet = before.is_quiet() && after.is_quiet();
        self.note(format!(
            "CPUs idle: {:.0} % before, {:.0} % after{}",
            before.share * 100.0,
            after.share * 100.0,
            if quiet { "" } else { ": NOT QUIET, something else ran: these times are no figures" }
        ));
        let Some(path) = &self.json else { return Ok(()) };
        let (suite, idle_before, idle_after) = (self.setting.suite.to_string(), before.share, after.share);
        results::append_machine(path, &Machine { suite, idle_before, idle_after, quiet })
    }

    /// Adds a line below the table, once.
    pub fn note(&mut self, line: String) {
        if !self.notes.contains(&line) {
            self.notes.push(line);
        }
    }

    /// Prints the notes and the count of bars; returns true if every case ran.
    pub fn finish(self) -> bool {
        for note in &self.notes {
            println!("{note}");
        }
        println!("{} of {} bars missed, {} cases failed", self.missed, self.with_bar, self.failed);
        self.failed == 0
    }
}

/// The row of a case that ran.
fn measured(case: &Case, ours: &Summary, outcome: &Outcome, status: BarStatus) -> String {
    let peer = match &outcome.peer {
        Some(Ok(peer)) => number(peer.median),
        Some(Err(_)) => "-".to_string(),
        None => String::new(),
    };
    let status = match status {
        BarStatus::Open => "",
        BarStatus::Met => "ok",
        BarStatus::Missed => "MISSED",
    };
    row([
        &case.name,
        case.unit,
        &number(ours.median),
        &format!("{}..{}", number(ours.min), number(ours.max)),
        &peer,
        case.peer.as_ref().map_or("", |peer| &peer.name),
        &outcome.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio))),
        &case.bar.to_string(),
        status,
    ])
}

/// The columns: case, unit, ours, its spread, the peer's, the peer, ratio, bar, status.
fn row(columns: [&str; 9]) -> String {
    let [name, unit, ours, spread, value, peer, ratio, bar, status] = columns;
    let line = format!(
        "{name:<NAME_COLUMNS$} {unit:<9} {ours:>7} {:<18} {value:>7} {peer:<23} {ratio:>6}  {bar:<7} {status}",
        if spread.is_empty() { String::new() } else { format!("({spread})") }
    );
    line.trim_end().to_string()
}

/// Three significant digits, which is more than the machine repeats.
pub fn number(value: f64) -> String {
    let magnitude = if value == 0.0 || !value.is_finite() { 0 } else { value.abs().log10().floor() as i32 };
    format!("{value:.*}", (2 - magnitude).clamp(0, 6) as usize)
}

/// A result, as it is stored. JSON has no infinities.
fn line(setting: &Setting, case: &Case, run: &Run, ours: &Summary, outcome: &Outcome) -> Line {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let peer_value = match &outcome.peer {
        Some(Ok(peer)) => finite(peer.median),
        _ => None,
    };
    Line {
        suite: setting.suite.to_string(),
        case: case.name.clone(),
        value: finite(ours.median),
        unit: case.unit.to_string(),
        peer: case.peer.as_ref().map(|peer| peer.name.clone()),
        peer_value,
        ratio: outcome.ratio.and_then(finite),
        repeat: run.repeat,
        min: finite(ours.min),
        median: finite(ours.median),
        max: finite(ours.max),
        commit: setting.commit.clone(),
        host: setting.host.clone(),
        cpu: setting.cpu.clone(),
        fabric: setting.fabric.clone(),
        ranks: setting.ranks,
        hosts: setting.hosts,
        seed: setting.seed,
        quiet: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Bar, case};
    use crate::failure::Failure;

    fn setting() -> Setting {
        let text = |text: &str| text.to_string();
        Setting {
            suite: "rpc",
            commit: text("abc-dirty"),
            host: text("n\"1"),
            cpu: text("a\tCPU"),
            cpus: 2,
            fabric: text("auto"),
            ranks: 2,
            hosts: 1,
            seed: 0,
        }
    }

    fn summary(median: f64) -> Summary {
        Summary { min: median / 2.0, median, max: median * 2.0 }
    }

    #[test]
    fn three_digits_count() {
        for (value, shown) in [
            (0.0, "0.00"),
            (0.23456, "0.235"),
            (1.0, "1.00"),
            (12.345, "12.3"),
            (123.4, "123"),
            (65432.1, "65432"),
            (0.000123456, "0.000123"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn a_number_that_was_not_measured_is_none() {
        let missing = Failure::Usage("not here".to_string());
        let outcome = Outcome { ours: Ok(summary(3.0)), peer: Some(Err(missing)), ratio: None };
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0));
        let run = Run { repeat: 5, quick: false, seed: 0 };
        let line = line(&setting(), &case, &run, &summary(f64::INFINITY), &outcome);
        assert_eq!((line.value, line.min, line.peer_value, line.ratio), (None, None, None, None));
        assert_eq!((line.peer.as_deref(), line.repeat, line.suite.as_str()), (Some("MPI"), 5, "rpc"));
    }

    #[test]
    fn a_row_has_ratio_bar_and_status() {
        let outcome = Outcome { ours: Ok(summary(3.0)), peer: Some(Ok(summary(1.0))), ratio: Some(3.0) };
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0)).bar(Bar::RatioAtMost(2.0));
        let row = measured(&case, &summary(3.0), &outcome, BarStatus::Missed);
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            words,
            ["round", "trip", "us", "3.00", "(1.50..6.00)", "1.00", "MPI", "3.00x", "<=", "2x", "MISSED"]
        );
    }

    #[test]
    fn a_note_is_printed_once_and_a_failed_case_is_an_error() {
        let mut report = Table::start(setting(), None).unwrap();
        let failed = Err(Failure::Usage("not here".to_string()));
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0));
        let outcome = Outcome { ours: failed.clone(), peer: Some(failed), ratio: None };
        for _ in 0..2 {
            report.add(&case, &Run { repeat: 1, quick: true, seed: 0 }, &outcome).unwrap();
        }
        assert_eq!((report.notes.len(), report.failed, report.with_bar), (1, 2, 0));
        assert!(!report.finish());
    }
}
