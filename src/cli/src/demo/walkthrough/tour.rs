//! The order of the tour, and how a line of it is printed.

use super::{actors, failures, objects, resources, tasks};
use crate::failure::{CommandError, Result, check};
use mobula::prelude::*;
use std::fmt::Display;

/// More CPUs than most laptops have, two GPUs and a resource of our own: what runs at once is a matter of counting.
pub fn config() -> Config {
    Config::default().num_cpus(10.0).num_gpus(2.0).resource("Custom", 2.0)
}

/// Walks through everything.
///
/// # Errors
/// `CommandError::Check` at the first value that is not as its line claims, and errors of the runtime.
pub fn run() -> Result<()> {
    heading("Starting");
    starting()?;
    heading("Remote functions");
    tasks::run()?;
    heading("Objects");
    objects::run()?;
    heading("Resources");
    resources::run()?;
    heading("Actors");
    actors::run()?;
    heading("Failures");
    failures::run()?;
    heading("Seeing it");
    picture()?;
    println!("\nEverything shown is what it should be.");
    Ok(())
}

/// Prints what an idea showed, and ends the tour if that is wrong.
pub fn show(idea: &str, value: impl Display, right: bool) -> Result<()> {
    println!("  {idea:<44} {value}");
    check(right, || format!("{idea}: {value}"))
}

fn heading(title: &str) {
    println!("\n{title}");
}

fn starting() -> Result<()> {
    let initialized = mobula::is_initialized();
    show("is_initialized()", initialized, initialized)?;
    let again = mobula::init(Config::default()).map(|_| ());
    let refused = again.err().map(|error| error.to_string()).unwrap_or_default();
    show("a second init is refused", &refused, !refused.is_empty())?;
    let same = mobula::init(Config::default().ignore_reinit(true))?;
    show("unless ignore_reinit is set: ranks", same.size(), same.size() >= 1)?;
    let ranks: Vec<String> =
        mobula::nodes().iter().map(|node| format!("{} has ranks {:?}", node.name(), node.ranks())).collect();
    show("hosts and their ranks", ranks.join("; "), !ranks.is_empty())?;
    let context = mobula::context();
    show("the driver is rank 0", context.rank(), context.rank() == 0)
}

/// The graph of everything the tour has run.
fn picture() -> Result<()> {
    let path = std::env::temp_dir().join(format!("mobula-walkthrough-{}.svg", std::process::id()));
    mobula::visualize(&path)?;
    let svg = std::fs::read_to_string(&path)
        .map_err(|error| CommandError::File { path: path.clone(), source: error.into() })?;
    show("the computation graph", path.display(), svg.contains("<svg") && svg.contains("chain"))
}
