//! How often the transports are polled, and by which threads.

use crate::base::clock;
use crate::base::sync::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a rank that is busy with tasks polls transports that only a system call can check.
const POLL_INTERVAL_NS: u64 = 20_000;

/// The polls of a rank.
pub struct Polling {
    /// Counts polls by threads other than the progress thread.
    polls: AtomicU64,
    /// The time of the last poll, if there are transports that only a system call can check.
    polled_ns: AtomicU64,
    /// True if there are such transports.
    pub(super) needs_polling: bool,
    /// How long a waiting thread spins.
    pub spin: Duration,
}

impl Polling {
    /// None yet. `needs_polling` if there are transports that only a system call can check.
    pub(super) fn new(needs_polling: bool, spin: Duration) -> Polling {
        Polling { polls: AtomicU64::new(0), polled_ns: AtomicU64::new(0), needs_polling, spin }
    }

    /// How often threads other than the progress thread polled.
    pub fn count(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// A thread other than the progress thread polls.
    #[inline]
    pub(super) fn count_one(&self) {
        // Other threads may poll at the same time: it only matters that the number changes.
        self.polls.store(self.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// All transports were polled.
    #[inline]
    pub(super) fn on_polled(&self) {
        if self.needs_polling {
            self.polled_ns.store(clock::now_ns(), Ordering::Relaxed);
        }
    }

    /// True if transports that only a system call can check are to be polled again.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.needs_polling && clock::now_ns().saturating_sub(self.polled_ns.load(Ordering::Relaxed)) > POLL_INTERVAL_NS
    }
}
