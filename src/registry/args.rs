//! Arguments: a value or a reference to one.

mod list;

pub use list::{Each, IntoListArg, ListArg, each};

use crate::base::Error;
use crate::objects::form::{self, Forms, Parts};
use crate::objects::{AnySlot, Object, ObjectRef, Ref, decode, encode, refused};
use crate::registry::{Failure, TableEntry};
use crate::rpc::{PlainBytes, plain};
use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::marker::PhantomData;
use std::sync::Arc;

/// One argument of a call.
pub enum Arg<T> {
    /// By value.
    Value(T),
    /// By reference: resolved before the call runs.
    Ref(ObjectRef<T>),
    /// The resolved reference, whose value stays in place while the call runs.
    Loaded(Ref<T>),
}

/// As `ListArg`, without the third form.
impl<T: Object> Serialize for Arg<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Arg::Value(value) => (list::VALUE, value).serialize(serializer).map_err(refused::<T, _>),
            Arg::Loaded(value) => (list::VALUE, &**value).serialize(serializer).map_err(refused::<T, _>),
            Arg::Ref(reference) => (list::REFERENCE, reference).serialize(serializer),
        }
    }
}

impl<'de, T: Object> Deserialize<'de> for Arg<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de, T: Object> Forms<'de> for Arg<T> {
    const WHAT: &'static str = "an argument";
    const PARTS: usize = 2;
    #[inline]
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<Arg<T>>, A::Error> {
        match form {
            list::VALUE => Ok(parts.next().map_err(refused::<T, _>)?.map(Arg::Value)),
            list::REFERENCE => Ok(parts.next()?.map(Arg::Ref)),
            _ => Ok(None),
        }
    }
}

impl<T: Object> Arg<T> {
    /// The argument's value, once it was loaded.
    pub fn value(&self) -> &T {
        match self {
            Arg::Value(value) => value,
            Arg::Loaded(value) => value,
            Arg::Ref(reference) => match reference.slot.promise().value() {
                Some(value) => value,
                None => unreachable!("a task runs only when its arguments are complete"),
            },
        }
    }
}

/// One element of an argument list.
pub trait Argument: Object {
    /// True if it is given by value.
    fn is_value(&self) -> bool;
    /// Each reference that must be complete before the call runs.
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>));
    /// Resolves a reference, so that its value stays in place while the call runs.
    ///
    /// # Errors
    /// Why it is not available.
    fn load(&mut self) -> Result<(), Error>;
    /// Appends it to `out`; false if it is not a plain value, or there is no space for it.
    fn push_plain(&self, _out: &mut PlainBytes) -> bool {
        false
    }
    /// Takes it from the front of `bytes`; `None` if they do not begin with one, or it is no plain value.
    fn take_plain(_bytes: &mut &[u8]) -> Option<Self> {
        None
    }
}

impl<T: Object> Argument for Arg<T> {
    #[inline]
    fn is_value(&self) -> bool {
        matches!(self, Arg::Value(_))
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        if let Arg::Ref(reference) = self {
            visit(reference.any());
        }
    }
    /// Decodes the value of a reference if that is packed, or passes its failure on. The runtime calls a function only
    /// when every reference is complete.
    fn load(&mut self) -> Result<(), Error> {
        if let Arg::Ref(reference) = self
            && reference.slot.promise().value().is_none()
            && let Some(outcome) = reference.ready()
        {
            *self = Arg::Loaded(outcome.map_err(|error| (*error).clone())?);
        }
        Ok(())
    }
    #[inline]
    fn push_plain(&self, out: &mut PlainBytes) -> bool {
        matches!(self, Arg::Value(value) if out.push(value))
    }
    #[inline]
    fn take_plain(bytes: &mut &[u8]) -> Option<Self> {
        plain::take(bytes).map(Arg::Value)
    }
}

/// What a parameter of type `T` accepts: a `T`, or a reference to one; a `&str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "this remote function's parameter takes a `{T}`, or an `ObjectRef<{T}>`, not a `{Self}`",
    label = "expected `{T}` or `&ObjectRef<{T}>`"
)]
pub trait IntoArg<T> {
    /// The argument.
    fn into_arg(self) -> Arg<T>;
}

impl<T: Object> IntoArg<T> for T {
    fn into_arg(self) -> Arg<T> {
        Arg::Value(self)
    }
}

impl<T: Object> IntoArg<T> for ObjectRef<T> {
    fn into_arg(self) -> Arg<T> {
        Arg::Ref(self)
    }
}

impl<T: Object> IntoArg<T> for &ObjectRef<T> {
    fn into_arg(self) -> Arg<T> {
        Arg::Ref(self.clone())
    }
}

/// A parameter that is itself a reference: it stays one, also if it is given by `&`.
impl<T: Object> IntoArg<ObjectRef<T>> for &ObjectRef<T> {
    fn into_arg(self) -> Arg<ObjectRef<T>> {
        Arg::Value(self.clone())
    }
}

impl IntoArg<String> for &str {
    fn into_arg(self) -> Arg<String> {
        Arg::Value(self.to_string())
    }
}

/// Takes an argument by value: moves it if it was given by value, else clones it if its type can, else decodes a copy.
pub struct Own<T>(PhantomData<T>);

impl<T> Own<T> {
    /// For values of type `T`.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Own<T> {
        Own(PhantomData)
    }
}

/// First choice: the shared value is cloned.
pub trait OwnByClone<T> {
    /// The argument by value.
    ///
    /// # Errors
    /// None.
    fn own(&self, argument: Arg<T>) -> Result<T, Failure>;
}

impl<T: Object + Clone> OwnByClone<T> for &Own<T> {
    #[inline]
    fn own(&self, argument: Arg<T>) -> Result<T, Failure> {
        Ok(match argument {
            Arg::Value(value) => value,
            reference => reference.value().clone(),
        })
    }
}

/// Second choice: a copy is made by encoding and decoding.
pub trait OwnBySerde<T> {
    /// The argument by value.
    ///
    /// # Errors
    /// If the type does not encode or decode.
    fn own(&self, argument: Arg<T>) -> Result<T, Failure>;
}

impl<T: Object> OwnBySerde<T> for Own<T> {
    fn own(&self, argument: Arg<T>) -> Result<T, Failure> {
        match argument {
            Arg::Value(value) => Ok(value),
            reference => {
                let serialized = encode(reference.value()).map_err(Failure::Passed)?;
                decode(&serialized.bytes, serialized.attachments).map_err(Failure::Passed)
            }
        }
    }
}

/// The arguments of a call, as a tuple of [`Argument`]s.
pub trait ArgList: Object {
    /// True if every argument is by value.
    fn all_values(&self) -> bool;
    /// Each argument that is a reference.
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>));
    /// Resolves the references, so that their values stay in place until the arguments are dropped.
    ///
    /// # Errors
    /// Why one is not available.
    fn load(&mut self) -> Result<(), Error>;
    /// Appends the arguments to `out`; false if one is not a plain value, or there is no space for it.
    fn push_plain(&self, out: &mut PlainBytes) -> bool;
    /// The arguments of the function of that row that are all of `bytes`; `None` if they are not that.
    fn from_plain(entry: &'static TableEntry, bytes: &[u8]) -> Option<Self>;
}

macro_rules! arg_list {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Argument),*> ArgList for ($($name,)*) {
            #[inline]
            fn all_values(&self) -> bool {
                true $(&& self.$index.is_value())*
            }
            fn references(&self, _visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
                $(self.$index.references(_visit);)*
            }
            fn load(&mut self) -> Result<(), Error> {
                $(self.$index.load()?;)*
                Ok(())
            }
            #[inline]
            fn push_plain(&self, _out: &mut PlainBytes) -> bool {
                true $(&& self.$index.push_plain(_out))*
            }
            #[inline]
            fn from_plain(_: &'static TableEntry, bytes: &[u8]) -> Option<Self> {
                let mut _left = bytes;
                let args = ($($name::take_plain(&mut _left)?,)*);
                _left.is_empty().then_some(args)
            }
        }
    };
}

/// Calls `$each` for the tuples of two parts and more.
macro_rules! each_tuple {
    ($each:ident) => {
        $each!(A 0, B 1);
        $each!(A 0, B 1, C 2);
        $each!(A 0, B 1, C 2, D 3);
        $each!(A 0, B 1, C 2, D 3, E 4);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
    };
}
pub(super) use each_tuple;

arg_list!();
arg_list!(A 0);
each_tuple!(arg_list);
