//! Roads between ranks: small messages and bulk reads, chosen per peer at run time.
//!
//! Owns: queues, rings, communicators. Never: interprets a message's bytes, decides where work goes, starts a thread.
//!
//! Invariants:
//! - F1: messages of one pair of ranks arrive in the order sent, each once.
//! - F2: `Full` leaves nothing half sent; the caller keeps the message.
//! - F3: a bulk read owns the block it writes into until its completion hands the block back.
//! - F4: a peer's death is an event, never a panic.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod inproc;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod shm;
pub mod verbs;

use crate::base::Rank;
use crate::mem::{Arena, Block};
use std::sync::Arc;

/// What a poll found.
pub enum Event<'a> {
    /// A whole message.
    Message {
        /// Who sent it.
        from: Rank,
        /// Its bytes, as sent; aligned to 8.
        bytes: &'a [u8],
    },
    /// A bulk read is over.
    ReadDone {
        /// As given to [`Fabric::read`].
        token: u64,
        /// The block given to [`Fabric::read`], now holding the bytes, or why it does not.
        block: Result<Block, String>,
    },
    /// The peer is gone; nothing more will come from it.
    Lost {
        /// Who is gone.
        peer: Rank,
        /// How it was noticed.
        reason: String,
    },
}

/// Why a message was not taken. The caller still has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No room towards that peer now; poll, then try again.
    Full,
    /// The peer is gone.
    Lost,
}

/// One kind of road. Any thread may send; polls exclude each other (a second one returns 0 at once).
pub trait Fabric: Send + Sync {
    /// Its name in banners and errors: `shm`, `mpi`, ...
    fn name(&self) -> &'static str;

    /// Queues the concatenation of `parts`, at most `limits::MESSAGE_BYTES_MAX` bytes, for `peer`.
    ///
    /// # Errors
    /// `Full` where the peer has not yet taken what is in flight, `Lost` where it is gone.
    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal>;

    /// Hands over up to `limits::POLL_BATCH_MAX` events; returns how many.
    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize;

    /// Whether a poll would find something, as far as can be told without a system call.
    fn pending(&self) -> bool;

    /// Whether a sender wakes the sleeping receiver through its bell; otherwise the receiver must look now and then.
    fn rings(&self) -> bool;

    /// The memory of this rank that peers may read, for roads that serve reads themselves. Once, before the first read.
    fn offer(&self, _arena: &Arc<Arena>) {}

    /// Starts to fill `into` with the bytes at `offset` of `peer`'s arena; `ReadDone` with `token` follows from a poll.
    ///
    /// # Errors
    /// Hands the block back where the read cannot start now.
    fn read(&self, peer: Rank, offset: u64, into: Block, token: u64) -> Result<(), (Refusal, Block)>;
}
