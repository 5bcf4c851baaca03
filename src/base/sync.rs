//! Atomics, cells and locks, from one place, so that a model checker can replace them.
//!
//! Under `--cfg loom` (`make loom`) the lock-free code itself runs on loom's atomics, in every order that they allow.
//! The models stand beside the code, in files named `loom.rs`. Their rules:
//!
//! - loom treats a SeqCst access as AcqRel: code that needs one total order has a SeqCst `fence`, if need be under
//!   `cfg(loom)` alone.
//! - A model's atomics live as long as one run of it, so atomics in statics are the system's ([`statics`]).
//! - Memory shared between processes holds no loom atomics: it is accessed through a trait (`memory::ring`'s `Lines`,
//!   `runtime::shared_table`'s `Cells`), which a model implements in its own memory.

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

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Runs `model` in every order with at most `preemptions` preemptions of a thread: two find nearly all faults, and each
/// more makes it several times as long.
#[cfg(all(test, loom))]
pub fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// A memory location that several threads access; a model checker detects concurrent access.
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

    /// Passes the pointer for reading.
    #[inline]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Passes the pointer for writing.
    #[inline]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Locks the mutex, also after a panic of its holder: the data behind every lock of the runtime is valid between
/// statements.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As `lock`, if no other thread holds the mutex.
pub fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
