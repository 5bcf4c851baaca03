//! How suites are started: alone each has a process, or ranks, of its own; under a launcher all of them share its
//! ranks.
//!
//! A suite's process ends when the command that started it does, so that an interrupted run leaves no process that
//! still measures, and a result file that ends with a whole line.

use crate::failure::{Failure, Result};
use crate::progress::{self, MARK};
use crate::quiet::Idle;
use crate::results;
use crate::suite::{self, Bench, Measures, RunsOn, SUITES, Suite};
use crate::{peers, suite::on_rank_0};
use mobula::Config;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::env;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

/// Options of `mobula-bench run`.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// The suites, or `all`; `list` names them
    #[arg(required = true, value_name = "SUITE", value_parser = known)]
    suites: Vec<String>,
    #[command(flatten)]
    suite: suite::Options,
    /// Ranks to start for suites that need several, if no launcher has started any [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    ranks: Option<u32>,
}

/// Options of the process of one suite.
#[derive(clap::Args)]
#[group(skip)]
pub struct OneSuite {
    #[arg(value_name = "SUITE", value_parser = known)]
    name: String,
    #[command(flatten)]
    suite: suite::Options,
    #[arg(long, default_value_t = 2)]
    ranks: u32,
    /// It was started as one of several ranks: fewer are an error
    #[arg(long)]
    launched: bool,
    /// Its progress is read by the process that started it
    #[arg(long)]
    marked: bool,
}

fn known(name: &str) -> Result<String, String> {
    if name != "all" {
        suite::named(name)?;
    }
    Ok(name.to_string())
}

/// The suites of these names, each once.
fn chosen(names: &[String]) -> Vec<&'static Suite> {
    let is_chosen = |suite: &&Suite| names.iter().any(|name| name == suite.name || name == "all");
    SUITES.iter().filter(is_chosen).collect()
}

/// Measures suites. If one fails, the failure is printed, and the next one runs.
///
/// # Errors
/// If the result file is of another version, or the ranks do not find each other or do not shut down.
pub fn run(options: &Options) -> Result<ExitCode> {
    let suites = chosen(&options.suites);
    let cluster = mobula::init(Config::default())?;
    if cluster.size() > 1 {
        return on_rank_0(cluster, |ranks| {
            results::begin(options.suite.json.as_deref())?;
            each(&suites, |suite| shared(suite, &options.suite, ranks))
        });
    }
    cluster.shutdown()?;
    results::begin(options.suite.json.as_deref())?;
    each(&suites, |suite| apart(suite, options))
}

/// Runs every suite; fails in the end if one did.
fn each(suites: &[&Suite], mut run_one: impl FnMut(&Suite) -> Result<bool>) -> Result<ExitCode> {
    let mut all_well = true;
    for (index, suite) in suites.iter().enumerate() {
        if index > 0 {
            println!();
        }
        all_well &= run_one(suite).unwrap_or_else(|failure| {
            eprintln!("mobula-bench: {}: {failure}", suite.name);
            false
        });
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures a suite on ranks that were started for all of them; returns true if it succeeded.
fn shared(suite: &Suite, options: &suite::Options, ranks: u32) -> Result<bool> {
    match suite.runs_on {
        RunsOn::OneProcess => {
            println!("{}: left out, it measures one process: start it without mpirun or srun", suite.name);
            Ok(true)
        }
        RunsOn::Ranks(least) if least > ranks => {
            println!("{}: left out, it takes {least} ranks and there are {ranks}", suite.name);
            Ok(true)
        }
        RunsOn::Ranks(_) => measured(suite, options, false, ranks).map(|code| code == ExitCode::SUCCESS),
    }
}

fn measured(suite: &Suite, options: &suite::Options, marked: bool, ranks: u32) -> Result<ExitCode> {
    let hosts = if suite.runs_on == RunsOn::OneProcess { 1 } else { mobula::nodes().len() };
    let idle = || if suite.measures == Measures::Times { Idle::now() } else { None };
    let before = idle();
    let mut bench = Bench::start(suite, options, marked, ranks, hosts)?;
    let outcome = (suite.run)(&mut bench);
    bench.machine_was(before, idle())?;
    let code = bench.finish();
    outcome.map(|()| code)
}

/// Measures a suite in a process of its own; returns true if it succeeded.
fn apart(suite: &Suite, options: &Options) -> Result<bool> {
    let fail =
        |error: std::io::Error| Failure::Program { program: "mobula-bench".to_string(), reason: error.to_string() };
    let marked = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    let mut command = Command::new(env::current_exe().map_err(fail)?);
    command.arg("suite").arg(suite.name).args(options.suite.arguments());
    let least = if let RunsOn::Ranks(least) = suite.runs_on { least } else { 1 };
    command.arg("--ranks").arg(options.ranks.unwrap_or(least).to_string()).stdin(Stdio::null());
    for (name, value) in suite.environment.iter().filter(|(name, _)| env::var_os(name).is_none()) {
        command.env(name, value);
    }
    if !marked {
        return Ok(command.status().map_err(fail)?.success());
    }
    let mut child = command.arg("--marked").stdout(Stdio::piped()).spawn().map_err(fail)?;
    let bar = progress::Bar::new(suite.name);
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
            match line.strip_prefix(MARK) {
                Some(mark) => bar.show(mark),
                None => bar.print(&line),
            }
        }
    }
    let status = child.wait().map_err(fail)?;
    bar.remove();
    Ok(status.success())
}

/// The process of one suite: measures here, or becomes the launcher of the ranks that the suite needs.
///
/// # Errors
/// If ranks do not start, find each other or shut down, or a result cannot be written.
pub fn one_suite(options: &OneSuite) -> Result<ExitCode> {
    let suite = suite::named(&options.name).map_err(Failure::Usage)?;
    let RunsOn::Ranks(least) = suite.runs_on else {
        end_with_parent();
        return measured(suite, &options.suite, options.marked, 1);
    };
    if options.ranks < least {
        let reason = format!("{} takes {least} ranks: --ranks {} is too few", suite.name, options.ranks);
        return Err(Failure::Usage(reason));
    }
    if !options.launched {
        end_with_parent();
        return Err(become_launcher(options.ranks));
    }
    let cluster = mobula::init(Config::default())?;
    if cluster.size() == 1 {
        let message = "its ranks did not find each other: was it built without the feature `mpi`, or with another MPI \
                       than that of MPIRUN?";
        return Err(Failure::Usage(message.to_string()));
    }
    on_rank_0(cluster, |ranks| measured(suite, &options.suite, options.marked, ranks))
}

/// Becomes the launcher of this very command, in place of this process, so that a signal sent to it reaches the
/// launcher. It returns only if there is no launcher.
fn become_launcher(ranks: u32) -> Failure {
    let executable = match env::current_exe() {
        Ok(executable) => executable,
        Err(error) => return peers::not_started(&error),
    };
    let mut command = peers::launcher(ranks);
    command.arg(executable).args(env::args_os().skip(1)).arg("--launched");
    peers::not_started(&command.exec())
}

/// The launcher that this process may become inherits the setting.
fn end_with_parent() {
    // If the kernel refuses, an interrupted run ends a case later than it could.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
}
