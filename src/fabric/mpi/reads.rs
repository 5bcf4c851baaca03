//! Bulk reads that this rank asked for: each a slot, whose tag the answer bears, and the block that it fills (F3).
#![allow(unsafe_code)]

use super::comm::{Comm, Failure};
use super::transfer::{Arrived, Ending, Sink, Transfer, Transfers};
use crate::base::Rank;
use crate::mem::Block;
use std::collections::VecDeque;
use std::sync::Arc;

/// Reads under way at once, towards all peers.
const READS_MAX: u32 = 64;

/// Bytes that travel as one message of MPI, whose counts end at 2 GiB. The next piece goes when one is there.
pub const PIECE_BYTES_MAX: usize = if cfg!(test) { 10_000 } else { 512 << 20 };

/// The tag of the answers for a slot.
pub fn answer_tag(slot: u32) -> i32 {
    1 + slot as i32
}

/// Whether `slot` is one that a reader may have.
pub fn is_slot(slot: u32) -> bool {
    slot < READS_MAX
}

/// A block that is being filled.
struct Landing {
    block: Block,
    filled_bytes: usize,
    peer: Rank,
    slot: u32,
    token: u64,
}

// SAFETY: a block is a range of a mapped arena: it stays where it is when the `Block` moves, and its owner alone
// touches it.
unsafe impl Sink for Landing {
    fn bytes_mut(&mut self) -> &mut [u8] {
        let end = self.block.len().min(self.filled_bytes + PIECE_BYTES_MAX);
        &mut self.block.as_mut_slice()[self.filled_bytes..end]
    }
}

/// A read that is over: the token, and the block or why it was not filled.
pub type ReadEnding = (u64, Result<Block, String>);

/// The reads of this rank.
pub struct Reads {
    free_slots: Vec<u32>,
    landing: Transfers<Landing>,
    ended: Vec<(Landing, Ending)>,
    over: VecDeque<ReadEnding>,
    comm: Arc<Comm>,
}

impl Reads {
    /// None under way.
    pub fn new(comm: Arc<Comm>) -> Reads {
        let free_slots = (0..READS_MAX).rev().collect();
        Reads { free_slots, landing: Transfers::new(), ended: Vec::new(), over: VecDeque::new(), comm }
    }

    /// Reads that are under way, or over and not yet taken.
    pub fn len(&self) -> usize {
        self.landing.len() + self.over.len()
    }

    /// A slot for a read that starts now; nothing where all are under way. Goes back by `put_back` or when the read
    /// ends.
    pub fn slot(&mut self) -> Option<u32> {
        self.free_slots.pop()
    }

    /// The read of `slot` did not start.
    pub fn put_back(&mut self, slot: u32) {
        self.free_slots.push(slot);
    }

    /// The request is on its way: receives the answer. An answer that is here sooner waits in MPI.
    pub fn expect(&mut self, peer: Rank, slot: u32, block: Block, token: u64) -> Result<(), Failure> {
        self.next_piece(Landing { block, filled_bytes: 0, peer, slot, token })
    }

    /// A read of no bytes: over at once.
    pub fn end_empty(&mut self, block: Block, token: u64) {
        self.over.push_back((token, Ok(block)));
    }

    /// Goes on with every read; `failed` hears of peers from which MPI could not receive.
    pub fn advance(&mut self, mut failed: impl FnMut(Rank, Failure)) {
        let mut ended = std::mem::take(&mut self.ended);
        self.landing.finish(&mut ended);
        for (landing, ending) in ended.drain(..) {
            let peer = landing.peer;
            if let Err(failure) = self.piece_ended(landing, ending) {
                failed(peer, failure);
            }
        }
        self.ended = ended;
    }

    /// Reads that are over, at most `count_max`.
    pub fn take_over(&mut self, count_max: usize) -> impl Iterator<Item = ReadEnding> + '_ {
        let count = self.over.len().min(count_max);
        self.over.drain(..count)
    }

    /// Ends the reads from a peer that is gone.
    pub fn give_up(&mut self, peer: Rank) {
        self.landing.cancel(|landing| landing.peer == peer);
    }

    fn piece_ended(&mut self, mut landing: Landing, ending: Ending) -> Result<(), Failure> {
        let expected_bytes = landing.bytes_mut().len();
        match ending {
            Ok(Arrived { bytes, .. }) if bytes == expected_bytes => {
                landing.filled_bytes += bytes;
                if landing.filled_bytes < landing.block.len() {
                    return self.next_piece(landing);
                }
                self.free_slots.push(landing.slot);
                self.over.push_back((landing.token, Ok(landing.block)));
                Ok(())
            }
            Ok(_) => {
                let reason = format!("rank {} refused the read: the range is not in its arena", landing.peer);
                self.fail(landing, reason);
                Ok(())
            }
            Err(failure) => {
                let reason = format!("the read from rank {} failed: {failure}", landing.peer);
                self.fail(landing, reason);
                Err(failure)
            }
        }
    }

    fn next_piece(&mut self, landing: Landing) -> Result<(), Failure> {
        let (peer, slot) = (landing.peer, landing.slot);
        match Transfer::receive(&self.comm, Some(peer), answer_tag(slot), landing) {
            Ok(transfer) => {
                self.landing.push(transfer);
                Ok(())
            }
            Err((failure, landing)) => {
                self.fail(landing, format!("the read from rank {peer} failed: {failure}"));
                Err(failure)
            }
        }
    }

    /// The slot is free again: its answer came, or its peer is lost, and answers match by peer and tag.
    fn fail(&mut self, landing: Landing, reason: String) {
        self.free_slots.push(landing.slot);
        self.over.push_back((landing.token, Err(reason)));
    }
}
