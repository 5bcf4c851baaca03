//! The workers of a rank, and what they share: their queues, which of them sleep, and their threads.

use crate::base::limits::WORKERS_MAX;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::memory::Doorbell;
use crate::runtime::workers::debug_watch::DebugWatch;
use crate::runtime::workers::idle::IdleWorkers;
use crate::runtime::workers::lending::Lending;
use crate::runtime::workers::queues::Queues;
use crate::runtime::workers::task_cores::CoreTable;
use crate::runtime::workers::worker_shared::WorkerShared;
use crate::runtime::workers::worker_watch::WorkerWatch;
use crate::topology::RankCores;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

/// The workers of a rank. Threads of the rank may also be other ones (progress, drivers): those own no queue.
pub struct Workers {
    /// The work that is in no worker's own queue yet.
    pub queues: Queues,
    /// Which workers sleep.
    pub idle: IdleWorkers,
    slots: Box<[OnceLock<&'static WorkerShared>]>,
    count: AtomicUsize,
    /// The rank's cores, on which its workers are pinned.
    pub(super) cores: CoreTable,
    /// The threads that are joined at the end.
    pub threads: Mutex<Vec<JoinHandle<()>>>,
    pub(super) watch: WorkerWatch,
    pub(super) lending: Lending,
    pub(super) debug_watch: DebugWatch,
    /// Fibers that can continue once there are CPUs for them.
    pub waiting_for_cpu: AtomicUsize,
    /// Wakes the progress thread.
    pub(super) doorbell: Arc<Doorbell>,
}

impl Workers {
    /// None yet; they will be pinned to `cores`, if there are any. `doorbell` wakes the progress thread.
    pub fn new(cores: RankCores, doorbell: Arc<Doorbell>) -> Workers {
        Workers {
            queues: Queues::default(),
            idle: IdleWorkers::new(),
            slots: (0..WORKERS_MAX).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
            cores: CoreTable::new(cores),
            threads: Mutex::default(),
            watch: WorkerWatch::default(),
            lending: Lending::default(),
            debug_watch: DebugWatch::default(),
            waiting_for_cpu: AtomicUsize::new(0),
            doorbell,
        }
    }

    /// The workers, as a list.
    #[inline]
    pub fn list(&self) -> WorkerList<'_> {
        WorkerList { slots: &self.slots[..self.count.load(Ordering::Acquire)] }
    }

    /// Adds a worker. Only one thread at a time calls it: the starting one, then the progress thread.
    pub fn add(&self, worker: &'static WorkerShared) {
        let count = self.count.load(Ordering::Relaxed);
        let _ = self.slots[count].set(worker);
        self.count.store(count + 1, Ordering::Release);
    }

    /// Wakes a worker, since work was queued; if none sleeps, requests the watch over those that run.
    #[inline]
    pub fn wake_one(&self) {
        match self.idle.wake_one() {
            Some(index) => self.list()[index].unpark(),
            None => self.request_watch(),
        }
    }

    /// Wakes all workers that are parked.
    pub fn unpark_all(&self) {
        self.list().iter().for_each(|worker| worker.unpark());
    }

    /// How many tasks the workers began.
    pub fn begun(&self) -> u64 {
        self.list().iter().map(|worker| worker.began()).sum()
    }

    /// True if work waits, for resources or not.
    pub fn has_work(&self) -> bool {
        self.queues.has_any() || self.list().iter().any(|worker| !worker.queue.is_empty())
    }

    /// The number of tasks of this rank that other ranks may steal.
    pub fn surplus_tasks(&self) -> usize {
        self.queues.shared.len() + self.list().iter().map(|worker| worker.queue.len()).sum::<usize>()
    }
}

/// The workers of a rank, as a list.
#[derive(Clone, Copy)]
pub struct WorkerList<'a> {
    slots: &'a [OnceLock<&'static WorkerShared>],
}

impl WorkerList<'_> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.slots.len()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static WorkerShared> + '_ {
        self.slots.iter().filter_map(|slot| slot.get().copied())
    }
}

impl std::ops::Index<usize> for WorkerList<'_> {
    type Output = &'static WorkerShared;
    fn index(&self, index: usize) -> &Self::Output {
        match self.slots[index].get() {
            Some(worker) => worker,
            None => unreachable!("a counted worker is there"),
        }
    }
}
