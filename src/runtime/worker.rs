//! A worker: a thread, pinned where it can be, that runs tasks on fibers.
//!
//! ```text
//!   thread:  resume(fiber) ... Blocked(slot): put it there, take another from the pool ... Resume(slot) ... Quit
//!   fiber:   loop { a fiber of mine can go on?  -> Resume(slot)
//!                   a task?                     -> run it here
//!                   else look at the roads for a moment, then park }
//! ```
#![allow(unsafe_code)]

use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::base::{Config, Result};
use crate::registry::TableEntry;
use crate::runtime::Runtime;
use crate::runtime::fiber::{self, Fiber, Pause};
use crate::runtime::queues::Work;
use crossbeam_deque::{Stealer, Worker as Deque};
use crossbeam_queue::SegQueue;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread::Thread;
use std::time::Duration;

/// What others know of a worker.
pub struct WorkerShared {
    /// Its number on this rank.
    pub index: usize,
    /// Fibers of it that can go on.
    ready: SegQueue<usize>,
    /// The other end of its deque.
    pub stealer: Stealer<Work>,
    /// Tasks that it began.
    pub began: AtomicU64,
    /// The function that it began last, null for an actor's turn.
    running: AtomicPtr<TableEntry>,
    /// The system's number of its thread, 0 before it runs.
    thread_id: AtomicU32,
    /// Whether it has nothing to do, asleep or not.
    resting: AtomicBool,
    thread: OnceLock<Thread>,
}

impl WorkerShared {
    /// The fiber in `slot` can go on.
    pub fn resume_later(&'static self, slot: usize) {
        self.ready.push(slot);
        if let Some(runtime) = Runtime::current() {
            runtime.idle.withdraw(self.index);
        }
        self.unpark();
    }

    /// The function that it began last.
    pub fn last_began(&self) -> &'static str {
        let entry = self.running.load(Ordering::Relaxed);
        // SAFETY: only `&'static TableEntry`s are stored.
        if entry.is_null() { "a call of an actor" } else { unsafe { &*entry }.name }
    }

    /// Whether its thread sleeps in a system call, as far as the system tells.
    pub fn is_blocked(&self) -> bool {
        let path = format!("/proc/self/task/{}/stat", self.thread_id.load(Ordering::Relaxed));
        // The state follows the name, which is in parentheses and may hold any character.
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| matches!(rest.trim_start().chars().next(), Some('S' | 'D')))
    }

    /// Whether it has nothing to do, asleep or not.
    pub fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Relaxed)
    }

    /// Wakes the worker where it is parked.
    pub fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// A fiber put aside, and the CPUs that its task needs back before it goes on.
struct Aside {
    fiber: Fiber,
    cpu: i64,
}

/// What only the worker's own thread touches.
pub struct Worker {
    pub(super) runtime: &'static Runtime,
    /// What others know of it.
    pub shared: &'static WorkerShared,
    /// Its own tasks, newest first.
    pub deque: Deque<Work>,
    aside: RefCell<Vec<Option<Aside>>>,
    free_slots: RefCell<Vec<usize>>,
    /// Fibers that can go on once there are CPUs for them.
    hungry: RefCell<VecDeque<usize>>,
    /// CPUs that this thread holds of its host's, in ten-thousandths.
    pub(super) held_cpu: Cell<i64>,
    /// When it began to hold them.
    pub(super) held_since_ns: Cell<u64>,
    /// CPUs that the task running now asked for.
    pub(super) running_cpu: Cell<i64>,
    random: Cell<u64>,
    /// The loop has nothing to do and looks at the roads.
    at_rest: Cell<bool>,
    /// It has been at rest since it last found work: who queued some may have told this worker only.
    rested: Cell<bool>,
}

thread_local! {
    static HERE: Cell<*const Worker> = const { Cell::new(std::ptr::null()) };
}

/// The worker whose thread this is, where it is one.
pub fn here() -> Option<&'static Worker> {
    let pointer = HERE.get();
    // SAFETY: set by the worker's own thread to its leaked `Worker`, which lives as long as the process.
    (!pointer.is_null()).then(|| unsafe { &*pointer })
}

/// Makes worker `index` of `node`; its thread starts with `run`.
pub fn spawn(runtime: &'static Runtime, index: usize) -> Result<&'static WorkerShared> {
    let deque = Deque::new_lifo();
    let shared: &'static WorkerShared = Box::leak(Box::new(WorkerShared {
        index,
        ready: SegQueue::new(),
        stealer: deque.stealer(),
        began: AtomicU64::new(0),
        running: AtomicPtr::new(std::ptr::null_mut()),
        thread_id: AtomicU32::new(0),
        resting: AtomicBool::new(false),
        thread: OnceLock::new(),
    }));
    let handle = std::thread::Builder::new()
        .name(format!("mobula-{}-{index}", runtime.rank))
        .spawn(move || {
            let worker: &'static Worker = Box::leak(Box::new(Worker {
                runtime,
                shared,
                deque,
                aside: RefCell::default(),
                free_slots: RefCell::default(),
                hungry: RefCell::default(),
                held_cpu: Cell::new(0),
                held_since_ns: Cell::new(0),
                running_cpu: Cell::new(0),
                at_rest: Cell::new(false),
                rested: Cell::new(false),
                random: Cell::new((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            }));
            HERE.set(worker);
            // SAFETY: asks the kernel for a number.
            shared.thread_id.store(unsafe { libc::gettid() } as u32, Ordering::Relaxed);
            crate::runtime::overflow::prepare_thread();
            runtime.pin_worker(index);
            worker.run(&runtime.config);
            HERE.set(std::ptr::null());
        })
        .map_err(|error| crate::base::Error::config(format!("worker thread {index} does not start: {error}")))?;
    let _ = shared.thread.set(handle.thread().clone());
    runtime.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(handle);
    Ok(shared)
}

impl Worker {
    /// The thread's own loop: fibers in, fibers out.
    fn run(&'static self, config: &Config) {
        let stack_bytes = config.stack_bytes;
        let fresh = || Fiber::new(stack_bytes, move || self.loop_on_fiber());
        let mut pool: Vec<Fiber> = Vec::new();
        let mut current = match fresh() {
            Ok(fiber) => fiber,
            Err(error) => return crate::base::log::say(crate::base::log::Level::Error, || error.to_string()),
        };
        loop {
            match current.resume() {
                Pause::Blocked(slot) => {
                    let next = pool.pop().map_or_else(fresh, Ok);
                    let cpu = self.running_cpu.get();
                    match next {
                        Ok(next) => {
                            let fiber = std::mem::replace(&mut current, next);
                            self.aside.borrow_mut()[slot] = Some(Aside { fiber, cpu });
                        }
                        // No stack for another loop: this fiber waits on its thread, which does nothing else meanwhile.
                        Err(_) => self.wait_for(slot),
                    }
                }
                Pause::Resume(slot) => {
                    if let Some(aside) = self.aside.borrow_mut()[slot].take() {
                        self.free_slots.borrow_mut().push(slot);
                        self.running_cpu.set(aside.cpu);
                        pool.push(std::mem::replace(&mut current, aside.fiber));
                    }
                }
                Pause::Quit => break,
            }
        }
        current.abandon();
        pool.into_iter().for_each(Fiber::abandon);
        self.aside.borrow_mut().drain(..).flatten().for_each(|aside| aside.fiber.abandon());
        self.release_cpu(0);
    }

    /// Parks until the fiber of `slot`, still current, is told to go on.
    fn wait_for(&self, slot: usize) {
        let mut others = Vec::new();
        loop {
            match self.shared.ready.pop() {
                Some(ready) if ready == slot => break,
                Some(other) => others.push(other),
                None => std::thread::park_timeout(Duration::from_millis(10)),
            }
        }
        self.free_slots.borrow_mut().push(slot);
        others.into_iter().for_each(|other| self.shared.ready.push(other));
    }

    /// A slot for the fiber that runs now and is about to wait.
    pub fn reserve_slot(&self) -> usize {
        self.free_slots.borrow_mut().pop().unwrap_or_else(|| {
            let mut aside = self.aside.borrow_mut();
            aside.push(None);
            aside.len() - 1
        })
    }

    /// The slot was not needed after all.
    pub fn return_slot(&self, slot: usize) {
        self.free_slots.borrow_mut().push(slot);
    }

    fn loop_on_fiber(&'static self) {
        while !self.runtime.stopping() {
            if let Some(slot) = self.next_ready() {
                if self.rested.take() && (!self.deque.is_empty() || self.runtime.queues.has_any()) {
                    // The fiber goes first, and may block this thread for as long as it likes (N2).
                    self.runtime.work_is_there();
                }
                fiber::pause(Pause::Resume(slot));
            } else if let Some(work) = self.find_work() {
                self.rested.set(false);
                self.run_guarded(work);
                // Between tasks a glance at the roads is cheap, and keeps peers from waiting for a tick.
                self.runtime.glance();
            } else {
                self.rest();
            }
        }
        fiber::pause(Pause::Quit);
    }

    /// Runs a piece of work. What still panics here is user code that is dropped with it: that is said and goes no further.
    fn run_guarded(&'static self, work: Work) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.runtime.execute(self, work)));
        if let Err(panic) = outcome {
            self.running_cpu.set(0);
            say(Level::Error, || {
                format!("rank {}: a value's Drop panicked: {}", self.runtime.rank, crate::objects::panic_text(&*panic))
            });
        }
    }

    /// A fiber that can go on and has its CPUs.
    fn next_ready(&self) -> Option<usize> {
        if self.shared.ready.is_empty() && self.hungry.borrow().is_empty() {
            return None;
        }
        // Those that had to wait go first; each that still has too few CPUs goes back to the end.
        let waiting = self.hungry.borrow().len();
        for turn in 0.. {
            let hungry = if turn < waiting { self.hungry.borrow_mut().pop_front() } else { None };
            let slot = hungry.or_else(|| self.shared.ready.pop())?;
            if self.take_cpu(self.cpu_of(slot)) {
                if hungry.is_some() {
                    self.runtime.hungry.fetch_sub(1, Ordering::Relaxed);
                }
                return Some(slot);
            }
            self.hungry.borrow_mut().push_back(slot);
            if hungry.is_none() {
                self.runtime.hungry.fetch_add(1, Ordering::Relaxed);
            }
            self.runtime.table.wait();
        }
        None
    }

    /// The CPUs that the fiber in `slot` needs to go on.
    fn cpu_of(&self, slot: usize) -> i64 {
        self.aside.borrow()[slot].as_ref().map_or(0, |aside| aside.cpu)
    }

    /// The next piece of work: own, then what came from outside, then of the rank's other workers.
    fn find_work(&self) -> Option<Work> {
        self.deque.pop().or_else(|| self.runtime.queues.take(self)).or_else(|| self.steal_from_neighbours())
    }

    fn steal_from_neighbours(&self) -> Option<Work> {
        let workers = self.runtime.workers();
        let start = self.draw() as usize;
        (0..workers.len())
            .map(|step| workers[(start + step) % workers.len()])
            .filter(|worker| worker.index != self.shared.index)
            .find_map(|worker| crate::runtime::queues::steal_one(|| worker.stealer.steal()))
    }

    /// A number that differs from call to call.
    fn draw(&self) -> u32 {
        let random = self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(random);
        (random >> 40) as u32
    }

    /// Whether work that comes now is this worker's to run: it is at rest, and has none yet.
    pub fn takes_it_up(&self) -> bool {
        self.at_rest.get() && self.deque.is_empty()
    }

    /// Nothing to do.
    fn rest(&'static self) {
        self.shared.resting.store(true, Ordering::Relaxed);
        self.look_ask_park();
        self.shared.resting.store(false, Ordering::Relaxed);
    }

    /// Looks at the roads for a moment, asks elsewhere for work, then parks.
    fn look_ask_park(&'static self) {
        let runtime = self.runtime;
        runtime.answer_roll(self.shared);
        runtime.ask_for_work();
        self.rested.set(true);
        self.at_rest.set(true);
        // Its own deque is looked at each time, since what comes by the road lands there; the rest now and then.
        let looks = Cell::new(0u32);
        let found = runtime.watch_roads(|| {
            looks.set(looks.get() + 1);
            !self.deque.is_empty() || (looks.get() % LOOKS_AROUND == 1 && self.has_something())
        });
        self.at_rest.set(false);
        if found || runtime.stopping() {
            return;
        }
        self.release_cpu(0);
        if !self.hungry.borrow().is_empty() {
            runtime.table.wait();
        }
        runtime.leave_roads();
        runtime.idle.announce(self.shared.index);
        // An answer that came since the question above saw nobody idle.
        runtime.ask_for_work();
        if self.has_something() || runtime.stopping() {
            runtime.idle.withdraw(self.shared.index);
            return;
        }
        std::thread::park();
        runtime.idle.withdraw(self.shared.index);
    }

    fn has_something(&self) -> bool {
        !self.shared.ready.is_empty()
            || !self.deque.is_empty()
            || self.runtime.queues.has_any()
            || self.runtime.workers().iter().any(|worker| !worker.stealer.is_empty())
            || self.hungry.borrow().iter().any(|slot| self.cpu_of(*slot) <= self.runtime.table.free_cpu())
    }

    /// A task begins.
    #[inline]
    pub fn count_begun(&self, entry: Option<&'static TableEntry>) {
        self.shared
            .running
            .store(entry.map_or(std::ptr::null_mut(), |entry| std::ptr::from_ref(entry).cast_mut()), Ordering::Relaxed);
        self.shared.began.store(self.shared.began.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// One in so many looks of a worker at rest goes to every queue of the rank.
const LOOKS_AROUND: u32 = 8;
