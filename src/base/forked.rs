//! If this process is a child that `fork` made of a rank: it has the rank's memory, and none of its threads.

#![allow(unsafe_code)]

use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicBool;

static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// What such a child is told.
pub const FORKED: &str = "this process was forked from one in which a cluster runs, and is no part of it: call exec or \
                          _exit in the child, or fork before the start";

/// The calling process is such a child. Takes no lock and allocates nothing: `fork` calls it.
pub fn set_forked() {
    IS_FORKED.store(true, Ordering::Relaxed);
}

/// The child returned from the task that forked it: the rank's worker goes on with what follows, and nobody else.
#[cold]
pub fn leave_forked() -> ! {
    let text = format!("mobula: {FORKED}\n");
    // SAFETY: the bytes are valid. Written past the lock of standard error, which a thread of the rank may have held;
    // nothing of the rank runs at this end.
    unsafe {
        libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
        libc::_exit(1)
    }
}

/// True in such a child.
#[inline]
pub fn is_forked() -> bool {
    IS_FORKED.load(Ordering::Relaxed)
}
