//! The tasks of a rank.

use crate::protocol::tasks::cancelled::CancelledTasks;
use crate::protocol::tasks::remote_tasks::RemoteTasks;

/// The tasks that cross ranks.
#[derive(Default)]
pub struct Tasks {
    /// Tasks of this rank that run on other ranks.
    pub remote: RemoteTasks,
    /// Cancelled tasks of other ranks.
    pub cancelled: CancelledTasks,
}
