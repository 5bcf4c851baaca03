//! Results of a call: one object, or one for each element of a tuple.

mod many;

pub use many::Many;

use crate::base::Error;
use crate::objects::{AnySlot, Cell, Object, ObjectRef, Parcel, Slot, Value, complete_value};
use crate::registry::Options;
use crate::registry::function::Callable;
use crate::registry::task::Task;
use std::marker::PhantomData;
use std::sync::Arc;

/// The shape of a call's results.
pub trait Outputs: Sized + 'static {
    /// What the body yields.
    type Value: Send + 'static;
    /// Where it goes.
    type Cells: Send + Sync + 'static;
    /// What the caller holds.
    type Refs;
    /// How many results a finished call sends home.
    const COUNT: usize;
    /// Empty cells, for a call with these options.
    fn cells(options: Option<&Options>) -> Self::Cells;
    /// Empty cells for a call that came from another rank; takes out of its arguments what `leave` put there.
    ///
    /// # Errors
    /// Where that is not there.
    fn arrive(_arguments: &mut Parcel) -> Result<Self::Cells, Error> {
        Ok(Self::cells(None))
    }
    /// Puts beside the arguments what the rank that runs the call must know of its cells.
    fn leave(_cells: &Self::Cells, _arguments: &mut Parcel) {}
    /// Why the value does not go into the cells, where that is so.
    fn misfit(_cells: &Self::Cells, _value: &Self::Value) -> Option<String> {
        None
    }
    /// Writes the value.
    fn complete(cells: &Self::Cells, value: Self::Value);
    /// Writes the failure.
    fn fail(cells: &Self::Cells, error: &Arc<Error>);
    /// What the caller holds.
    fn refs<C: Callable<Outputs = Self, Value = Self::Value>>(task: &Arc<Task<C>>) -> Self::Refs;
    /// The results without their types, in order, as a finished call sends them home.
    fn slots<C: Callable<Outputs = Self, Value = Self::Value>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>>;
    /// The result, where there is one alone that lives in its task.
    fn only_slot<C: Callable<Outputs = Self, Value = Self::Value>>(_task: Arc<Task<C>>) -> Option<Arc<dyn AnySlot>> {
        None
    }
    /// The objects that the caller holds, in order.
    fn objects<C: Callable<Outputs = Self, Value = Self::Value>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        Self::slots(task)
    }
}

/// One object: it lives inside its task.
pub struct Single<T>(PhantomData<T>);

impl<T: Object> Outputs for Single<T> {
    type Value = T;
    type Cells = Cell<T>;
    type Refs = ObjectRef<T>;
    const COUNT: usize = 1;
    #[inline]
    fn cells(_: Option<&Options>) -> Cell<T> {
        Cell::default()
    }
    #[inline]
    fn complete(cells: &Cell<T>, value: T) {
        complete_value(cells, value);
    }
    fn fail(cells: &Cell<T>, error: &Arc<Error>) {
        cells.core().fail(error.clone());
    }
    #[inline]
    fn refs<C: Callable<Outputs = Self, Value = T>>(task: &Arc<Task<C>>) -> ObjectRef<T> {
        ObjectRef::new(task.clone())
    }
    fn slots<C: Callable<Outputs = Self, Value = T>>(task: &Arc<Task<C>>) -> Vec<Arc<dyn AnySlot>> {
        vec![task.clone() as Arc<dyn Slot<T>> as Arc<dyn AnySlot>]
    }
    #[inline]
    fn only_slot<C: Callable<Outputs = Self, Value = T>>(task: Arc<Task<C>>) -> Option<Arc<dyn AnySlot>> {
        Some(task as Arc<dyn Slot<T>> as Arc<dyn AnySlot>)
    }
}

/// Several objects: each lives on its own.
pub struct Multiple<V>(PhantomData<V>);

macro_rules! multiple {
    ($count:literal: $($name:ident $index:tt),*) => {
        impl<$($name: Object),*> Outputs for Multiple<($($name,)*)> {
            type Value = ($($name,)*);
            type Cells = ($(Arc<Value<$name>>,)*);
            type Refs = ($(ObjectRef<$name>,)*);
            const COUNT: usize = $count;
            fn cells(_: Option<&Options>) -> Self::Cells {
                ($(Value::<$name>::pending(),)*)
            }
            fn complete(cells: &Self::Cells, value: Self::Value) {
                $(complete_value(cells.$index.cell(), value.$index);)*
            }
            fn fail(cells: &Self::Cells, error: &Arc<Error>) {
                $(cells.$index.core().fail(error.clone());)*
            }
            fn refs<Call: Callable<Outputs = Self, Value = Self::Value>>(task: &Arc<Task<Call>>) -> Self::Refs {
                ($(ObjectRef::new(task.cells().$index.clone() as Arc<dyn Slot<$name>>),)*)
            }
            fn slots<Call: Callable<Outputs = Self, Value = Self::Value>>(
                task: &Arc<Task<Call>>,
            ) -> Vec<Arc<dyn AnySlot>> {
                vec![$(task.cells().$index.clone() as Arc<dyn AnySlot>,)*]
            }
        }
    };
}

multiple!(2: A 0, B 1);
multiple!(3: A 0, B 1, C 2);
multiple!(4: A 0, B 1, C 2, D 3);
multiple!(5: A 0, B 1, C 2, D 3, E 4);
multiple!(6: A 0, B 1, C 2, D 3, E 4, F 5);
multiple!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
multiple!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
multiple!(9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
multiple!(10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
multiple!(11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
multiple!(12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
