//! One process: what tasks cost beside what Rust has for the same within a process.
//!
//! Owns: the cases and the clusters they run in, one after the other. Never: a second process.
//!
//! - L1: a stage's cluster is stopped before the next one starts.
//! - L2: every case checks its answers.

mod fans;
mod stages;
mod tasks;

pub use stages::{cases, run};
