//! Wakes a rank when there is something for it, and costs its senders nothing while it looks by itself.
//!
//! The word `asleep` says that no thread of the rank looks at its roads: who sends then rings. It has a cache line of its
//! own, which stays in every sender's cache while the rank is busy: sending costs neither a fence nor a miss for it.
//!
//! ```text
//!   sender                                  receiver, having found nothing
//!   S1  publish the message                 R1  asleep = 1            (lie_down)
//!   S2  asleep == 0 ? done                  R2  fence
//!   S3  rung += 1                           R3  seen = rung
//!   S4  sleepers == 0 ? done : futex wake   R4  look once more
//!                                           R5  sleepers += 1
//!                                           R6  futex wait while rung == seen, for a while
//! ```
//!
//! S1 and S2 are not fenced: the load may go before the store is visible, read 0, and R4 still find nothing. A store buffer
//! drains within the time of a few cache misses, so the receiver's first sleep is short ([`FIRST_SLEEP`]) and it looks once
//! more after it; from then on S1 has long been visible, and every later S2 reads 1. So a wake-up is late by `FIRST_SLEEP`
//! at most, never lost. (A fence in each send instead costs a cache miss a message; see docs/performance.md.)
//!
//! When S2 reads 1: if R3 read `rung` after S3, R4 sees the message. Otherwise `rung` differs from `seen` from S3 on. Fences
//! stand between S3 and S4 and between R5 and R6: either R6 sees S3 and does not wait, or S4 sees R5 and wakes it, for the
//! kernel compares and queues under the lock that a wake takes. (`bell/loom.rs` runs this part in every order.)
//!
//! `rung` would have to come round all 2^32 values between R3 and R6 to be mistaken. A sender that dies between S1 and S3
//! leaves a message that is found at the next wake-up of any cause, which is why every sleep ends after a while.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicU32, Ordering, fence};
use crate::memory::segment::{Segment, Shared};
#[cfg(not(loom))]
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// How long a receiver sleeps first after it lay down: far more than a store takes to become visible.
pub const FIRST_SLEEP: Duration = Duration::from_millis(1);

/// The words that sender and receiver share, on cache lines of their own.
///
/// ```text
///   0        4            128    132          256
///   | asleep |  unused     | rung | sleepers | |
/// ```
#[repr(C, align(128))]
#[derive(Default)]
struct Words {
    asleep: AtomicU32,
    _line: [u32; 31],
    rung: AtomicU32,
    sleepers: AtomicU32,
    #[cfg(loom)]
    bed: loom::Bed,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Words>() == 256 && size_of::<Words>() == Bell::BYTES);

// SAFETY: atomics of integers, and padding that is never read.
unsafe impl Shared for Words {}

enum Home {
    Private(Box<Words>),
    Shared { segment: Arc<Segment>, offset: usize },
}

/// A wake-up word, in this process alone or in a segment that its senders map.
pub struct Bell {
    home: Home,
}

impl Bell {
    /// Bytes that a bell takes in a segment, at a multiple of as many.
    pub const BYTES: usize = 256;

    /// A bell for threads of this process.
    pub fn private() -> Bell {
        Bell { home: Home::Private(Box::default()) }
    }

    /// The bell at `offset` of a segment; zeros there are a bell of a rank that is awake.
    ///
    /// # Panics
    /// Where the offset is not within the segment or not a multiple of [`Bell::BYTES`].
    pub fn shared(segment: Arc<Segment>, offset: usize) -> Bell {
        let _checked: &Words = segment.view(offset);
        Bell { home: Home::Shared { segment, offset } }
    }

    fn words(&self) -> &Words {
        match &self.home {
            Home::Private(words) => words,
            Home::Shared { segment, offset } => segment.view(*offset),
        }
    }

    /// A thread of the rank looks at the roads: senders need not ring. Wakes who watches over the roads, so that it notices
    /// when the thread stops looking.
    pub fn look(&self) {
        if self.is_asleep() {
            self.words().asleep.store(0, Ordering::Relaxed);
            self.ring();
        }
    }

    /// No thread of the rank looks from now on. The caller reads [`Bell::rung`], looks once more, and then may sleep.
    pub fn lie_down(&self) {
        self.words().asleep.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether senders ring.
    pub fn is_asleep(&self) -> bool {
        self.words().asleep.load(Ordering::Relaxed) != 0
    }

    /// Rings where no thread of the rank looks; after publishing a message. No system call unless a thread sleeps.
    pub fn notify(&self) {
        if self.is_asleep() {
            self.ring();
        }
    }

    /// Ends every sleep that began with an earlier [`Bell::rung`].
    pub fn ring(&self) {
        let words = self.words();
        // Release: pairs with the Acquire in `rung`.
        words.rung.fetch_add(1, Ordering::Release);
        // Its partner is the fence in `sleep`.
        fence(Ordering::SeqCst);
        if words.sleepers.load(Ordering::Relaxed) != 0 {
            self.wake();
        }
    }

    /// How often it has rung, modulo 2^32.
    pub fn rung(&self) -> u32 {
        // Acquire: pairs with the increment in `ring` (R3, S3).
        self.words().rung.load(Ordering::Acquire)
    }

    /// Sleeps while `rung` is `seen`, at most for `timeout`. May return early.
    pub fn sleep(&self, seen: u32, timeout: Option<Duration>) {
        let words = self.words();
        words.sleepers.fetch_add(1, Ordering::Relaxed);
        // Its partner is the fence in `ring`: one of the two sees what the other wrote before it.
        fence(Ordering::SeqCst);
        if words.rung.load(Ordering::Relaxed) == seen {
            self.wait(seen, timeout);
        }
        words.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    #[cfg(not(loom))]
    fn wait(&self, seen: u32, timeout: Option<Duration>) {
        self.futex(libc::FUTEX_WAIT, seen, timeout);
    }

    #[cfg(not(loom))]
    fn wake(&self) {
        self.futex(libc::FUTEX_WAKE, i32::MAX as u32, None);
    }

    /// What the kernel answers is of no use: a wait that ended early and one that was woken are the same to callers.
    #[cfg(not(loom))]
    fn futex(&self, operation: i32, value: u32, timeout: Option<Duration>) {
        let scope = if matches!(self.home, Home::Private(_)) { libc::FUTEX_PRIVATE_FLAG } else { 0 };
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs().min(i32::MAX as u64) as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the word is in memory that `self` keeps mapped, the time outlives the call.
        unsafe { libc::syscall(libc::SYS_futex, self.words().rung.as_ptr(), operation | scope, value, timeout) };
    }
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Bell(rung {})", self.rung())
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

    fn both_kinds() -> Vec<(Arc<Bell>, Arc<Bell>)> {
        let private = Arc::new(Bell::private());
        let made = Arc::new(Segment::create("test", 4096, Pages::Plain).expect("made"));
        let opened = Arc::new(Segment::open(&made.card(), Access::Write).expect("opened"));
        let shared = (Arc::new(Bell::shared(made, 256)), Arc::new(Bell::shared(opened, 256)));
        vec![(private.clone(), private), shared]
    }

    #[test]
    fn it_rings_only_when_nobody_looks() {
        for (sender, receiver) in both_kinds() {
            sender.notify();
            assert_eq!(receiver.rung(), 0);
            receiver.lie_down();
            sender.notify();
            assert_eq!(receiver.rung(), 1);
            receiver.sleep(0, None);
            receiver.look();
            assert_eq!(receiver.rung(), 2, "who watches over the roads is woken");
            sender.notify();
            receiver.look();
            assert_eq!(receiver.rung(), 2);
            sender.ring();
            assert_eq!(receiver.rung(), 3);
        }
    }

    #[test]
    fn a_sleep_ends_with_its_time() {
        let bell = Bell::private();
        bell.sleep(bell.rung(), Some(Duration::from_millis(1)));
    }

    /// Every value is published before a notify; the receiver sleeps as it should and must see the last one.
    #[test]
    fn no_wake_up_is_lost() {
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
                            receiver.look();
                            continue;
                        }
                        receiver.lie_down();
                        let seen = receiver.rung();
                        if published.load(Ordering::Acquire) == done {
                            // The second sleep has no end of its own: only a ring ends it.
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
