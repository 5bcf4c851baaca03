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
            let late = self.died_ns(rank).is_none_or(|died_ns| died_ns > driver_ns + ENDS_NS_MAX);
            if late {
                self.report_violation(format!("rank {rank} does not end in time without the rank of its driver"));
            }
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
        for (name, actor) in &named {
            if !registered.contains(&(name.clone(), *actor)) {
                self.report_violation(format!("the name {name:?} does not lead to {actor}, which lives"));
            }
        }
        for (name, actor) in &registered {
            if !named.contains(&(name.clone(), *actor)) {
                self.report_violation(format!("the name {name:?} leads to {actor}, which does not live"));
            }
        }
    }

    /// When no event is left, no state may be left either.
    pub fn check_quiescent(&self) {
        self.check_ended_in_time();
        for rank in 0..self.setting.ranks {
            let node = self.node(rank);
            // A rank that was declared dead may read on until it learns of that: no rank accepts its messages.
            for reader in node.store.late_readers().into_iter().filter(|reader| !node.knows_dead(*reader)) {
                self.report_violation(format!("rank {reader} read a block of rank {rank} after it was freed"));
            }
            if node.is_dead() {
                if node.running_jobs() > 0 || !node.protocol.table_sizes().is_empty() {
                    self.report_violation(format!(
                        "rank {rank} is dead and still has {:?}",
                        node.protocol.table_sizes()
                    ));
                }
                continue;
            }
            if self.node(0).is_dead() {
                self.report_violation(format!("rank {rank} goes on without the rank of its driver"));
            }
            if node.running_jobs() > 0 || node.has_work() {
                self.report_violation(format!("rank {rank} has {} jobs that wait for ever", node.running_jobs()));
            }
            let left = node.protocol.table_sizes();
            if !left.is_empty() {
                self.report_violation(format!("rank {rank} still has {left:?}"));
            }
            let awaited = node.protocol.awaited(&|_| true);
            if !awaited.is_empty() {
                self.report_violation(format!("rank {rank} still awaits something of {awaited:?}"));
            }
            if node.store.len() > 0 {
                self.report_violation(format!("rank {rank} still stores {} blocks", node.store.len()));
            }
        }
    }
}
