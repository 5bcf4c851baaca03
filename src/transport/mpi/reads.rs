//! Bulk reads of this rank: each has a slot and owns the block that it fills (TRANSPORT-3).
//!
//! The bytes come by gets from the peer's window if there is one, else in responses to a request message; the tag of
//! the response is that of the slot. After a get from a peer has failed, that read and all later reads from this peer
//! use messages.
#![allow(unsafe_code)]

use super::comm::{Comm, MpiFailure};
use super::header::{READS_MAX, ReadRequest};
use super::peers::MpiPeers;
use super::transfer::{ReceiveBuffer, Received, Transfer, TransferResult, Transfers};
use super::window::RmaWindow;
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::memory::{Block, STORE};
use crate::transport::framing::Zeros;
use crate::transport::{ReadError, Refusal, RemoteAddress, TransportEvent};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes transferred as one message or get of MPI, whose counts end at 2 GiB. The next piece starts when one has
/// arrived.
pub const PIECE_BYTES_MAX: usize = if cfg!(test) { 10_000 } else { 512 << 20 };

/// The tag of the responses for a slot.
pub fn response_tag(slot: u32) -> i32 {
    1 + slot as i32
}

/// How the rest of a read is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadVia {
    Get,
    Message,
}

/// A read in progress.
struct MpiRead {
    block: Block,
    filled_bytes: usize,
    /// The start of the whole range in the peer's store.
    offset: u64,
    peer: Rank,
    slot: u32,
    token: u64,
    via: ReadVia,
}

// SAFETY: a block is a range of a mapped arena: its address does not change when the `Block` moves, and only its owner
// accesses it.
unsafe impl ReceiveBuffer for MpiRead {
    fn bytes_mut(&mut self) -> &mut [u8] {
        let end = self.block.len().min(self.filled_bytes + PIECE_BYTES_MAX);
        &mut self.block.as_mut_slice()[self.filled_bytes..end]
    }
}

/// Sends a request to a peer.
pub type RequestSender<'a> = &'a mut dyn FnMut(Rank, ReadRequest) -> Result<(), Refusal>;

/// The reads of this rank. Those that have ended are in the events of `peers`.
pub struct MpiReads {
    free_slots: Vec<u32>,
    in_flight: Transfers<MpiRead>,
    /// Reads whose gets failed and whose peers were not sent a request yet.
    unrequested: VecDeque<MpiRead>,
    window: Option<RmaWindow>,
    /// True if reads that begin now use the window.
    by_gets: bool,
    /// True once the ranks have chosen the read method: until then, the choice reports gets that fail.
    logs_failed_gets: bool,
    peers: Arc<MpiPeers>,
    comm: Arc<Comm>,
}

impl MpiReads {
    /// No reads.
    pub fn new(comm: Arc<Comm>, peers: Arc<MpiPeers>) -> MpiReads {
        MpiReads {
            free_slots: (0..READS_MAX).rev().collect(),
            in_flight: Transfers::new(comm.mpi()),
            unrequested: VecDeque::new(),
            window: None,
            by_gets: false,
            logs_failed_gets: false,
            peers,
            comm,
        }
    }

    /// Reads that have not ended.
    pub fn len(&self) -> usize {
        self.in_flight.len() + self.unrequested.len()
    }

    /// The communicator of the reads.
    pub fn comm(&self) -> &Arc<Comm> {
        &self.comm
    }

    /// Sets the window through which peers' stores can be read; reads use it from now on.
    pub fn set_window(&mut self, window: RmaWindow) {
        self.window = Some(window);
        self.by_gets = true;
    }

    /// True if a get from `peer` has failed, or if there is no window.
    pub fn gets_failed(&self, peer: Rank) -> bool {
        self.window.as_ref().is_none_or(|window| !window.allows_gets(peer))
    }

    /// Sets whether reads that begin now use the window, if there is one and it allows gets.
    pub fn use_gets(&mut self, by_gets: bool) {
        self.by_gets = by_gets;
    }

    /// The ranks have chosen the read method: gets that fail from now on are logged.
    pub fn log_failed_gets(&mut self) {
        self.logs_failed_gets = true;
    }

    /// Lets gets fail from here on.
    #[cfg(test)]
    pub fn break_gets(&mut self) {
        self.window.as_mut().expect("there is a window").break_gets();
    }

    /// Leaves the gets in flight to MPI for good, unreported; false if there were none.
    pub fn abandon_gets(&mut self) -> bool {
        let before = self.free_slots.len();
        self.in_flight.cancel(|read| read.via == ReadVia::Get, |read| self.free_slots.push(read.slot));
        self.free_slots.len() > before
    }

    /// Takes the window; no get is in flight.
    pub fn take_window(&mut self) -> Option<RmaWindow> {
        self.by_gets = false;
        self.window.take()
    }

    /// Begins to fill `block`; `send` sends a request where no get is possible.
    ///
    /// # Errors
    /// Returns the block where the read cannot start now.
    pub fn begin(
        &mut self,
        peer: Rank,
        from: RemoteAddress,
        block: Block,
        token: u64,
        send: RequestSender<'_>,
    ) -> Result<(), (Refusal, Block)> {
        if self.peers.has_failed(peer) {
            return Err((Refusal::Lost, block));
        }
        if from.region != STORE || block.is_empty() {
            let unreachable = ReadError::NoRegion { peer, region: from.region, over: "MPI".to_string() };
            let block = if from.region == STORE { Ok(block) } else { Err(unreachable) };
            self.peers.events.push(TransportEvent::ReadDone { token, block });
            return Ok(());
        }
        let Some(slot) = self.free_slots.pop() else { return Err((Refusal::Full, block)) };
        let window = self.window.as_ref().filter(|window| self.by_gets && window.allows_gets(peer));
        let covered = window.map(|window| window.covers(peer, from.offset, block.len()));
        let via = if window.is_some() { ReadVia::Get } else { ReadVia::Message };
        let read = MpiRead { block, filled_bytes: 0, offset: from.offset, peer, slot, token, via };
        match covered {
            Some(true) => self.get_piece(read),
            Some(false) => {
                let outside = ReadError::outside(peer, from, read.block.len());
                self.end(read, |_| Err(outside));
            }
            None => {
                return self.request(read, send).map_err(|(refusal, read)| {
                    self.free_slots.push(read.slot);
                    (refusal, read.block)
                });
            }
        }
        Ok(())
    }

    /// Requests the rest of a read from its peer; returns the read if no request can be sent. A response that comes
    /// before its receive is posted waits in MPI.
    fn request(&mut self, read: MpiRead, send: RequestSender<'_>) -> Result<(), (Refusal, MpiRead)> {
        let filled = read.filled_bytes as u64;
        let (offset, length) = (read.offset + filled, read.block.len() as u64 - filled);
        match send(read.peer, ReadRequest { offset, length, slot: read.slot, zeros: Zeros }) {
            Ok(()) => self.receive_piece(read),
            Err(refusal) => return Err((refusal, read)),
        }
        Ok(())
    }

    /// Makes progress with every read; `send` sends requests for reads whose gets failed.
    pub fn advance(&mut self, send: RequestSender<'_>) {
        self.in_flight.test();
        while let Some((read, ending)) = self.in_flight.pop_ended() {
            self.on_piece_done(read, ending);
        }
        while let Some(read) = self.unrequested.pop_front() {
            match self.request(read, send) {
                Ok(()) => {}
                Err((Refusal::Full, read)) => return self.unrequested.push_front(read),
                Err((Refusal::Lost, read)) => {
                    let peer = read.peer;
                    self.end(read, |_| Err(ReadError::PeerFailed { peer }));
                }
            }
        }
    }

    /// Ends the transfers from a peer that has failed.
    pub fn on_peer_failed(&mut self, peer: Rank) {
        // Only its peer could finish a get; MPI keeps the block.
        self.in_flight.cancel(
            |read| read.peer == peer,
            |read| {
                self.free_slots.push(read.slot);
                let block = Err(ReadError::PeerFailed { peer });
                self.peers.events.push(TransportEvent::ReadDone { token: read.token, block });
            },
        );
    }

    fn on_piece_done(&mut self, mut read: MpiRead, ending: TransferResult) {
        let expected_bytes = read.bytes_mut().len();
        match (read.via, ending) {
            (ReadVia::Get, Err(failure)) => self.on_get_failed(read, failure),
            (ReadVia::Message, Err(failure)) => self.on_receive_failed(read, failure),
            (ReadVia::Message, Ok(Received { bytes, .. })) if bytes != expected_bytes => {
                let peer = format!("rank {}", read.peer);
                let reason = "the range is not in its arena".to_string();
                self.end(read, |_| Err(ReadError::Refused { peer, reason }));
            }
            (via, Ok(_)) => {
                read.filled_bytes += expected_bytes;
                match via {
                    _ if read.filled_bytes == read.block.len() => self.end(read, Ok),
                    ReadVia::Get => self.get_piece(read),
                    ReadVia::Message => self.receive_piece(read),
                }
            }
        }
    }

    fn get_piece(&mut self, read: MpiRead) {
        let Some(window) = &self.window else {
            return self.unrequested.push_back(MpiRead { via: ReadVia::Message, ..read });
        };
        let (peer, offset) = (read.peer, read.offset + read.filled_bytes as u64);
        match Transfer::get(window, peer, offset, read) {
            Ok(transfer) => self.in_flight.push(transfer),
            Err((failure, read)) => self.on_get_failed(read, failure),
        }
    }

    fn on_get_failed(&mut self, read: MpiRead, failure: MpiFailure) {
        let peer = read.peer;
        self.unrequested.push_back(MpiRead { via: ReadVia::Message, ..read });
        if self.window.as_mut().is_some_and(|window| window.mark_failed(peer)) && self.logs_failed_gets {
            log(Level::Warn, || format!("bulk reads from rank {peer} use messages from now on: {failure}"));
        }
    }

    fn receive_piece(&mut self, read: MpiRead) {
        match Transfer::receive(&self.comm, Some(read.peer), response_tag(read.slot), read) {
            Ok(transfer) => self.in_flight.push(transfer),
            Err((failure, read)) => self.on_receive_failed(read, failure),
        }
    }

    fn on_receive_failed(&mut self, read: MpiRead, failure: MpiFailure) {
        let peer = read.peer;
        self.end(read, |_| Err(ReadError::Transfer { peer, source: failure.into() }));
        self.peers.fail(peer, failure);
    }

    /// Ends a read. The slot is free again: its response has come, or its peer has failed, and responses match by peer
    /// and tag.
    fn end(&mut self, read: MpiRead, result: impl FnOnce(Block) -> Result<Block, ReadError>) {
        self.free_slots.push(read.slot);
        self.peers.events.push(TransportEvent::ReadDone { token: read.token, block: result(read.block) });
    }
}
