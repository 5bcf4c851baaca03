//! Ranks that were not started by MPI meet over TCP at rank 0, which coordinates their collectives.
//!
//! Owns: rank 0's listener until all ranks have come, one connection from each rank to rank 0, their handshakes. Never:
//! starts a thread; after the start, sends anything but the collectives of start and shutdown.
//!
//! Invariants:
//! - RENDEZVOUS-1: no byte of a connection is interpreted before the peer has proven that it holds the job's secret.
//!   Unauthenticated connections do not keep ranks out for long and use a bounded number of descriptors.
//! - RENDEZVOUS-2: a collective of the start ends with the same result on every live rank; a lost rank is an error that
//!   names it.
//! - RENDEZVOUS-3: in the shutdown barrier a lost rank counts as present; if rank 0 is lost, the others get an error at
//!   once.
//!
//! A process that dies closes its connection. A host that dies does not: TCP keep-alive probes it, and a host that has
//! not answered for MOBULA_PEER_TIMEOUT_S is dead. The same time may pass between the arrivals of two ranks, or until
//! rank 0 is found. A rank that has come and is merely slow is waited for, as it may be filling a store of many GiB.
//!
//! The cost to rank 0 with n ranks that give m bytes each: to meet, n connections with about 120 bytes in and 144 out
//! in five messages; for an allgather, n frames of 16 + m bytes in and n of 24 + n (8 + m) out, written from one
//! buffer; for a barrier, 16 bytes in and 16 out for each. For 10,000 ranks that is 1.2 MB in and 1.4 MB out to meet;
//! an allgather of 100 bytes a rank takes 1.2 MB in and 10.8 GB out, 9 s at 10 Gbit/s and 1 s at 100. Rank 0 has 10,000
//! descriptors open, the others one. The limit of a larger start is the copy that is sent to each rank; a tree of ranks
//! that forward it would divide it.

mod coordinator;
mod find;
pub mod frame;
mod hangup;
mod join_ranks;
mod listen;
mod meet;
mod participant;
mod rank_spec;
mod rendezvous_file;
#[cfg(test)]
mod tests;

pub use find::{find, located_once};
pub use hangup::DeathNotifier;
pub use join_ranks::{MeetingPoint, join, join_at, resolve};
pub use listen::{bind_first_free, port_sequence};
pub use meet::meet;
pub use rank_spec::RankSpec;

use crate::boot::Exchange;
use crate::transport::tcp::handshake::Secret;

/// What a rank has once it has met the others: their collectives, and the secret of the ranks that met.
pub type Met = (Box<dyn Exchange>, Secret);
