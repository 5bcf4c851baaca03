//! The placement of tasks without placement options: a task goes to the rank that has its arguments, as far as the
//! queue there allows. This rank estimates others' queues from the tasks that it sent there itself and that have not
//! finished; it sends no requests.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Rank, clock};
use crate::objects::Waiter;
use crate::protocol::request_of;
use crate::registry::Runnable;
use crate::runtime::router::transport_choice::shares_memory;
use crate::runtime::{Runtime, tasks};
use crate::scheduling::{PlacementCandidate, PlacementCosts, UNIT, choose_rank};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The assumed size of an argument that has not been fetched and whose size is not known. Mostly a reference that is
/// passed to another rank is to something large, and sending a task costs as many messages as fetching its argument.
const UNFETCHED_BYTES: u64 = 1 << 20;

/// The mean duration of a task is averaged over about this many.
const MEAN_OF: u64 = 8;

/// The tasks that this rank sent after their arguments.
#[derive(Default)]
pub struct RemoteLoad {
    /// By rank: how many have not finished, and when the last one finished.
    sent: Mutex<FxHashMap<Rank, (u64, u64)>>,
    /// The mean duration of one, ns; 0 before the first.
    task_ns: AtomicU64,
}

impl RemoteLoad {
    fn queued(&self, rank: Rank) -> u64 {
        lock(&self.sent).get(&rank).map_or(0, |(count, _)| *count)
    }

    fn on_sent(&self, rank: Rank) {
        lock(&self.sent).entry(rank).or_default().0 += 1;
    }

    /// A task that was sent at `sent_ns` finished. It took the time since it was sent, or since the one before it
    /// finished.
    fn on_finished(&self, rank: Rank, sent_ns: u64, now_ns: u64) {
        let before_ns = {
            let mut sent = lock(&self.sent);
            let Some((count, finished_ns)) = sent.get_mut(&rank) else { return };
            *count = count.saturating_sub(1);
            std::mem::replace(finished_ns, now_ns)
        };
        let took_ns = now_ns.saturating_sub(sent_ns.max(before_ns));
        let mean_ns = match self.task_ns.load(Ordering::Relaxed) {
            0 => took_ns,
            mean_ns => mean_ns - mean_ns / MEAN_OF + took_ns / MEAN_OF,
        };
        self.task_ns.store(mean_ns.max(1), Ordering::Relaxed);
    }

    fn costs(&self) -> PlacementCosts {
        match self.task_ns.load(Ordering::Relaxed) {
            0 => PlacementCosts::default(),
            task_ns => PlacementCosts { task_ns, ..PlacementCosts::default() },
        }
    }
}

/// Counts a task as finished when its first result is complete.
struct CountFinished {
    runtime: &'static Runtime,
    rank: Rank,
    sent_ns: u64,
}

impl Waiter for CountFinished {
    fn notify(self: Arc<Self>) {
        self.runtime.resources.remote_load.on_finished(self.rank, self.sent_ns, clock::now_ns());
    }
}

/// The rank that has the task's arguments, if running it there is cheaper than fetching them; `None` if it stays
/// here. Only ranks whose stores are not mapped here count: what is on this host is as good as here.
pub fn preferred_rank(runtime: &'static Runtime, task: &Arc<dyn Runnable>) -> Option<Rank> {
    if !runtime.protocol.objects.has_unmapped_stores() || task.all_values() {
        return None;
    }
    let mut here_bytes = 0;
    let mut owners: BTreeMap<Rank, u64> = BTreeMap::new();
    let mut add = |owner: Rank, bytes: u64| *owners.entry(owner).or_default() += bytes;
    task.references(&mut |slot| {
        let left = runtime.protocol.objects.locations_of(&*slot);
        if !left.is_empty() {
            return left
                .into_iter()
                .filter(|(rank, _)| !runtime.is_dead(*rank))
                .for_each(|(rank, bytes)| add(rank, bytes));
        }
        let owner_elsewhere = slot.remote_id().map(|id| id.owner).filter(|owner| {
            !slot.core().is_complete()
                && !runtime.is_dead(*owner)
                && !runtime.memory.is_readable(*owner, runtime.cluster.rank)
        });
        match owner_elsewhere {
            None => here_bytes += UNFETCHED_BYTES,
            Some(owner) => add(owner, UNFETCHED_BYTES),
        }
    });
    if owners.is_empty() {
        return None;
    }
    let request = task.header().options.as_deref().map(request_of);
    let total_bytes = here_bytes + owners.values().sum::<u64>();
    let mut others = Vec::new();
    for owner in owners.keys() {
        // Each rank of the owner's host reads it without a copy, where they share memory.
        let host = runtime.cluster.host_info_of(*owner);
        let readers =
            if shares_memory(runtime.cluster.config.fabric) { &host.ranks[..] } else { std::slice::from_ref(owner) };
        if request.as_ref().is_some_and(|request| host.resources.totals.missing(request).is_some()) {
            continue;
        }
        let bytes = owners.iter().filter(|(owner, _)| readers.contains(owner)).map(|(_, bytes)| bytes).sum();
        let workers = (host.resources.totals.cpu / UNIT).max(1) as u64 / host.ranks.len() as u64;
        for rank in readers.iter().copied().filter(|rank| !runtime.is_dead(*rank)) {
            let is_new = others.iter().all(|other: &PlacementCandidate| other.rank != rank);
            if is_new {
                // The tasks that this rank sent there, and the load that it received when it stole there.
                let queued = runtime.resources.remote_load.queued(rank);
                let queued = queued.max(runtime.protocol.stealing.queued_on(rank));
                others.push(PlacementCandidate { rank, bytes, queued, workers: workers.max(1) });
            }
        }
    }
    let here = PlacementCandidate {
        rank: runtime.cluster.rank,
        bytes: here_bytes,
        queued: runtime.workers.surplus_tasks() as u64,
        workers: runtime.workers.list().len() as u64,
    };
    choose_rank(here, &others, total_bytes, runtime.resources.remote_load.costs())
}

/// Sends a task to the rank that has its arguments.
pub fn launch_after_arguments(runtime: &'static Runtime, task: Arc<dyn Runnable>, rank: Rank) {
    if let Some(slot) = task.clone().slots().first() {
        runtime.resources.remote_load.on_sent(rank);
        slot.core().when_complete(Arc::new(CountFinished { runtime, rank, sent_ns: clock::now_ns() }));
    }
    tasks::launch_on(runtime, task, rank);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_duration_counts_the_time_of_each_task_alone() {
        let load = RemoteLoad::default();
        assert_eq!(load.costs().task_ns, PlacementCosts::default().task_ns);
        for _ in 0..40 {
            load.on_sent(3);
        }
        // All sent at once, one finished every 200 us.
        for task in 1..=40 {
            load.on_finished(3, 0, task * 200_000);
        }
        assert_eq!((load.queued(3), load.queued(4)), (0, 0));
        assert_eq!(load.costs().task_ns, 200_000);
    }
}
