//! Two ranks of a host: what a call, an array and an actor cost from one to the other, beside plain MPI.
//!
//! Owns: the cases, and starting the two ranks where nobody else did. Never: measures on a rank other than 0.
//!
//! - R1: rank 0 measures and every other rank serves; rank 1 is who is called.
//! - R2: peers run while the cluster is idle, which costs it nothing (the last cases say whether that holds).
//! - R3: every case checks its answers.

mod arrays;
pub mod calls;
mod floor;
mod idle;
mod stages;

pub use stages::{Options, STAGES, run};

/// Who is called (R1).
const OTHER: u32 = 1;
