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
    /// Calls that ended on no worker. Not exact: of two threads that count at once, one may be lost.
    ended_unrun: AtomicU64,
}

impl Tasks {
    /// No task yet; calls take the short path only where `allows_short` is true.
    pub fn new(allows_short: bool) -> Tasks {
        Tasks {
            allows_short,
            remote: RemoteTasks::default(),
            cancelled: CancelledTasks::default(),
            ended_unrun: AtomicU64::new(0),
        }
    }

    /// A call ended on no worker: it failed before it ran, or its function is a leaf.
    #[inline]
    pub fn count_unrun(&self) {
        self.ended_unrun.store(self.ended_unrun.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// A number that grows when calls end on no worker.
    pub fn ended_unrun(&self) -> u64 {
        self.ended_unrun.load(Ordering::Relaxed)
    }
}
