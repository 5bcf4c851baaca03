//! What suites share: their options, their list, and how their cases are run one after the other.

use crate::case::{Case, Run};
use crate::failure::Result;
use crate::report::{NAME_COLUMNS, Report};
use crate::sample::alternate;
use crate::setting::Setting;
use crate::{hosts, limits, local, rpc};
use mobula::Cluster;
use std::path::PathBuf;
use std::process::ExitCode;

/// Samples of a case, where `--repeat` does not say.
const REPEAT: u32 = 9;

/// The same with `--quick`.
const REPEAT_QUICK: u32 = 3;

/// Options that every suite has.
#[derive(clap::Args)]
pub struct Options {
    /// Append one JSON line a result to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Samples of each case [default: 9; 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Samples a tenth as long, and fewer: to see that all works, not to compare
    #[arg(long)]
    quick: bool,
    /// Measure only the cases with this text in their name
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
}

/// A suite under way.
pub struct Bench {
    run: Run,
    only: String,
    report: Report,
}

impl Bench {
    /// Opens the files asked for and prints the head of the table.
    ///
    /// # Errors
    /// `Failure::File` where the results could not be written.
    pub fn start(options: &Options, setting: Setting) -> Result<Bench> {
        let repeat = options.repeat.unwrap_or(if options.quick { REPEAT_QUICK } else { REPEAT });
        let report = Report::start(setting, options.json.as_deref())?;
        Ok(Bench { run: Run { repeat, quick: options.quick }, only: options.only.clone(), report })
    }

    /// Measures cases; each is reported as it ends. A case that fails is reported as such and the next one runs.
    ///
    /// # Errors
    /// `Failure::File` where a result could not be written.
    pub fn measure(&mut self, cases: &[Case]) -> Result<()> {
        self.measure_at_most(self.run.repeat, cases)
    }

    /// As `measure`, with no more samples than this: for cases that take seconds each.
    ///
    /// # Errors
    /// As `measure`.
    pub fn measure_at_most(&mut self, repeat_max: u32, cases: &[Case]) -> Result<()> {
        let run = Run { repeat: self.run.repeat.min(repeat_max), ..self.run };
        for case in cases.iter().filter(|case| case.name.contains(&self.only)) {
            self.report.add(case, &run, &alternate(case, &run))?;
        }
        Ok(())
    }

    /// Prints what is to be said below the table. A missed bar is a finding; only a case that failed is an error.
    pub fn finish(self) -> ExitCode {
        if self.report.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Measures on rank 0 while every other rank serves it; `measure` is given the number of ranks.
///
/// # Errors
/// As `measure`, or where the ranks do not part.
pub fn on_rank_0(cluster: Cluster, measure: impl FnOnce(u32) -> Result<ExitCode>) -> Result<ExitCode> {
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = measure(cluster.size());
    let stopped = cluster.shutdown();
    let code = outcome?;
    stopped?;
    Ok(code)
}

/// Prints the suites with their cases.
pub fn list() {
    let suites = [("local", local::STAGES), ("rpc", rpc::STAGES), ("hosts", hosts::STAGES), ("limits", limits::STAGES)];
    for (suite, stages) in suites {
        println!("{suite}");
        for case in stages.iter().copied().flatten() {
            let peer = case.peer.map_or(String::new(), |peer| format!("beside {}", peer.name));
            println!("  {:<NAME_COLUMNS$} {:<9} {:<7} {peer}", case.name, case.unit, case.bar.to_string());
        }
    }
}
