//! ResultReferences of Rust and of C to the same elements.

use crate::native::array::NativeArray;
use crate::native::export::mismatch;
use crate::native::value::{NativeValue, value_of};
use crate::objects::{Object, ObjectRef, Value};
use crate::registry::{ActorState, Arg, Callable, Failure, FunctionKind, Options, Placement, Single};
use crate::runtime::{self, Runtime};
use std::marker::PhantomData;

/// A reference for C to what a reference of Rust refers to. An array is not copied. What is still to come is awaited on
/// this rank.
pub fn to_native<T: NativeValue>(reference: &ObjectRef<T>) -> ObjectRef<NativeArray> {
    converted::<ToNative<T>>(reference)
}

/// A reference of Rust to what a reference of C refers to. As `to_native`; a value that is no `T` is the failure of the
/// new reference.
pub fn from_native<T: NativeValue>(reference: &ObjectRef<NativeArray>) -> ObjectRef<T> {
    converted::<FromNative<T>>(reference)
}

/// How the value of one language becomes that of the other.
trait Conversion: 'static {
    type From: Object;
    type To: Object;
    fn convert(value: &Self::From) -> Result<Self::To, Failure>;
}

struct ToNative<T>(PhantomData<T>);

impl<T: NativeValue> Conversion for ToNative<T> {
    type From = T;
    type To = NativeArray;
    fn convert(value: &T) -> Result<NativeArray, Failure> {
        value.to_native().map_err(Failure::Passed)
    }
}

struct FromNative<T>(PhantomData<T>);

impl<T: NativeValue> Conversion for FromNative<T> {
    type From = NativeArray;
    type To = T;
    fn convert(array: &NativeArray) -> Result<T, Failure> {
        value_of(array).map_err(Failure::Passed)?.map_err(|got| {
            let wanted = T::wanted();
            mismatch("a reference of C", format!("Rust wants {wanted}, and got {got}"))
        })
    }
}

/// The conversion of what is still to come: a task that never leaves its rank, so that it needs no row in the table.
struct Convert<C>(PhantomData<C>);

impl<C: Conversion> Callable for Convert<C> {
    type Args = (Arg<C::From>,);
    type Outputs = Single<C::To>;
    const NAME: &'static str = "a reference between Rust and C";
    const PATH: &'static str = "";
    const SIGNATURE: &'static str = "";
    const KIND: FunctionKind = FunctionKind::Task;
    fn invoke((argument,): Self::Args, _: &mut ActorState) -> Result<C::To, Failure> {
        C::convert(argument.value())
    }
}

fn converted<C: Conversion>(reference: &ObjectRef<C::From>) -> ObjectRef<C::To> {
    if let Some(Ok(value)) = reference.ready()
        && let Ok(converted) = C::convert(&value)
    {
        return ObjectRef::new(Value::ready(converted));
    }
    let place = Runtime::current().map_or(Placement::Auto, |runtime| Placement::Rank(runtime.cluster.rank));
    let options = Options { num_cpus: Some(0.0), place, ..Options::default() };
    runtime::submit::<Convert<C>>(options.into(), (Arg::Ref(reference.clone()),))
}
