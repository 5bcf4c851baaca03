//! One blocking wait of a thread or a fiber.
//!
//! States: ARMED (registered, its waiter still runs), ASLEEP (the waiter has stopped), FIRED. Who fires swaps FIRED in and
//! wakes only what it finds ASLEEP; a waiter that finds FIRED when it wants to fall asleep does not. So a wake-up is
//! neither lost nor delivered to a fiber that still runs.

use crate::base::sync::thread::{self, Thread};
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::objects::Waiter;
use crate::runtime::worker::WorkerShared;
use std::sync::Arc;

const ARMED: u32 = 0;
const ASLEEP: u32 = 1;
const FIRED: u32 = 2;

enum Sleeper {
    Thread(Thread),
    Fiber {
        worker: &'static WorkerShared,
        slot: usize,
    },
    /// A model's fiber: how often it was resumed.
    #[cfg(all(test, loom))]
    Model(Arc<AtomicUsize>),
}

/// A wait for a number of things.
pub struct Event {
    state: AtomicU32,
    remaining: AtomicUsize,
    sleeper: Sleeper,
}

impl Event {
    /// The calling thread waits for `count` things.
    pub fn of_thread(count: usize) -> Arc<Event> {
        Event::new(count, Sleeper::Thread(thread::current()))
    }

    /// The fiber that will lie in `slot` of `worker` waits for `count` things.
    pub fn of_fiber(count: usize, worker: &'static WorkerShared, slot: usize) -> Arc<Event> {
        Event::new(count, Sleeper::Fiber { worker, slot })
    }

    fn new(count: usize, sleeper: Sleeper) -> Arc<Event> {
        Arc::new(Event { state: AtomicU32::new(ARMED), remaining: AtomicUsize::new(count), sleeper })
    }

    /// Whether the wait is over.
    pub fn fired(&self) -> bool {
        self.state.load(Ordering::Acquire) == FIRED
    }

    /// The waiter is about to stop; false where it must not, because the wait is over.
    pub fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(ARMED, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The waiter goes on without being woken.
    pub fn end(&self) {
        self.state.store(FIRED, Ordering::Release);
    }

    /// Ends the wait, whatever is still missing.
    pub fn fire(&self) {
        if self.state.swap(FIRED, Ordering::AcqRel) != ASLEEP {
            return;
        }
        match &self.sleeper {
            Sleeper::Thread(thread) => thread.unpark(),
            Sleeper::Fiber { worker, slot } => worker.resume_later(*slot),
            #[cfg(all(test, loom))]
            Sleeper::Model(resumed) => drop(resumed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl Waiter for Event {
    fn ready(self: Arc<Self>) {
        // Above the count, a `wait` for some of many: the rest is of no interest.
        let before = self.remaining.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
        if before == Ok(1) {
            self.fire();
        }
    }
    fn is_over(&self) -> bool {
        self.fired()
    }
}

#[cfg(all(test, loom))]
mod loom;
