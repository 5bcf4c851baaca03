//! One blocking wait of a thread or a fiber.
//!
//! States: ARMED (registered, its waiter still runs), ASLEEP (the waiter has stopped), FIRED. The thread that fires
//! swaps FIRED in and wakes the waiter only if it finds ASLEEP; a waiter that finds FIRED when it is about to sleep
//! does not. So a wake-up is neither lost nor delivered to a fiber that still runs.

use crate::base::sync::thread::{self, Thread};
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::objects::Waiter;
use crate::registry::TableEntry;
use crate::runtime::workers::WorkerShared;
use std::sync::Arc;

const ARMED: u32 = 0;
const ASLEEP: u32 = 1;
const FIRED: u32 = 2;

enum Sleeper {
    Thread(Thread),
    Fiber {
        worker: &'static WorkerShared,
        slot: usize,
        entry: Option<&'static TableEntry>,
    },
    /// A loom model's fiber: how often it was resumed.
    #[cfg(all(test, loom))]
    Model(Arc<AtomicUsize>),
}

/// A wait for a number of things.
pub struct WaitEvent {
    state: AtomicU32,
    remaining: AtomicUsize,
    sleeper: Sleeper,
}

impl WaitEvent {
    /// The calling thread waits for `count` things.
    pub fn of_thread(count: usize) -> Arc<WaitEvent> {
        WaitEvent::new(count, Sleeper::Thread(thread::current()))
    }

    /// The fiber that will be stored in `slot` of `worker`, and runs the function `entry`, waits for `count` things.
    pub fn of_fiber(
        count: usize,
        worker: &'static WorkerShared,
        slot: usize,
        entry: Option<&'static TableEntry>,
    ) -> Arc<WaitEvent> {
        WaitEvent::new(count, Sleeper::Fiber { worker, slot, entry })
    }

    fn new(count: usize, sleeper: Sleeper) -> Arc<WaitEvent> {
        Arc::new(WaitEvent { state: AtomicU32::new(ARMED), remaining: AtomicUsize::new(count), sleeper })
    }

    /// Returns true if the wait is over.
    pub fn fired(&self) -> bool {
        self.state.load(Ordering::Acquire) == FIRED
    }

    /// The waiter is about to stop. Returns false if it must not, because the wait is over.
    pub fn try_sleep(&self) -> bool {
        self.state.compare_exchange(ARMED, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The waiter goes on without being woken.
    pub fn cancel(&self) {
        self.state.store(FIRED, Ordering::Release);
    }

    /// Ends the wait, whatever is still missing.
    pub fn fire(&self) {
        if self.state.swap(FIRED, Ordering::AcqRel) != ASLEEP {
            return;
        }
        match &self.sleeper {
            Sleeper::Thread(thread) => thread.unpark(),
            Sleeper::Fiber { worker, slot, entry } => worker.resume_later(*slot, *entry),
            #[cfg(all(test, loom))]
            Sleeper::Model(resumed) => drop(resumed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl Waiter for WaitEvent {
    fn notify(self: Arc<Self>) {
        // More than the count come where `wait` waits for some of many: the others are ignored.
        let before = self.remaining.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
        if before == Ok(1) {
            self.fire();
        }
    }
    fn is_finished(&self) -> bool {
        self.fired()
    }
}

#[cfg(all(test, loom))]
mod loom;
