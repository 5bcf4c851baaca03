//! A lock for the data path: let go by a plain store.
//!
//! A mutex is let go by an atomic exchange, which tells it whether to wake somebody. A processor finishes every store before
//! that first, and on the data path those are often to lines that another core has: the exchange waits for them, and nothing
//! else goes on meanwhile. (Most of the time of a send was found on that one instruction; see docs/performance.md.) This lock
//! wakes nobody: who waits looks again, spinning for a moment, then yielding, then after short sleeps. So it is for what is
//! held for the time of some lines of code.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, Ordering, UnsafeCell};
use std::ops::{Deref, DerefMut};

/// Data that one thread at a time reaches.
#[derive(Debug)]
pub struct Latch<T> {
    held: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached by the one holder alone, and goes from thread to thread as a whole.
unsafe impl<T: Send> Sync for Latch<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Latch<T> {}

/// Looks of who waits before it yields, and before it sleeps.
#[cfg(not(loom))]
const SPINS: u32 = 64;
#[cfg(not(loom))]
const YIELDS: u32 = 32;

impl<T: Default> Default for Latch<T> {
    fn default() -> Latch<T> {
        Latch::new(T::default())
    }
}

impl<T> Latch<T> {
    /// Around `data`.
    pub fn new(data: T) -> Latch<T> {
        Latch { held: AtomicBool::new(false), data: UnsafeCell::new(data) }
    }

    /// Waits until nobody else holds it.
    #[inline]
    pub fn lock(&self) -> Held<'_, T> {
        self.try_lock().unwrap_or_else(|| self.wait())
    }

    /// Holds it, where nobody else does.
    #[inline]
    pub fn try_lock(&self) -> Option<Held<'_, T>> {
        // Acquire: pairs with the Release of who let it go.
        let taken = self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| Held { latch: self })
    }

    #[cold]
    fn wait(&self) -> Held<'_, T> {
        let mut looks = 0u32;
        loop {
            // Looking leaves the line where it is; only trying takes it.
            if !self.held.load(Ordering::Relaxed)
                && let Some(held) = self.try_lock()
            {
                return held;
            }
            pause(looks);
            looks = looks.saturating_add(1);
        }
    }
}

#[cfg(not(loom))]
fn pause(looks: u32) {
    if looks < SPINS {
        std::hint::spin_loop();
    } else if looks < SPINS + YIELDS {
        std::thread::yield_now();
    } else {
        std::thread::sleep(std::time::Duration::from_micros(20));
    }
}

#[cfg(loom)]
fn pause(_: u32) {
    crate::base::sync::thread::yield_now();
}

/// The right to the data, until it is dropped, also by a panic: the data is valid between statements.
pub struct Held<'a, T> {
    latch: &'a Latch<T>,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: whoever has this is the only holder.
        self.latch.data.with(|data| unsafe { &*data })
    }
}

impl<T> DerefMut for Held<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        self.latch.data.with_mut(|data| unsafe { &mut *data })
    }
}

impl<T> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.latch.held.store(false, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_none_after_a_panic() {
        let latch = Latch::new(0u64);
        let held = latch.lock();
        assert!(latch.try_lock().is_none());
        drop(held);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20_000).for_each(|_| *latch.lock() += 1));
            }
        });
        assert_eq!(*latch.lock(), 80_000);
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = latch.lock();
                std::panic::panic_any("held");
            });
            holder.join().is_err()
        });
        assert!(panicked && latch.try_lock().is_some());
    }
}
