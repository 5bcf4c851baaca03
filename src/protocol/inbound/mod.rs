//! Messages from other ranks, from bytes to the part that handles them.
//!
//! Owns: the sequence numbers of received messages, and the messages that wait for blocks of other hosts.
//!
//! Invariants:
//! - INBOUND-1: messages of one sender take effect in the order in which they were sent, also where one of them has to
//!   wait for a block.
//! - INBOUND-2: a message of a rank that is known to be dead has no effect.

pub mod batch;
pub mod deferred;
pub(in crate::protocol) mod fragments;
pub mod missing_blocks;
pub mod receive;
#[cfg(test)]
mod tests;

pub use batch::InboundBatch;
pub use receive::Inbound;
