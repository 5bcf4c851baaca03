//! Many of everything: a million queued tasks, thousands of references in a `wait`, in one task's arguments, in its
//! results.
//!
//! Owns: the cases, in this process and between two ranks. Never: measures on a rank other than 0.
//!
//! - BENCH-LIMITS-1: a queued task has not begun: all CPUs are occupied while tasks are queued.
//! - BENCH-LIMITS-2: every case checks its answers.

mod lists;
pub mod queue;
mod stages;
mod waits;

pub use stages::{cases_here, cases_remote, run_here, run_remote};

/// The rank that is called in the cases between ranks.
const OTHER: u32 = 1;

/// This process's rank.
const HERE: u32 = 0;
