//! Transports between ranks: small messages and bulk reads. The transport to each peer is chosen at run time.
//!
//! Owns: queues, rings, communicators. Never: interprets a message's bytes, decides where work goes, starts a thread.
//!
//! Invariants:
//! - TRANSPORT-1: messages from one rank to another arrive in the order sent, each once.
//! - TRANSPORT-2: `Full` leaves nothing half sent; the caller keeps the message.
//! - TRANSPORT-3: a bulk read owns the block that it writes into until its completion returns the block.
//! - TRANSPORT-4: the failure of a peer is an event, never a panic.

#[cfg(test)]
mod conformance;
pub mod credits;
pub mod epoll;
mod error;
pub mod events;
pub mod framing;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod shm;
pub mod tcp;
pub mod verbs;

pub use error::{ReadError, RegisterError};

use crate::base::Rank;
use crate::memory::{Block, Region, RegionNumber, STORE};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// What a poll found.
pub enum TransportEvent<'a> {
    /// A whole message.
    Message {
        /// The sender.
        from: Rank,
        /// Its bytes, as sent; aligned to 8.
        bytes: &'a [u8],
    },
    /// A bulk read has ended.
    ReadDone {
        /// As given to [`Transport::read`].
        token: u64,
        /// The block given to [`Transport::read`], now holding the bytes, or why it does not.
        block: Result<Block, ReadError>,
    },
    /// The link to the peer failed; nothing more will come over it.
    LinkDown {
        /// The peer.
        peer: Rank,
        /// How the failure was detected.
        reason: String,
    },
}

/// The receiver of the events that a poll finds.
pub type Deliver<'a> = &'a mut dyn FnMut(TransportEvent<'_>);

/// Why a message was not accepted. The caller still has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No space towards that peer now; poll, then try again.
    Full,
    /// The link to the peer failed.
    Lost,
}

/// Where the bytes of a bulk read begin in the peer's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteAddress {
    /// Which of the peer's regions.
    pub region: RegionNumber,
    /// Bytes from the start of that region.
    pub offset: u64,
}

impl RemoteAddress {
    /// An address in the peer's store.
    pub fn in_store(offset: u64) -> RemoteAddress {
        RemoteAddress { region: STORE, offset }
    }
}

/// What a transport knows, after its link to a peer failed, about the messages exchanged with that peer. Messages are
/// counted from 0 in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unacked {
    /// Number of the peer's messages that were delivered here.
    pub delivered: u64,
    /// The number of the first message in `messages`.
    pub first: u64,
    /// Messages to the peer that it may not have received: all from `first` on, oldest first.
    pub messages: Vec<Vec<u8>>,
}

/// One transport. Any thread may send; polls exclude each other (a second one returns 0 at once).
pub trait Transport: Send + Sync {
    /// Its name in banners and errors: `shm`, `mpi`, ...
    fn name(&self) -> &'static str;

    /// Queues the concatenation of `parts`, at most `limits::MESSAGE_BYTES_MAX` bytes, for `peer`.
    ///
    /// # Errors
    /// `Full` where the peer has not yet taken what is in flight, `Lost` where the link to it failed.
    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal>;

    /// The ring to a peer in shared memory: who holds it may send there without a call of this trait. Messages in it
    /// and those of `send` are in one order.
    fn ring_to(&self, _peer: Rank) -> Option<Arc<shm::SendRing>> {
        None
    }

    /// Delivers up to `limits::POLL_BATCH_MAX` events, and the rest of what arrived in one piece with the last of them;
    /// returns how many.
    fn poll(&self, deliver: Deliver<'_>) -> usize;

    /// True if a poll would find something, as far as is known without a system call.
    fn pending(&self) -> bool;

    /// True while the first connection to `peer` is being made. If it cannot be made, the transport reports that by
    /// itself within the peer time-out, and why.
    fn is_connecting(&self, _peer: Rank) -> bool {
        false
    }

    /// True if a sender wakes the sleeping receiver through the receiver's doorbell; otherwise the receiver sleeps on
    /// `wake_fd`, or polls from time to time where there is none.
    fn uses_doorbell(&self) -> bool;

    /// A descriptor that becomes readable when something arrives after `arm`.
    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Called when the rank is about to sleep on `wake_fd`; false where a poll would find something already.
    fn arm(&self) -> bool {
        true
    }

    /// Registers memory of this rank that peers may read: each region once, before the first read of it.
    ///
    /// # Errors
    /// Why this transport does not reach such memory; the region is then not readable over it.
    fn register(&self, _region: &Region) -> Result<(), RegisterError> {
        Ok(())
    }

    /// Set-up that all ranks of a transport do together before the first read, if the transport needs any. Collective:
    /// every rank calls it once, after all have registered their stores and before any of them sends.
    fn open_reads(&self) {}

    /// Starts to fill `into` with the bytes at `from` of a region of `peer`; `ReadDone` with `token` follows from a
    /// poll.
    ///
    /// # Errors
    /// Returns the block where the read cannot start now.
    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)>;

    /// Handles a peer's control message about the link between the two, which came over another transport.
    fn on_control_message(&self, _from: Rank, _bytes: &[u8]) {}

    /// Closes the transport, after all ranks have agreed that nothing is in flight any more: peers are notified that
    /// this is no failure. Afterwards sends are refused and polls find nothing.
    fn close(&self) {}

    /// Abandons the link to a peer that may be alive, after `LinkDown` or because the peer abandoned it, and takes what
    /// another transport needs to continue without losing or repeating a message. `None` where this transport does not
    /// know.
    fn take_unacked(&self, _peer: Rank) -> Option<Unacked> {
        None
    }
}
