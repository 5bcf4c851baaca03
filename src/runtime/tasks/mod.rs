//! TODO

pub mod context;
mod in_place;
mod run;
mod stealing;

pub use context::{Snapshot, snapshot};
pub use in_place::{replace_driver_cpu, try_run_in_place};
pub use run::{cancel, execute, launch_here, launch_on, on_finished, queue_for_resources, submit, to_error};
pub use stealing::{can_run, request_work, take_for_stealer};
