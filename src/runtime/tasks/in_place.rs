//! A waiting thread runs the task or call that it waits for on its own stack.

use crate::base::stack;
use crate::objects::AnySlot;
use crate::registry::{Runnable, TaskHeader, TaskPhase};
use crate::runtime::tasks::execute::{NO_GRANT, run_claimed};
use crate::runtime::workers::worker::{self, Worker};
use crate::runtime::workers::{HeldCpus, InPlaceThread};
use crate::runtime::{Runtime, actors};
use crate::scheduling::UNIT;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// A child runs in place only if more than one part in this many of the fiber's stack is free.
const STACK_RESERVE: usize = 4;

/// How deep tasks and calls run in place on a driver's own stack.
const DRIVER_DEPTH_MAX: u32 = 64;

thread_local! {
    /// How many run in place on this driver's stack.
    static DRIVER_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// CPUs of the host that these tasks hold: one for all, since only the innermost does not wait.
    static DRIVER_CPUS: RefCell<Option<InPlaceThread>> = const { RefCell::new(None) };
}

/// Calls `body` with what this driver's thread holds for the tasks on its stack; `None` if it has run none.
pub fn with_driver_cpus<R>(body: impl FnOnce(&HeldCpus) -> R) -> Option<R> {
    let with = |thread: &RefCell<Option<InPlaceThread>>| thread.borrow().as_ref().map(|thread| body(&thread.cpus));
    // A thread that ends has no such record any more.
    DRIVER_CPUS.try_with(with).ok().flatten()
}

/// Calls `body` with what this driver's thread holds, of a thread that is about to run a task of that rank.
fn with_registered_cpus<R>(runtime: &'static Runtime, body: impl FnOnce(&HeldCpus) -> R) -> Option<R> {
    let with = |thread: &RefCell<Option<InPlaceThread>>| {
        if thread.borrow().as_ref().is_none_or(|thread| !std::ptr::eq(thread.runtime, runtime)) {
            thread.replace(Some(InPlaceThread::register(runtime)));
        }
        thread.borrow().as_ref().map(|thread| body(&thread.cpus))
    };
    DRIVER_CPUS.try_with(with).ok().flatten()
}

/// Takes a CPU for the task that is about to run on this driver's stack; `None` if there is none, and true if it must
/// be given back. A parent that runs on this stack waits for the task, and needs no CPU meanwhile.
fn take_driver_cpu(runtime: &'static Runtime) -> Option<bool> {
    with_registered_cpus(runtime, |cpus| {
        if cpus.amount() < 0 {
            cpus.take_back(runtime);
        }
        if cpus.amount() > 0 {
            return Some(false);
        }
        let is_taken = runtime.resources.table.take_cpu(UNIT);
        is_taken.then(|| {
            cpus.hold(UNIT);
            true
        })
    })
    .flatten()
}

/// Runs the object's producer on this stack, if it is queued here and the stack has space.
pub fn try_run_in_place(runtime: &'static Runtime, slot: Arc<dyn AnySlot>) {
    let mut producer: Option<Arc<dyn Runnable>> = None;
    slot.producer(&mut producer);
    let Some(task) = producer else { return };
    let header = task.header();
    match worker::here() {
        Some(worker) => {
            // The child's request is one CPU; a parent that holds another amount lets a worker run it.
            let has_stack = || stack::left().is_some_and(|(left, whole)| left > whole / STACK_RESERVE);
            if header.phase() == TaskPhase::Queued
                && header.options.is_none()
                && worker.running_cpu.get() == UNIT
                && has_stack()
            {
                run_on_fiber(runtime, worker, &task, header);
            }
        }
        None if DRIVER_DEPTH.get() < DRIVER_DEPTH_MAX => {
            DRIVER_DEPTH.set(DRIVER_DEPTH.get() + 1);
            match header.phase() {
                TaskPhase::Queued if header.options.is_none() => run_on_driver(runtime, &task),
                // If a worker already runs its actor, `try_take_state` refuses.
                TaskPhase::Waiting if !runtime.workers.queues.zero_cpu.is_empty() => call_on_driver(runtime, &task),
                _ => {}
            }
            DRIVER_DEPTH.set(DRIVER_DEPTH.get() - 1);
        }
        None => {}
    }
}

fn run_on_fiber(runtime: &'static Runtime, worker: &'static Worker, task: &Arc<dyn Runnable>, header: &TaskHeader) {
    if header.claim() {
        drop(worker.shared.queue.take(task));
        let parent = worker.shared.running();
        worker.shared.count_begun(header.entry);
        run_claimed(runtime, task, &NO_GRANT, Some(worker));
        worker.shared.set_running(parent);
    } else if header.phase() == TaskPhase::Queued {
        unreachable!("a queued task can be claimed");
    }
}

fn run_on_driver(runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
    let Some(takes_cpu) = take_driver_cpu(runtime) else { return };
    if task.header().claim() {
        drop(runtime.workers.queues.shared.take(task));
        run_claimed(runtime, task, &NO_GRANT, None);
    }
    if takes_cpu {
        give_back_driver_cpu(runtime);
    }
}

/// This driver's thread holds no CPUs from now on; returns how many it did.
pub fn give_back_driver_cpu(runtime: &'static Runtime) -> i64 {
    let given_back = with_driver_cpus(|cpus| {
        let held = cpus.amount().abs();
        let counted = cpus.withdraw();
        if counted > 0 {
            runtime.give_back_cpu(counted);
        }
        held
    });
    given_back.unwrap_or(0)
}

/// True if the object's producer is queued here, and this thread, which is of no worker, has what it needs to run it.
pub fn can_run_in_place(runtime: &Runtime, slot: &Arc<dyn AnySlot>) -> bool {
    let mut producer: Option<Arc<dyn Runnable>> = None;
    slot.clone().producer(&mut producer);
    producer.is_some_and(|task| task.header().phase() == TaskPhase::Queued && task.header().options.is_none())
        && DRIVER_DEPTH.get() < DRIVER_DEPTH_MAX
        && runtime.resources.table.free_cpu() >= UNIT
}

/// Runs a call of an actor of this rank, if it is the actor's next call and no worker has started it.
fn call_on_driver(runtime: &'static Runtime, call: &Arc<dyn Runnable>) {
    if let Some((actor, mut state)) = runtime.protocol.actors.instance.try_take_state(call) {
        actors::run_call(runtime, &actor, &actor.call_setting(), call, &mut state);
        actor.on_called(&runtime, call, state);
    }
}
