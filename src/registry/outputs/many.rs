//! Results of a call whose list becomes one object for each element.
//!
//! Between ranks the list stays one value: a finished call sends it home whole, and the cells there take it apart. So three
//! thousand results are one parcel and not three thousand.

use crate::base::{Error, limits};
use crate::objects::{
    AnySlot, Attachment, Cell, Core, Object, ObjectRef, Parcel, Slot, decode_list, encode_list, offer,
};
use crate::registry::Options;
use crate::registry::function::Callable;
use crate::registry::outputs::Outputs;
use crate::registry::task::{Runnable, Task};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock, Weak};

/// A `Vec` of which each element is an object: `COUNT` of them where the call's options name no other number.
pub struct Many<T, const COUNT: usize>(PhantomData<T>);

impl<T: Object, const COUNT: usize> Outputs for Many<T, COUNT> {
    type Value = Vec<T>;
    type Cells = Arc<Parts<T>>;
    type Refs = Vec<ObjectRef<T>>;
    const COUNT: usize = 1;
    fn cells(options: Option<&Options>) -> Self::Cells {
        const { assert!(COUNT <= limits::RETURNS_MAX, "num_returns is too large") };
        Parts::pending(options.and_then(|options| options.num_returns).unwrap_or(COUNT))
    }
    fn arrive(arguments: &mut Parcel) -> Result<Self::Cells, Error> {
        let count = take_count(&mut arguments.bytes);
        count.map(Parts::pending).ok_or_else(|| lost::<T>("its task came without their number".to_string()))
    }
    fn leave(cells: &Self::Cells, arguments: &mut Parcel) {
        put_count(&mut arguments.bytes, cells.each.len());
    }
    fn misfit(cells: &Self::Cells, value: &Vec<T>) -> Option<String> {
        cells.misfit(value.len())
    }
    fn complete(cells: &Self::Cells, value: Vec<T>) {
        cells.complete(value);
    }
    fn fail(cells: &Self::Cells, error: &Arc<Error>) {
        AnySlot::fail(&**cells, error.clone());
    }
    fn refs<C: Callable<Outputs = Self, Value = Vec<T>>>(task: &Arc<Task<C>>) -> Vec<ObjectRef<T>> {
        let runnable: Arc<dyn Runnable> = task.clone();
        let reference = |part: &Arc<Part<T>>| {
            let _ = part.task.set(Arc::downgrade(&runnable));
            ObjectRef::new(part.clone())
        };
        task.cells().each.iter().map(reference).collect()
    }
    fn slots<C: Callable<Outputs = Self, Value = Vec<T>>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        vec![task.cells().clone()]
    }
    fn objects<C: Callable<Outputs = Self, Value = Vec<T>>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        task.cells().each.iter().map(|part| part.clone() as Arc<dyn AnySlot>).collect()
    }
}

fn lost<T>(reason: String) -> Error {
    Error::ObjectLost { object: format!("a list of {}", std::any::type_name::<T>()), reason }
}

/// Bytes that the number of results takes at the end of the arguments.
const COUNT_BYTES: usize = size_of::<u32>();

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend((count as u32).to_le_bytes());
}

/// What `put_count` put there; `None` where that is not there, or is more than a call may have.
fn take_count(bytes: &mut Vec<u8>) -> Option<usize> {
    let count = u32::from_le_bytes(*bytes.last_chunk::<COUNT_BYTES>()?) as usize;
    bytes.truncate(bytes.len() - COUNT_BYTES);
    (count <= limits::RETURNS_MAX).then_some(count)
}

/// One element. Its task can be found as long as it is not over.
struct Part<T> {
    cell: Cell<T>,
    task: OnceLock<Weak<dyn Runnable>>,
}

impl<T: Object> AnySlot for Part<T> {
    fn core(&self) -> &Core {
        self.cell.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        offer::<T>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        crate::objects::encode_cell(&self.cell)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::objects::complete_cell(&self.cell, bytes, attachments);
    }
    fn producer(self: Arc<Self>, out: &mut dyn Any) {
        if let Some(out) = out.downcast_mut::<Option<Arc<dyn Runnable>>>() {
            *out = self.task.get().and_then(Weak::upgrade);
        }
    }
}

impl<T: Object> Slot<T> for Part<T> {
    fn cell(&self) -> &Cell<T> {
        &self.cell
    }
}

/// The elements, and the list as the one result that ranks send each other.
pub struct Parts<T> {
    each: Box<[Arc<Part<T>>]>,
    /// Complete when every element is.
    whole: Cell<()>,
}

impl<T: Object> Parts<T> {
    fn pending(count: usize) -> Arc<Parts<T>> {
        let part = |_| Arc::new(Part { cell: Cell::default(), task: OnceLock::new() });
        Arc::new(Parts { each: (0..count).map(part).collect(), whole: Cell::default() })
    }

    fn misfit(&self, returned: usize) -> Option<String> {
        let wanted = self.each.len();
        (returned != wanted).then(|| format!("it returned {returned} values where num_returns is {wanted}"))
    }

    /// Why there are not as many values as elements: where a call is cancelled while it completes, some of them fail.
    fn failure(&self) -> Option<Arc<Error>> {
        self.whole.core().failure().or_else(|| self.each.iter().find_map(|part| part.cell.core().failure()))
    }

    /// As many values as there are elements.
    fn complete(&self, values: Vec<T>) {
        // What comes too late is dropped when all is complete: a Drop of the user's may panic.
        let late: Vec<T> =
            self.each.iter().zip(values).filter_map(|(part, value)| part.cell.complete(value).err()).collect();
        let _ = self.whole.complete(());
        drop(late);
    }
}

impl<T: Object> AnySlot for Parts<T> {
    fn core(&self) -> &Core {
        self.whole.core()
    }
    fn typed(self: Arc<Self>, _: &mut dyn Any) {
        // Nobody holds a reference to the whole list.
    }
    fn is_list(&self) -> bool {
        true
    }
    fn encode(&self) -> Result<Parcel, Error> {
        let values: Option<Vec<&T>> = self.each.iter().map(|part| part.cell.value()).collect();
        match (self.failure(), values) {
            (None, Some(values)) => encode_list(&values),
            (Some(error), _) => Err((*error).clone()),
            (None, None) => Err(lost::<T>("it was asked for before it was made".to_string())),
        }
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        match decode_list::<T>(bytes, attachments) {
            Ok(values) => match self.misfit(values.len()) {
                None => self.complete(values),
                Some(reason) => self.fail(Arc::new(lost::<T>(reason))),
            },
            Err(error) => self.fail(Arc::new(error)),
        }
    }
    fn fail(&self, error: Arc<Error>) {
        for part in &self.each {
            part.cell.core().fail(error.clone());
        }
        self.whole.core().fail(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(parts: &Parts<String>) -> Vec<Option<&str>> {
        parts.each.iter().map(|part| part.cell.value().map(String::as_str)).collect()
    }

    fn three() -> Vec<String> {
        ["a", "b", "c"].map(String::from).to_vec()
    }

    #[test]
    fn a_list_goes_home_whole_and_is_taken_apart_there() {
        let (there, home) = (Parts::pending(3), Parts::pending(3));
        assert!(there.encode().is_err(), "nothing is there yet");
        there.complete(three());
        let parcel = there.encode().unwrap();
        home.complete_with(&parcel.bytes, parcel.attachments);
        assert_eq!(values(&home), [Some("a"), Some("b"), Some("c")]);
        assert!(home.core().is_complete());
    }

    #[test]
    fn a_failure_is_that_of_every_element_and_of_the_whole() {
        let parts = Parts::<String>::pending(2);
        AnySlot::fail(&*parts, Arc::new(Error::config("broken")));
        assert!(parts.each.iter().all(|part| *part.cell.core().failure().unwrap() == Error::config("broken")));
        parts.complete(three());
        assert_eq!(parts.encode().err(), Some(Error::config("broken")));
    }

    #[test]
    fn what_a_peer_sends_is_as_long_as_it_must_be() {
        let there = Parts::pending(3);
        there.complete(three());
        let parcel = there.encode().unwrap();
        for wrong in [2, 4] {
            let home = Parts::<String>::pending(wrong);
            home.complete_with(&parcel.bytes, Vec::new());
            let text = home.each[0].cell.core().failure().unwrap().to_string();
            assert!(text.contains(&format!("returned 3 values where num_returns is {wrong}")), "{text}");
        }
        let home = Parts::<String>::pending(3);
        home.complete_with(&[3, 200], Vec::new());
        assert!(home.each.iter().all(|part| part.cell.core().failure().is_some()));
    }

    #[test]
    fn the_number_travels_behind_the_arguments() {
        let mut bytes = vec![1, 2, 3];
        put_count(&mut bytes, 3_000);
        assert_eq!((take_count(&mut bytes), bytes.as_slice()), (Some(3_000), &[1, 2, 3][..]));
        assert_eq!(take_count(&mut bytes), None);
        put_count(&mut bytes, limits::RETURNS_MAX + 1);
        assert_eq!(take_count(&mut bytes), None);
    }
}
