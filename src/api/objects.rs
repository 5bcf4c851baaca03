//! `put`, `get`, `wait` and `cancel`.

use crate::base::{Error, Result};
use crate::objects::{Array, ArrayMut, Object, ObjectRef, Ref, Value};
use crate::runtime::{self, Runtime};
use bytemuck::Pod;
use std::time::{Duration, Instant};

impl<T: Object> ObjectRef<T> {
    /// The value; waits until it is complete. A task that waits yields its CPU to others meanwhile.
    ///
    /// # Errors
    /// The failure of the task that returns it; `Config` outside of a running cluster.
    pub fn get(&self) -> Result<Ref<T>> {
        runtime::get(self, None)
    }

    /// As [`get`](ObjectRef::get), for at most `timeout`.
    ///
    /// # Errors
    /// As `get`, and `Timeout`.
    pub fn get_timeout(&self, timeout: Duration) -> Result<Ref<T>> {
        runtime::get(self, Some(timeout))
    }
}

/// Creates an object from a value. An [`Array`] inside is not copied.
///
/// # Errors
/// `Config` outside of a running cluster.
pub fn put<T: Object>(value: T) -> Result<ObjectRef<T>> {
    if Runtime::current().is_none() {
        return Err(Error::no_cluster("put"));
    }
    Ok(ObjectRef::new(Value::ready(value)))
}

/// Creates an array object from a slice: one copy, into the store.
///
/// # Errors
/// `StoreFull`; `Config` outside of a running cluster.
pub fn put_array<T: Pod + Send + Sync>(slice: &[T]) -> Result<ObjectRef<Array<T>>> {
    Ok(ObjectRef::new(Value::ready(runtime::put_array(slice)?)))
}

/// A new array of `length` elements in the store, to be written in place. Its memory is not cleared.
///
/// # Errors
/// `StoreFull`; `Config` outside of a running cluster.
pub fn create_array<T: Pod + Send + Sync>(length: usize) -> Result<ArrayMut<T>> {
    runtime::create_array(length)
}

/// Every value, in order.
///
/// # Errors
/// The first failure among them, in order.
pub fn get_all<T: Object>(references: &[ObjectRef<T>]) -> Result<Vec<Ref<T>>> {
    // All values are requested before the first is waited for.
    if let Some(runtime) = crate::runtime::Runtime::current() {
        references.iter().for_each(|reference| runtime.request_value(&reference.any()));
    }
    references.iter().map(ObjectRef::get).collect()
}

/// Splits references into at most `num_returns` that are ready (a failure is ready too) and the others, both in the
/// order given. Waits until that many are, or for `timeout` if there is one.
///
/// # Errors
/// `Config` outside of a running cluster, or if `num_returns` is 0 or above the number of references.
pub fn wait<T: Object>(
    references: &[ObjectRef<T>],
    num_returns: usize,
    timeout: impl Into<Option<Duration>>,
) -> Result<(Vec<ObjectRef<T>>, Vec<ObjectRef<T>>)> {
    if num_returns > references.len() || (num_returns == 0 && !references.is_empty()) {
        return Err(Error::config(format!(
            "wait for {num_returns} of {} references: it takes 1 to {}",
            references.len(),
            references.len()
        )));
    }
    // A time-out beyond what a clock can represent is none.
    let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
    runtime::wait_for(references, num_returns, deadline)?;
    let (mut ready, mut remaining) = (Vec::with_capacity(num_returns), Vec::with_capacity(references.len() - num_returns));
    for reference in references {
        let side = if ready.len() < num_returns && reference.is_ready() { &mut ready } else { &mut remaining };
        side.push(reference.clone());
    }
    Ok((ready, remaining))
}

/// Cancels the task that returns the object: if it has not begun it never does; if it runs, its waits fail from now on.
/// Its result is [`Error::Cancelled`] either way. An object that is complete already stays.
pub fn cancel<T: Object>(reference: &ObjectRef<T>) {
    if let Some(runtime) = Runtime::current() {
        runtime::cancel(runtime, reference.any());
    }
}
