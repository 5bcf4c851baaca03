//! Atomics, cells and locks, from one place, so that a model checker can stand in for them.
//!
//! Under `--cfg loom` (`make loom`) the lock-free code itself runs on loom's atomics, in every order that they allow. The
//! models stand beside the code, in files named `loom.rs`. What they hold to:
//!
//! - loom takes a SeqCst access for AcqRel: where one order of all is needed, the code has a SeqCst `fence`, be it under
//!   `cfg(loom)` alone.
//! - A model's atomics live as long as one run of it, so those of statics are the system's ([`statics`]).
//! - Memory that processes share holds no atomics of loom's: what lies there is reached through a trait (`mem::ring`'s
//!   `Lines`, `node::board`'s `Cells`), which a model implements in its own memory.

#[cfg(loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    fence,
};
#[cfg(loom)]
pub use loom::{cell::UnsafeCell, thread};
#[cfg(not(loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    fence,
};
#[cfg(not(loom))]
pub use std::thread;

/// Atomics of statics, which no model touches.
pub mod statics {
    pub use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64};
}

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs `model` in every order that takes a thread off its turn at most `preemptions` times: two find nearly all faults, and
/// each more makes it several times as long.
#[cfg(all(test, loom))]
pub fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// A place that several threads reach; a model checker sees whether two do so at once.
#[cfg(not(loom))]
#[derive(Debug)]
#[repr(transparent)]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    /// Holds `value`.
    #[inline]
    pub const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    /// Hands out the place to read.
    #[inline]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Hands out the place to write.
    #[inline]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Locks, also after a panic of a holder: the data behind every lock of the runtime is valid between statements.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
