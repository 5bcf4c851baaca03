//! Bulk reads of this rank: each has a slot and owns the block that it fills (TRANSPORT-3).
//!
//! The bytes come by gets from the peer's window if there is one, else in responses to a request message; the tag of
//! the response is that of the slot. After a get from a peer has failed, that read and all later reads from this peer
//! use messages.
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure};
use super::header::ReadRequest;
use super::transfer::{ReceiveBuffer, Received, Transfer, TransferResult, Transfers};
use super::window::RmaWindow;
use crate::base::Rank;
use crate::memory::Block;
use crate::transport::ReadError;
use crate::transport::framing::Zeros;
use std::collections::VecDeque;
use std::sync::Arc;

/// Reads in flight at once, from all peers.
const READS_MAX: u32 = 64;

/// Bytes transferred as one message or get of MPI, whose counts end at 2 GiB. The next piece starts when one has
/// arrived.
pub const PIECE_BYTES_MAX: usize = if cfg!(test) { 10_000 } else { 512 << 20 };

/// The tag of the responses for a slot.
pub fn response_tag(slot: u32) -> i32 {
    1 + slot as i32
}

/// True if `slot` is one that a reader may have.
pub fn is_valid_slot(slot: u32) -> bool {
    slot < READS_MAX
}

/// How the rest of a read is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadVia {
    Get,
    Message,
}

/// A read in progress.
pub struct MpiRead {
    block: Block,
    filled_bytes: usize,
    /// The start of the whole range in the peer's store.
    offset: u64,
    peer: Rank,
    slot: u32,
    token: u64,
    via: ReadVia,
}

impl MpiRead {
    /// The peer that it reads from.
    pub fn peer(&self) -> Rank {
        self.peer
    }

    /// The request to send to the peer for the rest, if that comes by message.
    pub fn request(&self) -> ReadRequest {
        ReadRequest {
            offset: self.offset + self.filled_bytes as u64,
            length: (self.block.len() - self.filled_bytes) as u64,
            slot: self.slot,
            zeros: Zeros,
        }
    }
}

// SAFETY: a block is a range of a mapped arena: its address does not change when the `Block` moves, and only its owner
// accesses it.
unsafe impl ReceiveBuffer for MpiRead {
    fn bytes_mut(&mut self) -> &mut [u8] {
        let end = self.block.len().min(self.filled_bytes + PIECE_BYTES_MAX);
        &mut self.block.as_mut_slice()[self.filled_bytes..end]
    }
}

/// The result of a read: the token, and the block or why it was not filled.
pub type ReadResult = (u64, Result<Block, ReadError>);

/// The state of a read after its start.
pub enum ReadStart {
    /// In flight, or already finished.
    Started,
    /// The peer must be sent a request first.
    NeedsRequest(MpiRead),
}

/// Called for failures that concern more than one read.
pub trait ReadObserver {
    /// MPI could not receive from `peer`.
    fn on_receive_error(&mut self, peer: Rank, failure: MpiFailure);

    /// The first get from `peer` failed; later reads from it use messages.
    fn on_get_refused(&mut self, peer: Rank, failure: MpiFailure);
}

/// The reads of this rank.
pub struct MpiReads {
    free_slots: Vec<u32>,
    in_flight: Transfers<MpiRead>,
    ended: Vec<(MpiRead, TransferResult)>,
    /// Reads whose gets failed and whose peers were not sent a request yet.
    unrequested: VecDeque<MpiRead>,
    finished: VecDeque<ReadResult>,
    window: Option<RmaWindow>,
    /// True if reads that begin now use the window.
    by_gets: bool,
    comm: Arc<Comm>,
}

impl MpiReads {
    /// No reads.
    pub fn new(comm: Arc<Comm>) -> MpiReads {
        MpiReads {
            free_slots: (0..READS_MAX).rev().collect(),
            in_flight: Transfers::new(),
            ended: Vec::new(),
            unrequested: VecDeque::new(),
            finished: VecDeque::new(),
            window: None,
            by_gets: false,
            comm,
        }
    }

    /// Reads that are in flight, or finished and not yet taken.
    pub fn len(&self) -> usize {
        self.in_flight.len() + self.unrequested.len() + self.finished.len()
    }

    /// The communicator of the reads.
    pub fn comm(&self) -> &Arc<Comm> {
        &self.comm
    }

    /// Sets the window through which peers' stores can be read.
    pub fn set_window(&mut self, window: RmaWindow) {
        self.window = Some(window);
    }

    /// True if a get from `peer` has failed, or if there is no window.
    pub fn gets_failed(&self, peer: Rank) -> bool {
        self.window.as_ref().is_none_or(|window| !window.allows_gets(peer))
    }

    /// Sets whether reads that begin now use the window, if there is one and it allows gets.
    pub fn use_gets(&mut self, by_gets: bool) {
        self.by_gets = by_gets;
    }

    /// Lets gets fail from here on.
    #[cfg(test)]
    pub fn break_gets(&mut self) {
        self.window.as_mut().expect("there is a window").break_gets();
    }

    /// Leaves the gets in flight to MPI for good, unreported; false if there were none.
    pub fn abandon_gets(&mut self) -> bool {
        let mut slots = Vec::new();
        self.in_flight.cancel(|read| read.via == ReadVia::Get, |read| slots.push(read.slot));
        self.free_slots.extend(&slots);
        !slots.is_empty()
    }

    /// Takes the window; no get is in flight.
    pub fn take_window(&mut self) -> Option<RmaWindow> {
        self.by_gets = false;
        self.window.take()
    }

    /// Begins to fill `block`; returns it if too many reads are in flight.
    pub fn begin(
        &mut self,
        peer: Rank,
        offset: u64,
        block: Block,
        token: u64,
        observer: &mut impl ReadObserver,
    ) -> Result<ReadStart, Block> {
        if block.is_empty() {
            self.finished.push_back((token, Ok(block)));
            return Ok(ReadStart::Started);
        }
        let Some(slot) = self.free_slots.pop() else { return Err(block) };
        let window = self.window.as_ref().filter(|window| self.by_gets && window.allows_gets(peer));
        let via = if window.is_some() { ReadVia::Get } else { ReadVia::Message };
        let outside = window.is_some_and(|window| !window.covers(peer, offset, block.len()));
        let read = MpiRead { block, filled_bytes: 0, offset, peer, slot, token, via };
        if via == ReadVia::Message {
            return Ok(ReadStart::NeedsRequest(read));
        }
        if outside {
            self.fail(read, ReadError::OutsideWindow { peer });
            return Ok(ReadStart::Started);
        }
        self.get_piece(read, observer);
        Ok(match self.unrequested.pop_back() {
            Some(read) if read.token == token => ReadStart::NeedsRequest(read),
            other => {
                self.unrequested.extend(other);
                ReadStart::Started
            }
        })
    }

    /// Fails a read at once whose range is in memory that this transport cannot read.
    pub fn fail_unreachable(&mut self, block: Block, token: u64, reason: ReadError) {
        drop(block);
        self.finished.push_back((token, Err(reason)));
    }

    /// Undoes `begin` of a read that could not start; returns its block.
    pub fn abort_start(&mut self, read: MpiRead) -> Block {
        self.free_slots.push(read.slot);
        read.block
    }

    /// Receives the response of a read whose request was sent. A response that came earlier waits in MPI.
    pub fn await_response(&mut self, read: MpiRead, observer: &mut impl ReadObserver) {
        self.receive_piece(read, observer);
    }

    /// Takes the next read whose peer must be sent a request.
    pub fn pop_unrequested(&mut self) -> Option<MpiRead> {
        self.unrequested.pop_front()
    }

    /// Puts a read back whose peer cannot be sent a request now.
    pub fn requeue_unrequested(&mut self, read: MpiRead) {
        self.unrequested.push_front(read);
    }

    /// Fails a read whose peer can no longer be sent a request.
    pub fn fail_unrequested(&mut self, read: MpiRead) {
        let reason = ReadError::PeerFailed { peer: read.peer };
        self.fail(read, reason);
    }

    /// Makes progress with every read.
    pub fn advance(&mut self, observer: &mut impl ReadObserver) {
        let mut ended = std::mem::take(&mut self.ended);
        self.in_flight.finish(&mut ended);
        for (read, ending) in ended.drain(..) {
            self.on_piece_done(read, ending, observer);
        }
        self.ended = ended;
    }

    /// Takes reads that have finished, at most `count_max`.
    pub fn take_finished(&mut self, count_max: usize) -> impl Iterator<Item = ReadResult> + '_ {
        let count = self.finished.len().min(count_max);
        self.finished.drain(..count)
    }

    /// Ends the reads from a peer that has failed.
    pub fn on_peer_failed(&mut self, peer: Rank) {
        let (slots, finished) = (&mut self.free_slots, &mut self.finished);
        // Only its peer could finish a get; MPI keeps the block.
        self.in_flight.cancel(
            |read| read.peer == peer,
            |read| {
                slots.push(read.slot);
                finished.push_back((read.token, Err(ReadError::Abandoned { peer })));
            },
        );
        let (failed, remaining) = self.unrequested.drain(..).partition(|read| read.peer == peer);
        self.unrequested = remaining;
        let failed: VecDeque<MpiRead> = failed;
        failed.into_iter().for_each(|read| self.fail_unrequested(read));
    }

    fn on_piece_done(&mut self, mut read: MpiRead, ending: TransferResult, observer: &mut impl ReadObserver) {
        let expected_bytes = read.bytes_mut().len();
        match (read.via, ending) {
            (ReadVia::Get, Ok(_)) => {
                read.filled_bytes += expected_bytes;
                self.continue_read(read, observer);
            }
            (ReadVia::Get, Err(failure)) => self.on_get_failed(read, failure, observer),
            (ReadVia::Message, Ok(Received { bytes, .. })) if bytes == expected_bytes => {
                read.filled_bytes += bytes;
                self.continue_read(read, observer);
            }
            (ReadVia::Message, Ok(_)) => {
                let reason = ReadError::Refused { peer: read.peer };
                self.fail(read, reason);
            }
            (ReadVia::Message, Err(failure)) => self.on_receive_failed(read, failure, observer),
        }
    }

    fn continue_read(&mut self, read: MpiRead, observer: &mut impl ReadObserver) {
        if read.filled_bytes == read.block.len() {
            self.free_slots.push(read.slot);
            self.finished.push_back((read.token, Ok(read.block)));
        } else if read.via == ReadVia::Get {
            self.get_piece(read, observer);
        } else {
            self.receive_piece(read, observer);
        }
    }

    fn get_piece(&mut self, read: MpiRead, observer: &mut impl ReadObserver) {
        let Some(window) = &self.window else {
            self.unrequested.push_back(MpiRead { via: ReadVia::Message, ..read });
            return;
        };
        let (peer, offset) = (read.peer, read.offset + read.filled_bytes as u64);
        match Transfer::get(window, peer, offset, read) {
            Ok(transfer) => self.in_flight.push(transfer),
            Err((failure, read)) => self.on_get_failed(read, failure, observer),
        }
    }

    fn on_get_failed(&mut self, read: MpiRead, failure: MpiFailure, observer: &mut impl ReadObserver) {
        let peer = read.peer;
        self.unrequested.push_back(MpiRead { via: ReadVia::Message, ..read });
        if self.window.as_mut().is_some_and(|window| window.mark_failed(peer)) {
            observer.on_get_refused(peer, failure);
        }
    }

    fn receive_piece(&mut self, read: MpiRead, observer: &mut impl ReadObserver) {
        match Transfer::receive(&self.comm, Some(read.peer), response_tag(read.slot), read) {
            Ok(transfer) => self.in_flight.push(transfer),
            Err((failure, read)) => self.on_receive_failed(read, failure, observer),
        }
    }

    fn on_receive_failed(&mut self, read: MpiRead, failure: MpiFailure, observer: &mut impl ReadObserver) {
        let peer = read.peer;
        self.fail(read, ReadError::Transfer { peer, source: failure.into() });
        observer.on_receive_error(peer, failure);
    }

    /// The slot is free again: its response has come, or its peer has failed, and responses match by peer and tag.
    fn fail(&mut self, read: MpiRead, reason: ReadError) {
        self.free_slots.push(read.slot);
        self.finished.push_back((read.token, Err(reason)));
    }
}
