//! The functions of the tests: a task, and an actor with checkpoints.

use crate::base::Error;
use crate::registry::{
    Actor, ActorState, Arg, Callable, Checkpoint, Failure, FunctionKind, Outputs, Single, TableEntry, Task, TaskHeader,
    construct, save, with_actor,
};
use std::sync::Arc;

/// A task that doubles a number.
pub struct Double;

/// A counter that can be saved.
pub struct Count(pub u64);
/// Constructs a counter.
pub struct New;
/// Restores a counter.
pub struct Restore;
/// Increments a counter.
pub struct Add;

impl Callable for Double {
    type Args = (Arg<u64>,);
    type Outputs = Single<u64>;
    const NAME: &'static str = "double";
    const PATH: &'static str = "tests::double";
    const SIGNATURE: &'static str = "fn double(number: u64) -> u64";
    const KIND: FunctionKind = FunctionKind::Task;
    fn invoke((number,): Self::Args, _: &mut ActorState) -> Result<u64, Failure> {
        Ok(2 * number.value())
    }
}

impl Actor for Count {
    type Handle = ();
    const NAME: &'static str = "Count";
    const CHECKPOINT: Option<&'static Checkpoint> =
        Some(&Checkpoint::of::<Restore>(|state| save(state, |count: &Count| count.0)));
}

impl Callable for New {
    type Args = ();
    type Outputs = Single<()>;
    const NAME: &'static str = "Count";
    const PATH: &'static str = "tests::Count.new";
    const SIGNATURE: &'static str = "fn new() -> Count";
    const KIND: FunctionKind = FunctionKind::New;
    const CHECKPOINT: Option<&'static Checkpoint> = Count::CHECKPOINT;
    fn invoke(_: (), state: &mut ActorState) -> Result<(), Failure> {
        construct(state, || Ok(Count(0)))
    }
}

impl Callable for Restore {
    type Args = (Arg<u64>,);
    type Outputs = Single<()>;
    const NAME: &'static str = "Count";
    const PATH: &'static str = "tests::Count.restore";
    const SIGNATURE: &'static str = "fn restore(count: u64) -> Count";
    const KIND: FunctionKind = FunctionKind::New;
    const CHECKPOINT: Option<&'static Checkpoint> = Count::CHECKPOINT;
    fn invoke((count,): Self::Args, state: &mut ActorState) -> Result<(), Failure> {
        construct(state, || Ok(Count(*count.value())))
    }
}

impl Callable for Add {
    type Args = ();
    type Outputs = Single<u64>;
    const NAME: &'static str = "Count.add";
    const PATH: &'static str = "tests::Count.add";
    const SIGNATURE: &'static str = "fn add(&mut self) -> u64";
    const KIND: FunctionKind = FunctionKind::Method;
    fn invoke(_: (), state: &mut ActorState) -> Result<u64, Failure> {
        with_actor(Self::NAME, state, |count: &mut Count| {
            count.0 += 1;
            Ok(count.0)
        })
    }
}

/// The function with that key.
pub fn table_entry(key: u64) -> Option<&'static TableEntry> {
    let entries = [Double::ENTRY, New::ENTRY, Restore::ENTRY, Add::ENTRY];
    entries.into_iter().find(|entry| entry.key == key)
}

/// A task of this rank that doubles a number.
pub fn double(number: u64) -> Arc<Task<Double>> {
    Task::new(TaskHeader::new(None, 0), (Arg::Value(number),))
}

/// The result of a task, if it has one.
pub fn result_of(task: &Arc<Task<Double>>) -> Option<Result<u64, Error>> {
    <Single<u64> as Outputs>::refs(task)
        .ready()
        .map(|result| result.map(|number| *number).map_err(|error| (*error).clone()))
}
