//! One process: the cost of tasks beside Rust's own means within a process.
//!
//! Owns: the cases and the clusters they run in, one after the other. Never: a second process.
//!
//! - BENCH-LOCAL-1: a stage's cluster is stopped before the next one starts.
//! - BENCH-LOCAL-2: every case checks its answers.

mod fans;
mod stages;
mod tasks;

pub use stages::{cases, run};
