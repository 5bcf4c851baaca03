//! The tasks of other ranks that their owner cancelled.

use crate::base::sync::{AtomicBool, Ordering};
use crate::base::{Rank, TaskId};
use crate::protocol::locks::lock;
use rustc_hash::FxHashSet;
use std::sync::Mutex;

/// Cancelled tasks of other ranks. A task looks itself up here; nothing is recorded of tasks that are not cancelled,
/// which are nearly all.
#[derive(Default)]
pub struct CancelledTasks {
    any: AtomicBool,
    tasks: Mutex<FxHashSet<TaskId>>,
}

impl CancelledTasks {
    pub fn insert(&self, id: TaskId) {
        lock(&self.tasks).insert(id);
        self.any.store(true, Ordering::Release);
    }

    /// True if that task is cancelled.
    #[inline]
    pub fn contains(&self, id: Option<TaskId>) -> bool {
        self.any.load(Ordering::Acquire) && id.is_some_and(|id| lock(&self.tasks).contains(&id))
    }

    /// The owner of some of these tasks died.
    pub fn on_peer_failed(&self, owner: Rank) {
        lock(&self.tasks).retain(|id| id.owner != owner);
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        lock(&self.tasks).len()
    }

    /// Forgets everything at shutdown.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn clear(&self) {
        lock(&self.tasks).clear();
    }

    /// The task finished, or was forwarded.
    #[inline]
    pub fn remove(&self, id: TaskId) {
        if self.any.load(Ordering::Relaxed) {
            lock(&self.tasks).remove(&id);
        }
    }
}
