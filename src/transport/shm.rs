//! The road between ranks of one host: rings and a bell in memory that both map.
//!
//! Each rank makes one [`Inbox`], hands its card to the host's other ranks, and joins theirs:
//!
//! ```text
//!   rank 0's inbox                         rank 1's inbox
//!   | bell | senders | from 1 | from 2 |   | bell | senders | from 0 | from 2 |   ...
//! ```
//!
//! Rank 1 writes into `from 1` of rank 0's inbox and rings its bell. A ring has one writing process and one reading
//! process; a lock within the process decides which of its threads that is. Pages that no message reached cost nothing.

mod inbox;
mod reads;
mod road;
#[cfg(test)]
mod tests;

pub use inbox::Inbox;
pub use road::ShmFabric;
