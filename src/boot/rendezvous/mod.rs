//! Ranks that no MPI introduces to each other meet over TCP at rank 0, which serves their collectives as a hub.
//!
//! Owns: rank 0's listener until all have come, one connection from each rank to rank 0, their handshakes. Never: a
//! thread, a byte of a message after the start other than the collectives of start and stop.
//!
//! Invariants:
//! - R1: nothing of a connection is interpreted before it has proven the job's secret; what has not, keeps nobody out for
//!   long, and costs a bounded number of descriptors.
//! - R2: a collective of the start ends with the same outcome on every rank that lives, a lost rank being an error that
//!   names it.
//! - R3: at the barrier that parts the ranks a lost rank counts as come; where rank 0 is lost, the others get an error at
//!   once.
//!
//! A process that dies closes its connection. A host that dies does not: the kernels ask each other, and a host that has
//! not answered for MOBULA_PEER_TIMEOUT_S is gone. So long may also pass without another rank coming, or until rank 0 is
//! found; a rank that has come and is merely slow is waited for, as it may be filling a store of many GiB.
//!
//! What it costs rank 0 with n ranks that give m bytes each: to meet, n connections with about 120 bytes in and 144 out
//! in five messages; to allgather, n frames of 16 + m bytes in and n of 24 + n (8 + m) out, written from one buffer; a
//! barrier, 16 bytes in and 16 out for each. For 10,000 ranks that is 1.2 MB in and 1.4 MB out to meet; an allgather of 100
//! bytes a rank makes 1.2 MB in and 10.8 GB out, 9 s at 10 Gbit/s and 1 s at 100. Rank 0 holds 10,000 descriptors, the
//! others one. What limits a larger start is the copy that goes out to each rank; a tree of ranks that pass it on would
//! divide it.

mod file;
mod find;
pub mod frame;
mod hub;
mod listen;
mod meet;
mod party;
mod pending;
mod setting;
mod sockets;
mod spoke;
#[cfg(test)]
mod tests;
mod vigil;

pub use find::{Candidates, find};
pub use listen::{first_of, sequence};
pub use meet::meet;
pub use party::Party;
pub use setting::{Place, join, join_at, resolved};
