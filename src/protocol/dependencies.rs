//! Arguments that are not there yet: a task waits for them without a thread.

use crate::base::Error;
use crate::base::sync::{Ordering, lock};
use crate::objects::{AnySlot, Waiter};
use crate::protocol::Protocol;
use crate::protocol::driver::Driver;
use crate::registry::Runnable;
use std::sync::{Arc, Mutex};

impl Protocol {
    /// A task that is to run on this rank, or on one that steals it, once its arguments are there.
    pub fn launch_here<D: Driver>(&self, driver: &D, task: Arc<dyn Runnable>) {
        if !driver.takes(&task) {
            return;
        }
        when_arguments(driver, &task.clone(), move |driver| driver.protocol().arguments_ready(driver, task));
    }

    /// Every argument of the task is complete: run it, or pass on the failure that one of them holds.
    fn arguments_ready(&self, driver: &impl Driver, task: Arc<dyn Runnable>) {
        if let Some(error) = failed_argument(&task) {
            if task.header().claim_waiting() {
                task.fail(error);
                self.over(driver, &task);
            }
        } else if task.header().queue() {
            driver.enqueue(task);
        }
    }

    /// Fails a task that was never queued.
    pub fn fail_task(&self, driver: &impl Driver, task: &Arc<dyn Runnable>, error: Error) {
        if task.header().claim_waiting() {
            driver.report(error.clone());
            task.fail(Arc::new(error));
            self.over(driver, task);
        }
    }
}

/// Calls `then` when every reference among the arguments is complete.
pub fn when_arguments<D: Driver>(driver: &D, task: &Arc<dyn Runnable>, then: impl FnOnce(&D) + Send + 'static) {
    let mut references: Vec<Arc<dyn AnySlot>> = Vec::new();
    task.references(&mut |slot| {
        if !slot.core().is_complete() {
            references.push(slot);
        }
    });
    if references.is_empty() {
        return then(driver);
    }
    let missing = &task.header().missing;
    missing.store(references.len() as u32, Ordering::Relaxed);
    let then: Then<D> = Box::new(then);
    let waiter = Arc::new(Dependency { driver: driver.clone(), task: task.clone(), then: Mutex::new(Some(then)) });
    for slot in references {
        slot.request();
        driver.protocol().want(driver, &slot);
        slot.core().when_complete(waiter.clone());
    }
}

/// The failure that an argument of the task holds, where one does.
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
    driver: D,
    task: Arc<dyn Runnable>,
    then: Mutex<Option<Then<D>>>,
}

impl<D: Driver> Waiter for Dependency<D> {
    fn ready(self: Arc<Self>) {
        if self.task.header().missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            let then = lock(&self.then).take();
            if let Some(then) = then {
                then(&self.driver);
            }
        }
    }
}
