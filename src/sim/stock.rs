//! What must hold: between two events, and when nothing is left to happen.

use crate::base::Rank;
use crate::sim::world::World;

/// Ranks of a cluster that is looked at after each event, at most.
const CHECKED_RANKS_MAX: u32 = 64;

impl World {
    /// Looks at a rank to which something happened.
    pub fn check(&self, rank: Rank) {
        if self.setting.ranks <= CHECKED_RANKS_MAX
            && let Err(what) = self.site(rank).protocol.check()
        {
            self.violated(format!("rank {rank}: {what}"));
        }
    }

    /// Nothing is left to happen: nothing may be left of what happened.
    pub fn take_stock(&self) {
        for rank in 0..self.setting.ranks {
            let site = self.site(rank);
            // Who was given up may read on until it finds that out: nobody listens to it.
            for reader in site.store.late_readers().into_iter().filter(|reader| !site.mourns(*reader)) {
                self.violated(format!("rank {reader} read a block of rank {rank} after it was freed"));
            }
            if site.is_gone() {
                continue;
            }
            if site.under_way() > 0 || site.has_work() {
                self.violated(format!("rank {rank} has {} jobs that wait for ever", site.under_way()));
            }
            let left = site.protocol.census();
            if !left.is_empty() {
                self.violated(format!("rank {rank} still holds {left:?}"));
            }
            if site.store.len() > 0 {
                self.violated(format!("rank {rank} still stores {} blocks", site.store.len()));
            }
        }
    }
}
