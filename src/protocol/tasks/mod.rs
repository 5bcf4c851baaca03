//! Tasks that cross ranks: sent to another rank, received from one, finished, cancelled.
//!
//! Owns: the table of this rank's tasks that run on other ranks (`remote_tasks`), and the tasks of other ranks that
//! their owners cancelled (`cancelled`). A task has one owner, the rank that launched it, and one number there, which
//! it retains when it is forwarded, stolen or retried.
//!
//! Invariants:
//! - TASKS-1: a task of this rank that was sent to another rank is in the table until its results arrive or it fails.
//! - TASKS-2: results of a task that is not in the table any more are discarded: only the first results count.
//! - TASKS-3: a rank that forwards a task of another rank tells that task's owner before it sends the task.

pub mod cancelled;
pub mod dependencies;
pub mod part;
pub mod receive;
pub mod remote_tasks;
pub mod resource_requests;
pub mod results;
pub mod send;
pub mod short;
#[cfg(test)]
mod tests;

pub use part::Tasks;
