//! If this process is a child that `fork` made of a rank: it has the rank's memory, and none of its threads.

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

/// True in such a child.
pub fn is_forked() -> bool {
    IS_FORKED.load(Ordering::Relaxed)
}
