//! Invariants of a run: between two events, and when no event is left.

use crate::base::Rank;
use crate::sim::setting::ENDS_NS_MAX;
use crate::sim::world::Simulation;

/// Ranks of a cluster that is checked after each event, at most.
const CHECKED_RANKS_MAX: u32 = 64;

impl Simulation {
    /// Checks a rank after an event.
    pub fn check(&self, rank: Rank) {
        if self.setting.ranks <= CHECKED_RANKS_MAX
            && let Err(what) = self.node(rank).protocol.check()
        {
            self.report_violation(format!("rank {rank}: {what}"));
        }
    }

    /// If the rank of the driver has died, every other rank ends soon after.
    fn check_ended_in_time(&self) {
        let Some(driver_ns) = self.died_ns(0) else { return };
        for rank in 1..self.setting.ranks {
            let in_time = self.died_ns(rank).is_some_and(|died_ns| died_ns <= driver_ns + ENDS_NS_MAX);
            self.ensure(in_time, || format!("rank {rank} does not end in time without the rank of its driver"));
        }
    }

    /// Names resolve to living actors, and living actors with names are found by them.
    pub fn check_names(&self) {
        let living = (0..self.setting.ranks).filter(|rank| !self.node(*rank).is_dead());
        let (mut registered, mut named) = (Vec::new(), Vec::new());
        for rank in living {
            let protocol = &self.node(rank).protocol;
            registered.extend(protocol.names.named_actors());
            named.extend(protocol.actors.instance.named());
        }
        for item @ (name, actor) in &named {
            self.ensure(registered.contains(item), || {
                format!("the name {name:?} does not lead to {actor}, which lives")
            });
        }
        for item @ (name, actor) in &registered {
            self.ensure(named.contains(item), || format!("the name {name:?} leads to {actor}, which does not live"));
        }
    }

    /// When no event is left, no state may be left either.
    pub fn check_quiescent(&self) {
        self.check_ended_in_time();
        for rank in 0..self.setting.ranks {
            let node = self.node(rank);
            let (left, jobs, blocks) = (node.protocol.table_sizes(), node.running_jobs(), node.store.len());
            for reader in node.store.late_readers() {
                // A rank that was declared dead may read on until it learns of that: no rank accepts its messages.
                self.ensure(node.knows_dead(reader), || {
                    format!("rank {reader} read a block of rank {rank} after it was freed")
                });
            }
            if node.is_dead() {
                self.ensure(jobs == 0 && left.is_empty(), || format!("rank {rank} is dead and still has {left:?}"));
                continue;
            }
            self.ensure(!self.node(0).is_dead(), || format!("rank {rank} goes on without the rank of its driver"));
            self.ensure(jobs == 0 && !node.has_work(), || format!("rank {rank} has {jobs} jobs that wait for ever"));
            self.ensure(left.is_empty(), || format!("rank {rank} still has {left:?}"));
            let awaited = node.protocol.awaited(&|_| true);
            self.ensure(awaited.is_empty(), || format!("rank {rank} still awaits something of {awaited:?}"));
            self.ensure(blocks == 0, || format!("rank {rank} still stores {blocks} blocks"));
        }
    }
}
