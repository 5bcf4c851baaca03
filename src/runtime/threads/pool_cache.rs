//! The pools that tasks have, and those that wait for the next task with the same CPUs.
//!
//! A task has a pool for itself: where workers are not pinned, tasks of as many CPUs have the same cores, and would
//! share threads otherwise. What calls for a pool again within one task gets the same.

use crate::base::limits::{IDLE_POOL_THREADS_MAX, WORKERS_MAX};
use crate::base::process_limits::in_force;
use crate::base::sync::lock;
use crate::base::{Error, Result};
use crate::runtime::tasks::{Snapshot, ThreadContext, enter_for_good};
use rayon_core::{ThreadPool, ThreadPoolBuilder};
use std::sync::{Arc, Mutex};

/// What tells pools apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolKind {
    /// The CPUs on which its threads may run.
    pub cpus: Vec<u32>,
    /// How many threads it has.
    pub threads: usize,
}

/// A pool.
pub struct CachedPool {
    /// Its threads.
    pub threads: ThreadPool,
    /// The context of its threads: that of the task that has it.
    context: Arc<ThreadContext>,
}

/// A pool, and who has it.
struct Entry {
    kind: PoolKind,
    /// The number of the task that has or had it; 0 for drivers.
    task: u64,
    /// Held once here, and once by each part of the task that has it.
    pool: Arc<CachedPool>,
}

impl Entry {
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.pool) == 1
    }
}

/// The pools of a rank, the least recently used first.
#[derive(Default)]
pub struct PoolCache {
    entries: Mutex<Vec<Entry>>,
}

impl PoolCache {
    /// The pool of that kind of the task in `snapshot`; starts its threads if none is idle. They inherit the calling
    /// thread's CPUs.
    ///
    /// # Errors
    /// `Config` if the system gives no threads.
    pub fn take(&self, kind: PoolKind, snapshot: Snapshot) -> Result<Arc<CachedPool>> {
        let task = snapshot.identity.as_ref().map_or(0, |identity| identity.number);
        let mut entries = lock(&self.entries);
        let fits = |entry: &Entry| entry.kind == kind && (entry.is_idle() || entry.task == task);
        // One that the task has already, or the idle one that was used last.
        let own = entries.iter().position(|entry| fits(entry) && entry.task == task && !entry.is_idle());
        let pool = match own.or_else(|| entries.iter().rposition(fits)) {
            Some(index) => entries.remove(index).pool,
            None => Arc::new(start(kind.threads)?),
        };
        pool.context.set(snapshot.identity.is_some().then(|| Arc::new(snapshot)));
        entries.push(Entry { kind, task, pool: pool.clone() });
        Ok(pool)
    }

    /// A part of a task no longer uses `pool`. If no part does, it is idle; the idle ones are bounded.
    pub fn give_back(&self, pool: Arc<CachedPool>) {
        let mut dropped = Vec::new();
        let mut entries = lock(&self.entries);
        // One reference is the argument, one the entry's.
        if Arc::strong_count(&pool) <= 2 {
            pool.context.set(None);
        }
        drop(pool);
        let idle = |entries: &[Entry]| -> usize {
            entries.iter().filter(|entry| entry.is_idle()).map(|entry| entry.kind.threads).sum()
        };
        while idle(&entries) > IDLE_POOL_THREADS_MAX
            && let Some(oldest) = entries.iter().position(Entry::is_idle)
        {
            dropped.push(entries.remove(oldest));
        }
        drop(entries);
        // Their threads end by themselves.
        drop(dropped);
    }

    /// The cluster has ended: drops what nobody uses.
    pub fn clear(&self) {
        let entries = std::mem::take(&mut *lock(&self.entries));
        drop(entries);
    }
}

fn start(threads: usize) -> Result<CachedPool> {
    let context = Arc::new(ThreadContext::default());
    let of_threads = context.clone();
    let started = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("mobula-pool-{index}"))
        .start_handler(move |_| enter_for_good(of_threads.clone()))
        // What `spawn` runs has nobody who gets its panic: the panic hook prints it, and without a handler the process
        // would abort.
        .panic_handler(|_| {})
        .build();
    let refused = |error: rayon_core::ThreadPoolBuildError| {
        Error::config(format!("a pool of {threads} threads does not start: {error}{}", in_force())).caused_by(&error)
    };
    Ok(CachedPool { threads: started.map_err(refused)?, context })
}

/// The threads for so many CPUs; a part counts whole.
pub fn threads_for(cpus: f64) -> usize {
    (cpus.ceil() as usize).clamp(1, WORKERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tasks::snapshot;
    use crate::runtime::tasks::tests::ended_task;

    fn kind(threads: usize) -> PoolKind {
        PoolKind { cpus: vec![0], threads }
    }

    #[test]
    fn task_has_one_pool_and_idle_pools_are_used_again() {
        let (cache, first, second) = (PoolCache::default(), ended_task().0, ended_task().0);
        let take = |kind: PoolKind, task: &Snapshot| cache.take(kind, task.clone()).unwrap();
        let own = take(kind(1), &first);
        let again = take(kind(1), &first);
        let other = take(kind(1), &second);
        assert!(Arc::ptr_eq(&own, &again) && !Arc::ptr_eq(&own, &other), "each task has its own");
        let wide = take(kind(2), &first);
        assert_eq!((own.threads.current_num_threads(), wide.threads.current_num_threads()), (1, 2));
        cache.give_back(own);
        assert!(!Arc::ptr_eq(&take(kind(1), &second), &again), "a part of the first task still has it");
        let first_pool = Arc::as_ptr(&again);
        cache.give_back(again);
        let third = take(kind(1), &ended_task().0);
        assert_eq!(Arc::as_ptr(&third), first_pool, "it is idle");
    }

    #[test]
    fn threads_have_the_context_of_the_task_that_has_the_pool() {
        let (cache, (task, task_number)) = (PoolCache::default(), ended_task());
        let number = |pool: &CachedPool| pool.threads.install(|| snapshot().identity.map(|identity| identity.number));
        let pool = cache.take(kind(1), task).unwrap();
        assert_eq!(number(&pool), Some(task_number));
        cache.give_back(pool);
        let pool = cache.take(kind(1), Snapshot::default()).unwrap();
        assert_eq!(number(&pool), None, "a driver has it now");
    }

    #[test]
    fn idle_pools_are_bounded_by_their_threads() {
        let cache = PoolCache::default();
        let largest = IDLE_POOL_THREADS_MAX / 2;
        let of = |cpu: u32| PoolKind { cpus: vec![cpu], threads: largest };
        for cpu in 0..4 {
            cache.give_back(cache.take(of(cpu), Snapshot::default()).unwrap());
        }
        let kept: Vec<u32> = lock(&cache.entries).iter().map(|entry| entry.kind.cpus[0]).collect();
        assert_eq!(kept, [2, 3]);
        cache.clear();
        assert!(lock(&cache.entries).is_empty());
    }

    #[test]
    fn threads_are_as_many_as_cpus_and_bounded() {
        assert_eq!([0.0, 0.5, 1.0, 1.5, 4.0].map(threads_for), [1, 1, 1, 2, 4]);
        assert_eq!(threads_for(1e9), WORKERS_MAX);
    }
}
