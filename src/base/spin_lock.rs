//! A spin lock for the data path, released by a plain store.
//!
//! A mutex is released by an atomic exchange, which tells it whether to wake a waiter. A processor finishes every
//! earlier store before that exchange, and on the data path those stores often go to cache lines that another core
//! owns: the exchange waits for them, and nothing else proceeds meanwhile. (Most of the time of a send was found on
//! that one instruction; see docs/performance.md.) This lock wakes no waiter: a waiting thread polls, spinning for a
//! moment, then yielding, then sleeping for short times. So it is meant for critical sections of a few lines of code.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, Ordering, UnsafeCell};
use std::ops::{Deref, DerefMut};

/// Data that one thread at a time can access.
#[derive(Debug)]
pub struct SpinLock<T> {
    locked: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: only the one holder accesses the data, and it passes from thread to thread as a whole.
unsafe impl<T: Send> Sync for SpinLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for SpinLock<T> {}

/// Polls of a waiting thread before it yields, and before it sleeps.
#[cfg(not(loom))]
const SPINS: u32 = 64;
#[cfg(not(loom))]
const YIELDS: u32 = 32;

impl<T: Default> Default for SpinLock<T> {
    fn default() -> SpinLock<T> {
        SpinLock::new(T::default())
    }
}

impl<T> SpinLock<T> {
    /// A lock around `data`.
    pub fn new(data: T) -> SpinLock<T> {
        SpinLock { locked: AtomicBool::new(false), data: UnsafeCell::new(data) }
    }

    /// Waits until the lock is free, and takes it.
    #[inline]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        self.try_lock().unwrap_or_else(|| self.wait())
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        // Acquire: pairs with the Release in the guard's `drop`.
        let taken = self.locked.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| SpinLockGuard { lock: self })
    }

    #[cold]
    fn wait(&self) -> SpinLockGuard<'_, T> {
        let mut polls = 0u32;
        loop {
            // A load leaves the cache line with its owner; only an exchange takes it.
            if !self.locked.load(Ordering::Relaxed)
                && let Some(held) = self.try_lock()
            {
                return held;
            }
            pause(polls);
            polls = polls.saturating_add(1);
        }
    }
}

#[cfg(not(loom))]
fn pause(polls: u32) {
    if polls < SPINS {
        std::hint::spin_loop();
    } else if polls < SPINS + YIELDS {
        std::thread::yield_now();
    } else {
        std::thread::sleep(std::time::Duration::from_micros(20));
    }
}

#[cfg(loom)]
fn pause(_: u32) {
    crate::base::sync::thread::yield_now();
}

/// The right to access the data, until it is dropped, also by a panic: the data is valid between statements.
pub struct SpinLockGuard<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the owner of the guard is the only holder.
        self.lock.data.with(|data| unsafe { &*data })
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        self.lock.data.with_mut(|data| unsafe { &mut *data })
    }
}

impl<T> Drop for SpinLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.locked.store(false, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod loom;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_has_one_holder_and_none_after_panic() {
        let spin_lock = SpinLock::new(0u64);
        let held = spin_lock.lock();
        assert!(spin_lock.try_lock().is_none());
        drop(held);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20_000).for_each(|_| *spin_lock.lock() += 1));
            }
        });
        assert_eq!(*spin_lock.lock(), 80_000);
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = spin_lock.lock();
                std::panic::panic_any("held");
            });
            holder.join().is_err()
        });
        assert!(panicked && spin_lock.try_lock().is_some());
    }
}
