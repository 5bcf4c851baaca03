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
pub mod tcp;
pub mod verbs;

use crate::base::Rank;
use crate::memory::{Block, Region, RegionNumber, STORE};
use std::os::fd::BorrowedFd;

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

/// Where the bytes of a bulk read begin, on the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the peer's regions.
    pub region: RegionNumber,
    /// Bytes from the start of that region.
    pub offset: u64,
}

impl Place {
    /// A place in the peer's store.
    pub fn in_store(offset: u64) -> Place {
        Place { region: STORE, offset }
    }
}

/// What a road knows, once it has failed, of the messages between this rank and a peer. Messages are counted from 0 in
/// the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// How many of the peer's messages it delivered here.
    pub delivered: u64,
    /// The number of the first message in `unconfirmed`.
    pub first: u64,
    /// Messages to the peer, oldest first, that it may not have: all from `first` on.
    pub unconfirmed: Vec<Vec<u8>>,
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

    /// Whether a sender wakes the sleeping receiver through its bell; otherwise the receiver waits on `wake_fd`, or looks
    /// now and then where there is none.
    fn rings(&self) -> bool;

    /// Becomes readable when something came after `arm`.
    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The rank is about to sleep on `wake_fd`; false where a poll would find something already.
    fn arm(&self) -> bool {
        true
    }

    /// Memory of this rank that peers may read. Each region once, before the first read of it.
    ///
    /// # Errors
    /// Why this road does not reach such memory; the region is not readable over it.
    fn offer(&self, _region: &Region) -> Result<(), String> {
        Ok(())
    }

    /// What the ranks of a road do together before the first read, where there is such a thing. Collective: every rank
    /// calls it once, after all have offered their stores and before any of them sends.
    fn open_reads(&self) {}

    /// Starts to fill `into` with the bytes at `from` of a region of `peer`; `ReadDone` with `token` follows from a poll.
    ///
    /// # Errors
    /// Hands the block back where the read cannot start now.
    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)>;

    /// Ends the road, when all ranks have agreed that nothing is under way any more: peers are told that this end is no
    /// death. Sends are refused afterwards, polls find nothing.
    fn close(&self) {}

    /// Leaves the road to a peer that may live, after `Lost` or because the peer left it: takes what another road needs to go on without losing or repeating a message.
    /// `None` where this road cannot tell.
    fn salvage(&self, _peer: Rank) -> Option<Salvage> {
        None
    }
}
