//! A fiber that waits gives its thread and its CPUs back; a thread that waits polls the transports for a short time and
//! then blocks.

use crate::base::sync::Ordering;
use crate::base::{Error, Result, stack};
use crate::objects::Waiter;
use crate::runtime::Runtime;
use crate::runtime::lifecycle::is_exiting;
use crate::runtime::tasks::{context, replace_driver_cpu};
use crate::runtime::waiting::blocked_fibers::record_parked_driver;
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::waiting::stall::watch_for_stall;
use crate::runtime::workers::fiber::{self, Pause};
use crate::runtime::workers::worker::{self, Worker};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
        if let Some(task) = context::cancelled() {
            return Err(Error::Cancelled { task });
        }
        if self.stopping() {
            return Err(self.stopped());
        }
        match (worker::here(), stack::left()) {
            (Some(worker), Some(_)) => block_fiber(self, worker, count, deadline, register)?,
            _ => block_thread(self, count, deadline, register),
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
    let event = WaitEvent::of_fiber(count, worker.shared, slot);
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
    runtime.waiting.blocked_count.fetch_sub(1, Ordering::Relaxed);
    Ok(())
}

fn block_thread(
    runtime: &'static Runtime,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    // A task that runs in place on a driver's stack gives its CPU back while it waits.
    let held = replace_driver_cpu(0);
    if held > 0 {
        runtime.give_back_cpu(held);
    }
    wait_on_thread(runtime, count, deadline, register);
    if held > 0 {
        retake_cpu_on_thread(runtime, held);
        replace_driver_cpu(held);
    }
}

/// As `block_thread`, for a service thread that holds no resources.
pub fn wait_on_thread(
    runtime: &'static Runtime,
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
        park_until(runtime, &event, deadline);
    }
    event.cancel();
}

fn park_until(runtime: &'static Runtime, event: &WaitEvent, deadline: Option<Instant>) {
    let mut parked = None;
    while event.try_sleep() || !event.fired() {
        match deadline {
            None => std::thread::park_timeout(STOP_CHECK_INTERVAL),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                std::thread::park_timeout(left.min(STOP_CHECK_INTERVAL));
            }
        }
        if runtime.stopping() {
            return;
        }
        if !event.fired() && !runtime.waiting.stall.collecting.load(Ordering::Relaxed) {
            // It waits for longer than most: from now on other ranks can see for what.
            parked.get_or_insert_with(|| record_parked_driver(runtime));
            watch_for_stall(runtime);
        }
    }
}

fn retake_cpu_on_thread(runtime: &'static Runtime, amount: i64) {
    while !runtime.resources.table.take_cpu(amount) && !runtime.stopping() {
        runtime.resources.table.set_waiting();
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// How often a blocked driver checks whether the cluster is stopping.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(250);
