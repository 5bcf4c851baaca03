//! A driver that submits tasks waits while the store is full and there are tasks that may free some of it.
//!
//! A task that creates an array waits in the allocation itself. A driver may only submit, and so outrun its tasks: the
//! store fills with results not yet taken and with arguments of tasks not yet started. The submission path reads one
//! flag, which an allocation sets when it finds no free space.

use crate::base::sync::{AtomicBool, Ordering};
use crate::objects::Waiter;
use crate::runtime::Runtime;
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

impl Runtime {
    /// Delays a driver before it submits a task, for a bounded time, while the store is crowded and may become less so.
    #[cold]
    pub fn delay_submission(&'static self) {
        if worker::here().is_some() || context::in_task() {
            return;
        }
        let deadline = Instant::now() + self.config.store_wait;
        let _reported = self.space_waiters.describe_wait("a driver delays a task until the store is less full".to_string());
        while self.is_crowded() && self.has_tasks() && Instant::now() < deadline {
            let waited = self.wait_for_space(deadline, |event| {
                if !self.is_crowded() {
                    event.clone().notify();
                }
            });
            if waited.is_err() {
                break;
            }
        }
        // The next submission does not wait for the same allocation again.
        self.pressure.0.store(false, Ordering::Relaxed);
    }

    /// Returns true if the store is nearly full and nothing can be evicted.
    fn is_crowded(&'static self) -> bool {
        self.arena().is_some_and(|arena| arena.used_bytes() * 10 >= arena.bytes() * CROWDED_TENTHS) && !self.can_evict()
    }

    /// Returns true if tasks are queued, run, or wait, here or elsewhere on this rank's behalf.
    fn has_tasks(&self) -> bool {
        self.queues.has_any()
            || self.queues.pending_count() > 0
            || self.blocked_count.load(Ordering::Relaxed) > 0
            || self.idle_workers.count() < self.workers().len()
            || self.protocol.remote_tasks.any()
    }
}
