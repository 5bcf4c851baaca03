//! Work between ranks: drives the pure stealing protocol.

use crate::base::Rank;
use crate::base::sync::{Ordering, lock};
use crate::node::placing::request_of;
use crate::node::queues::{Work, steal_one};
use crate::node::{Node, worker};
use crate::protocol::Message;
use crate::registry::{Options, Runnable};
use crate::sched::{UNIT, Verdict};
use std::sync::Arc;

/// Tasks that go to a thief at once, at most.
const LOOT_TASKS_MAX: usize = 256;

impl Node {
    /// A worker has nothing to do: asks another rank for work, or to be remembered there.
    pub fn ask_for_work(&'static self) {
        if self.size < 2 {
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
    pub(super) fn surplus(&self) -> usize {
        self.queues.shared_len() + self.workers().iter().map(|worker| worker.stealer.len()).sum::<usize>()
    }

    /// A rank asks for work.
    pub fn on_steal(&'static self, thief: Rank, remember: bool) {
        let surplus = if self.can_run(thief) { self.surplus() } else { 0 };
        let verdict = {
            let mut stealing = lock(&self.stealing);
            let verdict = stealing.asked(thief, remember, surplus);
            self.thieves.store(stealing.has_thieves(), Ordering::Relaxed);
            verdict
        };
        let given = match verdict {
            Verdict::Give(count) => self.give(thief, count),
            Verdict::Nothing => 0,
        };
        if given == 0 && remember {
            self.remember(thief);
        }
        self.send(thief, &Message::Loot { tasks: given as u32, answer: true });
    }

    /// There may be work for who is remembered.
    pub fn feed_thieves(&'static self) {
        // One is left for this rank's own worker.
        let surplus = self.surplus().saturating_sub(1);
        if surplus == 0 {
            return;
        }
        let next = {
            let mut stealing = lock(&self.stealing);
            let next = stealing.surplus(surplus);
            self.thieves.store(stealing.has_thieves(), Ordering::Relaxed);
            next
        };
        let Some((thief, count)) = next else { return };
        let given = if self.can_run(thief) { self.give(thief, count) } else { 0 };
        match given {
            0 => self.remember(thief),
            given => self.send(thief, &Message::Loot { tasks: given as u32, answer: false }),
        }
    }

    /// Whether the thief's host has a CPU free, as far as this rank can see: of its own host. Where it has not, this rank is
    /// told when it has.
    fn can_run(&self, thief: Rank) -> bool {
        if !self.host_ranks().contains(&thief) || self.table.free_cpu() >= UNIT {
            return true;
        }
        self.table.wait();
        self.table.free_cpu() >= UNIT
    }

    fn remember(&self, thief: Rank) {
        lock(&self.stealing).disappointed(thief);
        self.thieves.store(true, Ordering::Relaxed);
    }

    /// Sends up to `count` tasks to `thief`, the oldest first; returns how many went.
    fn give(&'static self, thief: Rank, count: usize) -> usize {
        let mut given = 0;
        let mut unfit = Vec::new();
        while given < count.min(LOOT_TASKS_MAX) {
            let Some(work) = self.oldest_task() else { break };
            let Work::Task(task) = work else {
                unfit.push(work);
                continue;
            };
            if !self.suits(thief, &task) {
                unfit.push(Work::Task(task));
            } else if task.header().claim() {
                self.send_task(&task, thief, true, None);
                given += 1;
            }
        }
        // What only this rank runs is not in the way of the next thief.
        unfit.into_iter().for_each(|work| self.queues.push_bound(work));
        given
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

    /// Tasks came from `Steal`, or to who is remembered.
    pub fn on_loot(&'static self, tasks: u32, answer: bool) {
        let mut stealing = lock(&self.stealing);
        if answer {
            stealing.answered(tasks as usize);
            drop(stealing);
            // What came may be done by now, and the worker at rest again: it could not ask while this answer was under way.
            let rests = self.idle.any() || worker::here().is_some_and(|worker| worker.takes_it_up());
            if (tasks == 0 || rests) && !self.queues.has_any() {
                self.ask_for_work();
            }
        } else {
            stealing.found_work();
        }
    }
}
