//! Two ranks that share no memory: what a call and an array cost over the road between them, beside that road's own plain
//! use: a TCP stream, or MPI messages.
//!
//! Owns: the cases and the plain ends. Never: starts ranks; whoever starts them says where, and `MOBULA_FABRIC` over what.
//!
//! - H1: rank 0 measures, rank 1 answers; both ends of a peer are in the same two processes as ours.
//! - H2: bytes land in memory that was touched before, on both sides.

mod arrays;
#[cfg(feature = "mpi")]
mod plain_mpi;
mod plain_tcp;
mod stages;

pub use stages::{cases, run};

/// Who answers (H1).
const OTHER: u32 = 1;

/// Bytes that a sample moves at least, so that it takes some tens of milliseconds.
const SAMPLE_BYTES: usize = 256 << 20;

/// How many arrays or messages of this many bytes a sample moves.
fn pieces(run: &crate::case::Run, bytes: usize) -> usize {
    run.rounds((SAMPLE_BYTES / bytes) as u32).clamp(1, 256) as usize
}

/// GiB a second.
fn rate(bytes: usize, time: std::time::Duration) -> f64 {
    bytes as f64 / f64::from(1 << 30) / time.as_secs_f64()
}
