//! The stack of the running fiber: its bounds, and what is left of it.

use crate::base::sync::Ordering;
use crate::base::sync::statics::AtomicU64;
use std::cell::Cell;

/// The size of the stack of each fiber; none is known before the cluster starts.
static FIBER_BYTES: AtomicU64 = AtomicU64::new(u64::MAX);

thread_local! {
    static BOUNDS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// A fiber with these bounds, the lowest usable address and the highest, runs from now on; returns those before.
#[inline]
pub fn replace_bounds(bounds: (usize, usize)) -> (usize, usize) {
    BOUNDS.replace(bounds)
}

/// The lowest address of the running fiber's stack, and its highest; (0, 0) outside of fibers. For the fault handler.
pub fn bounds() -> (usize, usize) {
    BOUNDS.get()
}

/// Each fiber has a stack of this size from now on.
pub fn set_fiber_bytes(bytes: usize) {
    FIBER_BYTES.store(bytes as u64, Ordering::Relaxed);
}

/// The size of a fiber's stack; `usize::MAX` before the cluster starts.
pub fn fiber_bytes() -> usize {
    usize::try_from(FIBER_BYTES.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
}

/// An address on the stack, as deep as the caller.
#[inline]
pub fn here() -> usize {
    let local = 0u8;
    std::ptr::from_ref(&local).addr()
}

/// Bytes left on the stack of the running fiber, and its size; `None` outside of fibers.
#[inline]
pub fn left() -> Option<(usize, usize)> {
    let (low, high) = BOUNDS.get();
    let here = here();
    (low..high).contains(&here).then(|| (here - low, high - low))
}
