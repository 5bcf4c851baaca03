//! Bulk reads of one peer's memory: each owns the block it fills (F3) until its last piece is there, or the queue pair
//! is gone and with it whatever could still write.
#![allow(unsafe_code)]

use super::queue_pair::QueuePair;
use super::regions::{RegionKeys, Span};
use crate::memory::{Block, RegionNumber};
use std::collections::VecDeque;

/// Reads from one peer that are under way or wait for their turn.
const READS_MAX: usize = 64;

/// Bytes of one request: large enough that requests cost nothing, small enough that several reads share the road.
const PIECE_BYTES_MAX: u32 = 1 << 20;

/// A block that is being filled.
#[derive(Debug)]
struct Landing {
    block: Block,
    token: u64,
    region: RegionNumber,
    span: Span,
    /// Pieces that the device has.
    under_way: u32,
}

/// The reads from one peer.
#[derive(Debug)]
pub struct Reads {
    slots: Vec<Option<Landing>>,
    /// Slots whose last piece is not yet asked for, oldest first.
    waiting: VecDeque<u32>,
    /// Pieces that the device has, and may have.
    under_way: u32,
    under_way_max: u32,
    piece_bytes_max: u32,
}

impl Reads {
    /// None, of which `under_way_max` pieces go to the device at once, none larger than `transfer_bytes_max`.
    pub fn new(under_way_max: u8, transfer_bytes_max: u32) -> Reads {
        Reads {
            slots: Vec::new(),
            waiting: VecDeque::new(),
            under_way: 0,
            under_way_max: u32::from(under_way_max),
            piece_bytes_max: transfer_bytes_max.min(PIECE_BYTES_MAX),
        }
    }

    /// Whether one more has room.
    pub fn fits(&self) -> bool {
        self.slots.iter().flatten().count() < READS_MAX
    }

    /// Whether the device has pieces.
    pub fn is_under_way(&self) -> bool {
        self.under_way > 0
    }

    /// Takes a block in to be filled from `offset` of a region of the peer. After `fits`.
    ///
    /// # Errors
    /// Hands the block back where `local`, this rank's registered store, does not hold it.
    pub fn start(
        &mut self,
        block: Block,
        token: u64,
        (region, offset): (RegionNumber, u64),
        local: &RegionKeys,
    ) -> Result<(), Block> {
        let address = block.as_slice().as_ptr().expose_provenance() as u64;
        let Some(to) = local.offset_of(address, block.len() as u64) else { return Err(block) };
        let span = Span { from: offset, to, left: block.len() as u64 };
        let landing = Some(Landing { block, token, region, span, under_way: 0 });
        let slot = match self.slots.iter().position(Option::is_none) {
            Some(slot) => {
                self.slots[slot] = landing;
                slot
            }
            None => {
                self.slots.push(landing);
                self.slots.len() - 1
            }
        };
        self.waiting.push_back(slot as u32);
        Ok(())
    }

    /// Gives the device as many pieces as it may have.
    ///
    /// # Errors
    /// What the device said; the pair is broken then.
    pub fn advance(&mut self, pair: &mut QueuePair, remote: &[RegionKeys], local: &RegionKeys) -> Result<(), String> {
        let mut pieces = [None; super::queue_pair::READS_UNDER_WAY as usize];
        let mut count = 0;
        while self.under_way < self.under_way_max {
            let Some(&slot) = self.waiting.front() else { break };
            let landing = self.slots[slot as usize].as_mut().expect("V4: a slot that waits is taken");
            let keys = remote.iter().find(|keys| keys.number == landing.region);
            let piece = keys.and_then(|keys| landing.span.next(keys, local, self.piece_bytes_max));
            let Some(piece) = piece else {
                return Err("a read leaves the region that it was checked against".to_string());
            };
            if landing.span.left == 0 {
                self.waiting.pop_front();
            }
            landing.under_way += 1;
            self.under_way += 1;
            pieces[count] = Some((slot, piece));
            count += 1;
        }
        // SAFETY: each piece fills a part of the block of its slot, which lies in the registered store and is kept
        // there until its last piece has completed (`completed`) or the pair is destroyed (`give_up`, drop order).
        unsafe { pair.read(pieces.into_iter().flatten()) }
    }

    /// A piece of the read in `slot` is there. The token and the block where it was the last.
    pub fn completed(&mut self, slot: u32) -> Option<(u64, Block)> {
        let place = self.slots.get_mut(slot as usize)?;
        let landing = place.as_mut()?;
        landing.under_way = landing.under_way.checked_sub(1)?;
        self.under_way -= 1;
        if landing.under_way > 0 || landing.span.left > 0 {
            return None;
        }
        place.take().map(|landing| (landing.token, landing.block))
    }

    /// Ends every read, after the pair that it takes; the tokens.
    pub fn give_up(self, pair: QueuePair) -> Vec<u64> {
        // First the pair: after that nothing writes into the blocks.
        drop(pair);
        self.slots.into_iter().flatten().map(|landing| landing.token).collect()
    }
}
