//! Free space in a simulated store: which blocks leave it, as in the runtime.
//!
//! A store exceeds its limit by what a task reads or waits for, and by nothing else: whatever may leave has left by
//! then (SIM-3).

use crate::base::{Error, Rank};
use crate::objects::{ArrayMemory, Attachment};
use crate::protocol::Environment;
use crate::sim::coverage::Coverage;
use crate::sim::memory::SimMemory;
use crate::sim::resident::DiskMemory;
use crate::sim::world::SimEnvironment;
use crate::store::{Eviction, choose_evictions};
use std::sync::Arc;

impl SimEnvironment {
    /// A block of this rank's store, with these bytes, that stands for `length` bytes.
    pub fn block(&self, bytes: Vec<u8>, length: u64) -> Arc<SimMemory> {
        self.make_space(length);
        self.node().store.block(bytes, length)
    }

    /// Evicts blocks that no task reads until `bytes` more fit below the store's limit; returns false if that is not
    /// enough.
    pub fn make_space(&self, bytes: u64) -> bool {
        let store = &self.node().store;
        if store.excess(bytes) == 0 {
            return true;
        }
        self.evict(bytes);
        while store.excess(bytes) > 0 && self.evict_resident(self.rank, bytes) > 0 {}
        if store.excess(bytes) == 0 {
            return true;
        }
        self.protocol().objects.request_evictions(self, bytes);
        if self.evict(1) + self.evict_resident(self.rank, 1) > 0 {
            self.world.report_violation(format!(
                "the store of rank {} is above its limit with blocks that may leave",
                self.rank
            ));
        }
        false
    }

    fn evict(&self, bytes: u64) -> u64 {
        let freed = self.protocol().objects.copies.evict(self, bytes);
        if freed > 0 {
            self.world.covered(Coverage::CopiesEvicted);
        }
        freed
    }

    /// Evicts blocks of `owner`'s store that only this rank holds and no task reads; returns how many bytes.
    pub fn evict_resident(&self, owner: Rank, bytes: u64) -> u64 {
        let all = self.node().store.resident_blocks.live();
        let (blocks, candidates): (Vec<_>, Vec<_>) =
            all.iter().filter_map(|block| Some((block, block.candidate(owner)?))).unzip();
        let mut freed = 0;
        for (index, exit) in choose_evictions(&candidates, bytes, self.world.setting.store.disk) {
            if exit == Eviction::Spill {
                blocks[index].spill();
            }
            if blocks[index].evict().is_some() {
                let spilled = exit == Eviction::Spill;
                self.world.covered(if spilled { Coverage::Spilled } else { Coverage::NeededCopiesEvicted });
                freed += candidates[index].bytes;
            }
        }
        if freed > 0 && owner != self.rank {
            self.world.covered(Coverage::EvictedForOthers);
        }
        freed
    }

    /// The attachments of a value, in a store where other ranks can read them.
    pub fn move_all_to_store(&self, attachments: &[Attachment]) -> Vec<Attachment> {
        attachments.iter().map(|attachment| self.move_one_to_store(attachment)).collect()
    }

    fn move_one_to_store(&self, attachment: &Attachment) -> Attachment {
        let Attachment::Array(memory) = attachment else { return attachment.clone() };
        let Some(on_disk) = memory.as_any().downcast_ref::<DiskMemory>() else { return attachment.clone() };
        let read_back = || self.block(on_disk.bytes().to_vec(), on_disk.length) as Arc<dyn ArrayMemory>;
        Attachment::Array(match on_disk.block.upgrade() {
            Some(block) => block.restore(read_back),
            None => read_back(),
        })
    }

    /// The error of a block that finds no space.
    pub fn store_full(&self, wanted_bytes: u64) -> Error {
        let (store_bytes, rank) = (self.node().store.limit_bytes, self.rank);
        Error::StoreFull { wanted_bytes, used_bytes: store_bytes, store_bytes, rank, holders: Vec::new() }
    }
}
