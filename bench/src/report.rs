//! What was measured, for the reader and for programs: a table as it grows, and a JSON line a result.

use crate::case::{Case, Run, Verdict};
use crate::failure::{Failure, Result};
use crate::sample::{Outcome, Summary};
use crate::setting::Setting;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Columns that the name of a case takes in tables.
pub const NAME_COLUMNS: usize = 38;

/// The results of a suite so far.
pub struct Report {
    setting: Setting,
    json: Option<(PathBuf, File)>,
    held: u32,
    missed: u32,
    failed: u32,
    notes: Vec<String>,
}

impl Report {
    /// Opens `json`, and prints what is measured on what and the head of the table.
    ///
    /// # Errors
    /// `Failure::File` where `json` cannot be opened.
    pub fn start(setting: Setting, json: Option<&Path>) -> Result<Report> {
        let open = |path: &Path| match File::options().create(true).append(true).open(path) {
            Ok(file) => Ok((path.to_path_buf(), file)),
            Err(error) => Err(Failure::File { path: path.to_path_buf(), reason: error.to_string() }),
        };
        let json = json.map(open).transpose()?;
        println!("{setting}");
        println!("{}", row(["case", "unit", "median", "min..max", "peer", "", "ratio", "bar", ""]));
        Ok(Report { setting, json, held: 0, missed: 0, failed: 0, notes: Vec::new() })
    }

    /// Prints the row of a case and writes its line, which is whole in the file before the next case runs.
    ///
    /// # Errors
    /// `Failure::File` where the line cannot be written.
    pub fn add(&mut self, case: &Case, run: &Run, outcome: &Outcome) -> Result<()> {
        if let (Some(peer), Some(Err(failure))) = (case.peer, &outcome.peer) {
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
        let verdict = case.bar.verdict(ours.median, outcome.ratio);
        self.held += u32::from(verdict != Verdict::Open);
        self.missed += u32::from(verdict == Verdict::Missed);
        println!("{}", measured(case, ours, outcome, verdict));
        if let Some((path, file)) = &mut self.json {
            let line = json_line(&self.setting, case, run, ours, outcome);
            file.write_all(line.as_bytes())
                .map_err(|error| Failure::File { path: path.clone(), reason: error.to_string() })?;
        }
        Ok(())
    }

    /// Says something once, below the table.
    fn note(&mut self, line: String) {
        if !self.notes.contains(&line) {
            self.notes.push(line);
        }
    }

    /// Prints the notes and the count of bars; whether every case ran.
    pub fn finish(self) -> bool {
        for note in &self.notes {
            println!("{note}");
        }
        println!("{} of {} bars missed, {} cases failed", self.missed, self.held, self.failed);
        self.failed == 0
    }
}

/// The row of a case that ran.
fn measured(case: &Case, ours: &Summary, outcome: &Outcome, verdict: Verdict) -> String {
    let peer = match &outcome.peer {
        Some(Ok(peer)) => number(peer.median),
        Some(Err(_)) => "-".to_string(),
        None => String::new(),
    };
    let verdict = match verdict {
        Verdict::Open => "",
        Verdict::Met => "ok",
        Verdict::Missed => "MISSED",
    };
    row([
        case.name,
        case.unit,
        &number(ours.median),
        &format!("{}..{}", number(ours.min), number(ours.max)),
        &peer,
        case.peer.map_or("", |peer| peer.name),
        &outcome.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio))),
        &case.bar.to_string(),
        verdict,
    ])
}

/// The columns: case, unit, ours, its spread, the peer's, the peer, ratio, bar, verdict.
fn row(columns: [&str; 9]) -> String {
    let [name, unit, ours, spread, value, peer, ratio, bar, verdict] = columns;
    let line = format!(
        "{name:<NAME_COLUMNS$} {unit:<9} {ours:>7} {:<18} {value:>7} {peer:<23} {ratio:>6}  {bar:<7} {verdict}",
        if spread.is_empty() { String::new() } else { format!("({spread})") }
    );
    line.trim_end().to_string()
}

/// Three digits that count, which is more than the machine repeats.
fn number(value: f64) -> String {
    let magnitude = if value == 0.0 || !value.is_finite() { 0 } else { value.abs().log10().floor() as i32 };
    format!("{value:.*}", (2 - magnitude).clamp(0, 6) as usize)
}

/// A result, as one line that stands alone.
fn json_line(setting: &Setting, case: &Case, run: &Run, ours: &Summary, outcome: &Outcome) -> String {
    let peer_value = match &outcome.peer {
        Some(Ok(peer)) => Some(peer.median),
        _ => None,
    };
    let fields = [
        ("suite", json_text(setting.suite)),
        ("case", json_text(case.name)),
        ("value", json_number(ours.median)),
        ("unit", json_text(case.unit)),
        ("peer", case.peer.map_or("null".to_string(), |peer| json_text(peer.name))),
        ("peer_value", peer_value.map_or("null".to_string(), json_number)),
        ("ratio", outcome.ratio.map_or("null".to_string(), json_number)),
        ("repeat", run.repeat.to_string()),
        ("min", json_number(ours.min)),
        ("median", json_number(ours.median)),
        ("max", json_number(ours.max)),
        ("commit", json_text(&setting.commit)),
        ("host", json_text(&setting.host)),
        ("cpu", json_text(&setting.cpu)),
        ("fabric", json_text(&setting.fabric)),
        ("ranks", setting.ranks.to_string()),
        ("hosts", setting.hosts.to_string()),
        ("seed", setting.seed.to_string()),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", fields.join(","))
}

/// JSON has no infinities.
fn json_number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { "null".to_string() }
}

fn json_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Bar, case};

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
    fn a_line_holds_every_field_in_order() {
        let outcome = Outcome { ours: Ok(summary(3.0)), peer: Some(Ok(summary(2.0))), ratio: Some(1.5) };
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0));
        let line = json_line(&setting(), &case, &Run { repeat: 5, quick: false }, &summary(3.0), &outcome);
        assert_eq!(
            line,
            "{\"suite\":\"rpc\",\"case\":\"round trip\",\"value\":3,\"unit\":\"us\",\"peer\":\"MPI\",\"peer_value\":2,\
             \"ratio\":1.5,\"repeat\":5,\"min\":1.5,\"median\":3,\"max\":6,\"commit\":\"abc-dirty\",\"host\":\"n\\\"1\",\
             \"cpu\":\"a\\u0009CPU\",\"fabric\":\"auto\",\"ranks\":2,\"hosts\":1,\"seed\":0}\n"
        );
    }

    #[test]
    fn what_was_not_measured_is_null() {
        let missing = Failure::Usage("not here".to_string());
        let outcome = Outcome { ours: Ok(summary(3.0)), peer: Some(Err(missing)), ratio: None };
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0));
        let line = json_line(&setting(), &case, &Run { repeat: 5, quick: false }, &summary(f64::INFINITY), &outcome);
        assert!(line.contains("\"value\":null") && line.contains("\"peer_value\":null,\"ratio\":null"), "{line}");
    }

    #[test]
    fn a_row_says_ratio_bar_and_verdict() {
        let outcome = Outcome { ours: Ok(summary(3.0)), peer: Some(Ok(summary(1.0))), ratio: Some(3.0) };
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0)).bar(Bar::RatioAtMost(2.0));
        let row = measured(&case, &summary(3.0), &outcome, Verdict::Missed);
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            words,
            ["round", "trip", "us", "3.00", "(1.50..6.00)", "1.00", "MPI", "3.00x", "<=", "2x", "MISSED"]
        );
    }

    #[test]
    fn a_note_is_said_once_and_a_failed_case_is_an_error() {
        let mut report = Report::start(setting(), None).unwrap();
        let failed = Err(Failure::Usage("not here".to_string()));
        let case = case("round trip", "us", |_| Ok(0.0)).peer("MPI", |_| Ok(0.0));
        let outcome = Outcome { ours: failed.clone(), peer: Some(failed), ratio: None };
        for _ in 0..2 {
            report.add(&case, &Run { repeat: 1, quick: true }, &outcome).unwrap();
        }
        assert_eq!((report.notes.len(), report.failed, report.held), (1, 2, 0));
        assert!(!report.finish());
    }
}
