//! Whether a message shares a page with the next ones to its peer, or is handed to MPI at once.
//!
//! A single message is sent at once, also if it is the first one since a message came: others may wait for it. It
//! waits for the end of a poll that its own thread makes (a result that is found while messages are handled), and for
//! the next poll if another message went just before it and some thread polls. Its own thread sends it by its next
//! poll, which a thread makes when it begins to wait; others once the oldest message that waits is older than a burst,
//! whatever was sent since. If all threads compute, the progress thread polls within about a millisecond.

use crate::base::clock::now_ns;
use crate::base::sync::{AtomicBool, AtomicU64, Ordering};
use std::cell::Cell;

/// A message that follows another within this time may share.
const BURST_NS: u64 = 10_000;

/// A thread polls if one has polled within this time.
const POLLED_NS: u64 = 100_000;

thread_local! {
    static POLLS_HERE: Cell<bool> = const { Cell::new(false) };
    /// A message of this thread shares a page that no poll of this thread has sent.
    static SHARED_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as the polling one, until dropped.
pub struct PollsHere;

impl Drop for PollsHere {
    fn drop(&mut self) {
        POLLS_HERE.set(false);
    }
}

/// When a rank last sent and polled, in nanoseconds of the clock.
#[derive(Default)]
pub struct Sharing {
    sent_ns: AtomicU64,
    polled_ns: AtomicU64,
    /// When the oldest message that shares a page was sent.
    oldest_ns: AtomicU64,
    /// A message was sent since one came.
    has_sent: AtomicBool,
}

impl Sharing {
    /// The calling thread begins a poll.
    pub fn begin_poll(&self) -> PollsHere {
        self.polled_ns.store(now_ns(), Ordering::Relaxed);
        POLLS_HERE.set(true);
        PollsHere
    }

    /// Messages came.
    pub fn on_received(&self) {
        self.has_sent.store(false, Ordering::Relaxed);
    }

    /// A message is being sent; true if it may share: a poll sends it soon.
    pub fn may_share(&self) -> bool {
        let may_share = POLLS_HERE.get() || self.is_in_burst();
        if may_share {
            SHARED_HERE.set(true);
        }
        may_share
    }

    fn is_in_burst(&self) -> bool {
        let now = now_ns();
        // Threads that send at the same time: either of them may be the first, and either time will do.
        let is_first = !self.has_sent.load(Ordering::Relaxed);
        self.has_sent.store(true, Ordering::Relaxed);
        let before = self.sent_ns.load(Ordering::Relaxed);
        self.sent_ns.store(now, Ordering::Relaxed);
        !is_first
            && now.saturating_sub(before) < BURST_NS
            && now.saturating_sub(self.polled_ns.load(Ordering::Relaxed)) < POLLED_NS
    }

    /// The first message since all were sent shares a page.
    pub fn on_first_shared(&self) {
        self.oldest_ns.store(now_ns(), Ordering::Relaxed);
    }

    /// True if this thread's poll is to send what shares pages.
    pub fn is_due(&self) -> bool {
        SHARED_HERE.take() || self.is_overdue()
    }

    /// True if what shares pages is to be sent by whichever thread polls.
    pub fn is_overdue(&self) -> bool {
        now_ns().saturating_sub(self.oldest_ns.load(Ordering::Relaxed)) > BURST_NS
    }
}
