//! Room in a simulated store: what leaves it, as the node has it.
//!
//! A store goes above its limit by what somebody reads or waits for, and by nothing else: what may leave has left by then.

use crate::base::{Error, Rank};
use crate::objects::{ArrayMemory, Attachment};
use crate::protocol::{Driver, Message};
use crate::sim::feats::Feat;
use crate::sim::holding::DiskMemory;
use crate::sim::memory::SimMemory;
use crate::sim::world::Here;
use crate::store::{Exit, choose};
use std::sync::Arc;

impl Here {
    /// A block of this rank's store, with these bytes, that stands for `length`.
    pub fn block(&self, bytes: Vec<u8>, length: u64) -> Arc<SimMemory> {
        self.make_room(length);
        self.site().store.block(bytes, length)
    }

    /// Lets what nobody reads leave the store until `bytes` more are below its limit; false where that is not enough.
    pub fn make_room(&self, bytes: u64) -> bool {
        let store = &self.site().store;
        if store.excess(bytes) == 0 {
            return true;
        }
        self.evict(bytes);
        while store.excess(bytes) > 0 && self.shed(self.rank, bytes) > 0 {}
        if store.excess(bytes) == 0 {
            return true;
        }
        self.ask_borrowers(bytes);
        if self.evict(1) + self.shed(self.rank, 1) > 0 {
            self.world
                .violated(format!("the store of rank {} is above its limit with blocks that may leave", self.rank));
        }
        false
    }

    fn evict(&self, bytes: u64) -> u64 {
        let freed = self.protocol().evict_copies(self, bytes);
        if freed > 0 {
            self.world.saw(Feat::CopiesEvicted);
        }
        freed
    }

    /// The host's other ranks that hold blocks of this store let go of those that nobody reads there.
    fn ask_borrowers(&self, bytes: u64) {
        let exported = self.protocol().references.exported_memory();
        let mut borrowers: Vec<Rank> = exported.into_iter().flat_map(|(_, ranks)| ranks).collect();
        borrowers.sort_unstable();
        borrowers.dedup();
        for rank in borrowers.into_iter().filter(|rank| *rank != self.rank && self.site().host.contains(rank)) {
            self.send(rank, &Message::Shed { bytes });
        }
    }

    /// Blocks of `home`'s store that only this rank holds, and nobody reads, leave it; how many bytes.
    pub fn shed(&self, home: Rank, wanted: u64) -> u64 {
        let all = self.site().store.holdings.living();
        let (holdings, candidates): (Vec<_>, Vec<_>) =
            all.iter().filter_map(|holding| Some((holding, holding.candidate(home)?))).unzip();
        let mut freed = 0;
        for (place, exit) in choose(&candidates, wanted, self.world.setting.store.disk) {
            if exit == Exit::Spill {
                holdings[place].spill();
            }
            if let Some(memory) = holdings[place].leave() {
                self.world.saw(if exit == Exit::Spill { Feat::Spilled } else { Feat::CopiesLeft });
                freed += candidates[place].bytes;
                drop(memory);
            }
        }
        if freed > 0 && home != self.rank {
            self.world.saw(Feat::ShedForOthers);
        }
        freed
    }

    /// What travels beside a value, as it must lie for others to read it.
    pub fn all_in_the_store(&self, attachments: &[Attachment]) -> Vec<Attachment> {
        attachments.iter().map(|attachment| self.one_in_the_store(attachment)).collect()
    }

    fn one_in_the_store(&self, attachment: &Attachment) -> Attachment {
        let Attachment::Array(memory) = attachment else { return attachment.clone() };
        let Some(on_disk) = memory.as_any().downcast_ref::<DiskMemory>() else { return attachment.clone() };
        let bring = || self.block(on_disk.bytes().to_vec(), on_disk.length) as Arc<dyn ArrayMemory>;
        Attachment::Array(match on_disk.holding.upgrade() {
            Some(holding) => holding.bring_back(bring),
            None => bring(),
        })
    }

    /// The error of who finds no room.
    pub fn store_full(&self, wanted_bytes: u64) -> Error {
        let (store_bytes, rank) = (self.site().store.limit_bytes, self.rank);
        Error::StoreFull { wanted_bytes, used_bytes: store_bytes, store_bytes, rank, holders: Vec::new() }
    }
}
