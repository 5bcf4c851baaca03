//! Which workers sleep, and how they are woken without being missed.
//!
//! A worker that found nothing sets its bit, fences, looks at every queue once more, and parks. Who makes work available
//! first makes it visible, then fences, then reads the bits. With both fences sequentially consistent, one of the two
//! sees the other: either the worker finds the work in its last look, or the bit is seen and the worker unparked.

use crate::base::limits::WORKERS_MAX;
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering, fence};

const WORDS: usize = WORKERS_MAX.div_ceil(64);

/// The sleeping workers of a rank.
pub struct Idle {
    /// How many bits are set, so that a busy rank reads one word. Counted before a bit is set and after it was cleared, so that
    /// it is never too low: who reads 0 misses nobody.
    asleep: AtomicUsize,
    bits: [AtomicU64; WORDS],
}

impl Idle {
    /// Nobody sleeps.
    pub fn new() -> Idle {
        Idle { asleep: AtomicUsize::new(0), bits: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Worker `index` is about to park. It must look for work once more before it does.
    pub fn announce(&self, index: usize) {
        self.asleep.fetch_add(1, Ordering::Relaxed);
        // Release: whoever sees the bit has the count too, and does not take one from it that was not added yet.
        self.bits[index / 64].fetch_or(1 << (index % 64), Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Worker `index` does not park after all, or is awake again; false where somebody had already taken it out.
    pub fn withdraw(&self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        let was = self.bits[index / 64].fetch_and(!bit, Ordering::AcqRel) & bit != 0;
        if was {
            self.asleep.fetch_sub(1, Ordering::Relaxed);
        }
        was
    }

    /// Work became visible: the worker to unpark, where one sleeps. It is taken out.
    pub fn rouse(&self) -> Option<usize> {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) == 0 {
            return None;
        }
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

    /// Whether anybody sleeps.
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
    fn a_worker_is_roused_once() {
        let idle = Idle::new();
        assert_eq!(idle.rouse(), None);
        idle.announce(70);
        idle.announce(3);
        assert_eq!((idle.rouse(), idle.rouse(), idle.rouse()), (Some(3), Some(70), None));
        assert!(!idle.withdraw(3) && !idle.any());
    }
}
