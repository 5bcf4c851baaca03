//! Starting and stopping: in a process that has done so before, and as a process that does nothing else.

use crate::case::Run;
use crate::failure::{Failure, Result};
use crate::sample::{ms, us_each};
use mobula::prelude::*;
use std::env;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What the child processes are asked to do; the names of the command's own hidden subcommands.
const START_AND_STOP: &str = "start-and-stop";
const NOTHING: &str = "nothing";

/// Starts the cluster of this process and stops it.
///
/// # Errors
/// What the runtime says.
pub fn start_and_stop() -> Result<()> {
    Ok(mobula::init(Config::default())?.shutdown()?)
}

/// Milliseconds of starting and stopping, where it was done before.
pub fn again(run: &Run) -> Result<f64> {
    Ok(us_each(run.rounds(10), start_and_stop)? / 1e3)
}

/// Milliseconds from starting a process to its end, with a cluster in between.
pub fn process(_: &Run) -> Result<f64> {
    child(START_AND_STOP)
}

/// Milliseconds of the same process without a cluster: what loading it and its libraries takes.
pub fn empty_process(_: &Run) -> Result<f64> {
    child(NOTHING)
}

fn child(subcommand: &str) -> Result<f64> {
    let fail = |reason: String| Failure::Program { program: format!("mobula-bench {subcommand}"), reason };
    let program = env::current_exe().map_err(|error| fail(error.to_string()))?;
    let mut command = Command::new(program);
    command.arg(subcommand).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().map_err(|error| fail(error.to_string()))?;
    let time = start.elapsed();
    if status.success() { Ok(ms(time)) } else { Err(fail(status.to_string())) }
}
