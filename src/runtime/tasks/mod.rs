//! TODO

pub mod context;
mod in_place;
mod run;
mod stealing;

pub use context::{Snapshot, snapshot};
pub use in_place::replace_driver_cpu;
pub use run::submit;
