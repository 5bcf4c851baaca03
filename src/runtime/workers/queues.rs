//! Work that is in no worker's own queue yet.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::protocol::ActorInstance;
use crate::registry::Runnable;
use crate::runtime::workers::task_queue::TaskQueue;
use crate::scheduling::ResourceRequest;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// A unit of work for a worker.
pub enum Work {
    /// Run a task.
    Task(Arc<dyn Runnable>),
    /// Run the next calls of an actor.
    Actor(Arc<ActorInstance>),
}

/// The queues of a rank.
#[derive(Default)]
pub struct Queues {
    /// Tasks that any rank may run.
    pub shared: TaskQueue,
    /// Work that stays on this rank.
    pub local: TaskQueue,
    /// Work that requests no CPU: mostly actors' calls.
    pub zero_cpu: TaskQueue,
    /// Work for which the host has too few free resources now, by its request, oldest first.
    pending_resources: Mutex<HashMap<ResourceRequest, VecDeque<Work>>>,
    pending_count: AtomicUsize,
}

impl Queues {
    /// Work whose resources are not free; `take_admissible` returns it later.
    pub fn push_pending_resources(&self, request: ResourceRequest, work: Work) {
        lock(&self.pending_resources).entry(request).or_default().push_back(work);
        self.pending_count.fetch_add(1, Ordering::SeqCst);
    }

    /// The oldest work that does not wait for resources.
    /// Some of what comes next goes to the worker's `own` queue.
    pub fn take(&self, own: &TaskQueue) -> Option<Work> {
        let placed = self.zero_cpu.pop_oldest().or_else(|| self.local.pop_oldest());
        placed.or_else(|| self.shared.pop_oldest_and_move(own))
    }

    /// Resources were given back: removes the pending work to try again, as much of each request as `fits` says.
    pub fn take_admissible(&self, fits: impl Fn(&ResourceRequest) -> usize) -> Vec<Work> {
        if self.pending_count.load(Ordering::SeqCst) == 0 {
            return Vec::new();
        }
        let mut admitted = Vec::new();
        let mut pending = lock(&self.pending_resources);
        pending.retain(|request, queue| {
            let count = fits(request).min(queue.len());
            admitted.extend(queue.drain(..count));
            !queue.is_empty()
        });
        self.pending_count.fetch_sub(admitted.len(), Ordering::SeqCst);
        admitted
    }

    /// How many units of work wait for resources.
    pub fn pending_count(&self) -> usize {
        self.pending_count.load(Ordering::SeqCst)
    }

    /// The requests that wait for resources: how many of each, and the first one's name if that is a task.
    pub fn pending_requests(&self) -> Vec<(ResourceRequest, usize, Option<String>)> {
        let first = |queue: &VecDeque<Work>| match queue.front() {
            Some(Work::Task(task)) => Some(task.header().name().to_string()),
            _ => None,
        };
        let pending = lock(&self.pending_resources);
        pending.iter().map(|(request, queue)| (request.clone(), queue.len(), first(queue))).collect()
    }

    /// True if there is work that does not wait for resources.
    pub fn has_any(&self) -> bool {
        !self.shared.is_empty() || !self.local.is_empty() || !self.zero_cpu.is_empty()
    }

    /// Removes and returns all work: the cluster ends.
    pub fn clear(&self) -> Vec<Work> {
        let mut remaining = self.take_admissible(|_| usize::MAX);
        for queue in [&self.zero_cpu, &self.local, &self.shared] {
            remaining.extend(std::iter::from_fn(|| queue.pop_oldest()));
        }
        remaining
    }
}
