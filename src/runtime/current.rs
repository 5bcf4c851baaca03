//! The rank that this process is: the one global pointer, and the one place where a rank is leaked.
//!
//! A `Runtime` is a value, and a test makes several. It is leaked, for three reasons: arrays and references that the
//! user still has when the cluster ends point to their rank and stay readable; a fiber that never continues keeps its
//! stack, with borrows on it; and a user's thread may be anywhere in a call when another one shuts the cluster down. A
//! process that starts many clusters loses some kilobytes with each; stores and threads are freed.
//!
//! The pointer is for the calls of users, which name no rank. Inside of `runtime` the rank is passed on, or is a field
//! of what needs it.
#![allow(unsafe_code)]

use crate::base::forked::set_forked;
use crate::base::sync::{Ordering, lock, statics};
use crate::runtime::Runtime;
use std::sync::{Mutex, Once};

/// All ranks that this process was: never freed, and reachable, so that tools that look for leaks report none.
static ALL: Mutex<Vec<&'static Runtime>> = Mutex::new(Vec::new());

static CURRENT: statics::AtomicPtr<Runtime> = statics::AtomicPtr::new(std::ptr::null_mut());

#[cfg(test)]
thread_local! {
    /// The rank of this thread, in a test with several ranks.
    static OF_THREAD: std::cell::Cell<Option<&'static Runtime>> = const { std::cell::Cell::new(None) };
}

impl Runtime {
    /// The running cluster's rank in this process.
    #[inline]
    pub fn current() -> Option<&'static Runtime> {
        #[cfg(test)]
        if let Some(runtime) = OF_THREAD.get() {
            return (!runtime.lifecycle.has_ended()).then_some(runtime);
        }
        let pointer = CURRENT.load(Ordering::Acquire);
        // SAFETY: a non-null pointer was leaked by `leak` and is never freed.
        (!pointer.is_null()).then(|| unsafe { &*pointer })
    }

    /// Gives the rank the lifetime that its threads, fibers and blocks need.
    pub(super) fn leak(self) -> &'static Runtime {
        let runtime: &'static Runtime = Box::leak(Box::new(self));
        lock(&ALL).push(runtime);
        runtime
    }

    /// Makes the rank the process's current one.
    pub(super) fn install(&'static self) {
        static ONCE: Once = Once::new();
        // SAFETY: the handler has the C calling convention, takes nothing, and lives as long as the process.
        ONCE.call_once(|| unsafe { _ = libc::pthread_atfork(None, None, Some(in_child)) });
        CURRENT.store(std::ptr::from_ref(self).cast_mut(), Ordering::Release);
    }

    /// From now on the process has no cluster, if this rank was its current one.
    pub(super) fn uninstall(&'static self) {
        let (own, none) = (std::ptr::from_ref(self).cast_mut(), std::ptr::null_mut());
        let _ = CURRENT.compare_exchange(own, none, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Makes the rank the current one of the calling thread only.
    #[cfg(test)]
    pub(super) fn bind_thread(&'static self) {
        OF_THREAD.set(Some(self));
    }
}

/// `fork` made this process of a rank: its threads are not here, its locks may be held for ever, and what it writes to
/// shared memory the rank would read. So it has no cluster, and every call is refused. Only atomics: other threads were
/// anywhere when the process was copied.
extern "C" fn in_child() {
    if !CURRENT.swap(std::ptr::null_mut(), Ordering::Relaxed).is_null() {
        set_forked();
    }
}
