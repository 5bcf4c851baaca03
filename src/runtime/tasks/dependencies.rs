//! A task of this rank without options waits for its references, without a thread and without a lock.
//!
//! It is the plain case of `protocol::tasks::dependencies`: any rank may run the task, and its references are either
//! complete, results of this rank's tasks, or values that their slots request. One small value waits for all of them.

use crate::base::arc_pool;
use crate::base::sync::Ordering;
use crate::objects::Waiter;
use crate::registry::Runnable;
use crate::runtime::Runtime;
use std::sync::Arc;

/// A task that waits for references.
struct Dependent {
    runtime: &'static Runtime,
    task: Arc<dyn Runnable>,
}

impl Waiter for Dependent {
    fn notify(self: Arc<Self>) {
        if self.task.header().missing.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let (runtime, task) = (self.runtime, self.task.clone());
        arc_pool::recycle(self);
        launch_ready(runtime, task);
    }
}

/// Launches a task that has references when the last of them is complete.
pub fn launch_after_references(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    let missing = &task.header().missing;
    // One more while they are counted, so that none of them launches the task meanwhile.
    missing.store(1, Ordering::Relaxed);
    let mut dependent: Option<Arc<Dependent>> = None;
    task.references(&mut |slot| {
        if !slot.core().is_complete() {
            slot.request();
            let dependent =
                dependent.get_or_insert_with(|| arc_pool::new(Dependent { runtime, task: task.clone() })).clone();
            missing.fetch_add(1, Ordering::Relaxed);
            slot.core().when_complete(dependent);
        }
    });
    match dependent {
        None => launch_ready(runtime, task),
        Some(dependent) => dependent.notify(),
    }
}

/// Every reference of the task is complete. If one failed, the task passes the failure on when it runs: only its
/// claimer may look at its arguments, since a cancellation takes them (REGISTRY-2).
fn launch_ready(runtime: &'static Runtime, task: Arc<dyn Runnable>) {
    if task.header().queue() {
        runtime.push_plain(task);
    }
}
