//! Arguments that are not complete yet: a task waits for them without a thread.

use crate::base::Error;
use crate::base::sync::Ordering;
use crate::objects::{AnySlot, Waiter};
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::tasks::Tasks;
use crate::registry::Runnable;
use std::cell::Cell;
use std::sync::{Arc, Mutex};

impl Tasks {
    /// Launches a task on this rank, or on one that steals it, once its arguments are complete.
    pub fn launch_here<D: Environment>(&self, env: &D, task: Arc<dyn Runnable>) {
        if !env.try_accept(&task) {
            return;
        }
        when_arguments(env, &task.clone(), move |env| env.protocol().tasks.arguments_ready(env, task));
    }

    /// Every argument of the task is complete: queues it, or fails it with the failure of an argument.
    fn arguments_ready(&self, env: &impl Environment, task: Arc<dyn Runnable>) {
        // Only its claimer may look at the arguments: a cancellation takes them (REGISTRY-2).
        if !task.header().claim_waiting() {
            return;
        }
        let failed = failed_argument(&task).zip(Nested::enter());
        if let Some((error, _nested)) = failed {
            task.fail(error);
            self.count_passed_on();
            self.on_finished(env, &task);
        } else if task.header().queue_again() {
            // If an argument failed, and the stack has many such tasks already, a worker fails it: in a chain each
            // failure notifies the next task.
            env.enqueue(task);
        } else {
            task.fail(Arc::new(Error::Cancelled { task: task.header().name().to_string() }));
            self.on_finished(env, &task);
        }
    }

    /// Fails a task that was never queued.
    pub fn fail(&self, env: &impl Environment, task: &Arc<dyn Runnable>, error: Error) {
        if task.header().claim_waiting() {
            env.report_failure(error.clone());
            task.fail(Arc::new(error));
            self.on_finished(env, task);
        }
    }
}

/// Tasks that this thread fails at the moment, each from the notification of the one before.
struct Nested;

impl Nested {
    /// How many may be on a stack: a fraction of a fiber's.
    const MAX: u32 = 32;

    fn enter() -> Option<Nested> {
        let depth = NESTED.get();
        (depth < Nested::MAX).then(|| {
            NESTED.set(depth + 1);
            Nested
        })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// Calls `then` when every reference among the arguments is complete.
pub fn when_arguments<D: Environment>(env: &D, task: &Arc<dyn Runnable>, then: impl FnOnce(&D) + Send + 'static) {
    let mut references: Vec<Arc<dyn AnySlot>> = Vec::new();
    task.references(&mut |slot| {
        if !slot.core().is_complete() {
            references.push(slot);
        }
    });
    if references.is_empty() {
        return then(env);
    }
    let missing = &task.header().missing;
    missing.store(references.len() as u32, Ordering::Relaxed);
    let then: Then<D> = Box::new(then);
    let waiter = Arc::new(Dependency { env: env.clone(), task: task.clone(), then: Mutex::new(Some(then)) });
    for slot in references {
        slot.request();
        env.protocol().objects.request(env, &slot);
        slot.core().when_complete(waiter.clone());
    }
}

/// The failure of an argument of the task, if one failed.
pub fn failed_argument(task: &Arc<dyn Runnable>) -> Option<Arc<Error>> {
    let mut failure = None;
    if !task.all_values() {
        task.references(&mut |slot| failure = failure.take().or_else(|| slot.core().failure()));
    }
    failure
}

type Then<D> = Box<dyn FnOnce(&D) + Send>;

/// A task that waits for arguments.
struct Dependency<D> {
    env: D,
    task: Arc<dyn Runnable>,
    then: Mutex<Option<Then<D>>>,
}

impl<D: Environment> Waiter for Dependency<D> {
    fn notify(self: Arc<Self>) {
        if self.task.header().missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            let then = lock(&self.then).take();
            if let Some(then) = then {
                then(&self.env);
            }
        }
    }
}
