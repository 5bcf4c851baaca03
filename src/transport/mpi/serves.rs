//! Bulk reads that peers asked for: answered straight from the arena, a piece at a time.
#![allow(unsafe_code)]

use super::comm::{Comm, Failure};
use super::header::ReadRequest;
use super::reads::{PIECE_BYTES_MAX, answer_tag};
use super::transfer::{Ending, Source, Transfer, Transfers};
use crate::base::Rank;
use crate::memory::Arena;
use std::collections::VecDeque;
use std::sync::Arc;

/// Answers under way at once; more wait, at most as many as each peer may have reads under way.
const ANSWERS_MAX: usize = 128;

/// What is still to be sent of a range. A range outside of the arena is refused by an empty answer.
struct Answer {
    arena: Option<Arc<Arena>>,
    offset: u64,
    left_bytes: usize,
    peer: Rank,
    slot: u32,
}

// SAFETY: the arena stays mapped while it is held here. The peer reads a sealed object and keeps it alive until it has
// the bytes, so nobody writes them.
unsafe impl Source for Answer {
    fn bytes(&self) -> &[u8] {
        let piece_bytes = self.left_bytes.min(PIECE_BYTES_MAX);
        self.arena.as_ref().and_then(|arena| arena.slice(self.offset, piece_bytes)).unwrap_or(&[])
    }
}

/// The answers of this rank.
pub struct Serves {
    waiting: VecDeque<(Rank, ReadRequest)>,
    sending: Transfers<Answer>,
    ended: Vec<(Answer, Ending)>,
    comm: Arc<Comm>,
}

impl Serves {
    /// None under way.
    pub fn new(comm: Arc<Comm>) -> Serves {
        Serves { waiting: VecDeque::new(), sending: Transfers::new(), ended: Vec::new(), comm }
    }

    /// Answers under way or waiting.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.sending.len()
    }

    /// A peer asks; the next `advance` answers.
    pub fn ask(&mut self, peer: Rank, request: ReadRequest) {
        self.waiting.push_back((peer, request));
    }

    /// Goes on with every answer; `failed` hears of those that MPI could not send.
    pub fn advance(&mut self, arena: Option<&Arc<Arena>>, mut failed: impl FnMut(Rank, Failure)) {
        let mut ended = std::mem::take(&mut self.ended);
        self.sending.finish(&mut ended);
        for (mut answer, ending) in ended.drain(..) {
            let sent_bytes = answer.bytes().len();
            answer.offset += sent_bytes as u64;
            answer.left_bytes -= sent_bytes;
            match ending {
                Ok(_) if answer.left_bytes > 0 => self.send(answer, &mut failed),
                Ok(_) => {}
                Err(failure) => failed(answer.peer, failure),
            }
        }
        self.ended = ended;
        while self.sending.len() < ANSWERS_MAX {
            let Some((peer, ReadRequest { offset, length, slot })) = self.waiting.pop_front() else { break };
            let inside = usize::try_from(length)
                .ok()
                .filter(|&bytes| arena.is_some_and(|arena| arena.slice(offset, bytes).is_some()));
            let arena = inside.and(arena).cloned();
            self.send(Answer { arena, offset, left_bytes: inside.unwrap_or(0), peer, slot }, &mut failed);
        }
    }

    fn send(&mut self, answer: Answer, failed: &mut impl FnMut(Rank, Failure)) {
        let (peer, tag) = (answer.peer, answer_tag(answer.slot));
        match Transfer::send(&self.comm, peer, tag, answer) {
            Ok(transfer) => self.sending.push(transfer),
            Err((failure, _)) => failed(peer, failure),
        }
    }
}
