//! Reclaim: blocks of this rank's store that other ranks hold only by reference are requested back when the store is
//! full.
//!
//! An unfetched result (`values`) is in the store of the rank that produced it. Only its owner, on another host, knows
//! whether it is needed and whether it can be reconstructed. The owner may also read the block at any time without
//! asking: so the rank that stores it never frees the block by itself, but asks.
//!
//! ```text
//!   stores the block, is full             owner of the value
//!      | ---- Reclaim {blocks} ------------> |   not needed, not being fetched, can be reconstructed: released
//!      | <--- its grants come back --------- |   (`store::counts`) the last one frees the block
//!      | <--- ReclaimRefused {blocks} ------ |   those that it does not release: not requested again
//! ```
//! If the owner needs the value just when it is asked, the lock of its table decides which comes first: it retains the
//! block and reads it, or it has released it and reconstructs the value. A rank to which the owner sent the block's
//! address before has grants of its own, so the block lives until that rank has read it.
//!
//! Only results in stores of other hosts are reclaimed in this way. A result that its owner produced or has read is an
//! original there: its promise holds it, and no lineage is retained for it, as it cannot be lost while its owner lives.

use crate::base::{ObjectId, Rank};
use crate::protocol::environment::Environment;
use crate::protocol::objects::references::ReclaimableBlock;
use crate::protocol::{Message, Protocol, BlockAddress};
use crate::store::{EvictionCandidate, EvictionClass, choose_evictions};
use std::collections::{BTreeMap, BTreeSet};

/// The blocks that one message names, at most.
const BLOCKS_MAX: usize = 256;

impl Protocol {
    /// The blocks of this rank's store that could be requested back, as candidates to leave it.
    pub fn reclaimable(&self, env: &impl Environment) -> Vec<(ReclaimableBlock, EvictionCandidate)> {
        if !self.has_unmapped_stores {
            return Vec::new();
        }
        let candidate = |block: ReclaimableBlock| {
            // Reads are not reported, so the blocks that were sent first are taken for the least recently used.
            (block, EvictionCandidate { bytes: block.bytes, last_use: block.number, class: EvictionClass::Rebuildable })
        };
        self.references.reclaimable_blocks(env).into_iter().map(candidate).collect()
    }

    /// Requests these blocks back.
    pub fn reclaim(&self, env: &impl Environment, block: &[ReclaimableBlock]) {
        let mut by_holder: BTreeMap<Rank, Vec<u64>> = BTreeMap::new();
        block.iter().for_each(|block| by_holder.entry(block.to).or_default().push(block.number));
        for (to, blocks) in by_holder {
            self.references.mark_reclaim_requested(&blocks);
            for blocks in blocks.chunks(BLOCKS_MAX) {
                env.send(to, &Message::Reclaim { blocks: blocks.to_vec() });
            }
        }
    }

    /// As `reclaim`, for the blocks that were sent first, up to `bytes` bytes; returns how many bytes they have.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn reclaim_bytes(&self, env: &impl Environment, bytes: u64) -> u64 {
        let mut all = self.reclaimable(env);
        all.sort_unstable_by_key(|(block, _)| block.number);
        let candidates: Vec<EvictionCandidate> = all.iter().map(|(_, candidate)| *candidate).collect();
        let chosen: Vec<ReclaimableBlock> = choose_evictions(&candidates, bytes, false).iter().map(|(index, _)| all[*index].0).collect();
        self.reclaim(env, &chosen);
        chosen.iter().map(|block| block.bytes).sum()
    }

    /// A rank whose store is full requests blocks that this one holds: releases the values that consist of them, where
    /// they are not needed.
    pub(in crate::protocol) fn on_reclaim(&self, env: &impl Environment, from: Rank, blocks: Vec<u64>) {
        let mut blocks: BTreeSet<u64> = blocks.into_iter().collect();
        for value in self.unfetched.stored_at(from) {
            let is_requested = |index: &BlockAddress| index.block.owner == from && blocks.contains(&index.block.number);
            if value.addresses().iter().any(is_requested) {
                // The grants return with what is dropped here.
                drop(self.unfetched.release(&value));
            }
        }
        blocks.retain(|number| self.references.has_grants(ObjectId { owner: from, number: *number }));
        if !blocks.is_empty() {
            env.send(from, &Message::ReclaimRefused { blocks: blocks.into_iter().collect() });
        }
    }

    /// The holder of these blocks does not release them.
    pub(in crate::protocol) fn on_reclaim_refused(&self, env: &impl Environment, blocks: &[u64]) {
        self.references.mark_reclaim_refused(blocks);
        env.wake_space_waiters();
    }
}
