//! The list of demos, and how one is started.

use super::{cholesky, heat, sqrt_sum, uts, walkthrough};
use crate::failure::Result;
use clap::Subcommand;
use mobula::prelude::*;

/// The demos, with their options.
#[derive(Subcommand)]
pub enum Demo {
    /// The ideas of tasks, objects and actors, run live, one line each
    Walkthrough,
    /// Twelve sums of squares over 1..10,000,000, in sequence and as tasks
    SqrtSum(sqrt_sum::Options),
    /// Unbalanced Tree Search: tasks that start tasks, against the published counts
    Uts(uts::Options),
    /// Tiled Cholesky factorization: a task graph over arrays in the store
    Cholesky(cholesky::Options),
    /// 2-D heat equation: actors that exchange halos, and a picture
    Heat(heat::Options),
}

/// Prints every demo with a line on what it shows.
pub fn list() {
    println!("mobula demo NAME [options]; each runs alone and under mpirun or srun, and --help lists its options.\n");
    for demo in Demo::augment_subcommands(clap::Command::new("demo")).get_subcommands() {
        println!("  {:<12} {}", demo.get_name(), demo.get_about().unwrap_or_default());
    }
}

/// Runs a demo.
///
/// # Errors
/// Why the cluster did not start or the demo did not end, or the check that failed.
pub fn run(demo: &Demo) -> Result<()> {
    match demo {
        Demo::Walkthrough => on_rank_0(walkthrough::config(), walkthrough::run),
        Demo::SqrtSum(options) => on_rank_0(Config::default(), || sqrt_sum::run(options)),
        Demo::Uts(options) => on_rank_0(Config::default(), || uts::run(options)),
        Demo::Cholesky(options) => on_rank_0(Config::default(), || cholesky::run(options)),
        Demo::Heat(options) => on_rank_0(Config::default(), || heat::run(options)),
    }
}

/// Starts the cluster, runs `body` on rank 0 while the others serve, and stops the cluster even if the body failed.
///
/// # Errors
/// Those of starting and stopping, and on rank 0 those of the body.
pub fn on_rank_0(config: Config, body: impl FnOnce() -> Result<()>) -> Result<()> {
    let cluster = mobula::init(config)?;
    if cluster.rank() != 0 {
        return Ok(cluster.serve()?);
    }
    let outcome = body();
    let stopped = cluster.shutdown();
    outcome?;
    Ok(stopped?)
}
