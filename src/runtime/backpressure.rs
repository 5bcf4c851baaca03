//! Drivers that submit tasks wait while the store is full and tasks are there that may give some of it back.
//!
//! A task that makes an array waits by itself where it makes it. A driver may only submit, and so outrun its tasks: results
//! that nobody has taken yet, arguments of what has not begun. The path of a submission reads one flag, which an allocation
//! that found no room sets.

use crate::base::sync::{AtomicBool, Ordering};
use crate::objects::Waiter;
use crate::runtime::Runtime;
use crate::runtime::{context, worker};
use std::time::Instant;

/// A store is crowded when so many tenths of it are in use.
const CROWDED_TENTHS: u64 = 9;

/// Whether submissions are looked at.
#[derive(Default)]
pub struct Pressure(AtomicBool);

impl Pressure {
    /// An allocation found no room.
    pub fn rise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether one did, and nobody has seen since that it is over.
    #[inline]
    pub fn is_high(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Runtime {
    /// Makes a driver wait before it submits a task, for a bounded time, while the store is crowded and may become less so.
    #[cold]
    pub(super) fn hold_submission(&'static self) {
        if worker::here().is_some() || context::in_task() {
            return;
        }
        let deadline = Instant::now() + self.config.store_wait;
        let _in_words = self.room.wait_in_words("a driver waits with a task until the store is less full".to_string());
        while self.is_crowded() && self.has_tasks() && Instant::now() < deadline {
            let waited = self.wait_for_room(deadline, |event| {
                if !self.is_crowded() {
                    event.clone().ready();
                }
            });
            if waited.is_err() {
                break;
            }
        }
        // Who submits next is not made to wait for the same again.
        self.pressure.0.store(false, Ordering::Relaxed);
    }

    /// Whether the store is nearly full and nothing can leave it.
    fn is_crowded(&'static self) -> bool {
        self.arena().is_some_and(|arena| arena.used_bytes() * 10 >= arena.bytes() * CROWDED_TENTHS) && !self.can_shed()
    }

    /// Whether tasks are queued, run, or wait, here or elsewhere on this rank's behalf.
    fn has_tasks(&self) -> bool {
        self.queues.has_any()
            || self.queues.starved() > 0
            || self.blocked.load(Ordering::Relaxed) > 0
            || self.idle.count() < self.workers().len()
            || self.protocol.away.any()
    }
}
