//! A task of this rank without options waits for its references, without a thread and without a lock.
//!
//! It is the plain case of `protocol::tasks::dependencies`: any rank may run the task, and its references are either
//! complete, results of this rank's tasks, or values that their slots request. The task itself is what they notify.

use crate::base::sync::Ordering;
use crate::registry::Runnable;
use crate::runtime::Runtime;
use std::sync::Arc;

/// Launches a task that has references when the last of them is complete.
pub fn launch_after_references(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    let missing = &task.header().missing;
    // One more while they are counted, so that none of them launches the task meanwhile.
    missing.store(1, Ordering::Relaxed);
    task.references(&mut |slot| {
        if !slot.core().is_complete() {
            slot.request();
            missing.fetch_add(1, Ordering::Relaxed);
            slot.core().when_complete(task.clone());
        }
    });
    if missing.fetch_sub(1, Ordering::AcqRel) == 1 {
        launch_ready(runtime, task);
    }
}

/// Every reference of the task is complete. If one failed, the task passes the failure on when it runs: only its
/// claimer may look at its arguments, since a cancellation takes them (REGISTRY-2).
fn launch_ready(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    if task.header().queue() {
        runtime.push_plain(task);
    }
}

/// As `launch_ready`, for a task whose last reference completed after it was submitted.
pub fn launch_notified(task: Arc<dyn Runnable>) {
    if let Some(runtime) = Runtime::current() {
        launch_ready(runtime, task);
    }
}
