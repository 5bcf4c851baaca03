//! The watch over workers whose thread is held up by a task: work that has its resources never waits for a thread.
//!
//! Who queues work while no worker sleeps asks for the watch. The progress thread then looks every few milliseconds; when
//! there is work, and no worker began a task since the last look, and the host has CPUs for it, it starts one more.

use crate::base::clock;
use crate::base::limits::WORKERS_MAX;
use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::runtime::{Runtime, worker};
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Looks in a row that saw no task begin before a worker is started, where every worker's thread is blocked.
const LOOKS: u32 = 2;

/// The same where one computes: it may just have lost its core, and a thread more would only share the core.
const LOOKS_COMPUTING: u32 = 20;

/// The state of the watch.
#[derive(Default)]
pub struct Watch {
    wanted: AtomicBool,
    /// Tasks begun at the last look.
    begun: AtomicU64,
    /// When it was, ns.
    looked_ns: AtomicU64,
    /// Looks since then that saw no other begin.
    still: AtomicU32,
}

impl Runtime {
    /// Work was queued while no worker sleeps.
    #[inline]
    pub fn ask_for_watch(&self) {
        if !self.watch.wanted.load(Ordering::Relaxed) {
            self.watch.wanted.store(true, Ordering::Relaxed);
            self.roads.bell.ring();
        }
    }

    /// Looks after the workers; returns when to look again, where the watch goes on. Only the progress thread calls it.
    pub fn watch_workers(&'static self) -> Option<Duration> {
        if !self.watch.wanted.load(Ordering::Relaxed) {
            return None;
        }
        let now_ns = clock::now_ns();
        let since = Duration::from_nanos(now_ns - self.watch.looked_ns.load(Ordering::Relaxed));
        if since < LOOK {
            // The progress thread comes by for other reasons too.
            return Some(LOOK - since);
        }
        self.watch.looked_ns.store(now_ns, Ordering::Relaxed);
        let workers = self.workers();
        let waiting = self.queues.has_any() || workers.iter().any(|worker| !worker.stealer.is_empty());
        let begun: u64 = workers.iter().map(|worker| worker.began.load(Ordering::Relaxed)).sum();
        let moved = self.watch.begun.swap(begun, Ordering::Relaxed) != begun;
        let still = if moved { 0 } else { self.watch.still.load(Ordering::Relaxed) + 1 };
        self.watch.still.store(still, Ordering::Relaxed);
        if !waiting {
            self.watch.wanted.store(false, Ordering::Relaxed);
            return None;
        }
        if still >= LOOKS
            && (still >= LOOKS_COMPUTING || workers.iter().all(|worker| worker.is_blocked()))
            && !self.idle.any()
            && workers.len() < WORKERS_MAX
            && self.can_start_something()
        {
            self.watch.still.store(0, Ordering::Relaxed);
            match worker::spawn(self, workers.len()) {
                Ok(shared) => self.add_worker(shared),
                Err(error) => say(Level::Warn, || error.to_string()),
            }
        }
        Some(LOOK)
    }

    /// Whether a worker more would find something that it has the resources for: actors' calls, or a free CPU.
    fn can_start_something(&self) -> bool {
        self.table.free_cpu() > 0 || self.queues.has_light()
    }
}
