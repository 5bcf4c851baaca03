//! The watch over workers whose thread is blocked by a task: work that has its resources never waits for a thread.
//!
//! A thread that queues work while no worker sleeps requests the watch. The progress thread then checks every few
//! milliseconds; when there is work, and no worker began a task since the last check, and the host has CPUs for it, it
//! starts one more worker.

use crate::base::clock;
use crate::base::limits::WORKERS_MAX;
use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::runtime::Runtime;
use crate::runtime::workers::part::Workers;
use crate::runtime::workers::worker;
use std::time::Duration;

/// The time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Consecutive checks without a task that began before a worker is started, if every worker's thread is blocked.
const CHECKS_BLOCKED: u32 = 2;

/// The same if one computes: it may just have lost its core, and one more thread would only share the core.
const CHECKS_COMPUTING: u32 = 20;

/// The state of the watch.
#[derive(Default)]
pub struct WorkerWatch {
    is_requested: AtomicBool,
    /// Tasks begun at the last check.
    begun: AtomicU64,
    /// The time of the last check, ns.
    checked_ns: AtomicU64,
    /// Consecutive checks without a task that began.
    still: AtomicU32,
}

impl Workers {
    /// Requests the watch: work was queued while no worker sleeps.
    #[inline]
    pub(super) fn request_watch(&self) {
        if !self.watch.is_requested.load(Ordering::Relaxed) {
            self.watch.is_requested.store(true, Ordering::Relaxed);
            self.doorbell.notify_always();
        }
    }
}

/// Checks the workers; returns when to check again, if the watch continues. Only the progress thread calls it.
pub fn watch_workers(runtime: &'static Runtime) -> Option<Duration> {
    let watch = &runtime.workers.watch;
    if !watch.is_requested.load(Ordering::Relaxed) {
        return None;
    }
    let now_ns = clock::now_ns();
    let since = Duration::from_nanos(now_ns - watch.checked_ns.load(Ordering::Relaxed));
    if since < CHECK_INTERVAL {
        // The progress thread wakes up for other reasons too.
        return Some(CHECK_INTERVAL - since);
    }
    watch.checked_ns.store(now_ns, Ordering::Relaxed);
    let workers = runtime.workers.list();
    let waiting = runtime.workers.has_work();
    let begun = runtime.workers.begun();
    let moved = watch.begun.swap(begun, Ordering::Relaxed) != begun;
    let still = if moved { 0 } else { watch.still.load(Ordering::Relaxed) + 1 };
    watch.still.store(still, Ordering::Relaxed);
    if !waiting {
        watch.is_requested.store(false, Ordering::Relaxed);
        return None;
    }
    if still >= CHECKS_BLOCKED
        && (still >= CHECKS_COMPUTING || workers.iter().all(|worker| worker.is_blocked()))
        && !runtime.workers.idle.any()
        && workers.len() < WORKERS_MAX
        && has_startable_work(runtime)
    {
        watch.still.store(0, Ordering::Relaxed);
        match worker::spawn(runtime, workers.len()) {
            Ok(shared) => runtime.workers.add(shared),
            Err(error) => log(Level::Warn, || error.to_string()),
        }
    }
    Some(CHECK_INTERVAL)
}

/// True if one more worker would find work that has its resources: actors' calls, or a free CPU.
fn has_startable_work(runtime: &Runtime) -> bool {
    runtime.resources.table.free_cpu() > 0 || !runtime.workers.queues.zero_cpu.is_empty()
}
