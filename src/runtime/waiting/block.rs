//! A fiber that waits gives its thread and its CPUs back; a thread that waits polls the transports for a short time and
//! then blocks.

use crate::base::sync::Ordering;
use crate::base::{Error, Result, stack};
use crate::objects::Waiter;
use crate::registry::refuse_in_leaf;
use crate::runtime::Runtime;
use crate::runtime::lifecycle::is_exiting;
use crate::runtime::tasks::{context, give_back_driver_cpu, with_driver_cpus};
use crate::runtime::waiting::blocked_fibers::record_parked_thread;
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::waiting::stall::watch_for_stall;
use crate::runtime::workers::fiber::{self, Pause};
use crate::runtime::workers::worker::{self, Worker};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// On whose behalf a thread waits.
#[derive(Clone, Copy)]
enum Waits<'a> {
    /// A service of the runtime.
    ForRuntime,
    /// A user's call; `can_run` says if the thread can run in place what it waits for.
    ForUser { can_run: &'a dyn Fn() -> bool },
}

impl Runtime {
    /// Waits for `count` calls of the event that `register` passes on, or the deadline.
    ///
    /// # Errors
    /// `Cancelled` if the waiting task was cancelled; `Config` if too many tasks are blocked already.
    pub fn block(
        &'static self,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<WaitEvent>),
    ) -> Result<()> {
        self.block_as(Waits::ForRuntime, count, deadline, register)
    }

    /// As `block`, for a user's call. It may return before the event, so that a thread that is no worker's tries again
    /// to run in place what it waits for.
    ///
    /// # Errors
    /// As `block`.
    pub fn block_user(
        &'static self,
        can_run: &dyn Fn() -> bool,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<WaitEvent>),
    ) -> Result<()> {
        self.block_as(Waits::ForUser { can_run }, count, deadline, register)
    }

    fn block_as(
        &'static self,
        waits: Waits<'_>,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<WaitEvent>),
    ) -> Result<()> {
        refuse_in_leaf("what waits")?;
        if let Some(task) = context::cancelled() {
            return Err(Error::Cancelled { task });
        }
        if self.stopping() {
            return Err(self.stopped());
        }
        match (worker::here(), stack::left()) {
            (Some(worker), Some(_)) => block_fiber(self, worker, count, deadline, register)?,
            _ => block_thread(self, waits, count, deadline, register),
        }
        if self.stopping() {
            return Err(self.stopped());
        }
        match context::cancelled() {
            Some(task) => Err(Error::Cancelled { task }),
            None => Ok(()),
        }
    }

    /// The error of a wait that the end of the cluster cuts short.
    fn stopped(&self) -> Error {
        while is_exiting() && stack::left().is_none() {
            // What it waits for never comes, and its thread ends with the process, which says nothing more.
            std::thread::park();
        }
        self.lifecycle.end_reason()
    }
}

/// As `pause_fiber`; a task of a placement group yields its bundle's CPUs to others meanwhile.
fn block_fiber(
    runtime: &'static Runtime,
    worker: &'static Worker,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) -> Result<()> {
    let Some((slot, cpu)) = context::bundle_slot() else {
        return pause_fiber(runtime, worker, count, deadline, register);
    };
    worker.shared.cpus.withdraw_part(runtime);
    runtime.resources.table.yield_cpu(slot, cpu);
    runtime.resources_freed();
    let outcome = pause_fiber(runtime, worker, count, deadline, register);
    let mut is_back = false;
    while !is_back && !runtime.stopping() {
        let waited = pause_fiber(runtime, worker, 1, None, |event| {
            is_back = runtime.resources.table.try_reacquire_cpu(slot, cpu, || event.clone());
            if is_back {
                event.clone().notify();
            }
        });
        if waited.is_err() {
            // Too many tasks wait already: it continues, and its bundle grants less until it ends.
            runtime.resources.table.reacquire_cpu(slot, cpu);
            break;
        }
    }
    worker.shared.cpus.hold_part(slot, cpu);
    outcome
}

fn pause_fiber(
    runtime: &'static Runtime,
    worker: &'static Worker,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) -> Result<()> {
    if runtime.waiting.blocked_count.load(Ordering::Relaxed) >= runtime.cluster.config.fibers {
        return Err(Error::config(format!(
            "{} tasks of rank {} are blocked in get or wait, as many as it may have: raise MOBULA_FIBERS, or nest \
             less deep",
            runtime.cluster.config.fibers, runtime.cluster.rank
        )));
    }
    let slot = worker.reserve_slot();
    let entry = context::entry();
    let event = WaitEvent::of_fiber(count, worker.shared, slot, entry);
    register(&event);
    if let Some(deadline) = deadline
        && runtime.waiting.timers.add(deadline, Arc::downgrade(&event))
    {
        runtime.router.doorbell.notify_always();
    }
    if !event.try_sleep() {
        worker.return_slot(slot);
        return Ok(());
    }
    runtime.waiting.blocked_count.fetch_add(1, Ordering::Relaxed);
    let suspended = context::suspend(slot);
    fiber::pause(Pause::Blocked(slot));
    drop(suspended);
    worker.shared.set_running(entry);
    runtime.waiting.blocked_count.fetch_sub(1, Ordering::Relaxed);
    Ok(())
}

fn block_thread(
    runtime: &'static Runtime,
    waits: Waits<'_>,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    // A task that runs in place on a driver's stack gives its CPU back while it waits.
    let held = give_back_driver_cpu(runtime);
    wait_as(runtime, waits, count, deadline, register);
    if held > 0 {
        retake_cpu_on_thread(runtime, held);
        with_driver_cpus(|cpus| cpus.hold(held));
    }
}

/// As `block_thread`, for a service thread that holds no resources.
pub fn wait_on_thread(
    runtime: &'static Runtime,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    wait_as(runtime, Waits::ForRuntime, count, deadline, register);
}

fn wait_as(
    runtime: &'static Runtime,
    waits: Waits<'_>,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    let event = WaitEvent::of_thread(count);
    register(&event);
    if !runtime.poll_until(|| event.fired() || deadline.is_some_and(|deadline| Instant::now() >= deadline))
        || !event.fired()
    {
        runtime.prepare_to_sleep();
        park_until(runtime, waits, &event, deadline);
    }
    event.cancel();
}

fn park_until(runtime: &'static Runtime, waits: Waits<'_>, event: &WaitEvent, deadline: Option<Instant>) {
    let can_run = match waits {
        Waits::ForUser { can_run } if !runtime.lifecycle.is_init_thread() => Some(can_run),
        _ => None,
    };
    let (mut parked, mut outside) = (None, None);
    let mut interval = if can_run.is_some() { OUTSIDE_CHECK_INTERVAL } else { STOP_CHECK_INTERVAL };
    while event.try_sleep() || !event.fired() {
        let is_last = interval == STOP_CHECK_INTERVAL;
        match deadline {
            None => std::thread::park_timeout(interval),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                std::thread::park_timeout(left.min(interval));
            }
        }
        if runtime.stopping() {
            return;
        }
        if event.fired() {
            continue;
        }
        if let Some(can_run) = can_run {
            outside.get_or_insert_with(|| runtime.wait_outside());
            if can_run() {
                return;
            }
            interval = (2 * interval).min(STOP_CHECK_INTERVAL);
        }
        if is_last && !runtime.waiting.stall.collecting.load(Ordering::Relaxed) {
            // It waits for longer than most: from now on other ranks can see for what.
            parked.get_or_insert_with(|| record_parked_thread(runtime));
            watch_for_stall(runtime);
        }
    }
}

fn retake_cpu_on_thread(runtime: &'static Runtime, amount: i64) {
    let begun = Instant::now();
    let mut outside = None;
    while !runtime.resources.table.take_cpu(amount) && !runtime.stopping() {
        runtime.resources.table.set_waiting();
        if begun.elapsed() >= OUTSIDE_CHECK_INTERVAL {
            // Who has it may be blocked until this very thread continues.
            outside.get_or_insert_with(|| runtime.wait_outside());
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// How often a blocked driver checks whether the cluster is stopping.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How long a thread outside of the workers waits before CPUs are lent for it, and it tries again to run in place what
/// it waits for; then twice as long, each time, up to `STOP_CHECK_INTERVAL`.
const OUTSIDE_CHECK_INTERVAL: Duration = Duration::from_millis(5);
