//! Calls of registered functions as tasks.

use crate::base::{Error, Result};
use crate::native::actor::{NativeHandle, NativeState};
use crate::native::array::NativeArray;
use crate::native::function::{NativeFrame, NativeFunction, table};
use crate::objects::form::{self, Forms, Parts};
use crate::objects::{AnySlot, ObjectRef};
use crate::registry::{
    ActorState, Arg, ArgList, Argument, Callable, Failure, FunctionKind, Many, Options, Single, TableEntry,
};
use crate::rpc::PlainBytes;
use crate::runtime::{self, Runtime};
use serde::de::{Error as _, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// One argument of a call.
pub enum NativeArgument {
    /// An array, or a reference to one that is complete when the call runs.
    Array(Arg<NativeArray>),
    /// A reference that is handed over as it is.
    Reference(ObjectRef<NativeArray>),
    /// A handle of an actor.
    Actor(NativeHandle),
}

impl Serialize for NativeArgument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NativeArgument::Array(array) => (0u8, array).serialize(serializer),
            NativeArgument::Reference(reference) => (1u8, reference).serialize(serializer),
            NativeArgument::Actor(handle) => (2u8, handle).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NativeArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de> Forms<'de> for NativeArgument {
    const WHAT: &'static str = "an argument of C";
    const PARTS: usize = 2;
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<NativeArgument>, A::Error> {
        match form {
            0 => Ok(parts.next()?.map(NativeArgument::Array)),
            1 => Ok(parts.next()?.map(NativeArgument::Reference)),
            2 => Ok(parts.next()?.map(NativeArgument::Actor)),
            _ => Ok(None),
        }
    }
}

/// What is called, and its arguments. Between ranks the function is named by its key.
pub(super) struct NativeArguments {
    pub(super) function: &'static NativeFunction,
    pub(super) values: Vec<NativeArgument>,
}

impl Serialize for NativeArguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.function.entry.key, &self.values).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NativeArguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (key, values) = <(u64, Vec<NativeArgument>)>::deserialize(deserializer)?;
        match table().by_key(key) {
            Some(function) => Ok(NativeArguments { function, values }),
            None => Err(D::Error::custom(format!("no function of C has the key {key:#x}"))),
        }
    }
}

impl ArgList for NativeArguments {
    fn all_values(&self) -> bool {
        self.values.iter().all(|value| match value {
            NativeArgument::Array(array) => array.is_value(),
            NativeArgument::Reference(_) | NativeArgument::Actor(_) => true,
        })
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        for value in &self.values {
            if let NativeArgument::Array(array) = value {
                array.references(visit);
            }
        }
    }
    fn load(&mut self) -> Result<(), Error> {
        self.values.iter_mut().try_for_each(|value| match value {
            NativeArgument::Array(array) => array.load(),
            NativeArgument::Reference(_) | NativeArgument::Actor(_) => Ok(()),
        })
    }
    fn push_plain(&self, _: &mut PlainBytes) -> bool {
        false
    }
    fn from_plain(_: &[u8]) -> Option<Self> {
        None
    }
}

/// A registered function with at most one result.
pub(super) struct OneResult;

impl Callable for OneResult {
    type Args = NativeArguments;
    type Outputs = Single<NativeArray>;
    const NAME: &'static str = "a function of C";
    const PATH: &'static str = "";
    const SIGNATURE: &'static str = "";
    const KIND: FunctionKind = FunctionKind::Task;
    fn entry_of(args: &NativeArguments) -> &'static TableEntry {
        &args.function.entry
    }
    fn invoke(args: NativeArguments, state: &mut ActorState) -> Result<NativeArray, Failure> {
        let mut result = [None];
        run(&args, &mut result, state)?;
        let [result] = result;
        Ok(result.unwrap_or_else(NativeArray::empty))
    }
}

/// A registered function with several results.
pub(super) struct ManyResults;

impl Callable for ManyResults {
    type Args = NativeArguments;
    type Outputs = Many<NativeArray, 1>;
    const NAME: &'static str = "a function of C";
    const PATH: &'static str = "";
    const SIGNATURE: &'static str = "";
    const KIND: FunctionKind = FunctionKind::Task;
    fn entry_of(args: &NativeArguments) -> &'static TableEntry {
        &args.function.entry
    }
    fn invoke(args: NativeArguments, state: &mut ActorState) -> Result<Vec<NativeArray>, Failure> {
        let mut results: Vec<Option<NativeArray>> = vec![None; args.function.returns];
        run(&args, &mut results, state)?;
        Ok(results.into_iter().map(|result| result.unwrap_or_else(NativeArray::empty)).collect())
    }
}

/// Runs the body. `results` may be longer than the function has results, if it has none.
fn run(
    args: &NativeArguments,
    results: &mut [Option<NativeArray>],
    state: &mut ActorState,
) -> std::result::Result<(), Failure> {
    let NativeArguments { function, values } = args;
    let name = function.entry.name;
    let Some(results) = results.get_mut(..function.returns) else {
        return Err(Failure::Message(format!("{name} has {} results, and was called for one", function.returns)));
    };
    let address = match function.entry.kind {
        FunctionKind::Task | FunctionKind::New => 0,
        FunctionKind::Method => NativeState::address_for(state, function)?,
    };
    let mut frame = NativeFrame { name, args: values, results, state: address };
    (function.body)(&mut frame)?;
    if function.entry.kind == FunctionKind::New {
        *state = NativeState::of(function, frame.state);
    }
    Ok(())
}

/// Submits the task of that name; `returns` references to its results are returned at once.
///
/// # Errors
/// `Ok(None)` if no task has the name. `Config` outside of a running cluster, `Type` for another number of results than
/// it has.
pub fn submit(
    name: &str,
    values: Vec<NativeArgument>,
    mut options: Options,
    returns: usize,
) -> Result<Option<Vec<ObjectRef<NativeArray>>>> {
    if Runtime::current().is_none() {
        return Err(outside_cluster(name));
    }
    let Some(function) = table().task(name) else { return Ok(None) };
    check_count(function, returns)?;
    let args = NativeArguments { function, values };
    if function.returns <= 1 {
        let reference = runtime::submit::<OneResult>(options.into(), args);
        return Ok(Some(if returns == 0 { Vec::new() } else { vec![reference] }));
    }
    options.num_returns = Some(function.returns);
    let references = runtime::submit::<ManyResults>(options.into(), args);
    Ok(Some(if returns == 0 { Vec::new() } else { references }))
}

/// # Errors
/// `Type` unless the caller wants every result, or none.
pub(super) fn check_count(function: &NativeFunction, returns: usize) -> Result<()> {
    if returns != 0 && returns != function.returns {
        let mismatch = format!("it has {} results, and was called for {returns}", function.returns);
        return Err(Error::Type { function: function.entry.name.to_string(), mismatch });
    }
    Ok(())
}

pub(super) fn outside_cluster(call: &str) -> Error {
    Error::config(format!("{call} was called outside a running cluster: call mobula_init first"))
}
