//! The part of a worker that other threads access.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use crate::registry::TableEntry;
use crate::runtime::Runtime;
use crate::runtime::workers::held_cpus::HeldCpus;
use crate::runtime::workers::task_queue::TaskQueue;
use crate::runtime::workers::thread_state::{blocked_call, is_blocked};
use crate::scheduling::BlockedOutside;
use crossbeam_queue::SegQueue;
use std::sync::OnceLock;
use std::thread::Thread;

/// How many fibers that can continue are named at most.
const READY_NAMED_MAX: usize = 8;

/// The part of a worker that other threads access.
pub struct WorkerShared {
    runtime: &'static Runtime,
    /// Its number on this rank.
    pub index: usize,
    /// Its fibers that can continue, with the functions that they run.
    pub(super) ready: SegQueue<(usize, Option<&'static TableEntry>)>,
    /// Its own tasks: it takes the newest, others the oldest.
    pub queue: TaskQueue,
    /// How many tasks it began.
    began: AtomicU64,
    /// The function that it runs, or ran last; null before an actor's call.
    running: AtomicPtr<TableEntry>,
    /// The CPUs that its thread holds.
    pub cpus: HeldCpus,
    /// True while it has nothing to do, asleep or not.
    pub idle: AtomicBool,
    /// The thread that wakes up when the worker is unparked.
    pub(super) thread: OnceLock<Thread>,
    /// The address of the part that only its own thread accesses, which is never freed: as long as something has it,
    /// tools that look for leaks report none.
    pub(super) own_part: OnceLock<usize>,
}

impl WorkerShared {
    /// Worker `index` of a rank, without a thread.
    pub(super) fn new(runtime: &'static Runtime, index: usize) -> WorkerShared {
        WorkerShared {
            runtime,
            index,
            ready: SegQueue::new(),
            queue: TaskQueue::default(),
            began: AtomicU64::new(0),
            running: AtomicPtr::new(std::ptr::null_mut()),
            cpus: HeldCpus::default(),
            idle: AtomicBool::new(false),
            thread: OnceLock::new(),
            own_part: OnceLock::new(),
        }
    }

    /// How many tasks it began.
    pub fn began(&self) -> u64 {
        self.began.load(Ordering::Relaxed)
    }

    /// Counts a task that begins. Only its own thread calls it.
    #[inline]
    pub fn count_begun(&self, entry: Option<&'static TableEntry>) {
        self.set_running(entry);
        self.began.store(self.began.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// From now on it runs that function. Only its own thread calls it.
    #[inline]
    pub fn set_running(&self, entry: Option<&'static TableEntry>) {
        let entry = entry.map_or(std::ptr::null_mut(), |entry| std::ptr::from_ref(entry).cast_mut());
        self.running.store(entry, Ordering::Relaxed);
    }

    /// The function that it runs, or ran last.
    #[inline]
    pub fn running(&self) -> Option<&'static TableEntry> {
        let entry = self.running.load(Ordering::Relaxed);
        // SAFETY: only `&'static TableEntry`s and null are stored.
        (!entry.is_null()).then(|| unsafe { &*entry })
    }

    /// The fiber in `slot`, which runs that function, can continue.
    pub fn resume_later(&'static self, slot: usize, entry: Option<&'static TableEntry>) {
        self.ready.push((slot, entry));
        self.runtime.workers.idle.withdraw(self.index);
        self.unpark();
    }

    /// The name of the function that it runs, or ran last.
    pub fn running_name(&self) -> &'static str {
        self.running().map_or("a call of an actor", |entry| entry.name)
    }

    /// The names of the functions whose fibers can continue on its thread, which is busy or blocked.
    fn ready_names(&'static self) -> Vec<&'static str> {
        let ready: Vec<_> = std::iter::from_fn(|| self.ready.pop()).take(READY_NAMED_MAX).collect();
        // The worker may have looked for them meanwhile: it is notified of them again.
        ready.iter().for_each(|(slot, entry)| self.resume_later(*slot, *entry));
        ready.iter().map(|(_, entry)| entry.map_or("a task", |entry| entry.name)).collect()
    }

    /// The task that blocks its thread in a wait for other threads, if one does: a lock, a channel, a join.
    pub fn blocked_outside(&'static self) -> Option<BlockedOutside> {
        let call = blocked_call(self.cpus.thread()).filter(|call| call.awaits_threads)?;
        Some(BlockedOutside {
            worker: self.index as u64,
            name: self.running_name().to_string(),
            call: call.text().to_string(),
            ready: self.ready_names().into_iter().map(str::to_string).collect(),
        })
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
