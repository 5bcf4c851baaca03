//! `report FILE...`: a page with plots that needs no other file, and a table in Markdown.
//!
//! Owns: the presentation of results. Never: measures.
//!
//! - BENCH-REPORT-1: the page names no other file and no other host: it can be sent, stored and read anywhere.
//! - BENCH-REPORT-2: every number of a table is in the result file; only the width of the spread is computed.

mod html;
mod markdown;
mod plots;
mod svg;

use crate::failure::{Failure, Result};
use crate::results::{self, Line};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `mobula-bench report`.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Result files, the plots show all of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the page goes [default: beside the last file, as .html]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where the table goes [default: beside the last file, as .md]
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Where the plots go as well, each a file of its own, for documents [default: nowhere]
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

/// The results of one file.
pub struct Run {
    /// The name of the file.
    pub name: String,
    /// Its results.
    pub lines: Vec<Line>,
}

impl Run {
    /// The suites that it has results of, in order.
    fn suites(&self) -> Vec<&str> {
        let mut suites: Vec<&str> = Vec::new();
        for line in &self.lines {
            if !suites.contains(&line.suite.as_str()) {
                suites.push(&line.suite);
            }
        }
        suites
    }

    /// The results of a suite.
    fn of<'a>(&'a self, suite: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.suite == suite)
    }
}

/// Writes the page and the table, and prints their paths.
///
/// # Errors
/// `Failure::Results` for a file that cannot be read, `Failure::File` for one that cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let runs = options
        .files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            Ok(Run { name, lines: results::read(path)? })
        })
        .collect::<Result<Vec<Run>>>()?;
    let last = options.files.last().expect("the command line takes one or more");
    if runs.iter().all(|run| run.lines.is_empty()) {
        return Err(Failure::Results { path: last.clone(), reason: "there are no results in it".to_string() });
    }
    let beside = |chosen: &Option<PathBuf>, ending: &str| chosen.clone().unwrap_or_else(|| last.with_extension(ending));
    for (path, text) in
        [(beside(&options.html, "html"), html::page(&runs)), (beside(&options.markdown, "md"), markdown::tables(&runs))]
    {
        write(&path, &text)?;
        println!("wrote {}", path.display());
    }
    if let Some(folder) = &options.plots {
        let fail = |error: std::io::Error| Failure::File { path: folder.clone(), reason: error.to_string() };
        std::fs::create_dir_all(folder).map_err(fail)?;
        let drawings = suites(&runs).into_iter().flat_map(|suite| plots::files(&runs, suite));
        for (name, drawing) in drawings {
            write(&folder.join(&name), &drawing)?;
            println!("wrote {}", folder.join(name).display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The suites of all files, in order.
fn suites(runs: &[Run]) -> Vec<&str> {
    let mut suites: Vec<&str> = Vec::new();
    for suite in runs.iter().flat_map(Run::suites) {
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    suites
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| Failure::File { path: path.to_path_buf(), reason: error.to_string() })
}

/// The circumstances of a suite's results.
fn setting(line: &Line) -> String {
    let Line { commit, host, cpu, fabric, ranks, hosts, repeat, seed, .. } = line;
    format!(
        "commit {commit}; {host}, {cpu}; ranks: {ranks}, hosts: {hosts}, fabric: {fabric}; samples: {repeat}, seed: \
         {seed}{}",
        if line.quiet == Some(false) { "; NOT QUIET: something else ran" } else { "" }
    )
}

/// How far the samples lie apart, as a part of the median; `None` for one sample.
fn spread(line: &Line) -> Option<f64> {
    let (min, median, max) = (line.min?, line.median?, line.max?);
    (median != 0.0 && line.repeat > 1).then(|| (max - min) / median.abs())
}

/// The bar of a case, if this command still has the case, and its status.
fn bar(line: &Line) -> (String, &'static str) {
    use crate::case::BarStatus;
    let known = crate::suite::named(&line.suite).ok();
    let case = known.and_then(|suite| (suite.cases)().into_iter().find(|case| case.name == line.case));
    let Some(case) = case else { return (String::new(), "") };
    let status = match case.bar.status(line.median.unwrap_or(f64::NAN), line.ratio) {
        BarStatus::Open => "",
        BarStatus::Met => "ok",
        BarStatus::Missed => "missed",
    };
    (case.bar.to_string(), status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::line;

    #[test]
    fn a_page_holds_every_case_and_no_link() {
        let runs = [Run {
            name: "a <b>.json".to_string(),
            lines: vec![line("round trip, 8 B", 2.0), line("tasks & more", 3.0)],
        }];
        let page = html::page(&runs);
        assert!(
            page.contains("round trip, 8 B") && page.contains("tasks &amp; more") && page.contains("a &lt;b&gt;.json")
        );
        assert!(page.contains("<svg") && page.contains("</svg>"));
        let links = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!links.contains("http") && !links.contains("src=") && !links.contains("href="), "BENCH-REPORT-1");
    }

    #[test]
    fn a_plot_by_itself_brings_its_colours() {
        let runs = [Run { name: "a.json".to_string(), lines: vec![line("round trip, 8 B", 2.0)] }];
        let files = plots::files(&runs, "rpc");
        assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["rpc.svg"]);
        let drawing = &files[0].1;
        assert!(
            drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n") && drawing.contains("--c0: "),
            "{drawing}"
        );
    }

    #[test]
    fn a_table_has_a_row_a_case_and_its_bar() {
        let runs = [Run { name: "a.json".to_string(), lines: vec![line("round trip, 8 B", 2.0), line("gone", 3.0)] }];
        let text = markdown::tables(&runs);
        let row = text.lines().find(|row| row.contains("round trip, 8 B")).unwrap();
        assert!(row.contains("2.00 (1.80..2.20)") && row.contains("<= 1.5x") && row.contains("missed"), "{row}");
        assert!(text.lines().any(|row| row.contains("| gone |")));
    }

    #[test]
    fn results_of_a_busy_machine_are_marked() {
        let marked = |quiet| setting(&Line { quiet, ..line("a", 1.0) }).contains("NOT QUIET");
        assert!(marked(Some(false)) && !marked(Some(true)) && !marked(None));
    }

    #[test]
    fn the_spread_is_a_part_of_the_median() {
        assert!((spread(&line("a", 10.0)).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(spread(&Line { max: None, ..line("a", 1.0) }), None);
        assert_eq!(spread(&Line { repeat: 1, ..line("a", 1.0) }), None);
    }
}
