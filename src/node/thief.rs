//! Work between ranks: drives the pure stealing protocol.

use crate::base::Rank;
use crate::base::sync::{Ordering, lock};
use crate::node::Node;
use crate::node::queues::{Work, steal_one};
use crate::node::tasks::request_of;
use crate::node::worker::Worker;
use crate::protocol::Message;
use crate::registry::Runnable;
use crate::sched::{UNIT, Verdict};
use std::sync::Arc;

/// Tasks that go to a thief at once, at most.
const LOOT_TASKS_MAX: usize = 256;

impl Node {
    /// A worker has nothing to do: asks another rank for work, where the worker has a CPU to run it on.
    pub fn ask_for_work(&'static self, worker: &'static Worker) {
        if self.size < 2 || !worker.take_cpu(UNIT) {
            return;
        }
        let victim = lock(&self.stealing).idle();
        if let Some((victim, remember)) = victim {
            self.send(victim, &Message::Steal { remember });
        }
    }

    /// Whether another rank is remembered as idle.
    pub fn thieves_wait(&self) -> bool {
        self.thieves.load(Ordering::Relaxed)
    }

    /// Tasks of this rank that could go elsewhere.
    fn surplus(&self) -> usize {
        self.queues.shared_len() + self.workers().iter().map(|worker| worker.stealer.len()).sum::<usize>()
    }

    /// A rank asks for work.
    pub fn on_steal(&'static self, thief: Rank, remember: bool) {
        let verdict = {
            let mut stealing = lock(&self.stealing);
            let verdict = stealing.asked(thief, remember, self.surplus());
            self.thieves.store(stealing.has_thieves(), Ordering::Relaxed);
            verdict
        };
        let given = match verdict {
            Verdict::Give(count) => self.give(thief, count),
            Verdict::Nothing => 0,
        };
        self.send(thief, &Message::Loot { tasks: given as u32, answer: true });
    }

    /// There may be work for who is remembered.
    pub fn feed_thieves(&'static self) {
        // A rank that shares this host's CPUs can run nothing while none is free.
        let next = {
            let mut stealing = lock(&self.stealing);
            let next = stealing.surplus(self.surplus().saturating_sub(1));
            self.thieves.store(stealing.has_thieves(), Ordering::Relaxed);
            next
        };
        let Some((thief, count)) = next else { return };
        let given = self.give(thief, count);
        self.send(thief, &Message::Loot { tasks: given as u32, answer: false });
    }

    /// Sends up to `count` tasks to `thief`, the oldest first; returns how many went.
    fn give(&'static self, thief: Rank, count: usize) -> usize {
        let mut given = 0;
        let mut unfit = Vec::new();
        while given < count.min(LOOT_TASKS_MAX) {
            let Some(work) = self.oldest_task() else { break };
            let Work::Task(task) = work else { continue };
            if !self.suits(thief, &task) {
                unfit.push(task);
            } else if task.header().claim() {
                self.send_task(&task, thief, true, None);
                given += 1;
            }
        }
        for task in unfit {
            self.queues.push_shared(Work::Task(task));
        }
        given
    }

    fn oldest_task(&self) -> Option<Work> {
        let from_workers = || self.workers().iter().find_map(|worker| steal_one(|| worker.stealer.steal()));
        self.queues.take_for_thief().or_else(from_workers)
    }

    fn suits(&self, thief: Rank, task: &Arc<dyn Runnable>) -> bool {
        let options = task.header().options.as_ref();
        options.is_none_or(|options| self.totals_of(thief).missing(&request_of(options)).is_none())
    }

    /// Tasks came from `Steal`, or to who is remembered.
    pub fn on_loot(&'static self, tasks: u32, answer: bool) {
        let mut stealing = lock(&self.stealing);
        if answer {
            stealing.answered(tasks as usize);
        } else {
            stealing.found_work();
        }
    }
}
