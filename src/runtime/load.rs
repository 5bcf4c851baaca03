//! Where tasks go that say nothing of it: after their arguments, as far as the queue there allows. What this rank knows of
//! others' queues is what it sent there itself and has not heard to be over; nobody is asked.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Rank, clock};
use crate::objects::Waiter;
use crate::protocol::request_of;
use crate::registry::Runnable;
use crate::runtime::Runtime;
use crate::runtime::choice::shares_memory;
use crate::scheduling::{Candidate, Costs, UNIT, choose};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// What an argument is taken to weigh that has not been fetched: nobody has said. Who passes a reference to another rank mostly
/// passes something large, and a task costs as many messages to send as its argument to fetch.
const UNFETCHED_BYTES: u64 = 1 << 20;

/// Tasks of so many are averaged for the mean length of one.
const MEAN_OF: u64 = 8;

/// The tasks that this rank sent after their arguments.
#[derive(Default)]
pub struct Load {
    /// By rank: those that are not over, and when the last one was.
    sent: Mutex<FxHashMap<Rank, (u64, u64)>>,
    /// The mean length of one, ns; 0 before the first.
    task_ns: AtomicU64,
}

impl Load {
    fn queued(&self, rank: Rank) -> u64 {
        lock(&self.sent).get(&rank).map_or(0, |(count, _)| *count)
    }

    fn sent(&self, rank: Rank) {
        lock(&self.sent).entry(rank).or_default().0 += 1;
    }

    /// One is over that was sent at `sent_ns`. It took the time since it was sent, or since the one before it was over.
    fn over(&self, rank: Rank, sent_ns: u64, now_ns: u64) {
        let before_ns = {
            let mut sent = lock(&self.sent);
            let Some((count, over_ns)) = sent.get_mut(&rank) else { return };
            *count = count.saturating_sub(1);
            std::mem::replace(over_ns, now_ns)
        };
        let took_ns = now_ns.saturating_sub(sent_ns.max(before_ns));
        let mean_ns = match self.task_ns.load(Ordering::Relaxed) {
            0 => took_ns,
            mean_ns => mean_ns - mean_ns / MEAN_OF + took_ns / MEAN_OF,
        };
        self.task_ns.store(mean_ns.max(1), Ordering::Relaxed);
    }

    fn costs(&self) -> Costs {
        match self.task_ns.load(Ordering::Relaxed) {
            0 => Costs::default(),
            task_ns => Costs { task_ns, ..Costs::default() },
        }
    }
}

/// Counts a task as over when its first result is there.
struct Over {
    runtime: &'static Runtime,
    rank: Rank,
    sent_ns: u64,
}

impl Waiter for Over {
    fn ready(self: Arc<Self>) {
        self.runtime.load.over(self.rank, self.sent_ns, clock::now_ns());
    }
}

impl Runtime {
    /// Where the task's arguments draw it; `None` where it stays. Only a rank whose store is not mapped here draws: what is on
    /// this host is as good as here.
    pub(super) fn drawn_to(&'static self, task: &Arc<dyn Runnable>) -> Option<Rank> {
        if !self.protocol.has_foreign_memory() || task.all_values() {
            return None;
        }
        let mut here_bytes = 0;
        let mut owners: Vec<(Rank, u64)> = Vec::new();
        let mut add = |owner: Rank, bytes: u64| match owners.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, known)) => *known += bytes,
            None => owners.push((owner, bytes)),
        };
        task.references(&mut |slot| {
            let left = self.protocol.whereabouts(&*slot);
            if !left.is_empty() {
                return left
                    .into_iter()
                    .filter(|(rank, _)| !self.is_dead(*rank))
                    .for_each(|(rank, bytes)| add(rank, bytes));
            }
            let away = slot
                .remote_id()
                .map(|id| id.owner)
                .filter(|owner| !slot.core().is_complete() && !self.is_dead(*owner) && !self.is_readable_here(*owner));
            match away {
                None => here_bytes += UNFETCHED_BYTES,
                Some(owner) => add(owner, UNFETCHED_BYTES),
            }
        });
        if owners.is_empty() {
            return None;
        }
        let request = task.header().options.as_deref().map(request_of);
        let total_bytes = here_bytes + owners.iter().map(|(_, bytes)| bytes).sum::<u64>();
        let mut others = Vec::new();
        for (owner, _) in &owners {
            // Each rank of the owner's host reads it without a copy, where they share memory.
            let host = &self.hosts[self.ranks[*owner as usize].0];
            let readers = if shares_memory(self.config.fabric) { &host.ranks[..] } else { std::slice::from_ref(owner) };
            if request.as_ref().is_some_and(|request| host.totals.missing(request).is_some()) {
                continue;
            }
            let bytes = owners.iter().filter(|(owner, _)| readers.contains(owner)).map(|(_, bytes)| bytes).sum();
            let workers = (host.totals.cpu / UNIT).max(1) as u64 / host.ranks.len() as u64;
            for rank in readers.iter().copied().filter(|rank| !self.is_dead(*rank)) {
                let is_new = others.iter().all(|other: &Candidate| other.rank != rank);
                if is_new {
                    others.push(Candidate { rank, bytes, queued: self.queued_on(rank), workers: workers.max(1) });
                }
            }
        }
        let here = Candidate {
            rank: self.rank,
            bytes: here_bytes,
            queued: self.surplus_tasks() as u64,
            workers: self.workers().len() as u64,
        };
        choose(here, &others, total_bytes, self.load.costs())
    }

    /// Tasks that wait on `rank`, as far as this rank knows: what it sent, and what it heard of when it stole there.
    fn queued_on(&self, rank: Rank) -> u64 {
        let heard = match self.protocol.thieving.load_of(rank) {
            0 => 0,
            class => 1 << (class - 1).min(32),
        };
        self.load.queued(rank).max(heard)
    }

    /// Sends a task after its arguments.
    pub(super) fn launch_after_arguments(&'static self, task: Arc<dyn Runnable>, rank: Rank) {
        if let Some(slot) = task.clone().slots().first() {
            self.load.sent(rank);
            slot.core().when_complete(Arc::new(Over { runtime: self, rank, sent_ns: clock::now_ns() }));
        }
        self.launch_there(task, rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_the_time_that_each_task_took_alone() {
        let load = Load::default();
        assert_eq!(load.costs().task_ns, Costs::default().task_ns);
        for _ in 0..40 {
            load.sent(3);
        }
        // All sent at once, one over every 200 us.
        for task in 1..=40 {
            load.over(3, 0, task * 200_000);
        }
        assert_eq!((load.queued(3), load.queued(4)), (0, 0));
        assert_eq!(load.costs().task_ns, 200_000);
    }
}
