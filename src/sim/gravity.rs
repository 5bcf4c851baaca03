//! Where a task goes that says nothing of it, as the node has it: after its arguments, as far as the queue there allows.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::Waiter;
use crate::protocol::Driver;
use crate::registry::Runnable;
use crate::scheduling::{Candidate, Costs, choose};
use crate::sim::world::Here;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// The tasks that a rank sent after their arguments and that are not over, by where they are.
#[derive(Default)]
pub struct SentAfter(Mutex<FxHashMap<Rank, u64>>);

struct Over {
    here: Here,
    rank: Rank,
}

impl Waiter for Over {
    fn ready(self: Arc<Self>) {
        if let Some(count) = lock(&self.here.site().sent_after.0).get_mut(&self.rank) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Here {
    /// Where the task's arguments draw it; `None` where it stays.
    pub fn drawn_to(&self, task: &Arc<dyn Runnable>) -> Option<Rank> {
        if !self.protocol().has_foreign_memory() || task.all_values() {
            return None;
        }
        let mut lies: FxHashMap<Rank, u64> = FxHashMap::default();
        task.references(&mut |slot| {
            for (rank, bytes) in self.protocol().whereabouts(&*slot) {
                if !self.is_dead(rank) {
                    *lies.entry(rank).or_default() += bytes;
                }
            }
        });
        let (total_bytes, workers) = (lies.values().sum(), u64::from(self.world.setting.workers));
        let weather = self.world.setting.weather;
        let mut hosts: Vec<Rank> = lies.keys().map(|rank| weather.host_of(*rank).start).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let living = |rank: &Rank| *rank < self.size() && !self.is_dead(*rank);
        let others = hosts.into_iter().flat_map(|first| weather.host_of(first)).filter(living).map(|rank| {
            let bytes = lies.iter().filter(|(owner, _)| weather.share_a_host(**owner, rank)).map(|(_, bytes)| bytes);
            Candidate { rank, bytes: bytes.sum(), queued: self.queued_on(rank), workers }
        });
        let others: Vec<Candidate> = others.collect();
        let here = Candidate { rank: self.rank, bytes: 0, queued: self.surplus() as u64, workers };
        let tally = self.site().tally();
        let costs = Costs { task_ns: (tally.busy_ns / tally.tasks.max(1)).max(10_000), ..Costs::default() };
        choose(here, &others, total_bytes, costs)
    }

    fn queued_on(&self, rank: Rank) -> u64 {
        let heard = match self.protocol().thieving.load_of(rank) {
            0 => 0,
            class => 1 << (class - 1).min(32),
        };
        lock(&self.site().sent_after.0).get(&rank).copied().unwrap_or(0).max(heard)
    }

    /// Sends a task after its arguments.
    pub fn launch_after_arguments(&self, task: &Arc<dyn Runnable>, rank: Rank) {
        if let Some(slot) = task.clone().slots().first() {
            *lock(&self.site().sent_after.0).entry(rank).or_default() += 1;
            slot.core().when_complete(Arc::new(Over { here: self.clone(), rank }));
        }
        if task.header().claim_waiting() {
            self.protocol().send_task(self, task, rank, None);
        }
    }
}
