//! The part of a worker that other threads access.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use crate::registry::TableEntry;
use crate::runtime::Runtime;
use crate::runtime::workers::held_cpus::HeldCpus;
use crate::runtime::workers::queues::Work;
use crate::runtime::workers::thread_state::is_blocked;
use crossbeam_deque::Stealer;
use crossbeam_queue::SegQueue;
use std::sync::OnceLock;
use std::thread::Thread;

/// The part of a worker that other threads access.
pub struct WorkerShared {
    runtime: &'static Runtime,
    /// Its number on this rank.
    pub index: usize,
    /// Its fibers that can continue.
    pub(super) ready: SegQueue<usize>,
    /// The stealing end of its deque.
    pub stealer: Stealer<Work>,
    /// How many tasks it began.
    began: AtomicU64,
    /// The function that it began last, null for an actor's call.
    running: AtomicPtr<TableEntry>,
    /// The CPUs that its thread holds.
    pub cpus: HeldCpus,
    /// True while it has nothing to do, asleep or not.
    pub idle: AtomicBool,
    /// The thread that wakes up when the worker is unparked.
    pub(super) thread: OnceLock<Thread>,
}

impl WorkerShared {
    /// Worker `index` of a rank, without a thread; `stealer` is the end of its deque for others.
    pub(super) fn new(runtime: &'static Runtime, index: usize, stealer: Stealer<Work>) -> WorkerShared {
        WorkerShared {
            runtime,
            index,
            ready: SegQueue::new(),
            stealer,
            began: AtomicU64::new(0),
            running: AtomicPtr::new(std::ptr::null_mut()),
            cpus: HeldCpus::default(),
            idle: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// How many tasks it began.
    pub fn began(&self) -> u64 {
        self.began.load(Ordering::Relaxed)
    }

    /// Counts a task that begins. Only its own thread calls it.
    #[inline]
    pub fn count_begun(&self, entry: Option<&'static TableEntry>) {
        self.running
            .store(entry.map_or(std::ptr::null_mut(), |entry| std::ptr::from_ref(entry).cast_mut()), Ordering::Relaxed);
        self.began.store(self.began.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The fiber in `slot` can continue.
    pub fn resume_later(&'static self, slot: usize) {
        self.ready.push(slot);
        self.runtime.workers.idle.withdraw(self.index);
        self.unpark();
    }

    /// The function that it began last.
    pub fn last_began(&self) -> &'static str {
        let entry = self.running.load(Ordering::Relaxed);
        // SAFETY: only `&'static TableEntry`s are stored.
        if entry.is_null() { "a call of an actor" } else { unsafe { &*entry }.name }
    }

    /// True if its thread sleeps in a system call, as far as the kernel tells.
    pub fn is_blocked(&self) -> bool {
        is_blocked(self.cpus.thread())
    }

    /// Wakes the worker if it is parked.
    pub fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}
