//! A waiting thread runs the task or call that it waits for on its own stack.

use crate::base::stack;
use crate::objects::AnySlot;
use crate::registry::{Runnable, TaskPhase};
use crate::runtime::tasks::execute::{NO_GRANT, run_claimed};
use crate::runtime::workers::Work;
use crate::runtime::workers::worker::{self, Worker};
use crate::runtime::{Runtime, actors};
use crate::scheduling::UNIT;
use std::cell::Cell;
use std::sync::Arc;

/// A child runs in place only if more than one part in this many of the fiber's stack is free.
const STACK_RESERVE: usize = 4;

/// How deep tasks and calls run in place on a driver's own stack.
const DRIVER_DEPTH_MAX: u32 = 64;

thread_local! {
    /// How many run in place on this driver's stack.
    static DRIVER_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// CPUs of the host that these tasks hold: one for all, since only the innermost does not wait.
    static DRIVER_CPU: Cell<i64> = const { Cell::new(0) };
}

/// Sets the CPUs that this driver's thread holds for tasks on its stack; returns the value before.
pub fn replace_driver_cpu(cpu: i64) -> i64 {
    DRIVER_CPU.replace(cpu)
}

/// Runs the object's producer on this stack, if it is queued here and the stack has space.
pub fn try_run_in_place(runtime: &'static Runtime, slot: &Arc<dyn AnySlot>) {
    let mut producer: Option<Arc<dyn Runnable>> = None;
    slot.clone().producer(&mut producer);
    let Some(task) = producer else { return };
    let header = task.header();
    match worker::here() {
        Some(worker) => {
            // The child's request is one CPU; a parent that holds another amount lets a worker run it.
            let has_stack = stack::left().is_some_and(|(left, whole)| left > whole / STACK_RESERVE);
            if header.phase() == TaskPhase::Queued
                && header.options.is_none()
                && has_stack
                && worker.running_cpu.get() == UNIT
            {
                run_on_fiber(runtime, worker, &task);
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

fn run_on_fiber(runtime: &'static Runtime, worker: &'static Worker, task: &Arc<dyn Runnable>) {
    // Usually it is the newest in this worker's own deque: popping it leaves no stale entry.
    match worker.deque.pop() {
        Some(Work::Task(newest)) if !Arc::ptr_eq(&newest, task) => worker.deque.push(Work::Task(newest)),
        Some(Work::Actor(actor)) => worker.deque.push(Work::Actor(actor)),
        _ => {}
    }
    if task.header().claim() {
        worker.shared.count_begun(task.header().entry);
        run_claimed(runtime, task, &NO_GRANT, Some(worker));
    } else if task.header().phase() == TaskPhase::Queued {
        unreachable!("a queued task can be claimed");
    }
}

fn run_on_driver(runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
    // A parent that runs on this stack waits for the task, and needs no CPU meanwhile.
    let takes_cpu = DRIVER_CPU.get() != UNIT;
    if takes_cpu && !runtime.resources.table.take_cpu(UNIT) {
        return;
    }
    DRIVER_CPU.set(UNIT);
    if task.header().claim() {
        run_claimed(runtime, task, &NO_GRANT, None);
    }
    if takes_cpu {
        DRIVER_CPU.set(0);
        runtime.give_back_cpu(UNIT);
    }
}

/// Runs a call of an actor of this rank, if it is the actor's next call and no worker has started it.
fn call_on_driver(runtime: &'static Runtime, call: &Arc<dyn Runnable>) {
    if let Some((actor, mut state)) = runtime.protocol.actors.instance.try_take_state(call) {
        actors::run_call(runtime, &actor, call, &mut state);
        actor.on_called(&runtime, call, state);
    }
}
