//! Two ranks of a host: what a call costs from one to the other, one by one and many at once, beside plain MPI.
//!
//! Owns: the cases. Never: starts ranks, or measures on a rank other than 0.
//!
//! - R1: rank 0 measures and every other rank serves; rank 1 is who is called.
//! - R2: peers run while the cluster is idle, which costs it nothing (the last cases say whether that holds).
//! - R3: every case checks its answers.

pub mod calls;
mod floor;
mod idle;
mod stages;

pub use stages::{cases, run};

/// Who is called (R1).
const OTHER: u32 = 1;
