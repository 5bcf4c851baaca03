//! Many of everything: a million queued tasks, thousands of references in a `wait`, in one task's arguments, in its results.
//!
//! Owns: the cases, in this process and between two ranks, and starting these. Never: measures on a rank other than 0.
//!
//! - M1: a queued task has not begun: all CPUs are held while tasks are queued.
//! - M2: every case checks its answers.

mod lists;
mod queue;
mod stages;
mod waits;

pub use stages::{Options, STAGES, run};

/// Who is called in the cases between ranks.
const OTHER: u32 = 1;

/// This process.
const HERE: u32 = 0;
