//! The tasks of a rank.

use crate::base::sync::{AtomicU64, Ordering};
use crate::protocol::tasks::cancelled::CancelledTasks;
use crate::protocol::tasks::remote_tasks::RemoteTasks;

/// The tasks that cross ranks.
pub struct Tasks {
    /// True if calls may take the short path.
    pub allows_short: bool,
    /// Tasks of this rank that run on other ranks.
    pub remote: RemoteTasks,
    /// Cancelled tasks of other ranks.
    pub cancelled: CancelledTasks,
    /// Tasks that failed because an argument had failed.
    failures_passed_on: AtomicU64,
}

impl Tasks {
    /// No task yet; calls take the short path only where `allows_short` is true.
    pub fn new(allows_short: bool) -> Tasks {
        Tasks {
            allows_short,
            remote: RemoteTasks::default(),
            cancelled: CancelledTasks::default(),
            failures_passed_on: AtomicU64::new(0),
        }
    }

    /// A task failed before it ran, because an argument had failed.
    pub fn count_passed_on(&self) {
        self.failures_passed_on.fetch_add(1, Ordering::Relaxed);
    }

    /// How many tasks failed before they ran, because an argument had failed.
    pub fn failures_passed_on(&self) -> u64 {
        self.failures_passed_on.load(Ordering::Relaxed)
    }
}
