//! Results of a call: one object, or one for each element of a tuple.

mod many;

pub use many::Many;

use crate::base::Error;
use crate::objects::{AnySlot, Object, ObjectRef, Promise, SerializedValue, Slot, Value, check, complete_value};
use crate::registry::Options;
use crate::registry::args::each_tuple;
use crate::registry::function::Callable;
use crate::registry::task::Task;
use crate::rpc::{PlainBytes, plain};
use std::marker::PhantomData;
use std::sync::Arc;

/// The shape of a call's results.
pub trait Outputs: Sized + 'static {
    /// What the body returns.
    type Value: Send + 'static;
    /// The promises of the results.
    type Promises: Send + Sync + 'static;
    /// What the caller holds.
    type Refs;
    /// How many results a finished call returns to its owner.
    const COUNT: usize;
    /// Pending promises, for a call with these options.
    fn promises(options: Option<&Options>) -> Self::Promises;
    /// Pending promises for a call from another rank; removes from its arguments what `write_shape` added there.
    ///
    /// # Errors
    /// If that is missing.
    fn read_shape(_arguments: &mut &[u8]) -> Result<Self::Promises, Error> {
        Ok(Self::promises(None))
    }
    /// Appends to the arguments what the executing rank must know of the call's promises.
    fn write_shape(_cells: &Self::Promises, _arguments: &mut SerializedValue) {}
    /// Why the value does not fit the promises, if so.
    fn arity_mismatch(_cells: &Self::Promises, _value: &Self::Value) -> Option<String> {
        None
    }
    /// Looks at whether the value can be sent to other ranks.
    ///
    /// # Errors
    /// What sending it would fail with.
    fn check(value: &Self::Value) -> Result<(), Error>;
    /// Writes the value.
    fn complete(promises: &Self::Promises, value: Self::Value);
    /// True if the value is plain.
    fn is_plain() -> bool {
        false
    }
    /// Appends the value to `out`; false if it is not plain, or there is no space for it.
    fn push_plain_value(_value: &Self::Value, _out: &mut PlainBytes) -> bool {
        false
    }
    /// Appends the value to `out`, if there is one and it is plain; false if not.
    fn push_plain(_promises: &Self::Promises, _out: &mut PlainBytes) -> bool {
        false
    }
    /// Writes the value that is all of `bytes`; false if they are not that.
    fn complete_plain(_promises: &Self::Promises, _bytes: &[u8]) -> bool {
        false
    }
    /// Gives the result that number, if there is exactly one, which is part of its task and has none; false if not.
    fn number_result(_promises: &Self::Promises, _number: u64) -> bool {
        false
    }
    /// Writes the failure.
    fn fail(promises: &Self::Promises, error: &Arc<Error>);
    /// What the caller holds.
    fn refs<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Self::Refs;
    /// The results without their types, in order, as a finished call returns them to its owner.
    fn slots<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>>;
    /// The result, if there is exactly one and it is part of its task.
    fn only_slot<C: Callable<Outputs = Self>>(_task: Arc<Task<C>>) -> Option<Arc<dyn AnySlot>> {
        None
    }
    /// The objects that the caller holds, in order.
    fn objects<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        Self::slots(task)
    }
}

/// How a value is written as plain bytes, for the short path.
pub trait PlainForm<T>: 'static {
    /// True if values may be plain.
    fn is_plain() -> bool;
    /// True if that value is known to hold no array.
    fn holds_no_array(_value: &T) -> bool {
        false
    }
    /// Appends the value to `out`; false if it is not plain, or there is no space for it.
    fn push(value: &T, out: &mut PlainBytes) -> bool;
    /// The value that is all of `bytes`; `None` if they are not that.
    fn only(bytes: &[u8]) -> Option<T>;
}

/// The form that the type says: numbers are plain.
pub struct ByType;

impl<T: 'static> PlainForm<T> for ByType {
    #[inline]
    fn is_plain() -> bool {
        plain::is_plain::<T>()
    }
    #[inline]
    fn push(value: &T, out: &mut PlainBytes) -> bool {
        out.push(value)
    }
    #[inline]
    fn only(bytes: &[u8]) -> Option<T> {
        plain::only(bytes)
    }
}

/// One object, which is part of its task.
pub struct Single<T, F = ByType>(PhantomData<(T, F)>);

impl<T: Object, F: PlainForm<T>> Outputs for Single<T, F> {
    type Value = T;
    type Promises = Promise<T>;
    type Refs = ObjectRef<T>;
    const COUNT: usize = 1;
    #[inline]
    fn promises(_: Option<&Options>) -> Promise<T> {
        Promise::default()
    }
    fn check(value: &T) -> Result<(), Error> {
        check(value)
    }
    #[inline]
    fn complete(promises: &Promise<T>, value: T) {
        if F::holds_no_array(&value) {
            // A value that comes after a cancellation is dropped, here and below.
            drop(promises.complete(value));
        } else {
            complete_value(promises, value);
        }
    }
    #[inline]
    fn is_plain() -> bool {
        F::is_plain()
    }
    #[inline]
    fn push_plain_value(value: &T, out: &mut PlainBytes) -> bool {
        F::push(value, out)
    }
    #[inline]
    fn push_plain(promises: &Promise<T>, out: &mut PlainBytes) -> bool {
        promises.value().is_some_and(|value| F::push(value, out))
    }
    #[inline]
    fn complete_plain(promises: &Promise<T>, bytes: &[u8]) -> bool {
        F::only(bytes).map(|value| drop(promises.complete(value))).is_some()
    }
    #[inline]
    fn number_result(promises: &Promise<T>, number: u64) -> bool {
        promises.core().set_number(number) == number
    }
    fn fail(promises: &Promise<T>, error: &Arc<Error>) {
        promises.core().fail(error.clone());
    }
    #[inline]
    fn refs<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> ObjectRef<T> {
        ObjectRef::new(task.clone())
    }
    fn slots<C: Callable<Outputs = Self>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        vec![task.clone() as Arc<dyn Slot<T>> as Arc<dyn AnySlot>]
    }
    #[inline]
    fn only_slot<C: Callable<Outputs = Self>>(task: Arc<Task<C>>) -> Option<Arc<dyn AnySlot>> {
        Some(task as Arc<dyn Slot<T>> as Arc<dyn AnySlot>)
    }
}

/// Several objects, each on its own.
pub struct Multiple<V>(PhantomData<V>);

macro_rules! multiple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Object),*> Outputs for Multiple<($($name,)*)> {
            type Value = ($($name,)*);
            type Promises = ($(Arc<Value<$name>>,)*);
            type Refs = ($(ObjectRef<$name>,)*);
            const COUNT: usize = [$($index),*].len();
            fn promises(_: Option<&Options>) -> Self::Promises {
                ($(Value::<$name>::pending(),)*)
            }
            fn check(value: &Self::Value) -> Result<(), Error> {
                $(check(&value.$index)?;)*
                Ok(())
            }
            fn complete(promises: &Self::Promises, value: Self::Value) {
                $(complete_value(promises.$index.promise(), value.$index);)*
            }
            fn fail(promises: &Self::Promises, error: &Arc<Error>) {
                $(promises.$index.core().fail(error.clone());)*
            }
            fn refs<Call: Callable<Outputs = Self>>(task: &Arc<Task<Call>>) -> Self::Refs {
                ($(ObjectRef::new(task.promises.$index.clone() as Arc<dyn Slot<$name>>),)*)
            }
            fn slots<Call: Callable<Outputs = Self>>(
                task: &Arc<Task<Call>>,
            ) -> Vec<Arc<dyn AnySlot>> {
                vec![$(task.promises.$index.clone() as Arc<dyn AnySlot>,)*]
            }
        }
    };
}

each_tuple!(multiple);
