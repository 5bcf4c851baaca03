//! Reclaim: blocks of this rank's store that other ranks hold only by reference are requested back when the store is
//! full.
//!
//! An unfetched result (`fetch`) is in the store of the rank that produced it. Only its owner, on another host, knows
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
use crate::protocol::Message;
use crate::protocol::environment::{BlockStore, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::Objects;
use crate::protocol::objects::references::ExportPin;
use crate::store::{EvictionCandidate, EvictionClass, choose_evictions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The blocks that one message names, at most.
const BLOCKS_MAX: usize = 256;

/// A block of this rank's store that is needed only by one rank, which cannot map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReclaimableBlock {
    /// Its number among this rank's objects: the higher, the later it was sent.
    pub number: u64,
    /// The rank that holds it.
    pub to: Rank,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Objects {
    /// The blocks of this rank's store that could be requested back, as candidates to leave it.
    pub fn reclaimable(&self, env: &(impl Messenger + BlockStore)) -> Vec<(ReclaimableBlock, EvictionCandidate)> {
        if !self.has_unmapped_stores {
            return Vec::new();
        }
        let candidate = |block: ReclaimableBlock| {
            // Reads are not reported, so the blocks that were sent first are taken for the least recently used.
            (block, EvictionCandidate { bytes: block.bytes, last_use: block.number, class: EvictionClass::Rebuildable })
        };
        self.reclaimable_blocks(env).into_iter().map(candidate).collect()
    }

    /// The blocks whose holder could be asked to release them.
    fn reclaimable_blocks(&self, env: &(impl Messenger + BlockStore)) -> Vec<ReclaimableBlock> {
        let tables = lock(&self.references.tables);
        let blocks = tables.exported.iter().filter_map(|(number, pin)| {
            let ExportPin::Memory(memory) = pin else { return None };
            let was_requested = || tables.reclaim_requested.contains(number) || tables.reclaim_refused.contains(number);
            if Arc::strong_count(memory) > 1 || was_requested() {
                return None;
            }
            let &[to] = tables.counts.borrowers(*number).as_slice() else { return None };
            let address = env.address_of(&**memory, &|| self.references.fresh_number())?;
            let is_own = address.block.owner == env.rank();
            (is_own && !env.is_mapped(to)).then_some(ReclaimableBlock { number: *number, to, bytes: address.bytes })
        });
        blocks.collect()
    }

    /// Requests these blocks back.
    pub fn reclaim(&self, env: &impl Messenger, block: &[ReclaimableBlock]) {
        let mut by_holder: BTreeMap<Rank, Vec<u64>> = BTreeMap::new();
        block.iter().for_each(|block| by_holder.entry(block.to).or_default().push(block.number));
        for (to, blocks) in by_holder {
            self.mark_reclaim_requested(&blocks);
            for blocks in blocks.chunks(BLOCKS_MAX) {
                env.send(to, &Message::Reclaim { blocks: blocks.to_vec() });
            }
        }
    }

    /// As `reclaim`, for the blocks that were sent first, up to `bytes` bytes; returns how many bytes they have.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn reclaim_bytes(&self, env: &(impl Messenger + BlockStore), bytes: u64) -> u64 {
        let mut all = self.reclaimable(env);
        all.sort_unstable_by_key(|(block, _)| block.number);
        let candidates: Vec<EvictionCandidate> = all.iter().map(|(_, candidate)| *candidate).collect();
        let chosen: Vec<ReclaimableBlock> =
            choose_evictions(&candidates, bytes, false).iter().map(|(index, _)| all[*index].0).collect();
        self.reclaim(env, &chosen);
        chosen.iter().map(|block| block.bytes).sum()
    }

    /// Records that these blocks were requested back.
    fn mark_reclaim_requested(&self, blocks: &[u64]) {
        let mut tables = lock(&self.references.tables);
        let known = blocks.iter().filter(|number| tables.exported.contains_key(number)).copied();
        let known: Vec<u64> = known.collect();
        tables.reclaim_requested.extend(known);
    }

    /// A rank whose store is full requests blocks that this one holds: releases the values that consist of them, where
    /// they are not needed.
    pub(in crate::protocol) fn on_reclaim(&self, env: &impl Messenger, from: Rank, blocks: Vec<u64>) {
        let mut blocks: BTreeSet<u64> = blocks.into_iter().collect();
        let is_requested = |block: ObjectId| block.owner == from && blocks.contains(&block.number);
        // The grants return with what is dropped here.
        drop(self.unfetched.release(is_requested));
        blocks.retain(|number| self.references.has_grants(ObjectId { owner: from, number: *number }));
        if !blocks.is_empty() {
            env.send(from, &Message::ReclaimRefused { blocks: blocks.into_iter().collect() });
        }
    }

    /// The holder of these blocks does not release them.
    pub(in crate::protocol) fn on_reclaim_refused(&self, env: &impl BlockStore, blocks: &[u64]) {
        self.mark_reclaim_refused(blocks);
        env.wake_space_waiters();
    }

    /// Records that these blocks are not released.
    fn mark_reclaim_refused(&self, blocks: &[u64]) {
        let mut tables = lock(&self.references.tables);
        for number in blocks {
            if tables.reclaim_requested.remove(number) {
                tables.reclaim_refused.insert(*number);
            }
        }
    }

    /// Requests of the host's other ranks that hold blocks of this store to release those without readers there. Ranks
    /// of other hosts hold copies, and this store's blocks only until those are complete.
    pub fn request_evictions(&self, env: &(impl Messenger + BlockStore), bytes: u64) {
        let exported = self.references.exported_memory().into_iter().flat_map(|(_, ranks)| ranks);
        let on_host = |rank: &Rank| env.host_ranks().contains(rank) && *rank != env.rank();
        let borrowers: BTreeSet<Rank> = exported.filter(on_host).collect();
        borrowers.into_iter().for_each(|rank| env.send(rank, &Message::EvictRequest { bytes }));
    }

    /// True while a holder that was asked to release blocks has not replied.
    pub fn awaits_reclaim(&self) -> bool {
        !lock(&self.references.tables).reclaim_requested.is_empty()
    }
}

#[cfg(test)]
mod tests;
