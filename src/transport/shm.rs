//! The transport between ranks of one host: rings and a doorbell in memory that both map.
//!
//! Each rank creates one [`Inbox`], sends its handle to the host's other ranks, and opens theirs:
//!
//! ```text
//!   rank 0's inbox                             rank 1's inbox
//!   | doorbell | senders | from 1 | from 2 |   | doorbell | senders | from 0 | from 2 |   ...
//! ```
//!
//! Rank 1 writes into `from 1` of rank 0's inbox and notifies its doorbell. A ring has one writing process and one
//! reading process; a lock within the process decides which of its threads that is. Pages that no message reached cost
//! nothing.

mod inbox;
mod send_ring;
#[cfg(test)]
mod tests;
mod transport;

pub use inbox::Inbox;
pub use send_ring::SendRing;
pub use transport::ShmTransport;
