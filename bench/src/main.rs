//! The `mobula-bench` command: what mobula costs, measured side by side with the alternatives.
//!
//! Ours and the peer's are sampled in turn in the same run, so that any other load of the machine affects both. The
//! report gives the median of each, the ratio of a round and the spread.
#![forbid(unsafe_code)]

mod actors;
mod case;
mod cholesky;
mod commit;
mod compare;
mod cpus;
mod failure;
mod hosts;
mod instructions;
mod launch;
mod limits;
mod local;
mod memory;
mod objects;
mod page;
mod peers;
mod progress;
mod quiet;
mod ray;
mod results;
mod rpc;
mod sample;
mod setting;
mod sim;
mod startup;
mod suite;
mod table;
mod taskbench;
mod uts;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What mobula costs, side by side with the alternatives.
#[derive(Parser)]
#[command(name = "mobula-bench", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the suites, their cases, peers and bars
    List,
    /// Measure suites: alone, each in processes of its own; under mpirun or srun, on the ranks that there are
    Run(launch::Options),
    /// Make a page with plots, and a table in Markdown, of result files
    Report(page::Options),
    /// List what is slower or faster in the second result file than in the first, and whether the noise explains it
    Compare(compare::Options),
    /// Thousands of simulated ranks on one core: what the runtime's own protocol costs and how well it spreads work;
    /// seeds
    Sim(sim::Options),
    /// One suite, in this process or on the ranks that it becomes the launcher of
    #[command(hide = true)]
    Suite(launch::OneSuite),
    /// Start a cluster of this process, run a task on every rank, stop it, end; print the milliseconds to the last task
    #[command(hide = true)]
    StartAndStop,
    /// End at once
    #[command(hide = true)]
    Nothing,
    /// Print how much memory something takes in a process that did nothing else
    #[command(hide = true)]
    Weigh(memory::Options),
}

fn main() -> ExitCode {
    cpus::remember();
    let outcome = match Arguments::parse().command {
        Command::List => {
            suite::list();
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(options) => launch::run(&options),
        Command::Report(options) => page::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Sim(options) => Ok(sim::run(&options)),
        Command::Suite(options) => launch::one_suite(&options),
        Command::StartAndStop => startup::start_and_stop(),
        Command::Nothing => Ok(ExitCode::SUCCESS),
        Command::Weigh(options) => memory::measure(&options),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("mobula-bench: {failure}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
