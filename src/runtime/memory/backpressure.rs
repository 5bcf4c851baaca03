//! A driver that submits tasks waits while the store is full and there are tasks that may free some of it.
//!
//! A task that creates an array waits in the allocation itself. A driver may only submit, and so outrun its tasks: the
//! store fills with results not yet taken and with arguments of tasks not yet started. The submission path reads one
//! flag, which an allocation sets when it finds no free space.

use crate::base::sync::{AtomicBool, Ordering};
use crate::objects::Waiter;
use crate::runtime::Runtime;
use crate::runtime::memory::resident_blocks::can_evict;
use crate::runtime::memory::space::wait_for_space;
use crate::runtime::tasks::context;
use crate::runtime::workers::worker;
use std::time::Instant;

/// A store is crowded when so many tenths of it are in use.
const CROWDED_TENTHS: u64 = 9;

/// True if submissions must check whether the store is crowded.
#[derive(Default)]
pub struct Pressure(AtomicBool);

impl Pressure {
    /// An allocation found no free space.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true if an allocation found no free space and no submission has waited since.
    #[inline]
    pub fn is_high(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Delays a driver before it submits a task, for a bounded time, while the store is crowded and may become less so.
#[cold]
pub fn delay_submission(runtime: &'static Runtime) {
    if worker::here().is_some() || context::in_task() {
        return;
    }
    let deadline = Instant::now() + runtime.cluster.config.store_wait;
    let _reported =
        runtime.memory.space_waiters.describe_wait("a driver delays a task until the store is less full".to_string());
    while is_crowded(runtime) && has_tasks(runtime) && Instant::now() < deadline {
        let waited = wait_for_space(runtime, deadline, |event| {
            if !is_crowded(runtime) {
                event.clone().notify();
            }
        });
        if waited.is_err() {
            break;
        }
    }
    // The next submission does not wait for the same allocation again.
    runtime.memory.pressure.0.store(false, Ordering::Relaxed);
}

/// Returns true if the store is nearly full and nothing can be evicted.
fn is_crowded(runtime: &'static Runtime) -> bool {
    runtime.memory.arena().is_some_and(|arena| arena.used_bytes() * 10 >= arena.bytes() * CROWDED_TENTHS)
        && !can_evict(runtime)
}

/// Returns true if tasks are queued, run, or wait, here or elsewhere on this rank's behalf.
fn has_tasks(runtime: &Runtime) -> bool {
    runtime.workers.queues.has_any()
        || runtime.workers.queues.pending_count() > 0
        || runtime.waiting.blocked_count.load(Ordering::Relaxed) > 0
        || !runtime.workers.idle.count() == runtime.workers.list().len()
        || runtime.protocol.tasks.remote.any()
}
