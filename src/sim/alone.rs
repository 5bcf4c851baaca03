//! What a rank does with tasks where there is no other rank: they are queued when their arguments are there.

use crate::base::Error;
use crate::base::sync::Ordering;
use crate::object::{AnySlot, Waiter};
use crate::registry::Runnable;
use crate::sim::script::{Asks, Given};
use crate::sim::value::{Handle, Reference};
use crate::sim::world::Here;
use std::sync::Arc;

impl Here {
    /// A task is to run here once its arguments are there.
    pub fn launch(&self, task: Arc<dyn Runnable>) {
        let mut missing: Vec<Arc<dyn AnySlot>> = Vec::new();
        task.references(&mut |slot| {
            if !slot.core().is_complete() {
                missing.push(slot);
            }
        });
        if missing.is_empty() {
            return self.arguments_ready(task);
        }
        task.header().missing.store(missing.len() as u32, Ordering::Relaxed);
        let waiter = Arc::new(Dependent { here: self.clone(), task });
        for slot in missing {
            slot.request();
            slot.core().when_complete(waiter.clone());
        }
    }

    /// A task is over.
    pub fn over(&self, _: &Arc<dyn Runnable>) {}

    /// Cancels the task that makes this.
    pub fn cancel(&self, slot: Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.producer(&mut producer);
        let Some(task) = producer else { return };
        task.header().cancel();
        let error = Arc::new(Error::Cancelled { task: task.header().name().to_string() });
        if task.header().claim() || task.header().claim_waiting() {
            task.fail(error);
        } else {
            task.slots().iter().for_each(|slot| slot.fail(error.clone()));
        }
    }

    /// Makes an actor.
    pub fn make(&self, _seed: u64, _given: Vec<Given<Reference, Handle>>, _asks: Asks, _caller: u64) -> Handle {
        unreachable!("a rank alone is given no actors")
    }

    /// Calls an actor.
    pub fn call(&self, _actor: &Handle, _given: Vec<Given<Reference, Handle>>, _caller: u64) -> Vec<Reference> {
        unreachable!("a rank alone is given no actors")
    }

    fn arguments_ready(&self, task: Arc<dyn Runnable>) {
        let mut failure = None;
        task.references(&mut |slot| failure = failure.take().or_else(|| slot.core().failure()));
        match failure {
            Some(error) if task.header().claim_waiting() => {
                task.fail(error);
                self.over(&task);
            }
            None if task.header().queue() => {
                self.site().push(task);
                self.rouse();
            }
            _ => {}
        }
    }
}

/// A task that waits for arguments.
struct Dependent {
    here: Here,
    task: Arc<dyn Runnable>,
}

impl Waiter for Dependent {
    fn ready(self: Arc<Self>) {
        if self.task.header().missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.here.arguments_ready(self.task.clone());
        }
    }
}
