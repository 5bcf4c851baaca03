//! Two ranks that share no memory: the cost of a call and an array over the transport between them, beside plain use of
//! that transport: a TCP stream, or MPI messages.
//!
//! Owns: the cases and the plain endpoints. Never: starts ranks; the user starts them on the hosts, and sets
//! `MOBULA_FABRIC` to the transport.
//!
//! - BENCH-HOSTS-1: rank 0 measures, rank 1 responds; both ends of a peer are in the same two processes as ours.
//! - BENCH-HOSTS-2: bytes arrive in memory that was touched before, on both sides.

mod arrays;
#[cfg(feature = "mpi")]
mod plain_mpi;
mod plain_tcp;
mod stages;

pub use stages::{cases, run};

/// The rank that responds (BENCH-HOSTS-1).
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
