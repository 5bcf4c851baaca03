//! The `mobula-bench` command: what mobula costs, measured side by side with what people would use instead.
//!
//! Ours and the peer's are sampled in turn in the same run, so that whatever else the machine does meets both. The median
//! of each, the ratio of a round and the spread are what is reported.
#![forbid(unsafe_code)]

mod actors;
mod case;
mod failure;
mod hosts;
mod limits;
mod local;
mod peers;
mod report;
mod rpc;
mod sample;
mod setting;
mod sim;
mod suite;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What mobula costs, side by side with what people would use instead.
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
    /// Tasks, objects and actors in one process, beside rayon, channels and memcpy
    Local(suite::Options),
    /// Calls and arrays between two ranks of a host, beside plain MPI; starts its ranks itself when started alone
    Rpc(rpc::Options),
    /// Calls and arrays between two ranks that share no memory, beside TCP streams and MPI messages
    Hosts(hosts::Options),
    /// A million queued tasks, thousands of references at once: in one process, then between two ranks that it starts
    Limits(limits::Options),
    /// Thousands of simulated ranks on one core: what the runtime's own protocol costs and how well it spreads work; seeds
    Sim(sim::Options),
    /// Start a cluster of this process, stop it, end
    #[command(hide = true)]
    StartAndStop,
    /// End at once
    #[command(hide = true)]
    Nothing,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::List => {
            suite::list();
            Ok(ExitCode::SUCCESS)
        }
        Command::Local(options) => local::run(&options),
        Command::Rpc(options) => rpc::run(&options),
        Command::Hosts(options) => hosts::run(&options),
        Command::Limits(options) => limits::run(&options),
        Command::Sim(options) => Ok(sim::run(&options)),
        Command::StartAndStop => local::start_and_stop().map(|()| ExitCode::SUCCESS),
        Command::Nothing => Ok(ExitCode::SUCCESS),
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
