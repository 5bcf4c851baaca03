//! The table for a document.

use super::{Run, bar, setting, spread};
use crate::results::Line;
use crate::table::number;

/// A table for each suite of each file.
pub fn tables(runs: &[Run]) -> String {
    let mut text = String::new();
    for run in runs {
        if runs.len() > 1 {
            text.push_str(&format!("## {}\n\n", run.name));
        }
        for suite in run.suites() {
            text.push_str(&format!("### {suite}\n\n"));
            if let Some(first) = run.of(suite).next() {
                text.push_str(&format!("{}\n\n", setting(first)));
            }
            text.push_str("| case | unit | median (min..max) | noise | peer | ratio | bar | |\n");
            text.push_str("|---|---|---|---|---|---|---|---|\n");
            run.of(suite).for_each(|line| text.push_str(&row(line)));
            text.push('\n');
        }
    }
    text
}

fn row(line: &Line) -> String {
    let shown = |value: Option<f64>| value.map_or("-".to_string(), number);
    let peer = line.peer.as_ref().map_or(String::new(), |peer| format!("{} {peer}", shown(line.peer_value)));
    let ratio = line.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio)));
    let noise = spread(line).map_or(String::new(), |spread| format!("{:.0} %", spread * 100.0));
    let (bar, status) = bar(line);
    let (case, unit) = (&line.case, &line.unit);
    let (median, min, max) = (shown(line.median), shown(line.min), shown(line.max));
    format!("| {case} | {unit} | {median} ({min}..{max}) | {noise} | {peer} | {ratio} | {bar} | {status} |\n")
}
