//! Waits of users: for one object, or for some of several.

use crate::base::{Error, Result};
use crate::objects::{AnySlot, Object, ObjectRef, Ref, in_context};
use crate::registry::{refuse_in_leaf, runs_leaf};
use crate::runtime::Runtime;
use crate::runtime::tasks::{self, context};
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::workers::worker::{self};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits until the object is complete; runs its task in place if it has not begun.
#[inline]
pub fn get<T: Object>(reference: &ObjectRef<T>, timeout: Option<Duration>) -> Result<Ref<T>> {
    match reference.ready() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(failure(error)),
        None => wait_and_get(reference, timeout),
    }
}

/// The failure of an object, as its user gets it.
#[cold]
pub fn failure(error: Arc<Error>) -> Error {
    tasks::record_error(&error);
    (*error).clone()
}

#[inline(never)]
fn wait_and_get<T: Object>(reference: &ObjectRef<T>, timeout: Option<Duration>) -> Result<Ref<T>> {
    let runtime = here("get")?;
    // A time-out beyond the clock's range is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    // Often the result has arrived and lies in a transport.
    runtime.try_poll();
    loop {
        if let Some(outcome) = reference.ready() {
            return outcome.map_err(failure);
        }
        if deadline.is_none() {
            tasks::try_run_in_place(runtime, reference.any());
        }
        if let Some(outcome) = reference.ready() {
            return outcome.map_err(failure);
        }
        let slot = reference.any();
        runtime.request_value(&slot);
        if worker::here().is_none()
            && deadline.is_none()
            && runtime.poll_until(|| slot.core().is_complete())
            && !runtime.stopping()
        {
            // A driver that waits for a short answer needs no event.
            continue;
        }
        context::while_awaiting(&|visit| visit(&slot), || {
            let can_run = || deadline.is_none() && tasks::can_run_in_place(runtime, &slot);
            runtime.block_user(&can_run, 1, deadline, |event| match worker::here() {
                Some(_) if deadline.is_none() => slot.core().when_complete(event.clone()),
                // The caller may call again, as often as it likes, and a thread that may run the task may return.
                _ => slot.core().when_complete_pruning(event.clone()),
            })
        })?;
        if reference.ready().is_none() && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::Timeout { waited: timeout.unwrap_or_default(), what: format!("{reference:?}") });
        }
    }
}

/// Waits until `count` of the objects are complete, or the deadline; true if they are.
pub fn wait_for<T: Object>(references: &[ObjectRef<T>], count: usize, deadline: Option<Instant>) -> Result<bool> {
    let ready = || references.iter().filter(|reference| reference.is_ready()).take(count).count() >= count;
    if ready() {
        return Ok(true);
    }
    let runtime = here("wait")?;
    references.iter().for_each(|reference| runtime.request_value(&reference.any()));
    loop {
        // Complete objects fire the event at once, so that it counts all of them. Each other object keeps at most one
        // waiter of an ended wait: a program that waits for one of many, again and again, leaves no more behind.
        let register = |event: &Arc<WaitEvent>| {
            for reference in references {
                reference.slot.core().when_complete_pruning(event.clone());
            }
        };
        let awaited = |visit: &mut dyn FnMut(&Arc<dyn AnySlot>)| references.iter().for_each(|one| visit(&one.any()));
        context::while_awaiting(&awaited, || runtime.block_user(&|| false, count, deadline, register))?;
        if ready() {
            return Ok(true);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(false);
        }
    }
}

#[inline]
pub fn here(call: &str) -> Result<&'static Runtime> {
    match Runtime::current() {
        Some(runtime) if !in_context() && !runs_leaf() => Ok(runtime),
        _ => Err(cannot_wait(call)),
    }
}

/// Why `call` cannot wait here.
#[cold]
fn cannot_wait(call: &str) -> Error {
    if let Err(error) = refuse_in_leaf(call) {
        return error;
    }
    if in_context() {
        return Error::config(format!("{call} was called inside a Serialize or Deserialize, where nothing can wait"));
    }
    Error::no_cluster(call)
}

impl Runtime {
    /// Requests an object's value for a local waiter.
    pub fn request_value(&'static self, slot: &Arc<dyn AnySlot>) {
        slot.request();
        self.protocol.objects.request(&self, slot);
    }
}
