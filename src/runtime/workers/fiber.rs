//! Fibers: stackful coroutines that a worker runs its loop on, so that a blocked task keeps its stack and the loop goes
//! on on another.
//!
//! The worker's loop itself runs on a fiber and calls tasks as functions: a task that never blocks costs no switch.
//! When one blocks, its fiber is suspended and the thread resumes the loop on a pooled fiber. Fibers never leave their
//! thread, so thread-local state below a task stays valid.
#![allow(unsafe_code)]

use crate::base::{Error, stack};
use crate::runtime::workers::sanitizer;
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::Cell;

/// Why a fiber paused.
#[derive(Clone, Copy, Debug)]
pub enum Pause {
    /// Its task waits; it is stored in that slot until it is resumed.
    Blocked(usize),
    /// The fiber in that slot can go on, and this one has nothing to do.
    Resume(usize),
    /// The worker ends.
    Quit,
}

/// A stack with the worker's loop, or with a task that waits.
pub struct Fiber {
    coroutine: Coroutine<(), Pause, (), DefaultStack>,
    /// The lowest usable address, and the highest.
    bounds: (usize, usize),
}

/// The guard page below each stack: the page size of x86-64 and of most others; larger pages guard more.
const PAGE_BYTES: usize = 4096;

thread_local! {
    static YIELDER: Cell<*const Yielder<(), Pause>> = const { Cell::new(std::ptr::null()) };
}

impl Fiber {
    /// A fiber that will run `body` when first resumed.
    ///
    /// # Errors
    /// If the system gives no stack.
    pub fn new(stack_bytes: usize, body: impl FnOnce() + 'static) -> Result<Fiber, Error> {
        let memory = DefaultStack::new(stack_bytes).map_err(|error| {
            Error::config(format!(
                "no stack of {stack_bytes} bytes for another blocked task: {error}; lower MOBULA_STACK_BYTES or \
                 MOBULA_FIBERS"
            ))
            .caused_by(&error)
        })?;
        // The lowest page of the mapping is the guard.
        let bounds = (memory.limit().get() + PAGE_BYTES, memory.base().get());
        sanitizer::clear(bounds);
        let coroutine = Coroutine::with_stack(memory, move |yielder: &Yielder<(), Pause>, ()| {
            sanitizer::entered();
            YIELDER.set(yielder);
            body();
            sanitizer::leaving();
        });
        Ok(Fiber { coroutine, bounds })
    }

    /// Runs the fiber until it pauses or ends.
    pub fn resume(&mut self) -> Pause {
        let outer = stack::replace_bounds(self.bounds);
        let result = sanitizer::around_resume(self.bounds, || self.coroutine.resume(()));
        stack::replace_bounds(outer);
        match result {
            CoroutineResult::Yield(pause) => pause,
            CoroutineResult::Return(()) => Pause::Quit,
        }
    }

    /// Discards a fiber whose task will never go on, without unwinding its stack.
    pub fn abandon(mut self) {
        // SAFETY: nothing on the stack is accessed again; what it owned is leaked with it.
        unsafe { self.coroutine.force_reset() };
    }
}

/// Pauses the running fiber; returns when it is resumed.
pub fn pause(why: Pause) {
    let yielder = YIELDER.get();
    assert!(!yielder.is_null(), "only a fiber pauses");
    // SAFETY: the running fiber set the pointer; its yielder lives at the bottom of this very stack.
    sanitizer::around_pause(|| unsafe { (*yielder).suspend(why) });
    YIELDER.set(yielder);
}
