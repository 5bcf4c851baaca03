//! Work stealing between ranks: what stealers take from this rank's queues.

use crate::base::Rank;
use crate::protocol::request_of;
use crate::registry::{Options, Runnable};
use crate::runtime::Runtime;
use crate::runtime::workers::{steal_one, Work};
use crate::scheduling::UNIT;
use std::sync::Arc;

impl Runtime {
    /// Requests work of other ranks: a worker has nothing to do.
    pub fn request_work(&'static self) {
        self.protocol.request_work(&self);
    }

    /// The number of tasks of this rank that other ranks may steal.
    pub fn surplus_tasks(&self) -> usize {
        self.queues.shared_len() + self.workers().iter().map(|worker| worker.stealer.len()).sum::<usize>()
    }

    /// True if the stealer's host has a free CPU, as far as this rank knows: it knows its own host only. If that has
    /// none, this rank is notified when it has.
    pub fn can_run(&self, stealer: Rank) -> bool {
        if !self.host_ranks().contains(&stealer) || self.table.free_cpu() >= UNIT {
            return true;
        }
        self.table.set_waiting();
        self.table.free_cpu() >= UNIT
    }

    /// Takes up to `count` tasks for `stealer`, claimed, the oldest first.
    pub fn take_for_stealer(&'static self, stealer: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
        let mut taken = Vec::new();
        let mut unfit = Vec::new();
        while taken.len() < count {
            let Some(work) = self.oldest_task() else { break };
            let Work::Task(task) = work else {
                unfit.push(work);
                continue;
            };
            if !self.can_steal(stealer, &task) {
                unfit.push(Work::Task(task));
            } else if task.header().claim() {
                taken.push(task);
            }
        }
        // Work that the stealer cannot run goes to the local queue, out of the way of the next stealer.
        unfit.into_iter().for_each(|work| self.queues.push_local(work));
        taken
    }

    fn oldest_task(&self) -> Option<Work> {
        let from_workers = || self.workers().iter().find_map(|worker| steal_one(|| worker.stealer.steal()));
        self.queues.take_for_stealer().or_else(from_workers)
    }

    fn can_steal(&self, stealer: Rank, task: &Arc<dyn Runnable>) -> bool {
        let header = task.header();
        let fits =
            |options: &Options| options.is_free() && self.totals_of(stealer).missing(&request_of(options)).is_none();
        header.stealable && header.options.as_deref().is_none_or(fits)
    }
}
