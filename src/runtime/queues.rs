//! Work that belongs to no worker yet.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::protocol::ActorHome;
use crate::registry::Runnable;
use crate::runtime::worker::Worker;
use crate::scheduling::Request;
use crossbeam_deque::{Injector, Steal};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Something for a worker to do.
pub enum Work {
    /// Run a task.
    Task(Arc<dyn Runnable>),
    /// Run the next calls of an actor.
    Actor(Arc<ActorHome>),
}

/// The queues of a rank.
pub struct Queues {
    /// Tasks that any rank may run.
    shared: Injector<Work>,
    /// Work that stays on this rank.
    bound: Injector<Work>,
    /// Work that asks for no CPU: actors' calls above all.
    light: Injector<Work>,
    /// Work for which the host has not the resources now, by what it asks for, oldest first.
    starved: Mutex<HashMap<Request, VecDeque<Work>>>,
    starved_count: AtomicUsize,
}

/// Tries until the answer is not "again".
pub fn steal_one(mut attempt: impl FnMut() -> Steal<Work>) -> Option<Work> {
    loop {
        match attempt() {
            Steal::Success(work) => return Some(work),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}

impl Queues {
    /// Empty.
    pub fn new() -> Queues {
        Queues {
            shared: Injector::new(),
            bound: Injector::new(),
            light: Injector::new(),
            starved: Mutex::default(),
            starved_count: AtomicUsize::new(0),
        }
    }

    /// Work that any rank may run.
    pub fn push_shared(&self, work: Work) {
        self.shared.push(work);
    }

    /// Work that stays here.
    pub fn push_bound(&self, work: Work) {
        self.bound.push(work);
    }

    /// Work that asks for no CPU.
    pub fn push_light(&self, work: Work) {
        self.light.push(work);
    }

    /// Work whose resources are not free; it comes back with `feed`.
    pub fn push_starved(&self, request: Request, work: Work) {
        lock(&self.starved).entry(request).or_default().push_back(work);
        self.starved_count.fetch_add(1, Ordering::SeqCst);
    }

    /// The oldest work that is not starved.
    pub fn take(&self, worker: &Worker) -> Option<Work> {
        steal_one(|| self.light.steal())
            .or_else(|| steal_one(|| self.bound.steal()))
            .or_else(|| steal_one(|| self.shared.steal_batch_with_limit_and_pop(&worker.deque, 8)))
    }

    /// One task that may go to another rank.
    pub fn take_for_thief(&self) -> Option<Work> {
        steal_one(|| self.shared.steal())
    }

    /// Resources were given back: the starved work to try again, as much of each kind as `fits` says.
    pub fn feed(&self, fits: impl Fn(&Request) -> usize) -> Vec<Work> {
        if self.starved_count.load(Ordering::SeqCst) == 0 {
            return Vec::new();
        }
        let mut fed = Vec::new();
        let mut starved = lock(&self.starved);
        starved.retain(|request, queue| {
            let count = fits(request).min(queue.len());
            fed.extend(queue.drain(..count));
            !queue.is_empty()
        });
        self.starved_count.fetch_sub(fed.len(), Ordering::SeqCst);
        fed
    }

    /// How many pieces of work wait for resources.
    pub fn starved(&self) -> usize {
        self.starved_count.load(Ordering::SeqCst)
    }

    /// What waits for resources: how many of each request, and the first of them, where that is a task.
    pub fn starving(&self) -> Vec<(Request, usize, Option<String>)> {
        let first = |queue: &VecDeque<Work>| match queue.front() {
            Some(Work::Task(task)) => Some(task.header().name().to_string()),
            _ => None,
        };
        lock(&self.starved).iter().map(|(request, queue)| (request.clone(), queue.len(), first(queue))).collect()
    }

    /// Whether there is work that is not starved.
    pub fn has_any(&self) -> bool {
        !self.shared.is_empty() || !self.bound.is_empty() || !self.light.is_empty()
    }

    /// Whether there is work that asks for no CPU.
    pub fn has_light(&self) -> bool {
        !self.light.is_empty()
    }

    /// Forgets all work: the end.
    pub fn clear(&self) -> Vec<Work> {
        let mut rest = self.feed(|_| usize::MAX);
        for queue in [&self.light, &self.bound, &self.shared] {
            rest.extend(std::iter::from_fn(|| steal_one(|| queue.steal())));
        }
        rest
    }

    /// Tasks here that any rank may run.
    pub fn shared_len(&self) -> usize {
        self.shared.len()
    }
}
