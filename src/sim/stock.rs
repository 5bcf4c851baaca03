//! What must hold: between two events, and when nothing is left to happen.

use crate::base::Rank;
use crate::sim::setting::ENDS_NS_MAX;
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

    /// The rank of the driver is gone: every other one is, soon after.
    fn ends_in_time(&self) {
        let Some(driver_ns) = self.gone_ns(0) else { return };
        for rank in 1..self.setting.ranks {
            let late = self.gone_ns(rank).is_none_or(|gone_ns| gone_ns > driver_ns + ENDS_NS_MAX);
            if late {
                self.violated(format!("rank {rank} does not end in time without the rank of its driver"));
            }
        }
    }

    /// Names lead to living actors, and living actors with names are found by them.
    pub fn check_names(&self) {
        let living = (0..self.setting.ranks).filter(|rank| !self.site(*rank).is_gone());
        let (mut bearers, mut named) = (Vec::new(), Vec::new());
        for rank in living {
            let protocol = &self.site(rank).protocol;
            bearers.extend(protocol.names.bearers());
            named.extend(protocol.actors.named());
        }
        for (name, actor) in &named {
            if !bearers.contains(&(name.clone(), *actor)) {
                self.violated(format!("the name {name:?} does not lead to {actor}, which lives"));
            }
        }
        for (name, actor) in &bearers {
            if !named.contains(&(name.clone(), *actor)) {
                self.violated(format!("the name {name:?} leads to {actor}, which does not live"));
            }
        }
    }

    /// Nothing is left to happen: nothing may be left of what happened.
    pub fn take_stock(&self) {
        self.ends_in_time();
        for rank in 0..self.setting.ranks {
            let site = self.site(rank);
            // Who was given up may read on until it finds that out: nobody listens to it.
            for reader in site.store.late_readers().into_iter().filter(|reader| !site.mourns(*reader)) {
                self.violated(format!("rank {reader} read a block of rank {rank} after it was freed"));
            }
            if site.is_gone() {
                if site.under_way() > 0 || !site.protocol.census().is_empty() {
                    self.violated(format!("rank {rank} is gone and still holds {:?}", site.protocol.census()));
                }
                continue;
            }
            if self.site(0).is_gone() {
                self.violated(format!("rank {rank} goes on without the rank of its driver"));
            }
            if site.under_way() > 0 || site.has_work() {
                self.violated(format!("rank {rank} has {} jobs that wait for ever", site.under_way()));
            }
            let left = site.protocol.census();
            if !left.is_empty() {
                self.violated(format!("rank {rank} still holds {left:?}"));
            }
            let awaited = site.protocol.awaited(&|_| true);
            if !awaited.is_empty() {
                self.violated(format!("rank {rank} still awaits something of {awaited:?}"));
            }
            if site.store.len() > 0 {
                self.violated(format!("rank {rank} still stores {} blocks", site.store.len()));
            }
        }
    }
}
