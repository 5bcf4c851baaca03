//! What a waiting thread runs on its own stack: the very task or call that it waits for.

use crate::objects::AnySlot;
use crate::registry::{Phase, Runnable};
use crate::runtime::Runtime;
use crate::runtime::fiber;
use crate::runtime::queues::Work;
use crate::runtime::tasks::NOTHING;
use crate::runtime::worker::{self, Worker};
use crate::scheduling::UNIT;
use std::cell::Cell;
use std::sync::Arc;

/// Part of a fiber's stack that must be left for a child to run in place on it: one in this many.
const STACK_RESERVE: usize = 4;

/// How deep tasks and calls run in place on a driver's own stack.
const DRIVER_DEPTH_MAX: u32 = 64;

thread_local! {
    /// How many run in place on this driver's stack.
    static DRIVER_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// CPUs of the host that the tasks among them hold: one for all, since only the innermost does not wait.
    static DRIVER_CPU: Cell<i64> = const { Cell::new(0) };
}

/// CPUs that this driver's thread holds for tasks on its stack: it holds `cpu` from now on.
pub(super) fn replace_driver_cpu(cpu: i64) -> i64 {
    DRIVER_CPU.replace(cpu)
}

impl Runtime {
    /// Runs what makes the object on this stack, where it waits here to be run and the stack has room.
    pub(super) fn help(&'static self, slot: &Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        let Some(task) = producer else { return };
        let header = task.header();
        match worker::here() {
            Some(worker) => {
                // The child's request is one CPU; a parent that holds another amount lets a worker run it.
                let has_room = fiber::stack_left().is_some_and(|(left, whole)| left > whole / STACK_RESERVE);
                if header.phase() == Phase::Queued && header.options.is_none() && has_room && worker.runs_one_cpu() {
                    self.run_on_fiber(worker, &task);
                }
            }
            None if DRIVER_DEPTH.get() < DRIVER_DEPTH_MAX => {
                DRIVER_DEPTH.set(DRIVER_DEPTH.get() + 1);
                match header.phase() {
                    Phase::Queued if header.options.is_none() => self.run_on_driver(&task),
                    // Where a worker is at its actor already, nothing is lent.
                    Phase::Waiting if self.queues.has_light() => self.call_on_driver(&task),
                    _ => {}
                }
                DRIVER_DEPTH.set(DRIVER_DEPTH.get() - 1);
            }
            None => {}
        }
    }

    fn run_on_fiber(&'static self, worker: &'static Worker, task: &Arc<dyn Runnable>) {
        // Usually it is the newest of the own deque: taking it from there leaves nothing behind.
        match worker.deque.pop() {
            Some(Work::Task(newest)) if !Arc::ptr_eq(&newest, task) => worker.deque.push(Work::Task(newest)),
            Some(Work::Actor(actor)) => worker.deque.push(Work::Actor(actor)),
            _ => {}
        }
        if task.header().claim() {
            worker.count_begun(task.header().entry);
            self.run_claimed(task, &NOTHING, Some(worker));
        } else if task.header().phase() == Phase::Queued {
            unreachable!("a queued task can be claimed");
        }
    }

    fn run_on_driver(&'static self, task: &Arc<dyn Runnable>) {
        if DRIVER_CPU.get() == UNIT {
            // Its parent waits for it, and needs none meanwhile.
            if task.header().claim() {
                self.run_claimed(task, &NOTHING, None);
            }
        } else if self.table.take_cpu(UNIT) {
            DRIVER_CPU.set(UNIT);
            if task.header().claim() {
                self.run_claimed(task, &NOTHING, None);
            }
            DRIVER_CPU.set(0);
            self.give_back_cpu(UNIT);
        }
    }

    /// Runs the call of an actor here that is next and that nobody has begun.
    fn call_on_driver(&'static self, call: &Arc<dyn Runnable>) {
        if let Some((home, mut state)) = self.protocol.actors.lend(call) {
            self.perform(&home, call, &mut state);
            home.called(&self, call, state);
        }
    }
}
