//! The parts that suites share: their table, their options, and the loop over their cases.

use crate::case::{Case, Run};
use crate::failure::{Failure, Result};
use crate::progress::Marks;
use crate::quiet::Idle;
use crate::sample::alternate;
use crate::setting::Setting;
use crate::table::{NAME_COLUMNS, Table};
use crate::{
    actors, cholesky, hosts, instructions, limits, local, memory, objects, ray, rpc, sim, startup, taskbench, uts,
};
use mobula::Cluster;
use std::path::PathBuf;
use std::process::ExitCode;

/// Samples of a case, without `--repeat`.
const REPEAT: u32 = 9;

/// The same with `--quick`.
const REPEAT_QUICK: u32 = 3;

/// The processes that run a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsOn {
    /// In one process, where it starts the clusters that it needs.
    OneProcess,
    /// On rank 0 of a cluster of at least so many ranks, which have been started already.
    Ranks(u32),
}

/// What a suite measures, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measures {
    /// Times and sizes of the code in this binary. They need a quiet machine.
    Times,
    /// Instructions of a program that it builds from the source when it runs. They do not depend on other work.
    Instructions,
}

/// A group of cases that are measured together.
pub struct Suite {
    /// Its name on the command line and in results.
    pub name: &'static str,
    /// What it measures, for the list.
    pub about: &'static str,
    /// The processes that run it.
    pub runs_on: RunsOn,
    /// What its numbers are.
    pub measures: Measures,
    /// Environment variables for the processes that the harness starts for it, unless the environment sets them.
    pub environment: &'static [(&'static str, &'static str)],
    /// Every case, in the order in which they run.
    pub cases: fn() -> Vec<Case>,
    /// Measures all of it.
    pub run: fn(&mut Bench) -> Result<()>,
}

/// A suite without environment variables of its own.
const fn suite(
    name: &'static str,
    about: &'static str,
    runs_on: RunsOn,
    cases: fn() -> Vec<Case>,
    run: fn(&mut Bench) -> Result<()>,
) -> Suite {
    Suite { name, about, runs_on, measures: Measures::Times, environment: &[], cases, run }
}

/// All of them, in the order of `run all`.
pub const SUITES: &[Suite] = &[
    suite("local", "tasks in one process, beside rayon and plain calls", RunsOn::OneProcess, local::cases, local::run),
    suite("rpc", "calls between ranks, beside MPI messages", RunsOn::Ranks(2), rpc::cases, rpc::run),
    suite("objects", "putting, getting and broadcasting", RunsOn::Ranks(2), objects::cases, objects::run),
    suite("actors", "calls of actors, here and on another rank", RunsOn::Ranks(2), actors::cases, actors::run),
    suite("taskbench", "dependence patterns, beside plain MPI", RunsOn::Ranks(2), taskbench::cases, taskbench::run),
    suite("uts", "an unbalanced tree, beside a search in sequence", RunsOn::Ranks(2), uts::cases, uts::run),
    suite("cholesky", "a tiled factorization", RunsOn::Ranks(2), cholesky::cases, cholesky::run),
    suite("startup", "from nothing to the first task", RunsOn::OneProcess, startup::cases, startup::run),
    suite("memory", "bytes a task, an object, a peer", RunsOn::OneProcess, memory::cases, memory::run),
    suite("limits", "many of everything, in one process", RunsOn::OneProcess, limits::cases_here, limits::run_here),
    suite(
        "limits-remote",
        "many of everything, between ranks",
        RunsOn::Ranks(2),
        limits::cases_remote,
        limits::run_remote,
    ),
    Suite {
        // Without other settings, it measures the transport that every machine has.
        environment: &[("MOBULA_FABRIC", "tcp")],
        ..suite("hosts", "the transport between ranks that share no memory", RunsOn::Ranks(2), hosts::cases, hosts::run)
    },
    suite("sim", "the protocol over thousands of simulated ranks", RunsOn::OneProcess, sim::cases, sim::measure_cases),
    Suite {
        measures: Measures::Instructions,
        ..suite(
            "instructions",
            "instructions an operation, counted by callgrind, beside MPI_Isend and those kept in the tree",
            RunsOn::OneProcess,
            instructions::cases,
            instructions::run,
        )
    },
    suite("ray", "the cases of Ray's published microbenchmark", RunsOn::OneProcess, ray::cases, ray::run),
];

/// The suite of this name.
///
/// # Errors
/// A text that lists the names there are, for the command line.
pub fn named(name: &str) -> Result<&'static Suite, String> {
    let known = || SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
    SUITES
        .iter()
        .find(|suite| suite.name == name)
        .ok_or_else(|| format!("the suites are {}, or all of them: all", known()))
}

/// Options that every suite has.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Append one JSON line a result to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Samples of each case [default: 9; 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Samples a tenth as long, and fewer: for a test, not to compare
    #[arg(long)]
    quick: bool,
    /// Measure only the cases with this text in their name
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
    /// The seed of random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Of the suite `instructions`: write what is counted to the file of the kept numbers
    #[arg(long)]
    keep: bool,
}

impl Options {
    /// The same options as arguments for a process of the harness's own.
    pub fn arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments = vec!["--seed".into(), self.seed.to_string().into()];
        if let Some(json) = &self.json {
            arguments.extend(["--json".into(), json.into()]);
        }
        if let Some(repeat) = self.repeat {
            arguments.extend(["--repeat".into(), repeat.to_string().into()]);
        }
        if self.quick {
            arguments.push("--quick".into());
        }
        if self.keep {
            arguments.push("--keep".into());
        }
        if !self.only.is_empty() {
            // In one piece, for a text that begins with a dash.
            arguments.push(format!("--only={}", self.only).into());
        }
        arguments
    }
}

/// A suite under way.
pub struct Bench {
    run: Run,
    only: String,
    ranks: u32,
    table: Table,
    marks: Marks,
    keep: bool,
    medians: Vec<(String, f64)>,
}

impl Bench {
    /// Opens the files asked for and prints the head of the table.
    ///
    /// # Errors
    /// `Failure::File` where the results could not be written.
    pub fn start(suite: &Suite, options: &Options, marked: bool, ranks: u32, hosts: usize) -> Result<Bench> {
        let repeat = options.repeat.unwrap_or(if options.quick { REPEAT_QUICK } else { REPEAT });
        let setting = Setting::of(suite, ranks, hosts, options.seed);
        let cases = (suite.cases)().iter().filter(|case| case.name.contains(&options.only)).count();
        Ok(Bench {
            run: Run { repeat, quick: options.quick, seed: options.seed },
            only: options.only.clone(),
            ranks,
            table: Table::start(setting, options.json.as_deref())?,
            marks: Marks::start(marked, cases),
            keep: options.keep,
            medians: Vec::new(),
        })
    }

    /// Measures cases; each is reported as it ends. A case that fails is reported as such and the next one runs.
    ///
    /// # Errors
    /// `Failure::File` where a result could not be written.
    pub fn measure(&mut self, cases: &[Case]) -> Result<()> {
        for case in cases.iter().filter(|case| case.name.contains(&self.only)) {
            self.marks.begin(&case.name);
            if case.ranks_min > self.ranks {
                let Case { name, ranks_min: least, .. } = case;
                self.table.note(format!(
                    "{name}: it takes {least} ranks and there are {}: start them with --ranks {least}, or under mpirun \
                     or srun",
                    self.ranks
                ));
            } else {
                // A quick run takes a third of the samples of slow cases, too.
                let most = if self.run.quick { case.repeat_max.div_ceil(REPEAT_QUICK) } else { case.repeat_max };
                let run = Run { repeat: self.run.repeat.min(most), ..self.run };
                let outcome = alternate(case, &run);
                self.table.add(case, &run, &outcome)?;
                self.medians.extend(outcome.ours.ok().map(|ours| (case.name.clone(), ours.median)));
            }
            self.marks.ended();
        }
        Ok(())
    }

    /// Says how idle the CPUs were before and after, and marks what was measured, if anything was.
    ///
    /// # Errors
    /// `Failure::File` where the mark could not be written.
    pub fn machine_was(&mut self, before: Option<Idle>, after: Option<Idle>) -> Result<()> {
        match before.zip(after) {
            Some((before, after)) if !self.medians.is_empty() => self.table.machine_was(before, after),
            _ => Ok(()),
        }
    }

    /// Our medians of the cases that were measured so far.
    pub fn medians(&self) -> &[(String, f64)] {
        &self.medians
    }

    /// True if the medians become the numbers that are kept in the tree.
    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// Adds a line below the table, once.
    pub fn note(&mut self, line: String) {
        self.table.note(line);
    }

    /// Prints the lines below the table. A missed bar is a finding; only a case that failed is an error.
    pub fn finish(self) -> ExitCode {
        if self.table.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Ranks of the cluster that this process is in.
pub fn ranks() -> u32 {
    mobula::nodes().iter().map(|node| node.ranks().len() as u32).sum()
}

/// Runs `body` in a cluster of this process, which is stopped even if the body fails.
///
/// # Errors
/// As `body`, or if the cluster does not start or stop.
pub fn within<T>(config: mobula::Config, body: impl FnOnce() -> Result<T>) -> Result<T> {
    let cluster = mobula::init(config)?;
    if cluster.size() != 1 {
        let message = "this measures one process: start it without mpirun or srun".to_string();
        return Err(Failure::Usage(message));
    }
    let outcome = body();
    let stopped = cluster.shutdown();
    let value = outcome?;
    stopped?;
    Ok(value)
}

/// Measures on rank 0 while every other rank serves it; `measure` is given the number of ranks.
///
/// # Errors
/// As `measure`, or if the ranks do not shut down.
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
    for suite in SUITES {
        let runs_on = match suite.runs_on {
            RunsOn::OneProcess => "one process".to_string(),
            RunsOn::Ranks(least) => format!("{least} ranks or more"),
        };
        println!("{}: {} ({runs_on})", suite.name, suite.about);
        for case in (suite.cases)() {
            let peer = case.peer.map_or(String::new(), |peer| format!("beside {}", peer.name));
            println!("  {:<NAME_COLUMNS$} {:<9} {:<7} {peer}", case.name, case.unit, case.bar.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_cases_of_a_suite_share_a_name() {
        for suite in SUITES {
            let cases = (suite.cases)();
            let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
            assert!(!cases.is_empty(), "{} has no cases", suite.name);
            assert_eq!(names.len(), cases.len(), "{} has two cases of one name", suite.name);
        }
    }

    #[test]
    fn an_unknown_suite_lists_the_known_ones() {
        assert_eq!(named("rpc").map(|suite| suite.name), Ok("rpc"));
        let error = named("rcp").err().unwrap();
        assert!(error.contains("rpc") && error.contains("taskbench") && error.contains("all"), "{error}");
    }
}
