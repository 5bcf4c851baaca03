//! `put`, `get`, `wait` and `cancel`.

use crate::base::{Error, Result};
use crate::objects::{Array, ArrayMut, Object, ObjectRef, Ref, Value};
use crate::runtime::{self, Runtime};
use bytemuck::Pod;
use std::time::{Duration, Instant};

impl<T: Object> ObjectRef<T> {
    /// The value; waits until it is complete. A task that waits yields its CPU to others meanwhile.
    ///
    /// ```
    /// use mobula::prelude::*;
    ///
    /// #[mobula::remote]
    /// fn divide(a: u64, b: u64) -> Result<u64, String> {
    ///     a.checked_div(b).ok_or_else(|| format!("{a} / {b}"))
    /// }
    ///
    /// # let cluster = mobula::init(Config::default())?;
    /// let value: Ref<u64> = divide::remote(6, 2).get()?;
    /// assert_eq!(*value, 3);
    /// match divide::remote(1, 0).get() {
    ///     Err(Error::Task { task, message, .. }) => assert_eq!((&*task, &*message), ("divide", "1 / 0")),
    ///     other => panic!("{other:?}"),
    /// }
    /// # cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of the task that returns it; `Config` outside of a running cluster.
    pub fn get(&self) -> Result<Ref<T>> {
        runtime::get(self, None)
    }

    /// As [`get`](ObjectRef::get), for at most `timeout`. The task goes on after a time-out.
    ///
    /// ```
    /// use mobula::prelude::*;
    /// use std::sync::mpsc::{Receiver, Sender, channel};
    /// use std::sync::{LazyLock, Mutex};
    ///
    /// static GATE: LazyLock<(Mutex<Sender<()>>, Mutex<Receiver<()>>)> = LazyLock::new(|| {
    ///     let (sender, receiver) = channel();
    ///     (Mutex::new(sender), Mutex::new(receiver))
    /// });
    ///
    /// #[mobula::remote]
    /// fn wait_for_the_gate() -> u64 {
    ///     GATE.1.lock().unwrap().recv().unwrap();
    ///     7
    /// }
    ///
    /// # let cluster = mobula::init(Config::default())?;
    /// let slow = wait_for_the_gate::remote();
    /// assert!(matches!(slow.get_timeout(Duration::from_millis(10)), Err(Error::Timeout { .. })));
    /// GATE.0.lock().unwrap().send(()).unwrap();
    /// assert_eq!(*slow.get()?, 7);
    /// # cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    ///
    /// # Errors
    /// As `get`, and `Timeout`.
    pub fn get_timeout(&self, timeout: Duration) -> Result<Ref<T>> {
        runtime::get(self, Some(timeout))
    }
}

/// Creates an object from a value. An [`Array`] inside is not copied.
///
/// The value stays as it is in this process; it is encoded only when another process needs it.
///
/// ```
/// use mobula::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Model {
///     name: String,
///     weights: Array<f32>,
/// }
///
/// #[mobula::remote]
/// fn norm(model: &Model) -> f32 {
///     model.weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt()
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let weights = mobula::put_array(&[3.0, 4.0])?.get()?;
/// let model: ObjectRef<Model> = mobula::put(Model { name: "m".to_string(), weights: Array::clone(&weights) })?;
/// assert_eq!(*norm::remote(&model).get()?, 5.0);
/// assert_eq!(model.get()?.name, "m");
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Config` outside of a running cluster.
pub fn put<T: Object>(value: T) -> Result<ObjectRef<T>> {
    if Runtime::current().is_none() {
        return Err(Error::no_cluster("put"));
    }
    Ok(ObjectRef::new(Value::ready(value)))
}

/// Creates an array object from a slice: one copy, into the store. All ranks of the host read it there.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn sum(data: &[f64]) -> f64 {
///     data.iter().sum()
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let data: ObjectRef<Array<f64>> = mobula::put_array(&[1.0, 2.0, 3.0])?;
/// assert_eq!(*sum::remote(&data).get()?, 6.0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `StoreFull`; `Config` outside of a running cluster.
pub fn put_array<T: Pod + Send + Sync>(slice: &[T]) -> Result<ObjectRef<Array<T>>> {
    Ok(ObjectRef::new(Value::ready(runtime::put_array(slice)?)))
}

/// A new array of `length` elements in the store, to be written in place. Its memory is not cleared.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn ramp(length: usize) -> mobula::Result<Array<f64>> {
///     let mut writer = mobula::create_array::<f64>(length)?;
///     for (index, value) in writer.as_mut_slice().iter_mut().enumerate() {
///         *value = index as f64;
///     }
///     Ok(writer.seal()) // no copy: its bytes stay where they are until another host needs them
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// assert_eq!(ramp::remote(4).get()?.as_slice(), [0.0, 1.0, 2.0, 3.0]);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `StoreFull`; `Config` outside of a running cluster, or if an element needs more than 4,096 bytes of alignment.
pub fn create_array<T: Pod + Send + Sync>(length: usize) -> Result<ArrayMut<T>> {
    runtime::create_array(length)
}

/// Every value, in order; waits until all are complete.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let squares: Vec<ObjectRef<u64>> = (0..4).map(square::remote).collect();
/// let values: Vec<Ref<u64>> = mobula::get_all(&squares)?;
/// assert_eq!(values.iter().map(|value| **value).collect::<Vec<u64>>(), [0, 1, 4, 9]);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
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
/// order given. Waits until that many are ready, or until `timeout` has passed, if there is one.
///
/// A bounded number of tasks at a time, with results as they come:
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let mut inputs = 0..100u64;
/// let mut running: Vec<ObjectRef<u64>> = inputs.by_ref().take(8).map(square::remote).collect();
/// let mut sum = 0;
/// while !running.is_empty() {
///     let (ready, others) = mobula::wait(&running, 1, None)?;
///     running = others;
///     for value in mobula::get_all(&ready)? {
///         sum += *value;
///         running.extend(inputs.next().map(square::remote));
///     }
/// }
/// assert_eq!(sum, 328_350);
///
/// // For at most 2.5 seconds; fewer than two may be ready then.
/// let two = [mobula::put(1)?, mobula::put(2)?];
/// let (ready, others) = mobula::wait(&two, 2, Duration::from_millis(2500))?;
/// assert_eq!((ready.len(), others.len()), (2, 0));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Config` outside of a running cluster, or if `num_returns` is 0 or above the number of references.
pub fn wait<T: Object>(
    references: &[ObjectRef<T>],
    num_returns: usize,
    timeout: impl Into<Option<Duration>>,
) -> Result<(Vec<ObjectRef<T>>, Vec<ObjectRef<T>>)> {
    if num_returns > references.len() || (num_returns == 0 && !references.is_empty()) {
        return Err(wrong_count(num_returns, references.len()));
    }
    // A time-out beyond what a clock can represent is none.
    let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
    runtime::wait_for(references, num_returns, deadline)?;
    let (mut ready, mut remaining) =
        (Vec::with_capacity(num_returns), Vec::with_capacity(references.len() - num_returns));
    for reference in references {
        let side = if ready.len() < num_returns && reference.is_ready() { &mut ready } else { &mut remaining };
        side.push(reference.clone());
    }
    Ok((ready, remaining))
}

/// The error of a `wait` for `num_returns` of so many references, which are fewer, or for none of them.
fn wrong_count(num_returns: usize, references: usize) -> Error {
    Error::config(match references {
        0 => format!("wait: num_returns is {num_returns}, but there are no references to wait for"),
        1 => format!("wait: num_returns is {num_returns}, but there is one reference: num_returns must be 1"),
        _ => format!(
            "wait: num_returns is {num_returns}, but there are {references} references: num_returns must be between 1 \
             and {references}"
        ),
    })
}

/// Cancels the task that returns the object: if it has not begun it never does; if it runs, its waits fail from now on.
/// Its result is [`Error::Cancelled`] either way. An object that is complete already stays.
///
/// ```
/// use mobula::prelude::*;
///
/// pub struct Holder;
///
/// #[mobula::actor(resources = { "Licence": 1 })]
/// impl Holder {
///     pub fn new() -> Self {
///         Holder
///     }
///     pub fn ready(&self) {}
/// }
///
/// #[mobula::remote(resources = { "Licence": 1 })]
/// fn solve() -> u64 {
///     7
/// }
///
/// # let cluster = mobula::init(Config::default().resource("Licence", 1.0))?;
/// let holder = Holder::remote();
/// holder.ready().get()?;
/// let solved = solve::remote(); // has not begun: the actor has the only licence
/// mobula::cancel(&solved);
/// assert!(matches!(solved.get(), Err(Error::Cancelled { .. })));
/// # drop(holder);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn cancel<T: Object>(reference: &ObjectRef<T>) {
    if let Some(runtime) = Runtime::current() {
        runtime::cancel(runtime, reference.any());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_for_a_wrong_number_of_references_says_how_many_there_are() {
        let text = |num_returns, references| wrong_count(num_returns, references).to_string();
        assert_eq!(text(2, 0), "wait: num_returns is 2, but there are no references to wait for");
        assert_eq!(text(2, 1), "wait: num_returns is 2, but there is one reference: num_returns must be 1");
        assert_eq!(
            text(0, 3),
            "wait: num_returns is 0, but there are 3 references: num_returns must be between 1 and 3"
        );
    }
}
