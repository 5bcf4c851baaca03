//! Which workers sleep, and how they are woken without a lost wake-up.
//!
//! A worker that found nothing sets its bit, fences, checks every queue once more, and parks. A thread that adds work
//! first makes it visible, then fences, then reads the bits. With both fences sequentially consistent, one of the two
//! sees the other: either the worker finds the work in its last check, or the bit is seen and the worker unparked.

use crate::base::limits::WORKERS_MAX;
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering, fence};

const WORDS: usize = WORKERS_MAX.div_ceil(64);

/// The sleeping workers of a rank.
pub struct IdleWorkers {
    /// How many bits are set, so that a busy rank reads one word. Incremented before a bit is set and decremented after
    /// it was cleared, so that it is never too low: a reader of 0 misses no worker.
    asleep: AtomicUsize,
    bits: [AtomicU64; WORDS],
}

impl IdleWorkers {
    /// No worker sleeps.
    pub fn new() -> IdleWorkers {
        IdleWorkers { asleep: AtomicUsize::new(0), bits: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Worker `index` is about to park. It must check for work once more before it does.
    pub fn announce(&self, index: usize) {
        self.asleep.fetch_add(1, Ordering::Relaxed);
        // Release: a thread that sees the bit sees the count too, and does not decrement it before it was incremented.
        self.bits[index / 64].fetch_or(1 << (index % 64), Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Worker `index` does not park after all, or is awake again; false if another thread had already removed it.
    pub fn withdraw(&self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        let was = self.bits[index / 64].fetch_and(!bit, Ordering::AcqRel) & bit != 0;
        if was {
            self.asleep.fetch_sub(1, Ordering::Relaxed);
        }
        was
    }

    /// Work became visible: removes and returns the worker to unpark, if one sleeps.
    #[inline]
    pub fn wake_one(&self) -> Option<usize> {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) == 0 { None } else { self.remove_one() }
    }

    fn remove_one(&self) -> Option<usize> {
        for (word, bits) in self.bits.iter().enumerate() {
            let mut seen = bits.load(Ordering::Relaxed);
            while seen != 0 {
                let index = word * 64 + seen.trailing_zeros() as usize;
                if self.withdraw(index) {
                    return Some(index);
                }
                seen &= seen - 1;
            }
        }
        None
    }

    /// How many sleep.
    pub fn count(&self) -> usize {
        self.asleep.load(Ordering::Relaxed)
    }

    /// Returns true if any worker sleeps.
    pub fn any(&self) -> bool {
        self.asleep.load(Ordering::Relaxed) > 0
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_worker_is_woken_once() {
        let idle = IdleWorkers::new();
        assert_eq!(idle.wake_one(), None);
        idle.announce(70);
        idle.announce(3);
        assert_eq!((idle.wake_one(), idle.wake_one(), idle.wake_one()), (Some(3), Some(70), None));
        assert!(!idle.withdraw(3) && !idle.any());
    }
}
