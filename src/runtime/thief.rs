//! What the stealing between ranks takes from this rank's queues.

use crate::base::Rank;
use crate::protocol::request_of;
use crate::registry::{Options, Runnable};
use crate::runtime::Runtime;
use crate::runtime::queues::{Work, steal_one};
use crate::scheduling::UNIT;
use std::sync::Arc;

impl Runtime {
    /// A worker has nothing to do.
    pub fn ask_for_work(&'static self) {
        self.protocol.ask_for_work(&self);
    }

    /// Tasks of this rank that could go elsewhere.
    pub(super) fn surplus_tasks(&self) -> usize {
        self.queues.shared_len() + self.workers().iter().map(|worker| worker.stealer.len()).sum::<usize>()
    }

    /// Whether the thief's host has a CPU free, as far as this rank can see: of its own host. Where it has not, this rank is
    /// told when it has.
    pub(super) fn can_run(&self, thief: Rank) -> bool {
        if !self.host_ranks().contains(&thief) || self.table.free_cpu() >= UNIT {
            return true;
        }
        self.table.wait();
        self.table.free_cpu() >= UNIT
    }

    /// Up to `count` tasks for `thief`, claimed, the oldest first.
    pub(super) fn take_for_thief(&'static self, thief: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        let mut loot = Vec::new();
        let mut unfit = Vec::new();
        while loot.len() < count {
            let Some(work) = self.oldest_task() else { break };
            let Work::Task(task) = work else {
                unfit.push(work);
                continue;
            };
            if !self.suits(thief, &task) {
                unfit.push(Work::Task(task));
            } else if task.header().claim() {
                loot.push(task);
            }
        }
        // What only this rank runs is not in the way of the next thief.
        unfit.into_iter().for_each(|work| self.queues.push_bound(work));
        loot
    }

    fn oldest_task(&self) -> Option<Work> {
        let from_workers = || self.workers().iter().find_map(|worker| steal_one(|| worker.stealer.steal()));
        self.queues.take_for_thief().or_else(from_workers)
    }

    fn suits(&self, thief: Rank, task: &Arc<dyn Runnable>) -> bool {
        let header = task.header();
        let fits =
            |options: &Options| options.is_free() && self.totals_of(thief).missing(&request_of(options)).is_none();
        header.stealable && header.options.as_deref().is_none_or(fits)
    }
}
