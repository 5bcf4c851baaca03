//! Variables of a Slurm step in a process that is no task of it: those of a shell that outlived its step, or of a shell
//! that is one task of several.

use super::step::SlurmStep;
use crate::base::log::{Level, log};
use crate::boot::launcher_process::is_below;
use std::io::IsTerminal;

/// The daemon that starts the tasks of a step on each host.
const STEP_DAEMON: &str = "slurmstepd";

/// How to run alone.
const ADVICE: &str = "To run alone, unset the variable that says so: env -u SLURM_PROCID PROGRAM";

/// True if this process is certainly no task of the step. Where it may be one, and something speaks against it, a line
/// tells at once what it waits for.
pub fn is_left_over(step: &SlurmStep) -> bool {
    let SlurmStep { rank, size, name, .. } = step;
    match is_below(STEP_DAEMON) {
        Some(false) => {
            log(Level::Warn, || {
                format!(
                    "this process runs alone: its variables say that it is task {rank} of {size} of Slurm {name}, and \
                     no process above it is {STEP_DAEMON}"
                )
            });
            true
        }
        None => {
            log(Level::Warn, || {
                format!(
                    "task {rank} waits for the {size} tasks of Slurm {name}, although no process above it that it can \
                     see is {STEP_DAEMON}. {ADVICE}"
                )
            });
            false
        }
        Some(true) => {
            if std::io::stdin().is_terminal() {
                log(Level::Warn, || {
                    format!(
                        "task {rank} waits for the {size} tasks of Slurm {name} to start the same program. {ADVICE}"
                    )
                });
            }
            false
        }
    }
}
