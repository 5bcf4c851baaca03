//! Which tasks of other ranks were cancelled by who wanted their results.

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Rank, TaskId};
use rustc_hash::FxHashSet;
use std::sync::Mutex;

/// Tasks of other ranks that nobody wants any more. A task looks itself up here; nothing is kept of those that nobody
/// cancelled, which are nearly all.
#[derive(Default)]
pub struct Unwanted {
    any: AtomicBool,
    tasks: Mutex<FxHashSet<TaskId>>,
}

impl Unwanted {
    pub fn insert(&self, id: TaskId) {
        lock(&self.tasks).insert(id);
        self.any.store(true, Ordering::Release);
    }

    /// Whether nobody wants that task any more.
    #[inline]
    pub fn contains(&self, id: Option<TaskId>) -> bool {
        self.any.load(Ordering::Acquire) && id.is_some_and(|id| lock(&self.tasks).contains(&id))
    }

    /// Their owner is gone.
    pub fn lost(&self, owner: Rank) {
        lock(&self.tasks).retain(|id| id.owner != owner);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        lock(&self.tasks).len()
    }

    /// Forgets all: the end.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn clear(&self) {
        lock(&self.tasks).clear();
    }

    /// The task is over, or went on.
    #[inline]
    pub fn remove(&self, id: TaskId) {
        if self.any.load(Ordering::Relaxed) {
            lock(&self.tasks).remove(&id);
        }
    }
}
