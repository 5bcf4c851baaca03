//! Many of everything: a million queued tasks, thousands of references in a `wait`, in one task's arguments, in its results.
//!
//! Owns: the cases, in this process and between two ranks. Never: measures on a rank other than 0.
//!
//! - M1: a queued task has not begun: all CPUs are held while tasks are queued.
//! - M2: every case checks its answers.

mod lists;
pub mod queue;
mod stages;
mod waits;

pub use stages::{cases_far, cases_here, run_far, run_here};

/// Who is called in the cases between ranks.
const OTHER: u32 = 1;

/// This process.
const HERE: u32 = 0;
