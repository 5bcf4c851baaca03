//! The functions of the tests: a task, and an actor with checkpoints.

use crate::base::Error;
use crate::registry::{
    Actor, ActorFn, ActorNew, Arg, Callable, Checkpoint, Failure, MethodOf, NewOf, Options, RemoteFn, Single,
    TableEntry, Task, TaskHeader, save,
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

impl RemoteFn for Double {
    type Args = (Arg<u64>,);
    type Value = u64;
    type Outputs = Single<u64>;
    const NAME: &'static str = "double";
    const PATH: &'static str = "tests::double";
    const SIGNATURE: &'static str = "fn double(number: u64) -> u64";
    fn options() -> Options {
        Options::new()
    }
    fn call((number,): Self::Args) -> Result<u64, Failure> {
        Ok(2 * number.value())
    }
}

impl Actor for Count {
    type Handle = ();
    const NAME: &'static str = "Count";
    const CHECKPOINT: Option<&'static Checkpoint> =
        Some(&Checkpoint::of::<Restore>(|state| save(state, |count: &Count| count.0)));
}

impl ActorNew for New {
    type Actor = Count;
    type Args = ();
    const PATH: &'static str = "tests::Count.new";
    const SIGNATURE: &'static str = "fn new() -> Count";
    fn options() -> Options {
        Options::new()
    }
    fn make(_: ()) -> Result<Count, Failure> {
        Ok(Count(0))
    }
}

impl ActorNew for Restore {
    type Actor = Count;
    type Args = (Arg<u64>,);
    const PATH: &'static str = "tests::Count.restore";
    const SIGNATURE: &'static str = "fn restore(count: u64) -> Count";
    fn options() -> Options {
        Options::new()
    }
    fn make((count,): Self::Args) -> Result<Count, Failure> {
        Ok(Count(*count.value()))
    }
}

impl ActorFn for Add {
    type Actor = Count;
    type Args = ();
    type Value = u64;
    type Outputs = Single<u64>;
    const NAME: &'static str = "Count.add";
    const PATH: &'static str = "tests::Count.add";
    const SIGNATURE: &'static str = "fn add(&mut self) -> u64";
    fn call(count: &mut Count, _: ()) -> Result<u64, Failure> {
        count.0 += 1;
        Ok(count.0)
    }
}

/// The function with that key.
pub fn table_entry(key: u64) -> Option<&'static TableEntry> {
    let entries = [Double::ENTRY, NewOf::<New>::ENTRY, NewOf::<Restore>::ENTRY, MethodOf::<Add>::ENTRY];
    entries.into_iter().find(|entry| entry.key == key)
}

/// A task of this rank that doubles a number.
pub fn double(number: u64) -> Arc<Task<Double>> {
    Task::new(TaskHeader::new(None, 0), (Arg::Value(number),))
}

/// The result of a task, if it has one.
pub fn result_of(task: &Arc<Task<Double>>) -> Option<Result<u64, Error>> {
    task.refs().ready().map(|result| result.map(|number| *number).map_err(|error| (*error).clone()))
}
