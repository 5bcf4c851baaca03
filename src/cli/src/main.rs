//! The `mobula` command: what this host offers, and demos with published answers.
#![forbid(unsafe_code)]

mod demo;
mod failure;
mod info;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tasks, actors and shared immutable objects inside MPI and Slurm jobs.
#[derive(Parser)]
#[command(name = "mobula", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what this host offers: topology, pages, transports, launcher, GPUs
    Info(info::Options),
    /// Run a demo, alone or under mpirun and srun; without a name, list them
    Demo {
        #[command(subcommand)]
        demo: Option<demo::Demo>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Info(options) => info::run(&options),
        Command::Demo { demo: Some(demo) } => demo::run(&demo),
        Command::Demo { demo: None } => {
            demo::list();
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mobula: {failure}");
            ExitCode::FAILURE
        }
    }
}
