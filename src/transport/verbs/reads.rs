//! Bulk reads of one peer's memory. Each owns the block it fills (TRANSPORT-3) until its last piece has completed or
//! the queue pair is destroyed, after which nothing writes into the block.
#![allow(unsafe_code)]

use super::error::VerbsError;
use super::queue_pair::QueuePair;
use super::regions::{ReadSpan, RegionKeys};
use crate::memory::{Block, RegionNumber};
use std::collections::VecDeque;

/// Reads from one peer that are in flight or queued.
const READS_MAX: usize = 64;

/// Bytes of one request: large enough that the cost of a request is negligible, small enough that several reads share
/// the link.
const PIECE_BYTES_MAX: u32 = 1 << 20;

/// A block that is being filled.
#[derive(Debug)]
struct VerbsRead {
    block: Block,
    token: u64,
    region: RegionNumber,
    span: ReadSpan,
    /// Pieces that the device has in flight.
    under_way: u32,
}

/// The reads from one peer.
#[derive(Debug)]
pub struct VerbsReads {
    slots: Vec<Option<VerbsRead>>,
    /// Slots whose last piece is not yet posted, oldest first.
    waiting: VecDeque<u32>,
    /// Pieces that the device has in flight, and the most that it may have.
    under_way: u32,
    under_way_max: u32,
    piece_bytes_max: u32,
}

impl VerbsReads {
    /// No reads. At most `under_way_max` pieces are in flight at once, each of at most `transfer_bytes_max`.
    pub fn new(under_way_max: u8, transfer_bytes_max: u32) -> VerbsReads {
        VerbsReads {
            slots: Vec::new(),
            waiting: VecDeque::new(),
            under_way: 0,
            under_way_max: u32::from(under_way_max),
            piece_bytes_max: transfer_bytes_max.min(PIECE_BYTES_MAX),
        }
    }

    /// True if one more read can start.
    pub fn has_capacity(&self) -> bool {
        self.slots.iter().flatten().count() < READS_MAX
    }

    /// True if the device has pieces in flight.
    pub fn is_under_way(&self) -> bool {
        self.under_way > 0
    }

    /// Queues a read of `block` from `offset` of a region of the peer. Call it after `has_capacity` returned true.
    ///
    /// # Errors
    /// Returns the block if `local`, this rank's registered store, does not contain it.
    pub fn start(
        &mut self,
        block: Block,
        token: u64,
        (region, offset): (RegionNumber, u64),
        local: &RegionKeys,
    ) -> Result<(), Block> {
        let address = block.as_slice().as_ptr().expose_provenance() as u64;
        let Some(to) = local.offset_of(address, block.len() as u64) else { return Err(block) };
        let span = ReadSpan { from: offset, to, remaining: block.len() as u64 };
        let read = Some(VerbsRead { block, token, region, span, under_way: 0 });
        let slot = match self.slots.iter().position(Option::is_none) {
            Some(slot) => {
                self.slots[slot] = read;
                slot
            }
            None => {
                self.slots.push(read);
                self.slots.len() - 1
            }
        };
        self.waiting.push_back(slot as u32);
        Ok(())
    }

    /// Posts as many pieces as the device may have in flight.
    ///
    /// # Errors
    /// What the device refused; the pair has failed then.
    pub fn advance(
        &mut self,
        pair: &mut QueuePair,
        remote: &[RegionKeys],
        local: &RegionKeys,
    ) -> Result<(), VerbsError> {
        let mut pieces = [None; super::queue_pair::READS_UNDER_WAY as usize];
        let mut count = 0;
        while self.under_way < self.under_way_max {
            let Some(&slot) = self.waiting.front() else { break };
            let read = self.slots[slot as usize].as_mut().expect("VERBS-4: a queued slot holds a read");
            let keys = remote.iter().find(|keys| keys.number == read.region);
            let piece = keys.and_then(|keys| read.span.next(keys, local, self.piece_bytes_max));
            let Some(piece) = piece else {
                return Err(VerbsError::ReadLeavesRegion);
            };
            if read.span.remaining == 0 {
                self.waiting.pop_front();
            }
            read.under_way += 1;
            self.under_way += 1;
            pieces[count] = Some((slot, piece));
            count += 1;
        }
        // SAFETY: each piece fills a part of the block of its slot, which lies in the registered store and is kept
        // there until its last piece has completed (`completed`) or the pair is destroyed (`close`, drop order).
        unsafe { pair.read(pieces.into_iter().flatten()) }
    }

    /// A piece of the read in `slot` has completed. Returns the token and the block if it was the last one.
    pub fn completed(&mut self, slot: u32) -> Option<(u64, Block)> {
        let place = self.slots.get_mut(slot as usize)?;
        let read = place.as_mut()?;
        read.under_way = read.under_way.checked_sub(1)?;
        self.under_way -= 1;
        if read.under_way > 0 || read.span.remaining > 0 {
            return None;
        }
        place.take().map(|read| (read.token, read.block))
    }

    /// Ends all reads after destroying `pair`; returns their tokens.
    pub fn close(self, pair: QueuePair) -> Vec<u64> {
        // The pair goes first: after that nothing writes into the blocks.
        drop(pair);
        self.slots.into_iter().flatten().map(|read| read.token).collect()
    }
}
