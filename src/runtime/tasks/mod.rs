//! The life of a task on this rank: launched, queued, admitted, run, finished; or given to another rank.
//!
//! Owns: the way of a task through the other parts, and which task runs on a thread (`context`) or started it
//! (`thread_context`). It has no state of the rank. Never: chooses a rank (`resources`), waits (`waiting`).

pub mod context;
mod dependencies;
mod execute;
mod in_place;
mod launch;
mod leaf;
mod panics;
mod stealing;
#[cfg(test)]
pub mod tests;
mod thread_context;

pub use context::{Snapshot, current_number, runs_task, snapshot};
pub use dependencies::launch_notified;
pub use execute::{at_end_of_tasks, execute, run_body};
pub use in_place::{can_run_in_place, give_back_driver_cpu, try_run_in_place, with_driver_cpus};
pub use launch::{cancel, launch_on, submit, submit_plain};
pub use leaf::{run_leaf, run_leaves_here};
pub use panics::{install_panic_hook, record_error};
pub use stealing::{can_run, take_for_stealer};
pub use thread_context::{EnteredContext, ThreadContext, enter, enter_for_good};
