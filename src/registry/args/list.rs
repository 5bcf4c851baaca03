//! An argument that is a list: one value, one reference to a list, or a list of references, one for each element.

use crate::base::Error;
use crate::objects::form::{self, Forms, Parts};
use crate::objects::{AnySlot, Array, Object, ObjectRef, refused};
use crate::registry::{Arg, Argument, Failure};
use bytemuck::Pod;
use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// The first byte of an encoded argument: a value follows.
pub(super) const VALUE: u8 = 0;
/// As above; a reference follows.
pub(super) const REFERENCE: u8 = 1;
/// As above; a list of references follows.
const EACH: u8 = 2;

/// One argument of a call where the parameter is a list `L` of `E`: a `Vec<E>`, or an `Array<E>` that the body borrows.
pub enum ListArg<L, E> {
    /// By value.
    Value(L),
    /// By reference: resolved before the call runs.
    Ref(ObjectRef<L>),
    /// Each element by reference: all of them are resolved before the call runs.
    Each(Vec<ObjectRef<E>>),
}

impl<L: Object, E: Object> Serialize for ListArg<L, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ListArg::Value(list) => (VALUE, list).serialize(serializer).map_err(refused::<L, _>),
            ListArg::Ref(reference) => (REFERENCE, reference).serialize(serializer),
            ListArg::Each(references) => (EACH, references).serialize(serializer),
        }
    }
}

impl<'de, L: Object, E: Object> Deserialize<'de> for ListArg<L, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de, L: Object, E: Object> Forms<'de> for ListArg<L, E> {
    const WHAT: &'static str = "an argument";
    const PARTS: usize = 2;
    #[inline]
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<ListArg<L, E>>, A::Error> {
        match form {
            VALUE => Ok(parts.next().map_err(refused::<L, _>)?.map(ListArg::Value)),
            REFERENCE => Ok(parts.next()?.map(ListArg::Ref)),
            EACH => Ok(parts.next()?.map(ListArg::Each)),
            _ => Ok(None),
        }
    }
}

impl<L: Object, E: Object> Argument for ListArg<L, E> {
    #[inline]
    fn is_value(&self) -> bool {
        matches!(self, ListArg::Value(_))
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        match self {
            ListArg::Value(_) => {}
            ListArg::Ref(reference) => visit(reference.any()),
            ListArg::Each(references) => references.iter().for_each(|reference| visit(reference.any())),
        }
    }
    /// `gathered` resolves them.
    fn load(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<L: ListParameter<E>, E: Object> ListArg<L, E> {
    /// Converts the argument to one value or one reference. `own` takes an element by value.
    ///
    /// # Errors
    /// The first error of `own`.
    pub fn gathered(self, own: impl Fn(Arg<E>) -> Result<E, Failure>) -> Result<Arg<L>, Failure> {
        match self {
            ListArg::Value(list) => Ok(Arg::Value(list)),
            ListArg::Ref(reference) => loaded(reference),
            ListArg::Each(references) => {
                let elements: Result<Vec<E>, Failure> =
                    references.into_iter().map(|reference| own(loaded(reference)?)).collect();
                elements.map(|elements| Arg::Value(L::of(elements)))
            }
        }
    }
}

/// Resolves a reference, whose value then stays in place.
fn loaded<T: Object>(reference: ObjectRef<T>) -> Result<Arg<T>, Failure> {
    let mut argument = Arg::Ref(reference);
    argument.load().map_err(Failure::Passed)?;
    Ok(argument)
}

/// A list built from its elements.
pub trait ListParameter<E>: Object {
    /// The list of `elements`.
    fn of(elements: Vec<E>) -> Self;
}

impl<E: Object> ListParameter<E> for Vec<E> {
    fn of(elements: Vec<E>) -> Self {
        elements
    }
}

/// The body only borrows it as a slice, so it need not be in the store.
impl<E: Object + Pod> ListParameter<E> for Array<E> {
    fn of(elements: Vec<E>) -> Self {
        Array::outside_store(&elements)
    }
}

/// What a parameter that is a list `L` of `E` accepts: the list, a reference to one, or a list of references.
#[diagnostic::on_unimplemented(
    message = "this remote function's parameter takes a `{L}`, an `ObjectRef<{L}>`, or references to its elements, not \
               a `{Self}`",
    label = "expected `{L}`, `&ObjectRef<{L}>` or `&[ObjectRef<{E}>]`",
    note = "a `Vec` of references is given as `&references`, or by value as `mobula::each(references)`"
)]
pub trait IntoListArg<L, E> {
    /// The argument.
    fn into_list_arg(self) -> ListArg<L, E>;
}

macro_rules! whole {
    ($list:ident: $($bound:ident),*) => {
        impl<E: Object $(+ $bound)*> IntoListArg<$list<E>, E> for $list<E> {
            fn into_list_arg(self) -> ListArg<$list<E>, E> {
                ListArg::Value(self)
            }
        }
        impl<E: Object $(+ $bound)*> IntoListArg<$list<E>, E> for ObjectRef<$list<E>> {
            fn into_list_arg(self) -> ListArg<$list<E>, E> {
                ListArg::Ref(self)
            }
        }
        impl<E: Object $(+ $bound)*> IntoListArg<$list<E>, E> for &ObjectRef<$list<E>> {
            fn into_list_arg(self) -> ListArg<$list<E>, E> {
                ListArg::Ref(self.clone())
            }
        }
    };
}

whole!(Vec:);
whole!(Array: Pod);

impl<L: ListParameter<E>, E: Object> IntoListArg<L, E> for &[ObjectRef<E>] {
    fn into_list_arg(self) -> ListArg<L, E> {
        ListArg::Each(self.to_vec())
    }
}

impl<L: ListParameter<E>, E: Object> IntoListArg<L, E> for &Vec<ObjectRef<E>> {
    fn into_list_arg(self) -> ListArg<L, E> {
        ListArg::Each(self.clone())
    }
}

impl<L: ListParameter<E>, E: Object, const COUNT: usize> IntoListArg<L, E> for &[ObjectRef<E>; COUNT] {
    fn into_list_arg(self) -> ListArg<L, E> {
        ListArg::Each(self.to_vec())
    }
}

// A `Vec` of references is not accepted by value: else the compiler could not infer the element type of `Vec::new()` or
// `vec![]`, which it can as long as a `Vec` given for a `Vec<E>` is a `Vec<E>`.
impl<L: ListParameter<E>, E: Object> IntoListArg<L, E> for Each<E> {
    fn into_list_arg(self) -> ListArg<L, E> {
        ListArg::Each(self.0)
    }
}

/// References that form one argument: see [`each`].
#[must_use]
pub struct Each<E>(Vec<ObjectRef<E>>);

/// References as one argument, for a parameter `Vec<E>`, `&Vec<E>` or `&[E]`: the task starts when all of them are
/// complete, and its body gets their values. The first failure among them is passed on. `&references` does the same,
/// with one more clone of each.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn total(parts: Vec<f64>) -> f64 {
///     parts.iter().sum()
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let parts: Vec<ObjectRef<f64>> = (0..4).map(|part| mobula::put(f64::from(part))).collect::<mobula::Result<_>>()?;
/// assert_eq!(*total::remote(&parts).get()?, 6.0);
/// assert_eq!(*total::remote(mobula::each(parts)).get()?, 6.0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn each<E: Object>(references: impl IntoIterator<Item = ObjectRef<E>>) -> Each<E> {
    Each(references.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Value, decode, encode};
    use crate::registry::{Own, OwnByClone as _};

    fn numbers(count: u64) -> Vec<ObjectRef<u64>> {
        (0..count).map(|number| ObjectRef::new(Value::ready(number))).collect()
    }

    fn own(element: Arg<u64>) -> Result<u64, Failure> {
        (&Own::<u64>::new()).own(element)
    }

    #[test]
    fn list_of_references_is_gathered_also_after_encoding() {
        let argument: ListArg<Vec<u64>, u64> = (&numbers(3)).into_list_arg();
        let mut seen = 0;
        argument.references(&mut |_| seen += 1);
        assert_eq!((seen, argument.is_value()), (3, false));
        let serialized = encode(&argument).unwrap();
        let again: ListArg<Vec<u64>, u64> = decode(&serialized.bytes, serialized.attachments).unwrap();
        for argument in [argument, again] {
            assert_eq!(*argument.gathered(own).unwrap().value(), [0, 1, 2]);
        }
    }

    #[test]
    fn slice_is_gathered_into_an_array() {
        let argument: ListArg<Array<u64>, u64> = each(numbers(9)).into_list_arg();
        assert_eq!(**argument.gathered(own).unwrap().value(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let none: ListArg<Array<u64>, u64> = each(Vec::new()).into_list_arg();
        assert!(none.gathered(own).unwrap().value().is_empty());
    }

    #[test]
    fn value_and_single_reference_are_kept_unchanged() {
        let value: ListArg<Vec<u64>, u64> = Vec::new().into_list_arg();
        assert!(value.is_value());
        let reference = ObjectRef::new(Value::ready(vec![7]));
        let argument: ListArg<Vec<u64>, u64> = (&reference).into_list_arg();
        assert!(matches!(argument.gathered(own), Ok(Arg::Ref(one)) if one.slot.address() == reference.slot.address()));
    }
}
