//! Placement of a task that names no rank, as in the runtime: near its arguments, as far as the queue there allows.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::Waiter;
use crate::protocol::{Environment, Liveness, Messenger, WorkQueue};
use crate::registry::Runnable;
use crate::scheduling::{PlacementCandidate, PlacementCosts, choose_rank};
use crate::sim::world::SimEnvironment;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The tasks that a rank sent to their arguments and that are not finished, by the rank that runs them.
#[derive(Default)]
pub struct SentToData(Mutex<FxHashMap<Rank, u64>>);

struct TaskFinished {
    env: SimEnvironment,
    rank: Rank,
}

impl Waiter for TaskFinished {
    fn notify(self: Arc<Self>) {
        if let Some(count) = lock(&self.env.node().sent_after.0).get_mut(&self.rank) {
            *count = count.saturating_sub(1);
        }
    }
}

impl SimEnvironment {
    /// The rank that the task's arguments favour; `None` if the task stays here.
    pub fn place_near_arguments(&self, task: &Arc<dyn Runnable>) -> Option<Rank> {
        if !self.protocol().objects.has_unmapped_stores() || task.all_values() {
            return None;
        }
        let mut located: FxHashMap<Rank, u64> = FxHashMap::default();
        task.references(&mut |slot| {
            for (rank, bytes) in self.protocol().objects.locations_of(&*slot) {
                if !self.is_dead(rank) {
                    *located.entry(rank).or_default() += bytes;
                }
            }
        });
        let (total_bytes, workers) = (located.values().sum(), u64::from(self.world.setting.workers));
        let network = self.world.setting.network;
        let hosts: BTreeSet<Rank> = located.keys().map(|rank| network.ranks_of_host(*rank).start).collect();
        let living = |rank: &Rank| *rank < self.size() && !self.is_dead(*rank);
        let others = hosts.into_iter().flat_map(|first| network.ranks_of_host(first)).filter(living).map(|rank| {
            let bytes = located.iter().filter(|(owner, _)| network.share_a_host(**owner, rank)).map(|(_, bytes)| bytes);
            PlacementCandidate { rank, bytes: bytes.sum(), queued: self.queued_on(rank), workers }
        });
        let others: Vec<PlacementCandidate> = others.collect();
        let env = PlacementCandidate { rank: self.rank, bytes: 0, queued: self.surplus() as u64, workers };
        let counters = self.node().counters();
        let costs = PlacementCosts {
            task_ns: (counters.busy_ns / counters.tasks.max(1)).max(10_000),
            ..PlacementCosts::default()
        };
        choose_rank(env, &others, total_bytes, costs)
    }

    fn queued_on(&self, rank: Rank) -> u64 {
        let sent = lock(&self.node().sent_after.0).get(&rank).copied().unwrap_or(0);
        sent.max(self.protocol().stealing.queued_on(rank))
    }

    /// Sends a task to a rank near its arguments.
    pub fn send_to_arguments(&self, task: &Arc<dyn Runnable>, rank: Rank) {
        if let Some(slot) = task.clone().slots().first() {
            *lock(&self.node().sent_after.0).entry(rank).or_default() += 1;
            slot.core().when_complete(Arc::new(TaskFinished { env: self.clone(), rank }));
        }
        if task.header().claim_waiting() {
            self.protocol().tasks.send(self, task, rank, None);
        }
    }
}
