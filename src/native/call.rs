//! Calls of registered functions as tasks.

use crate::base::{Error, Result};
use crate::native::actor::NativeState;
use crate::native::arguments::{CallArguments, NativeArgument};
use crate::native::array::{NativeArray, ShortForm};
use crate::native::function::{NativeFrame, NativeFunction, table};
use crate::objects::{AnySlot, ObjectRef};
use crate::registry::{
    ActorState, ArgList, Argument, CallOptions, Callable, Failure, FunctionKind, Many, Single, TableEntry,
};
use crate::rpc::PlainBytes;
use crate::runtime::{self, Runtime};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// What is called, and its arguments. Between ranks the function is named by its key.
pub(super) struct NativeArguments {
    pub(super) function: &'static NativeFunction,
    pub(super) values: CallArguments,
}

impl Serialize for NativeArguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.function.entry.key, &self.values).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NativeArguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (key, values) = <(u64, CallArguments)>::deserialize(deserializer)?;
        match table().by_key(key) {
            Some(function) => Ok(NativeArguments { function, values }),
            None => Err(D::Error::custom(format!("no function of C has the key {key:#x}"))),
        }
    }
}

impl ArgList for NativeArguments {
    fn all_values(&self) -> bool {
        self.values.list().iter().all(|value| match value {
            NativeArgument::Array(array) => array.is_value(),
            NativeArgument::Reference(_) | NativeArgument::Actor(_) => true,
        })
    }
    fn references(&self, visit: &mut dyn FnMut(Arc<dyn AnySlot>)) {
        for value in self.values.list() {
            if let NativeArgument::Array(array) = value {
                array.references(visit);
            }
        }
    }
    fn load(&mut self) -> Result<(), Error> {
        self.values.list_mut().iter_mut().try_for_each(|value| match value {
            NativeArgument::Array(array) => array.load(),
            NativeArgument::Reference(_) | NativeArgument::Actor(_) => Ok(()),
        })
    }
    fn push_plain(&self, out: &mut PlainBytes) -> bool {
        self.values.push_plain(out)
    }
    fn from_plain(entry: &'static TableEntry, bytes: &[u8]) -> Option<Self> {
        let (function, values) = (table().by_key(entry.key)?, CallArguments::from_plain(bytes)?);
        Some(NativeArguments { function, values })
    }
}

/// A registered function with at most one result.
pub(super) struct OneResult;

impl Callable for OneResult {
    type Args = NativeArguments;
    type Outputs = Single<NativeArray, ShortForm>;
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

/// ResultReferences to the results of a call.
pub enum ResultReferences {
    /// To its only one.
    One(ObjectRef<NativeArray>),
    /// To each, or to none.
    Many(Vec<ObjectRef<NativeArray>>),
}

/// The task of that name; `None` if there is none.
///
/// # Errors
/// `Config` outside of a running cluster.
pub fn find_task(name: &str) -> Result<Option<&'static NativeFunction>> {
    if Runtime::current().is_none() {
        return Err(outside_cluster(name));
    }
    Ok(table().task(name))
}

/// Submits a task; `returns` references to its results are returned at once.
///
/// # Errors
/// `Type` for another number of results than it has.
pub fn submit(
    function: &'static NativeFunction,
    values: CallArguments,
    mut options: CallOptions,
    returns: usize,
) -> Result<ResultReferences> {
    check_count(function, returns)?;
    if let Some(defaults) = function.options {
        let own = std::mem::replace(&mut options, defaults());
        options.take_over(&own.into_options());
    }
    let args = NativeArguments { function, values };
    let references = if function.returns <= 1 {
        ResultReferences::One(submit_one(options, args))
    } else {
        options.set().num_returns = Some(function.returns);
        ResultReferences::Many(runtime::submit::<ManyResults>(options, args))
    };
    Ok(if returns == 0 { ResultReferences::Many(Vec::new()) } else { references })
}

fn submit_one(options: CallOptions, args: NativeArguments) -> ObjectRef<NativeArray> {
    if options.is_none() {
        runtime::submit_plain::<OneResult>(args)
    } else {
        runtime::submit::<OneResult>(options, args)
    }
}

/// # Errors
/// `Type` unless the caller wants every result, or none.
#[inline]
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
