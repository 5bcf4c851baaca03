//! Bulk reads that this rank asked for: each a slot and the block that it fills (F3).
//!
//! The bytes come by gets from the peer's window where there is one, else in answers to a message, whose tag is the
//! slot's. A peer from which a get has failed is asked by messages from then on, that read included.
#![allow(unsafe_code)]

use super::comm::{Comm, Failure};
use super::header::ReadRequest;
use super::transfer::{Arrived, Ending, Sink, Transfer, Transfers};
use super::window::Window;
use crate::base::Rank;
use crate::memory::Block;
use std::collections::VecDeque;
use std::sync::Arc;

/// Reads under way at once, towards all peers.
const READS_MAX: u32 = 64;

/// Bytes that travel as one message or get of MPI, whose counts end at 2 GiB. The next piece goes when one is there.
pub const PIECE_BYTES_MAX: usize = if cfg!(test) { 10_000 } else { 512 << 20 };

/// The tag of the answers for a slot.
pub fn answer_tag(slot: u32) -> i32 {
    1 + slot as i32
}

/// Whether `slot` is one that a reader may have.
pub fn is_slot(slot: u32) -> bool {
    slot < READS_MAX
}

/// How the rest of a read comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Gets,
    Answers,
}

/// A block that is being filled.
pub struct Landing {
    block: Block,
    filled_bytes: usize,
    /// Where the whole range begins in the peer's store.
    offset: u64,
    peer: Rank,
    slot: u32,
    token: u64,
    way: Way,
}

impl Landing {
    /// Whose bytes it waits for.
    pub fn peer(&self) -> Rank {
        self.peer
    }

    /// What the peer must be asked for, where the rest comes in answers.
    pub fn request(&self) -> ReadRequest {
        ReadRequest {
            offset: self.offset + self.filled_bytes as u64,
            length: (self.block.len() - self.filled_bytes) as u64,
            slot: self.slot,
        }
    }
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

/// What became of a read that was to start.
pub enum Begun {
    /// It is under way, or over already.
    Yes,
    /// Its peer must be asked first.
    Asks(Landing),
}

/// What reads report while they go on.
pub trait Heeds {
    /// MPI could not receive from `peer`.
    fn failed(&mut self, peer: Rank, failure: Failure);

    /// The first get from `peer` that failed; the next reads from there come in answers.
    fn refused(&mut self, peer: Rank, failure: Failure);
}

/// The reads of this rank.
pub struct Reads {
    free_slots: Vec<u32>,
    landing: Transfers<Landing>,
    ended: Vec<(Landing, Ending)>,
    /// Their gets failed, and their peers are not asked yet.
    unasked: VecDeque<Landing>,
    over: VecDeque<ReadEnding>,
    window: Option<Window>,
    /// Whether reads that begin now use the window.
    by_gets: bool,
    comm: Arc<Comm>,
}

impl Reads {
    /// None under way.
    pub fn new(comm: Arc<Comm>) -> Reads {
        Reads {
            free_slots: (0..READS_MAX).rev().collect(),
            landing: Transfers::new(),
            ended: Vec::new(),
            unasked: VecDeque::new(),
            over: VecDeque::new(),
            window: None,
            by_gets: false,
            comm,
        }
    }

    /// Reads that are under way, or over and not yet taken.
    pub fn len(&self) -> usize {
        self.landing.len() + self.unasked.len() + self.over.len()
    }

    /// The communicator that they use.
    pub fn comm(&self) -> &Arc<Comm> {
        &self.comm
    }

    /// Peers' stores can be reached without asking.
    pub fn set_window(&mut self, window: Window) {
        self.window = Some(window);
    }

    /// Whether a get from `peer` has failed, or there is no window.
    pub fn refused(&self, peer: Rank) -> bool {
        self.window.as_ref().is_none_or(|window| !window.serves(peer))
    }

    /// Whether reads that begin now use the window, where there is one and it serves.
    pub fn use_gets(&mut self, by_gets: bool) {
        self.by_gets = by_gets;
    }

    /// Gets fail from here on.
    #[cfg(test)]
    pub fn break_gets(&mut self) {
        self.window.as_mut().expect("there is a window").lead_astray();
    }

    /// Leaves the gets under way to MPI for good, unreported; false where there were none.
    pub fn leave_gets(&mut self) -> bool {
        let mut slots = Vec::new();
        self.landing.cancel(|landing| landing.way == Way::Gets, |landing| slots.push(landing.slot));
        self.free_slots.extend(&slots);
        !slots.is_empty()
    }

    /// Takes the window away; no get is under way.
    pub fn take_window(&mut self) -> Option<Window> {
        self.by_gets = false;
        self.window.take()
    }

    /// Begins to fill `block`; hands it back where too many reads are under way.
    pub fn begin(
        &mut self,
        peer: Rank,
        offset: u64,
        block: Block,
        token: u64,
        heeds: &mut impl Heeds,
    ) -> Result<Begun, Block> {
        if block.is_empty() {
            self.over.push_back((token, Ok(block)));
            return Ok(Begun::Yes);
        }
        let Some(slot) = self.free_slots.pop() else { return Err(block) };
        let window = self.window.as_ref().filter(|window| self.by_gets && window.serves(peer));
        let way = if window.is_some() { Way::Gets } else { Way::Answers };
        let outside = window.is_some_and(|window| !window.covers(peer, offset, block.len()));
        let landing = Landing { block, filled_bytes: 0, offset, peer, slot, token, way };
        if way == Way::Answers {
            return Ok(Begun::Asks(landing));
        }
        if outside {
            self.fail(landing, format!("the range is not in rank {peer}'s store"));
            return Ok(Begun::Yes);
        }
        self.get_piece(landing, heeds);
        Ok(match self.unasked.pop_back() {
            Some(landing) if landing.token == token => Begun::Asks(landing),
            other => {
                self.unasked.extend(other);
                Begun::Yes
            }
        })
    }

    /// Fails a read at once: its range is in memory that this road does not reach.
    pub fn refuse(&mut self, block: Block, token: u64, reason: String) {
        drop(block);
        self.over.push_back((token, Err(reason)));
    }

    /// The read did not start.
    pub fn put_back(&mut self, landing: Landing) -> Block {
        self.free_slots.push(landing.slot);
        landing.block
    }

    /// The request is on its way: receives the answer. An answer that is here sooner waits in MPI.
    pub fn expect(&mut self, landing: Landing, heeds: &mut impl Heeds) {
        self.receive_piece(landing, heeds);
    }

    /// The next read whose peer must be asked after all.
    pub fn unasked(&mut self) -> Option<Landing> {
        self.unasked.pop_front()
    }

    /// Its peer cannot be asked now.
    pub fn put_off(&mut self, landing: Landing) {
        self.unasked.push_front(landing);
    }

    /// Its peer cannot be asked any more.
    pub fn give_up_unasked(&mut self, landing: Landing) {
        let reason = format!("the read from rank {} failed: given up, the peer is gone", landing.peer);
        self.fail(landing, reason);
    }

    /// Goes on with every read.
    pub fn advance(&mut self, heeds: &mut impl Heeds) {
        let mut ended = std::mem::take(&mut self.ended);
        self.landing.finish(&mut ended);
        for (landing, ending) in ended.drain(..) {
            self.piece_ended(landing, ending, heeds);
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
        let (slots, over) = (&mut self.free_slots, &mut self.over);
        // Nothing ends a get whose peer is gone but its peer; MPI keeps the block.
        self.landing.cancel(
            |landing| landing.peer == peer,
            |landing| {
                slots.push(landing.slot);
                over.push_back((landing.token, Err(format!("the read from rank {peer} was given up, it is gone"))));
            },
        );
        let (gone, kept) = self.unasked.drain(..).partition(|landing| landing.peer == peer);
        self.unasked = kept;
        let gone: VecDeque<Landing> = gone;
        gone.into_iter().for_each(|landing| self.give_up_unasked(landing));
    }

    fn piece_ended(&mut self, mut landing: Landing, ending: Ending, heeds: &mut impl Heeds) {
        let expected_bytes = landing.bytes_mut().len();
        match (landing.way, ending) {
            (Way::Gets, Ok(_)) => {
                landing.filled_bytes += expected_bytes;
                self.go_on(landing, heeds);
            }
            (Way::Gets, Err(failure)) => self.get_failed(landing, failure, heeds),
            (Way::Answers, Ok(Arrived { bytes, .. })) if bytes == expected_bytes => {
                landing.filled_bytes += bytes;
                self.go_on(landing, heeds);
            }
            (Way::Answers, Ok(_)) => {
                let reason = format!("rank {} refused the read: the range is not in its arena", landing.peer);
                self.fail(landing, reason);
            }
            (Way::Answers, Err(failure)) => self.receive_failed(landing, failure, heeds),
        }
    }

    fn go_on(&mut self, landing: Landing, heeds: &mut impl Heeds) {
        if landing.filled_bytes == landing.block.len() {
            self.free_slots.push(landing.slot);
            self.over.push_back((landing.token, Ok(landing.block)));
        } else if landing.way == Way::Gets {
            self.get_piece(landing, heeds);
        } else {
            self.receive_piece(landing, heeds);
        }
    }

    fn get_piece(&mut self, landing: Landing, heeds: &mut impl Heeds) {
        let Some(window) = &self.window else {
            self.unasked.push_back(Landing { way: Way::Answers, ..landing });
            return;
        };
        let (peer, offset) = (landing.peer, landing.offset + landing.filled_bytes as u64);
        match Transfer::get(window, peer, offset, landing) {
            Ok(transfer) => self.landing.push(transfer),
            Err((failure, landing)) => self.get_failed(landing, failure, heeds),
        }
    }

    fn get_failed(&mut self, landing: Landing, failure: Failure, heeds: &mut impl Heeds) {
        let peer = landing.peer;
        self.unasked.push_back(Landing { way: Way::Answers, ..landing });
        if self.window.as_mut().is_some_and(|window| window.refuse(peer)) {
            heeds.refused(peer, failure);
        }
    }

    fn receive_piece(&mut self, landing: Landing, heeds: &mut impl Heeds) {
        match Transfer::receive(&self.comm, Some(landing.peer), answer_tag(landing.slot), landing) {
            Ok(transfer) => self.landing.push(transfer),
            Err((failure, landing)) => self.receive_failed(landing, failure, heeds),
        }
    }

    fn receive_failed(&mut self, landing: Landing, failure: Failure, heeds: &mut impl Heeds) {
        let peer = landing.peer;
        self.fail(landing, format!("the read from rank {peer} failed: {failure}"));
        heeds.failed(peer, failure);
    }

    /// The slot is free again: its answer came, or its peer is lost, and answers match by peer and tag.
    fn fail(&mut self, landing: Landing, reason: String) {
        self.free_slots.push(landing.slot);
        self.over.push_back((landing.token, Err(reason)));
    }
}
