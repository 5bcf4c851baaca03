//! A worker: a thread, pinned if possible, that runs tasks on fibers.
//!
//! ```text
//!   thread:  resume(fiber) ... Blocked(slot): store it there, take another from the pool ... Resume(slot) ... Quit
//!   fiber:   loop { a fiber of this worker can continue?  -> Resume(slot)
//!                   a task?                               -> run it here
//!                   else poll the transports for a short time, then park }
//! ```
#![allow(unsafe_code)]

use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::process_limits::in_force;
use crate::base::sync::{Ordering, lock};
use crate::base::{Config, Result};
use crate::runtime::membership::OwnEntry;
use crate::runtime::workers::fiber::{self, Fiber, Pause};
use crate::runtime::workers::queues::Work;
use crate::runtime::workers::task_cores::TaskCores;
use crate::runtime::workers::worker_shared::WorkerShared;
use crate::runtime::{Runtime, tasks, waiting};
use fastrand::Rng;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A suspended fiber, and what its task gets back before it continues.
struct SuspendedFiber {
    fiber: Fiber,
    cpu: i64,
    cores: Option<Arc<TaskCores>>,
}

/// The part of a worker that only its own thread accesses.
pub struct Worker {
    pub(super) runtime: &'static Runtime,
    /// The part that other threads access.
    pub shared: &'static WorkerShared,
    suspended: RefCell<Vec<Option<SuspendedFiber>>>,
    free_slots: RefCell<Vec<usize>>,
    /// Fibers that can continue once there are CPUs for them.
    waiting_for_cpu: RefCell<VecDeque<usize>>,
    /// Since when it holds the CPUs that it holds.
    pub(super) held_since_ns: Cell<u64>,
    /// The CPUs that the running task requested.
    pub running_cpu: Cell<i64>,
    /// Its entry of what runs for other ranks.
    pub begun_entry: OwnEntry,
    /// The cores that the thread has instead of its own.
    pub(super) cores: Cell<Option<Arc<TaskCores>>>,
    /// The CPUs of the thread itself; none if tasks do not change them.
    pub(super) own_cpus: Vec<u32>,
    random: RefCell<Rng>,
    /// The loop has nothing to do and polls the transports.
    is_polling_idle: Cell<bool>,
    /// It has been idle since it last found work: a thread that queued work may have woken only this worker.
    was_idle: Cell<bool>,
}

thread_local! {
    static HERE: Cell<*const Worker> = const { Cell::new(std::ptr::null()) };
}

/// The worker of the calling thread, if that is a worker's.
#[inline]
pub fn here() -> Option<&'static Worker> {
    let pointer = HERE.get();
    // SAFETY: set by the worker's own thread to its leaked `Worker`, which lives as long as the process.
    (!pointer.is_null()).then(|| unsafe { &*pointer })
}

/// Creates worker `index` of the rank and starts its thread.
pub fn spawn(runtime: &'static Runtime, index: usize) -> Result<&'static WorkerShared> {
    let shared: &'static WorkerShared = Box::leak(Box::new(WorkerShared::new(runtime, index)));
    let handle = std::thread::Builder::new()
        .name(format!("mobula-{}-{index}", runtime.cluster.rank))
        .spawn(move || {
            let worker: &'static Worker = Box::leak(Box::new(Worker {
                runtime,
                shared,
                suspended: RefCell::default(),
                free_slots: RefCell::default(),
                waiting_for_cpu: RefCell::default(),
                held_since_ns: Cell::new(0),
                running_cpu: Cell::new(0),
                begun_entry: OwnEntry::take(runtime, index),
                is_polling_idle: Cell::new(false),
                was_idle: Cell::new(false),
                cores: Cell::default(),
                own_cpus: runtime.workers.cores.pin_worker(index),
                random: RefCell::new(Rng::with_seed(index as u64)),
            }));
            HERE.set(worker);
            let _ = shared.own_part.set(std::ptr::from_ref(worker).addr());
            tasks::run_leaves_here(runtime);
            #[cfg(test)]
            runtime.bind_thread();
            shared.cpus.bind_to_this_thread();
            crate::runtime::workers::overflow::prepare_thread();
            worker.run(&runtime.cluster.config);
            HERE.set(std::ptr::null());
        })
        .map_err(|error| {
            crate::base::Error::config(format!("worker thread {index} does not start: {error}{}", in_force()))
                .caused_by(&error)
        })?;
    let _ = shared.thread.set(handle.thread().clone());
    lock(&runtime.workers.threads).push(handle);
    Ok(shared)
}

impl Worker {
    /// The loop of the thread: resumes fibers and stores those that block.
    fn run(&'static self, config: &Config) {
        let stack_bytes = config.stack_bytes;
        let fresh = || Fiber::new(stack_bytes, move || self.loop_on_fiber());
        let mut pool: Vec<Fiber> = Vec::new();
        let mut current = match fresh() {
            Ok(fiber) => fiber,
            Err(error) => return crate::base::log::log(crate::base::log::Level::Error, || error.to_string()),
        };
        loop {
            match current.resume() {
                Pause::Blocked(slot) => {
                    let next = pool.pop().map_or_else(fresh, Ok);
                    let cpu = self.running_cpu.get();
                    match next {
                        Ok(next) => {
                            let fiber = std::mem::replace(&mut current, next);
                            let cores = self.replace_cores(None);
                            self.suspended.borrow_mut()[slot] = Some(SuspendedFiber { fiber, cpu, cores });
                        }
                        // No stack for another loop: this fiber waits and blocks its thread meanwhile.
                        Err(_) => self.wait_for(slot),
                    }
                }
                Pause::Resume(slot) => {
                    if let Some(suspended) = self.suspended.borrow_mut()[slot].take() {
                        self.free_slots.borrow_mut().push(slot);
                        self.running_cpu.set(suspended.cpu);
                        self.replace_cores(suspended.cores);
                        pool.push(std::mem::replace(&mut current, suspended.fiber));
                    }
                }
                Pause::Quit => break,
            }
        }
        current.abandon();
        pool.into_iter().for_each(Fiber::abandon);
        self.suspended.borrow_mut().drain(..).flatten().for_each(|suspended| suspended.fiber.abandon());
        self.release_cpu(0);
    }

    /// Parks until the fiber of `slot`, still current, can continue.
    fn wait_for(&self, slot: usize) {
        let mut others = Vec::new();
        loop {
            match self.shared.ready.pop() {
                Some((ready, _)) if ready == slot => break,
                Some(other) => others.push(other),
                None => std::thread::park_timeout(Duration::from_millis(10)),
            }
        }
        self.free_slots.borrow_mut().push(slot);
        others.into_iter().for_each(|other| self.shared.ready.push(other));
    }

    /// Reserves a slot for the running fiber, which is about to wait.
    pub fn reserve_slot(&self) -> usize {
        self.free_slots.borrow_mut().pop().unwrap_or_else(|| {
            let mut suspended = self.suspended.borrow_mut();
            suspended.push(None);
            suspended.len() - 1
        })
    }

    /// Returns a slot that was not needed after all.
    pub fn return_slot(&self, slot: usize) {
        self.free_slots.borrow_mut().push(slot);
    }

    fn loop_on_fiber(&'static self) {
        while !self.runtime.stopping() {
            if let Some(slot) = self.next_ready() {
                if self.was_idle.take() && (!self.shared.queue.is_empty() || self.runtime.workers.queues.has_any()) {
                    // The fiber goes first, and may block this thread for any time (RUNTIME-2).
                    self.runtime.workers.wake_one();
                }
                fiber::pause(Pause::Resume(slot));
            } else if let Some(work) = self.find_work() {
                self.was_idle.set(false);
                self.run_guarded(work);
                // A poll between tasks is cheap, and keeps peers from waiting for a tick of the progress thread.
                self.runtime.try_poll();
            } else {
                self.shared.idle.store(true, Ordering::Relaxed);
                self.poll_then_park();
                self.shared.idle.store(false, Ordering::Relaxed);
            }
        }
        fiber::pause(Pause::Quit);
    }

    /// Runs a unit of work. A panic that comes here is of a user value dropped with it: it is logged and goes no
    /// further.
    fn run_guarded(&'static self, work: Work) {
        if let Err(panic) = catch(|| tasks::execute(self.runtime, self, work)) {
            self.running_cpu.set(0);
            log(Level::Error, || {
                format!("rank {}: a value's Drop panicked: {}", self.runtime.cluster.rank, panic.text())
            });
        }
    }

    /// A fiber that can continue and has its CPUs.
    fn next_ready(&self) -> Option<usize> {
        if self.shared.ready.is_empty() && self.waiting_for_cpu.borrow().is_empty() {
            return None;
        }
        // Fibers that had to wait go first; a fiber that still has too few CPUs goes back to the end.
        let waiting = self.waiting_for_cpu.borrow().len();
        for turn in 0.. {
            let waiting_for_cpu = if turn < waiting { self.waiting_for_cpu.borrow_mut().pop_front() } else { None };
            let slot = waiting_for_cpu.or_else(|| self.shared.ready.pop().map(|(slot, _)| slot))?;
            if self.take_cpu(self.cpu_of(slot)) {
                if waiting_for_cpu.is_some() {
                    self.runtime.workers.waiting_for_cpu.fetch_sub(1, Ordering::Relaxed);
                }
                return Some(slot);
            }
            self.waiting_for_cpu.borrow_mut().push_back(slot);
            if waiting_for_cpu.is_none() {
                self.runtime.workers.waiting_for_cpu.fetch_add(1, Ordering::Relaxed);
            }
            self.runtime.resources.table.set_waiting();
        }
        None
    }

    /// The CPUs that the fiber in `slot` needs to continue.
    fn cpu_of(&self, slot: usize) -> i64 {
        self.suspended.borrow()[slot].as_ref().map_or(0, |suspended| suspended.cpu)
    }

    /// The next unit of work: its own, then the rank's queues, then of the rank's other workers.
    fn find_work(&self) -> Option<Work> {
        let own = &self.shared.queue;
        own.pop_newest().or_else(|| self.runtime.workers.queues.take(own)).or_else(|| self.steal_from_neighbours())
    }

    fn steal_from_neighbours(&self) -> Option<Work> {
        let workers = self.runtime.workers.list();
        let start = self.random.borrow_mut().u32(..) as usize;
        (0..workers.len())
            .map(|step| workers[(start + step) % workers.len()])
            .filter(|worker| worker.index != self.shared.index)
            .find_map(|worker| worker.queue.pop_oldest())
    }

    /// True if this worker is to run work that comes now: it is idle, and has none yet.
    pub fn accepts_directly(&self) -> bool {
        self.is_polling_idle.get() && self.shared.queue.is_empty()
    }

    /// Polls the transports for a short time, requests work of other ranks, then parks.
    fn poll_then_park(&'static self) {
        let runtime = self.runtime;
        waiting::report_blocked_fibers(runtime, self.shared);
        runtime.protocol.stealing.request_work(&runtime);
        self.was_idle.set(true);
        self.is_polling_idle.set(true);
        // Its own queue is checked each time, since work from the transports goes there; the other queues now and then.
        let polls = Cell::new(0u32);
        let has_work = runtime.poll_until(|| {
            polls.set(polls.get() + 1);
            !self.shared.queue.is_empty() || (polls.get() % FULL_CHECK_EVERY == 1 && self.has_something())
        });
        self.is_polling_idle.set(false);
        if has_work || runtime.stopping() {
            return;
        }
        self.release_cpu(0);
        if !self.waiting_for_cpu.borrow().is_empty() {
            runtime.resources.table.set_waiting();
        }
        runtime.prepare_to_sleep();
        runtime.workers.idle.announce(self.shared.index);
        // A response to the request above may have come before this worker was announced idle.
        runtime.protocol.stealing.request_work(&runtime);
        if self.has_something() || runtime.stopping() {
            runtime.workers.idle.withdraw(self.shared.index);
            return;
        }
        std::thread::park();
        runtime.workers.idle.withdraw(self.shared.index);
    }

    fn has_something(&self) -> bool {
        !self.shared.ready.is_empty()
            || self.runtime.workers.queues.has_any()
            || self.runtime.workers.list().iter().any(|worker| !worker.queue.is_empty())
            || self
                .waiting_for_cpu
                .borrow()
                .iter()
                .any(|slot| self.cpu_of(*slot) <= self.runtime.resources.table.free_cpu())
    }
}

/// One in so many checks of an idle worker goes to every queue of the rank.
const FULL_CHECK_EVERY: u32 = 8;
