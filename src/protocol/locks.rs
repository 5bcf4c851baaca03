//! The locks of the protocol's parts. Debug builds count those that a thread holds, to check that no message is sent
//! under one (PROTOCOL-3): that would tie the lock to whatever sending does, and to every other lock that this takes.

use crate::base::sync;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};

#[cfg(debug_assertions)]
thread_local! {
    /// How many locks this thread holds under which no message may be sent.
    static HELD: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A lock under which no message may be sent.
pub struct StateGuard<'a, T: ?Sized>(MutexGuard<'a, T>);

/// Locks the state of a part. Nothing may be sent until the guard is dropped.
#[inline]
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> StateGuard<'_, T> {
    let guard = StateGuard(sync::lock(mutex));
    #[cfg(debug_assertions)]
    HELD.set(HELD.get() + 1);
    guard
}

impl<T: ?Sized> Deref for StateGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for StateGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

#[cfg(debug_assertions)]
impl<T: ?Sized> Drop for StateGuard<'_, T> {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

/// Checks, in debug builds, that the calling thread may send a message: an environment calls it when it sends one.
#[inline]
pub fn assert_may_send() {
    #[cfg(debug_assertions)]
    assert_eq!(HELD.get(), 0, "a message is sent under a lock of the protocol");
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn message_may_be_sent_only_after_the_guard_is_dropped() {
        let state = Mutex::new(1);
        assert_may_send();
        let guard = lock(&state);
        assert!(std::panic::catch_unwind(assert_may_send).is_err());
        drop(guard);
        assert_may_send();
    }
}
