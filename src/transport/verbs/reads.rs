//! Bulk reads of one peer's memory. Each owns the block it fills (TRANSPORT-3) until its last piece has completed or
//! the queue pair is destroyed, after which nothing writes into the block.
#![allow(unsafe_code)]

use super::error::VerbsError;
use super::queue_pair::QueuePair;
use super::regions::{ReadSpan, RegionKeys};
use crate::memory::{Block, RegionNumber};
use rustc_hash::FxHashMap;
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
    /// By number.
    reads: FxHashMap<u32, VerbsRead>,
    next: u32,
    /// Reads whose last piece is not yet posted, oldest first.
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
            reads: FxHashMap::default(),
            next: 0,
            waiting: VecDeque::new(),
            under_way: 0,
            under_way_max: u32::from(under_way_max),
            piece_bytes_max: transfer_bytes_max.min(PIECE_BYTES_MAX),
        }
    }

    /// True if one more read can start.
    pub fn has_capacity(&self) -> bool {
        self.reads.len() < READS_MAX
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
        self.next = self.next.wrapping_add(1);
        self.reads.insert(self.next, VerbsRead { block, token, region, span, under_way: 0 });
        self.waiting.push_back(self.next);
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
        while self.under_way < self.under_way_max {
            let Some(&number) = self.waiting.front() else { break };
            let read = self.reads.get_mut(&number).expect("VERBS-4: a queued read is kept");
            let keys = remote.iter().find(|keys| keys.number == read.region);
            let piece = keys.and_then(|keys| read.span.next(keys, local, self.piece_bytes_max));
            let piece = piece.ok_or(VerbsError::ReadLeavesRegion)?;
            if read.span.remaining == 0 {
                self.waiting.pop_front();
            }
            read.under_way += 1;
            self.under_way += 1;
            // SAFETY: each piece fills a part of the block of its read, which lies in the registered store and is kept
            // here until its last piece has completed (`completed`) or the pair is destroyed (`close`, drop order).
            unsafe { pair.add_read(number, piece) };
        }
        pair.post()
    }

    /// A piece of a read has completed. Returns the token and the block if it was the last one.
    pub fn completed(&mut self, number: u32) -> Option<(u64, Block)> {
        let read = self.reads.get_mut(&number)?;
        read.under_way = read.under_way.checked_sub(1)?;
        self.under_way -= 1;
        let whole = read.under_way == 0 && read.span.remaining == 0;
        let read = whole.then(|| self.reads.remove(&number))??;
        Some((read.token, read.block))
    }

    /// Ends all reads after destroying `pair`; returns their tokens.
    pub fn close(self, pair: QueuePair) -> Vec<u64> {
        // The pair goes first: after that nothing writes into the blocks.
        drop(pair);
        self.reads.into_values().map(|read| read.token).collect()
    }
}
