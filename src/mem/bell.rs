//! Wakes sleeping threads of a process when there is something for it, and costs a sender no system call otherwise.
//!
//! A receiver's threads are *polling* (they look again before they sleep) or not: asleep, or at work elsewhere. A
//! sender rings only when nobody polls.
//!
//! ```text
//!   sender                                  receiver, having found nothing while polling
//!   S1  publish the message                 R1  pollers -= 1          (end_polling)
//!   S2  fence                               R2  fence
//!   S3  pollers == 0 ? else done            R3  seen = rung
//!   S4  rung += 1                           R4  look once more: found ? begin_polling, handle it
//!   S5  sleepers == 0 ? done : futex wake   R5  sleepers += 1
//!                                           R6  futex wait while rung == seen
//!                                           R7  sleepers -= 1, begin_polling
//! ```
//!
//! No wake-up is lost. Suppose the last receiver sleeps for ever at R6 beside a message published at S1.
//! - S3 saw a poller: that poller's R1 comes after S3. So the fence S2 precedes the fence R2 in the one order of all
//!   SeqCst fences, and R4 sees what S1 wrote: it does not go to sleep. A contradiction.
//! - S3 saw none, so S4 happened. If R3 reads the value after S4, it reads what S4 released, S1 included, and R4 sees
//!   the message. So R3 read the value before S4, and `rung` differs from `seen` from S4 on. If R6 looked at `rung`
//!   after S4, it did not wait. If before, then R5 precedes S4, both SeqCst, and S5 sees the sleeper and wakes it: the
//!   kernel compares and queues under the same lock that a wake takes. A contradiction.
//!
//! `rung` would have to come round all 2^32 values between R3 and R6 to be mistaken. A process that dies leaves counts
//! that only its own threads rely on; a sender that dies between S1 and S4 leaves a message that is found at the next
//! wake-up of any cause, which is why sleeps that wait for peers take a timeout.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicU32, Ordering, fence};
use crate::mem::segment::{Segment, Shared};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// The words that sender and receiver share, on cache lines of their own.
///
/// ```text
///   0         4      8          12                              128
///   | pollers | rung | sleepers |  unused                        |
/// ```
#[repr(C, align(128))]
#[derive(Default)]
struct Words {
    pollers: AtomicU32,
    rung: AtomicU32,
    sleepers: AtomicU32,
}

const _: () = assert!(size_of::<Words>() == 128 && size_of::<Words>() == Bell::BYTES);

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
    pub const BYTES: usize = 128;

    /// A bell for threads of this process.
    pub fn private() -> Bell {
        Bell { home: Home::Private(Box::default()) }
    }

    /// The bell at `offset` of a segment; zeros there are a bell that nobody polls.
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

    /// This thread looks for messages from now on, and once more after [`Bell::end_polling`].
    pub fn begin_polling(&self) {
        self.words().pollers.fetch_add(1, Ordering::Relaxed);
    }

    /// This thread no longer looks. The caller reads [`Bell::rung`], looks once more, and then may sleep.
    pub fn end_polling(&self) {
        let before = self.words().pollers.fetch_sub(1, Ordering::Relaxed);
        debug_assert_ne!(before, 0, "end_polling without begin_polling");
        // Pairs with the fence in `notify` (R2, S2).
        fence(Ordering::SeqCst);
    }

    /// Rings unless a thread polls; after publishing a message. No system call unless a thread sleeps.
    pub fn notify(&self) {
        // Pairs with the fence in `end_polling` (S2, R2).
        fence(Ordering::SeqCst);
        if self.words().pollers.load(Ordering::Relaxed) == 0 {
            self.ring();
        }
    }

    /// Ends every sleep that began with an earlier [`Bell::rung`].
    pub fn ring(&self) {
        let words = self.words();
        // SeqCst: before the load of `sleepers` in the one order, as R5 is before R6. Its release half pairs with the
        // Acquire in `rung`.
        words.rung.fetch_add(1, Ordering::SeqCst);
        if words.sleepers.load(Ordering::SeqCst) != 0 {
            self.futex(libc::FUTEX_WAKE, i32::MAX as u32, None);
        }
    }

    /// How often it has rung, modulo 2^32.
    pub fn rung(&self) -> u32 {
        // Acquire: pairs with the increment in `ring` (R3, S4).
        self.words().rung.load(Ordering::Acquire)
    }

    /// Sleeps while `rung` is `seen`, at most for `timeout`. May return early.
    pub fn sleep(&self, seen: u32, timeout: Option<Duration>) {
        let words = self.words();
        // SeqCst: before the kernel's look at `rung`, as the increment in `ring` is before its look at `sleepers`.
        words.sleepers.fetch_add(1, Ordering::SeqCst);
        if words.rung.load(Ordering::SeqCst) == seen {
            self.futex(libc::FUTEX_WAIT, seen, timeout);
        }
        words.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    /// What the kernel answers is of no use: a wait that ended early and one that was woken are the same to callers.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::mem::segment::Access;
    use std::sync::atomic::AtomicU64;

    fn both_kinds() -> Vec<(Arc<Bell>, Arc<Bell>)> {
        let private = Arc::new(Bell::private());
        let made = Arc::new(Segment::create("test", 4096, Pages::Plain).expect("made"));
        let opened = Arc::new(Segment::open(&made.card(), Access::Write).expect("opened"));
        let shared = (Arc::new(Bell::shared(made, 256)), Arc::new(Bell::shared(opened, 256)));
        vec![(private.clone(), private), shared]
    }

    #[test]
    fn it_rings_only_when_nobody_polls() {
        for (sender, receiver) in both_kinds() {
            receiver.begin_polling();
            sender.notify();
            assert_eq!(receiver.rung(), 0);
            receiver.end_polling();
            sender.notify();
            assert_eq!(receiver.rung(), 1);
            receiver.sleep(0, None);
            receiver.begin_polling();
            sender.ring();
            assert_eq!(receiver.rung(), 2);
        }
    }

    #[test]
    fn a_sleep_ends_with_its_time() {
        let bell = Bell::private();
        bell.sleep(bell.rung(), Some(Duration::from_millis(1)));
    }

    /// Every value is published before a notify; the receiver sleeps without a timeout and must see the last one.
    #[test]
    fn no_wake_up_is_lost() {
        const MESSAGES: u64 = 20_000;
        for (sender, receiver) in both_kinds() {
            let published = Arc::new(AtomicU64::new(0));
            let taken = Arc::new(AtomicU64::new(0));
            let consumer = std::thread::spawn({
                let (published, taken) = (published.clone(), taken.clone());
                move || {
                    receiver.begin_polling();
                    let mut done = 0;
                    while done < MESSAGES {
                        let found = published.load(Ordering::Acquire);
                        if found > done {
                            done = found;
                            taken.store(done, Ordering::Release);
                            continue;
                        }
                        receiver.end_polling();
                        let seen = receiver.rung();
                        if published.load(Ordering::Acquire) == done {
                            receiver.sleep(seen, None);
                        }
                        receiver.begin_polling();
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
