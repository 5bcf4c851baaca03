//! Starting and stopping: in a process that has done so before, as a process that does nothing else, as ranks of a
//! launcher.
//!
//! Owns: the cases, and the processes that they start and wait for. Never: a cluster around them.

use crate::case::{Bar, Case, Run, case};
use crate::failure::{Failure, Result};
use crate::peers::{self, mpi};
use crate::sample::{ms, us_each};
use crate::suite::Bench;
use mobula::prelude::*;
use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The names of the command's own hidden subcommands.
const START_AND_STOP: &str = "start-and-stop";
const NOTHING: &str = "nothing";

/// Samples of cases that start several processes.
const REPEAT_MAX: u32 = 5;

/// Every case.
pub fn cases() -> Vec<Case> {
    let first_task = |ranks: u32| {
        case(format!("init to first task, {ranks} ranks"), "ms", move |_| {
            printed(&mut on_ranks(ranks, START_AND_STOP)?)
        })
        .peer("MPI_Init to all exchanged", move |_| mpi::startup("time", ranks))
        .repeat_at_most(REPEAT_MAX)
    };
    vec![
        case("embedded, init to first task", "ms", |_| printed(&mut alone(START_AND_STOP)?)).bar(Bar::AtMost(20.0)),
        case("start and stop, again", "ms", again).bar(Bar::AtMost(20.0)),
        case("start and stop, a process", "ms", |_| wall_ms(&mut alone(START_AND_STOP)?))
            .peer("a process that ends", |_| wall_ms(&mut alone(NOTHING)?))
            .bar(Bar::AtMost(50.0)),
        first_task(2),
        first_task(4),
        first_task(8),
        case("beyond mpirun's own, 4 ranks", "ms", |_| beyond_launcher(4))
            .bar(Bar::AtMost(150.0))
            .repeat_at_most(REPEAT_MAX),
    ]
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

#[mobula::remote]
fn own_rank() -> u32 {
    mobula::context().rank()
}

/// Starts a cluster, runs a task on every rank, prints the milliseconds that took on rank 0, and stops.
///
/// # Errors
/// Errors of the runtime.
pub fn start_and_stop() -> Result<ExitCode> {
    let start = Instant::now();
    let cluster = mobula::init(Config::default())?;
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let answers: Vec<ObjectRef<u32>> = (0..cluster.size()).map(|rank| own_rank::on(rank).remote()).collect();
    let right = mobula::get_all(&answers)?.iter().zip(0..).all(|(answer, rank)| **answer == rank);
    let time = ms(start.elapsed());
    cluster.shutdown()?;
    crate::failure::check(right, || "a task ran on another rank than it was sent to".to_string())?;
    println!("{time}");
    Ok(ExitCode::SUCCESS)
}

/// Milliseconds of starting and stopping in a process that has done so before.
fn again(run: &Run) -> Result<f64> {
    Ok(us_each(run.rounds(10), || Ok(mobula::init(Config::default())?.shutdown()?))? / 1e3)
}

/// Milliseconds by which a job takes longer than one of processes that end at once; 0 if the noise is greater.
fn beyond_launcher(ranks: u32) -> Result<f64> {
    let own = wall_ms(&mut on_ranks(ranks, NOTHING)?)?;
    let ours = wall_ms(&mut on_ranks(ranks, START_AND_STOP)?)?;
    Ok((ours - own).max(0.0))
}

fn alone(subcommand: &str) -> Result<Command> {
    let mut command = Command::new(own_program()?);
    command.arg(subcommand);
    Ok(command)
}

fn on_ranks(ranks: u32, subcommand: &str) -> Result<Command> {
    let mut command = peers::launcher(ranks);
    command.arg(own_program()?).arg(subcommand);
    Ok(command)
}

fn own_program() -> Result<std::path::PathBuf> {
    env::current_exe()
        .map_err(|error| Failure::Program { program: "mobula-bench".to_string(), reason: error.to_string() })
}

fn wall_ms(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    peers::output(command)?;
    Ok(ms(start.elapsed()))
}

/// The number that a command prints.
pub fn printed(command: &mut Command) -> Result<f64> {
    peers::number("mobula-bench", &peers::output(command.stdin(Stdio::null()))?)
}
