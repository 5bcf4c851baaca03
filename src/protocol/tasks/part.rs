//! The tasks of a rank.

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
}

impl Tasks {
    /// No task yet; calls take the short path only where `allows_short` is true.
    pub fn new(allows_short: bool) -> Tasks {
        Tasks { allows_short, remote: RemoteTasks::default(), cancelled: CancelledTasks::default() }
    }
}
