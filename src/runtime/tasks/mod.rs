//! The life of a task on this rank: launched, queued, admitted, run, finished; or given to another rank.
//!
//! Owns: the way of a task through the other parts, and which task runs on a thread (`context`). It has no state of the
//! rank. Never: chooses a rank (`resources`), waits (`waiting`).

pub mod context;
mod execute;
mod in_place;
mod launch;
mod stealing;

pub use context::{Snapshot, snapshot};
pub use execute::{execute, run_body};
pub use in_place::{can_run_in_place, give_back_driver_cpu, try_run_in_place, with_driver_cpus};
pub use launch::{cancel, launch_on, submit};
pub use stealing::{can_run, take_for_stealer};
