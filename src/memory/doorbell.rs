//! Wakes a rank when a message has arrived, and costs its senders nothing while the rank polls by itself.
//!
//! The word `asleep` is 1 while no thread of the rank polls its transports: a sender then notifies the rank. `asleep`
//! has a cache line of its own, which stays in every sender's cache while the rank is busy: sending costs neither a
//! fence nor a cache miss for it.
//!
//! ```text
//!   sender                                  receiver, having found nothing
//!   S1  publish the message                 R1  asleep = 1            (set_asleep)
//!   S2  asleep == 0 ? done                  R2  fence
//!   S3  notified += 1                       R3  seen = notified
//!   S4  sleepers == 0 ? done : futex wake   R4  poll once more
//!                                           R5  sleepers += 1
//!                                           R6  futex wait while notified == seen, for a while
//! ```
//!
//! S1 and S2 are not fenced: the load of S2 may read 0 before the store of S1 is visible, and R4 still find nothing. A
//! store buffer drains within the time of a few cache misses, so the receiver's first sleep is short ([`FIRST_SLEEP`])
//! and it polls once more after it; from then on S1 has long been visible, and every later S2 reads 1. So a wake-up is
//! late by `FIRST_SLEEP` at most, never lost. (A fence in each send instead costs a cache miss a message; see
//! docs/performance.md.)
//!
//! When S2 reads 1: if R3 read `notified` after S3, R4 sees the message. Otherwise `notified` differs from `seen` from
//! S3 on. Fences stand between S3 and S4 and between R5 and R6: either R6 sees S3 and does not wait, or S4 sees R5 and
//! wakes the receiver, for the kernel compares and queues under the lock that a wake takes. (`doorbell/loom.rs` runs
//! this part in every order.)
//!
//! Only if `notified` went through all 2^32 values between R3 and R6 would the receiver miss a notification. A sender
//! that dies between S1 and S3 leaves a message that is found at the next wake-up of any cause, which is why every
//! sleep ends after a while.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicU32, Ordering, fence};
use crate::memory::segment::{Segment, Shared};
#[cfg(not(loom))]
use std::ptr;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

/// The time-out of a receiver's first sleep after `set_asleep`: far longer than a store takes to become visible.
pub const FIRST_SLEEP: Duration = Duration::from_millis(1);

/// The words that sender and receiver share, on cache lines of their own.
///
/// ```text
///   0        4            128        132          256
///   | asleep |  unused     | notified | sleepers | |
/// ```
#[repr(C, align(128))]
#[derive(Default)]
struct DoorbellState {
    asleep: AtomicU32,
    _line: [u32; 31],
    notified: AtomicU32,
    sleepers: AtomicU32,
    #[cfg(loom)]
    wait_queue: loom::WaitQueue,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<DoorbellState>() == 256 && size_of::<DoorbellState>() == Doorbell::BYTES);

// SAFETY: atomics of integers, and padding that is never read.
unsafe impl Shared for DoorbellState {}

enum Storage {
    Private { _state: Arc<DoorbellState> },
    Shared { _segment: Arc<Segment> },
}

/// A wake-up counter, in this process alone or in a segment that its senders map.
pub struct Doorbell {
    /// Into `storage`, which neither moves nor ends before this.
    state: NonNull<DoorbellState>,
    storage: Storage,
}

// SAFETY: `state` points to atomics in `storage`, which may be used from any thread.
unsafe impl Send for Doorbell {}
// SAFETY: as above.
unsafe impl Sync for Doorbell {}

impl Doorbell {
    /// Bytes that a doorbell takes in a segment; its offset is a multiple of this.
    pub const BYTES: usize = 256;

    /// A doorbell for threads of this process.
    pub fn private() -> Doorbell {
        let state: Arc<DoorbellState> = Arc::default();
        Doorbell { state: NonNull::from(&*state), storage: Storage::Private { _state: state } }
    }

    /// The doorbell at `offset` of a segment; zeros there are the doorbell of a rank that is awake.
    ///
    /// # Panics
    /// Where the offset is not within the segment or not a multiple of [`Doorbell::BYTES`].
    pub fn shared(segment: Arc<Segment>, offset: usize) -> Doorbell {
        let state = NonNull::from(segment.view::<DoorbellState>(offset));
        Doorbell { state, storage: Storage::Shared { _segment: segment } }
    }

    #[inline]
    fn state(&self) -> &DoorbellState {
        // SAFETY: it points into `storage`: memory of its own, or a segment that checked it. Both live as long as
        // `self`, and the state is atomics alone.
        unsafe { self.state.as_ref() }
    }

    /// A thread of the rank polls the transports: senders need not notify it. Wakes the thread that watches over the
    /// transports, so that it detects when the polling thread stops.
    #[inline]
    pub fn set_awake(&self) {
        if self.is_asleep() {
            self.state().asleep.store(0, Ordering::Relaxed);
            self.notify_always();
        }
    }

    /// No thread of the rank polls from now on. The caller reads [`Doorbell::notified`], polls once more, and may then
    /// sleep.
    pub fn set_asleep(&self) {
        self.state().asleep.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// True if no thread of the rank polls, so that senders must notify it.
    #[inline]
    pub fn is_asleep(&self) -> bool {
        self.state().asleep.load(Ordering::Relaxed) != 0
    }

    /// Called after a message is published: notifies the rank if none of its threads polls. No system call unless a
    /// thread sleeps.
    #[inline]
    pub fn notify(&self) {
        if self.is_asleep() {
            self.notify_always();
        }
    }

    /// Ends every sleep that began with an earlier [`Doorbell::notified`].
    pub fn notify_always(&self) {
        let state = self.state();
        // Release: pairs with the Acquire in `notified`.
        state.notified.fetch_add(1, Ordering::Release);
        // Its partner is the fence in `sleep`.
        fence(Ordering::SeqCst);
        if state.sleepers.load(Ordering::Relaxed) != 0 {
            self.wake();
        }
    }

    /// The number of notifications, modulo 2^32.
    pub fn notified(&self) -> u32 {
        // Acquire: pairs with the increment in `notify_always` (R3, S3).
        self.state().notified.load(Ordering::Acquire)
    }

    /// Sleeps while `notified` is `seen`, at most for `timeout`. May return early.
    pub fn sleep(&self, seen: u32, timeout: Option<Duration>) {
        let state = self.state();
        state.sleepers.fetch_add(1, Ordering::Relaxed);
        // Its partner is the fence in `notify_always`: one of the two sees what the other wrote before it.
        fence(Ordering::SeqCst);
        if state.notified.load(Ordering::Relaxed) == seen {
            self.wait(seen, timeout);
        }
        state.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    #[cfg(not(loom))]
    fn wait(&self, seen: u32, timeout: Option<Duration>) {
        self.futex(libc::FUTEX_WAIT, seen, timeout);
    }

    #[cfg(not(loom))]
    fn wake(&self) {
        self.futex(libc::FUTEX_WAKE, i32::MAX as u32, None);
    }

    /// The kernel's result is of no use: a wait that ended early and one that was woken are the same to callers.
    #[cfg(not(loom))]
    fn futex(&self, operation: i32, value: u32, timeout: Option<Duration>) {
        let scope = if matches!(self.storage, Storage::Private { .. }) { libc::FUTEX_PRIVATE_FLAG } else { 0 };
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs().min(i32::MAX as u64) as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the word is in memory that `self` keeps mapped, and the time-out is valid during the call.
        unsafe { libc::syscall(libc::SYS_futex, self.state().notified.as_ptr(), operation | scope, value, timeout) };
    }
}

impl std::fmt::Debug for Doorbell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Doorbell(notified {})", self.notified())
    }
}

#[cfg(loom)]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::memory::segment::Access;
    use std::sync::atomic::AtomicU64;

    fn both_kinds() -> Vec<(Arc<Doorbell>, Arc<Doorbell>)> {
        let private = Arc::new(Doorbell::private());
        let created = Arc::new(Segment::create("test", 4096, Pages::Plain).expect("created"));
        let opened = Arc::new(Segment::open(&created.handle(), Access::Write).expect("opened"));
        let shared = (Arc::new(Doorbell::shared(created, 256)), Arc::new(Doorbell::shared(opened, 256)));
        vec![(private.clone(), private), shared]
    }

    #[test]
    fn notify_of_awake_rank_does_nothing_and_of_sleeping_rank_wakes_it() {
        for (sender, receiver) in both_kinds() {
            sender.notify();
            assert_eq!(receiver.notified(), 0);
            receiver.set_asleep();
            sender.notify();
            assert_eq!(receiver.notified(), 1);
            receiver.sleep(0, None);
            receiver.set_awake();
            assert_eq!(receiver.notified(), 2, "the thread that watches over the transports is woken");
            sender.notify();
            receiver.set_awake();
            assert_eq!(receiver.notified(), 2);
            sender.notify_always();
            assert_eq!(receiver.notified(), 3);
        }
    }

    #[test]
    fn sleep_without_notification_ends_at_its_timeout() {
        let doorbell = Doorbell::private();
        doorbell.sleep(doorbell.notified(), Some(Duration::from_millis(1)));
    }

    /// Every value is published before a notify; the receiver sleeps by the protocol and must see the last value.
    #[test]
    fn stream_of_notifications_loses_no_wake_up() {
        const MESSAGES: u64 = 20_000;
        for (sender, receiver) in both_kinds() {
            let published = Arc::new(AtomicU64::new(0));
            let taken = Arc::new(AtomicU64::new(0));
            let consumer = std::thread::spawn({
                let (published, taken) = (published.clone(), taken.clone());
                move || {
                    let mut done = 0;
                    let mut slept = false;
                    while done < MESSAGES {
                        let found = published.load(Ordering::Acquire);
                        if found > done {
                            done = found;
                            taken.store(done, Ordering::Release);
                            slept = false;
                            receiver.set_awake();
                            continue;
                        }
                        receiver.set_asleep();
                        let seen = receiver.notified();
                        if published.load(Ordering::Acquire) == done {
                            // The second sleep has no time-out: only a notification ends it.
                            receiver.sleep(seen, if slept { None } else { Some(FIRST_SLEEP) });
                            slept = true;
                        }
                    }
                }
            });
            for message in 1..=MESSAGES {
                published.store(message, Ordering::Release);
                sender.notify();
                if message % 16 == 0 {
                    while taken.load(Ordering::Acquire) < message {
                        std::thread::yield_now();
                    }
                }
            }
            consumer.join().expect("it saw them all");
        }
    }
}
