//! Results of a call whose list becomes one object for each element.
//!
//! Between ranks the list stays one value: a finished call sends it to its owner whole, and the promises there split
//! it. So three thousand results are one serialized value and not three thousand.

use crate::base::arc_pool::Recycle;
use crate::base::{Error, limits};
use crate::objects::{
    AnySlot, Attachment, Object, ObjectRef, Promise, PromiseCore, SerializedValue, StoreRun, check, decode,
    encode_list, slot,
};
use crate::registry::Options;
use crate::registry::function::Callable;
use crate::registry::outputs::Outputs;
use crate::registry::task::{Runnable, Task};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock, Weak};

/// A `Vec` of which each element is an object: `COUNT` of them if the call's options name no other number.
pub struct Many<T, const COUNT: usize>(PhantomData<T>);

impl<T: Object, const COUNT: usize> Outputs for Many<T, COUNT> {
    type Value = Vec<T>;
    type Promises = Arc<ListElements<T>>;
    type Refs = Vec<ObjectRef<T>>;
    const COUNT: usize = 1;
    fn promises(options: Option<&Options>) -> Self::Promises {
        const { assert!(COUNT <= limits::RETURNS_MAX, "num_returns is too large") };
        let count = options.and_then(|options| options.num_returns).unwrap_or(COUNT);
        // Submitting more is refused, and one result is enough to say so.
        ListElements::pending(if count <= limits::RETURNS_MAX { count } else { 1 })
    }
    fn read_shape(arguments: &mut &[u8]) -> Result<Self::Promises, Error> {
        let count = take_count(arguments);
        count
            .map(ListElements::pending)
            .ok_or_else(|| list_lost::<T>("its task was received without their number".to_string()))
    }
    fn write_shape(promises: &Self::Promises, arguments: &mut SerializedValue) {
        put_count(&mut arguments.bytes, promises.each.len());
    }
    fn arity_mismatch(promises: &Self::Promises, value: &Vec<T>) -> Option<String> {
        promises.arity_mismatch(value.len())
    }
    fn check(value: &Vec<T>) -> Result<(), Error> {
        value.first().map_or(Ok(()), check)
    }
    fn complete(promises: &Self::Promises, value: Vec<T>) {
        promises.complete(value);
    }
    fn fail(promises: &Self::Promises, error: &Arc<Error>) {
        AnySlot::fail(&**promises, error.clone());
    }
    fn refs<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<ObjectRef<T>> {
        let runnable: Arc<dyn Runnable> = task.clone();
        let reference = |part: &Arc<ListElement<T>>| {
            let _ = part.task.set(Arc::downgrade(&runnable));
            ObjectRef::new(part.clone())
        };
        task.promises.each.iter().map(reference).collect()
    }
    fn slots<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        vec![task.promises.clone()]
    }
    fn objects<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        task.promises.each.iter().map(|part| part.clone() as Arc<dyn AnySlot>).collect()
    }
}

fn list_lost<T>(reason: String) -> Error {
    Error::ObjectLost { object: format!("a list of {}", std::any::type_name::<T>()), reason }
}

/// Bytes that the number of results takes at the end of the arguments.
const COUNT_BYTES: usize = size_of::<u32>();

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend((count as u32).to_le_bytes());
}

/// The number that `put_count` appended; `None` if it is missing, or more than a call may have.
fn take_count(bytes: &mut &[u8]) -> Option<usize> {
    let (rest, count) = bytes.split_last_chunk::<COUNT_BYTES>()?;
    let count = u32::from_le_bytes(*count) as usize;
    *bytes = rest;
    (count <= limits::RETURNS_MAX).then_some(count)
}

/// One element. Its task can be found as long as it exists.
struct ListElement<T> {
    promise: Promise<T>,
    task: OnceLock<Weak<dyn Runnable>>,
}

slot! {
    [T: Object] ListElement<T>: T, promise, decoded {
        fn producer(self: Arc<Self>, out: &mut dyn Any) {
            if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
                *out = self.task.get().and_then(Weak::upgrade);
            }
        }
    }
}

/// The elements, and the list as the one result that ranks send to each other.
pub struct ListElements<T> {
    each: Box<[Arc<ListElement<T>>]>,
    /// Complete when every element is.
    whole: Promise<()>,
}

impl<T: Object> ListElements<T> {
    fn pending(count: usize) -> Arc<ListElements<T>> {
        let part = |_| Arc::new(ListElement { promise: Promise::default(), task: OnceLock::new() });
        Arc::new(ListElements { each: (0..count).map(part).collect(), whole: Promise::default() })
    }

    fn arity_mismatch(&self, returned: usize) -> Option<String> {
        let expected = self.each.len();
        (returned != expected).then(|| format!("it returned {returned} values where num_returns is {expected}"))
    }

    /// Why there are not as many values as elements: if a call is cancelled while it completes, some of them fail.
    fn failure(&self) -> Option<Arc<Error>> {
        self.whole.core().failure().or_else(|| self.each.iter().find_map(|part| part.promise.core().failure()))
    }

    /// Completes the elements with as many values.
    fn complete(&self, values: Vec<T>) {
        // Values that come too late are dropped after everything is complete: a Drop of the user's type may panic.
        let late: Vec<T> =
            self.each.iter().zip(values).filter_map(|(part, value)| part.promise.complete(value).err()).collect();
        let _ = self.whole.complete(());
        drop(late);
    }
}

impl<T> Recycle for ListElement<T> {}

impl<T> Recycle for ListElements<T> {}

impl<T: Object> AnySlot for ListElements<T> {
    fn core(&self) -> &PromiseCore {
        self.whole.core()
    }
    fn downcast(self: Arc<Self>, _: &mut dyn Any) {
        // No reference to the whole list exists.
    }
    fn is_list(&self) -> bool {
        true
    }
    fn encode(&self, store_run: Option<StoreRun>) -> Result<SerializedValue, Error> {
        let values: Option<Vec<&T>> = self.each.iter().map(|part| part.promise.value()).collect();
        match (self.failure(), values) {
            (None, Some(values)) => encode_list(&values, store_run),
            (Some(error), _) => Err((*error).clone()),
            (None, None) => Err(list_lost::<T>("it was requested before it was complete".to_string())),
        }
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        match decode::<Vec<T>>(bytes, attachments) {
            Ok(values) => match self.arity_mismatch(values.len()) {
                None => self.complete(values),
                Some(reason) => self.fail(Arc::new(list_lost::<T>(reason))),
            },
            Err(error) => self.fail(Arc::new(error)),
        }
    }
    fn fail(&self, error: Arc<Error>) {
        for part in &self.each {
            part.promise.core().fail(error.clone());
        }
        self.whole.core().fail(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(parts: &ListElements<String>) -> Vec<Option<&str>> {
        parts.each.iter().map(|part| part.promise.value().map(String::as_str)).collect()
    }

    fn three() -> Vec<String> {
        ["a", "b", "c"].map(String::from).to_vec()
    }

    #[test]
    fn list_is_sent_whole_and_split_at_its_owner() {
        let (executor, owner) = (ListElements::pending(3), ListElements::pending(3));
        assert!(executor.encode(None).is_err(), "nothing is complete yet");
        executor.complete(three());
        let serialized = executor.encode(None).unwrap();
        owner.complete_with(&serialized.bytes, serialized.attachments);
        assert_eq!(values(&owner), [Some("a"), Some("b"), Some("c")]);
        assert!(owner.core().is_complete());
    }

    #[test]
    fn failure_of_the_call_fails_every_element_and_the_list() {
        let parts = ListElements::<String>::pending(2);
        AnySlot::fail(&*parts, Arc::new(Error::config("broken")));
        assert!(parts.each.iter().all(|part| *part.promise.core().failure().unwrap() == Error::config("broken")));
        parts.complete(three());
        assert_eq!(parts.encode(None).err(), Some(Error::config("broken")));
    }

    #[test]
    fn received_list_of_wrong_length_or_broken_bytes_fails() {
        let executor = ListElements::pending(3);
        executor.complete(three());
        let serialized = executor.encode(None).unwrap();
        for wrong in [2, 4] {
            let owner = ListElements::<String>::pending(wrong);
            owner.complete_with(&serialized.bytes, Vec::new());
            let text = owner.each[0].promise.core().failure().unwrap().to_string();
            assert!(text.contains(&format!("returned 3 values where num_returns is {wrong}")), "{text}");
        }
        let owner = ListElements::<String>::pending(3);
        owner.complete_with(&[3, 200], Vec::new());
        assert!(owner.each.iter().all(|part| part.promise.core().failure().is_some()));
    }

    #[test]
    fn count_is_appended_to_arguments_and_removed() {
        let mut written = vec![1, 2, 3];
        put_count(&mut written, 3_000);
        let mut bytes = written.as_slice();
        assert_eq!((take_count(&mut bytes), bytes), (Some(3_000), &[1, 2, 3][..]));
        assert_eq!(take_count(&mut bytes), None);
        put_count(&mut written, limits::RETURNS_MAX + 1);
        assert_eq!(take_count(&mut written.as_slice()), None);
    }
}
