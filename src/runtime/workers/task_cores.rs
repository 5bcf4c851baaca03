//! The cores of tasks that requested several CPUs, and the switch of a worker's thread to them and back.
//!
//! A worker is pinned to one core, and what a task starts inherits that. So while a task of several CPUs runs, its
//! worker's thread may run on that many cores; the threads and programs that it starts inherit these. They stay the
//! same for the task's life, or the actor's: a thread that it started keeps them.

use crate::base::log::{Level, log};
use crate::base::sync::{Ordering, lock};
use crate::runtime::workers::worker::Worker;
use crate::runtime::workers::worker_shared::WorkerShared;
use crate::scheduling::ResourceRequest;
use crate::topology::{RankCores, allowed_cpus, bind_this_thread, near};
use std::sync::{Arc, Mutex};

/// The cores of a rank, and by how many tasks of several CPUs each is used.
pub struct CoreTable {
    rank: RankCores,
    uses: Arc<Mutex<Vec<u32>>>,
}

/// The cores of one task or actor, until this is dropped.
pub struct TaskCores {
    cores: Vec<usize>,
    cpus: Vec<u32>,
    uses: Arc<Mutex<Vec<u32>>>,
}

impl Drop for TaskCores {
    fn drop(&mut self) {
        let mut uses = lock(&self.uses);
        self.cores.iter().for_each(|core| uses[*core] -= 1);
    }
}

impl CoreTable {
    /// Those cores, in no use; no worker is pinned if there are none.
    pub fn new(rank: RankCores) -> CoreTable {
        let uses = Arc::new(Mutex::new(vec![0; rank.cores.len()]));
        CoreTable { rank, uses }
    }

    /// Pins the calling thread, worker `index`; returns the CPUs that it has then, none if tasks do not change them.
    pub fn pin_worker(&self, index: usize) -> Vec<u32> {
        let Some(core) = self.rank.of_worker(index) else { return Vec::new() };
        if index >= self.rank.workers {
            // Workers that were started because tasks block are not pinned.
            return allowed_cpus();
        }
        let cpus = self.rank.cores[core].cpus.clone();
        match bind_this_thread(&cpus) {
            Ok(()) => cpus,
            Err(error) => {
                log(Level::Warn, || format!("worker {index} is not pinned: {error}"));
                Vec::new()
            }
        }
    }

    /// Takes `count` cores near to that of worker `index`; other workers that are busy are `busy`.
    fn take(&self, index: usize, count: usize, busy: impl Iterator<Item = usize>) -> Option<Arc<TaskCores>> {
        let at = self.rank.of_worker(index)?;
        let mut uses = lock(&self.uses);
        let mut load = uses.clone();
        busy.filter_map(|worker| self.rank.of_worker(worker)).for_each(|core| load[core] += 1);
        let cores = near(&self.rank, &load, at, count);
        cores.iter().for_each(|core| uses[*core] += 1);
        let mut cpus: Vec<u32> = cores.iter().flat_map(|core| self.rank.cores[*core].cpus.clone()).collect();
        cpus.sort_unstable();
        Some(Arc::new(TaskCores { cores, cpus, uses: self.uses.clone() }))
    }
}

impl Worker {
    /// Takes the cores of a task or actor with that request; `None` if it runs on the worker's own, as those of one CPU
    /// and all where workers are not pinned.
    pub fn take_cores(&self, request: &ResourceRequest) -> Option<Arc<TaskCores>> {
        let count = request.cores();
        if count <= 1 || self.own_cpus.is_empty() {
            return None;
        }
        let workers = self.runtime.workers.list();
        let is_busy =
            |worker: &&WorkerShared| worker.index != self.shared.index && !worker.idle.load(Ordering::Relaxed);
        let busy = workers.iter().filter(is_busy).map(|worker| worker.index);
        self.runtime.workers.cores.take(self.shared.index, count, busy)
    }

    /// Switches this thread to those cores, `None` for its own; returns what it had. A fiber has its cores while it
    /// runs.
    #[inline]
    pub fn replace_cores(&self, cores: Option<Arc<TaskCores>>) -> Option<Arc<TaskCores>> {
        let before = self.cores.take();
        if before.is_some() || cores.is_some() {
            self.switch_cores(before.as_ref(), cores.as_ref());
        }
        self.cores.set(cores);
        before
    }

    /// What runs next may switch to cores of its own; dropping the returned guard on the same fiber switches back.
    #[must_use]
    pub fn switch_back_later(&self) -> OwnCoresLater<'_> {
        OwnCoresLater(self)
    }

    #[cold]
    fn switch_cores(&self, before: Option<&Arc<TaskCores>>, after: Option<&Arc<TaskCores>>) {
        if before.zip(after).is_some_and(|(before, after)| Arc::ptr_eq(before, after)) {
            return;
        }
        if let Err(error) = bind_this_thread(after.map_or(&self.own_cpus, |cores| &cores.cpus)) {
            log(Level::Warn, || format!("worker {}: {error}", self.shared.index));
        }
    }
}

/// Switches a worker's thread to its own cores when it is dropped.
pub struct OwnCoresLater<'a>(&'a Worker);

impl Drop for OwnCoresLater<'_> {
    fn drop(&mut self) {
        self.0.replace_cores(None);
    }
}
