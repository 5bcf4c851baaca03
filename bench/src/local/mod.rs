//! One process: what tasks, objects and actors cost beside what Rust has for the same within a process.
//!
//! Owns: the cases and the clusters they run in, one after the other. Never: a second process, but for `startup`.
//!
//! - L1: a stage's cluster is stopped before the next one starts; the cases of start and stop run with none.
//! - L2: every case checks its answers.

mod objects;
mod stages;
mod startup;
mod tasks;

pub use stages::{STAGES, run};
pub use startup::start_and_stop;
