//! Serves the bulk reads that peers request by message: straight from the arena, a piece at a time.
#![allow(unsafe_code)]

use super::comm::Comm;
use super::header::ReadRequest;
use super::peers::MpiPeers;
use super::reads::{PIECE_BYTES_MAX, response_tag};
use super::transfer::{SendBuffer, Transfer, Transfers};
use crate::base::Rank;
use crate::memory::Arena;
use std::collections::VecDeque;
use std::sync::Arc;

/// Responses in flight at once; more are queued, at most as many as each peer may have reads in flight.
const RESPONSES_MAX: usize = 128;

/// The rest of a range to send. A range outside of the arena is refused by an empty response.
struct ReadResponse {
    arena: Option<Arc<Arena>>,
    offset: u64,
    remaining_bytes: usize,
    peer: Rank,
    slot: u32,
}

// SAFETY: the arena stays mapped while this value owns it. The peer reads a sealed object and keeps it alive until it
// has the bytes, so nothing writes them.
unsafe impl SendBuffer for ReadResponse {
    fn bytes(&self) -> &[u8] {
        let piece_bytes = self.remaining_bytes.min(PIECE_BYTES_MAX);
        self.arena.as_ref().and_then(|arena| arena.slice(self.offset, piece_bytes)).unwrap_or(&[])
    }
}

/// The responses of this rank.
pub struct ReadServer {
    waiting: VecDeque<(Rank, ReadRequest)>,
    sending: Transfers<ReadResponse>,
    peers: Arc<MpiPeers>,
    comm: Arc<Comm>,
}

impl ReadServer {
    /// No responses.
    pub fn new(comm: Arc<Comm>, peers: Arc<MpiPeers>) -> ReadServer {
        ReadServer { waiting: VecDeque::new(), sending: Transfers::new(comm.mpi()), peers, comm }
    }

    /// Responses in flight or queued.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.sending.len()
    }

    /// Queues a peer's request; the next `advance` starts the response.
    pub fn on_request(&mut self, peer: Rank, request: ReadRequest) {
        self.waiting.push_back((peer, request));
    }

    /// Makes progress with every response.
    pub fn advance(&mut self, arena: Option<&Arc<Arena>>) {
        self.sending.test();
        while let Some((mut response, ending)) = self.sending.pop_ended() {
            let sent_bytes = response.bytes().len();
            response.offset += sent_bytes as u64;
            response.remaining_bytes -= sent_bytes;
            match ending {
                Ok(_) if response.remaining_bytes > 0 => self.send(response),
                Ok(_) => {}
                Err(failure) => self.peers.fail(response.peer, failure),
            }
        }
        while self.sending.len() < RESPONSES_MAX {
            let Some((peer, ReadRequest { offset, length, slot, .. })) = self.waiting.pop_front() else { break };
            let in_range = usize::try_from(length)
                .ok()
                .filter(|&bytes| arena.is_some_and(|arena| arena.slice(offset, bytes).is_some()));
            let arena = in_range.and(arena).cloned();
            self.send(ReadResponse { arena, offset, remaining_bytes: in_range.unwrap_or(0), peer, slot });
        }
    }

    fn send(&mut self, response: ReadResponse) {
        let (peer, tag) = (response.peer, response_tag(response.slot));
        match Transfer::send(&self.comm, peer, tag, response) {
            Ok(transfer) => self.sending.push(transfer),
            Err((failure, _)) => self.peers.fail(peer, failure),
        }
    }
}
