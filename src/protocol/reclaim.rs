//! Blocks of this rank's store that are needed by name only: asked back when the store is full.
//!
//! A result that was left where it was made (`values`) lies in the store of who made it, and its owner, on another host, alone
//! knows who wants it and whether it can be made again. It also reads the block without asking, whenever it likes: so the
//! holder never takes the memory from it, but asks.
//!
//! ```text
//!   holder: full                          owner of the value
//!      | ---- Reclaim {blocks} ------------> |   not wanted, not on its way, can be made again: let go
//!      | <--- its grants come back --------- |   (`store::counts`) the last one frees the block
//!      | <--- Keeps {blocks} --------------- |   those that it does not let go of: not asked for again
//! ```
//! Where the owner comes to want the value while it is asked, one of the two was first, under the lock of its table: it keeps the
//! block and reads it, or has given it back and has the value made again. Whom it named the block to before holds grants of its
//! own, so the block lives on until that one has read it.
//!
//! Only results that lie elsewhere are had again like this. One that its owner made itself, or has read, is an original there:
//! its cell holds it, and no recipe is kept of what cannot be lost while its owner lives.

use crate::base::{ObjectId, Rank};
use crate::protocol::driver::Driver;
use crate::protocol::references::Lent;
use crate::protocol::{Message, Protocol, WirePlace};
use crate::store::{Candidate, Class, choose};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks that one message asks for at most.
const BLOCKS_MAX: usize = 256;

impl Protocol {
    /// The blocks of this rank's store that others could be asked to let go of, as what could leave it.
    pub fn reclaimable(&self, driver: &impl Driver) -> Vec<(Lent, Candidate)> {
        if !self.has_foreign_memory {
            return Vec::new();
        }
        let candidate = |lent: Lent| {
            // Nobody says when they are read: those that left first are taken for those that were used first.
            (lent, Candidate { bytes: lent.bytes, last_use: lent.number, class: Class::Rebuildable })
        };
        self.references.lent(driver).into_iter().map(candidate).collect()
    }

    /// Asks for these blocks back.
    pub fn reclaim(&self, driver: &impl Driver, lent: &[Lent]) {
        let mut by_holder: BTreeMap<Rank, Vec<u64>> = BTreeMap::new();
        lent.iter().for_each(|lent| by_holder.entry(lent.to).or_default().push(lent.number));
        for (to, blocks) in by_holder {
            self.references.ask_for(&blocks);
            for blocks in blocks.chunks(BLOCKS_MAX) {
                driver.send(to, &Message::Reclaim { blocks: blocks.to_vec() });
            }
        }
    }

    /// As `reclaim`, of those that left first, as many as have `bytes` together; how many they have.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn reclaim_bytes(&self, driver: &impl Driver, bytes: u64) -> u64 {
        let mut all = self.reclaimable(driver);
        all.sort_unstable_by_key(|(lent, _)| lent.number);
        let candidates: Vec<Candidate> = all.iter().map(|(_, candidate)| *candidate).collect();
        let chosen: Vec<Lent> = choose(&candidates, bytes, false).iter().map(|(place, _)| all[*place].0).collect();
        self.reclaim(driver, &chosen);
        chosen.iter().map(|lent| lent.bytes).sum()
    }

    /// A rank whose store is full asks for blocks that this one holds: values that consist of them are let go where nobody
    /// misses them.
    pub(super) fn on_reclaim(&self, driver: &impl Driver, from: Rank, blocks: Vec<u64>) {
        let mut blocks: BTreeSet<u64> = blocks.into_iter().collect();
        for value in self.far.at(from) {
            let is_asked_for = |place: &WirePlace| place.block.owner == from && blocks.contains(&place.block.number);
            if value.places().iter().any(is_asked_for) {
                // The grants go back with what is dropped here.
                drop(self.far.let_go(&value));
            }
        }
        blocks.retain(|number| self.references.holds(ObjectId { owner: from, number: *number }));
        if !blocks.is_empty() {
            driver.send(from, &Message::Keeps { blocks: blocks.into_iter().collect() });
        }
    }

    /// Who holds these blocks does not let go of them.
    pub(super) fn on_keeps(&self, driver: &impl Driver, blocks: &[u64]) {
        self.references.refused(blocks);
        driver.room_may_have_grown();
    }
}
