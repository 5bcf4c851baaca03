//! Two ranks of a host: the cost of a call from one to the other, one by one and many at once, beside plain MPI.
//!
//! Owns: the cases. Never: starts ranks, or measures on a rank other than 0.
//!
//! - BENCH-RPC-1: rank 0 measures and every other rank serves; rank 1 is called.
//! - BENCH-RPC-2: peers run while the cluster is idle, which costs it nothing (the last cases check that).
//! - BENCH-RPC-3: every case checks its answers.

pub mod calls;
mod floor;
mod idle;
mod stages;

pub use stages::{cases, run};

/// The rank that is called (BENCH-RPC-1).
const OTHER: u32 = 1;
