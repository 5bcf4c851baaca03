//! Several callers, several actors.

use super::calls::{Small, SmallHandle, small_value};
use super::clock::rate;
use crate::case::Run;
use crate::failure::{Result, check};
use mobula::prelude::*;

/// Callers of the cases in which Ray has a fixed number of them.
const CALLERS: u64 = 4;

/// Tasks that each actor starts, calls that each caller makes, and calls with an argument.
const TASKS: u32 = 10_000;
const CALLS: u32 = 5_000;
const CALLS_WITH_ARGUMENT: u32 = 1_000;

/// Starts tasks or calls, and waits for all of them.
struct Caller;

#[mobula::actor]
impl Caller {
    pub fn new() -> Self {
        Caller
    }

    pub fn tasks(&mut self, count: u64) -> mobula::Result<u64> {
        sum(&(0..count).map(|_| small_value::remote()).collect::<Vec<_>>())
    }

    pub fn calls(&mut self, servers: Vec<SmallHandle>, count: u64) -> mobula::Result<u64> {
        sum(&servers.iter().flat_map(|server| (0..count).map(|_| server.small_value())).collect::<Vec<_>>())
    }

    pub fn calls_later(&mut self, servers: Vec<SmallHandle>, count: u64) -> mobula::Result<u64> {
        sum(&servers.iter().flat_map(|server| (0..count).map(|_| server.small_value_later())).collect::<Vec<_>>())
    }

    pub fn calls_with(&mut self, servers: Vec<SmallHandle>, count: u64) -> mobula::Result<u64> {
        let two = mobula::put(2u64)?;
        sum(&servers.iter().flat_map(|server| (0..count).map(|_| server.small_value_with(&two))).collect::<Vec<_>>())
    }
}

/// Calls the actors in turn.
#[mobula::remote]
fn work(actors: Vec<SmallHandle>, calls: u64) -> mobula::Result<u64> {
    let actor = |call: u64| &actors[call as usize % actors.len()];
    sum(&(0..calls).map(|call| actor(call).small_value()).collect::<Vec<_>>())
}

/// The same by an async method.
#[mobula::remote]
fn work_later(actors: Vec<SmallHandle>, calls: u64) -> mobula::Result<u64> {
    let actor = |call: u64| &actors[call as usize % actors.len()];
    sum(&(0..calls).map(|call| actor(call).small_value_later()).collect::<Vec<_>>())
}

fn sum(answers: &[ObjectRef<u64>]) -> mobula::Result<u64> {
    Ok(mobula::get_all(answers)?.iter().map(|answer| **answer).sum())
}

/// Checks that every result is two.
fn all_answered(sums: &[ObjectRef<u64>], calls: u64) -> Result<()> {
    let sum = sum(sums)?;
    check(sum == 2 * calls, || format!("{calls} answers of two sum up to {sum}"))
}

/// Half as many as there are cores, as in Ray's benchmark.
fn half_of_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

fn servers() -> Vec<SmallHandle> {
    (0..half_of_the_cores()).map(|_| Small::remote()).collect()
}

/// Tasks a second that four actors start.
pub fn tasks_by_actors(run: &Run) -> Result<f64> {
    let tasks = u64::from(run.rounds(TASKS));
    let callers: Vec<CallerHandle> = (0..CALLERS).map(|_| Caller::remote()).collect();
    rate(run, (CALLERS * tasks) as f64, || {
        all_answered(&callers.iter().map(|caller| caller.tasks(tasks)).collect::<Vec<_>>(), CALLERS * tasks)
    })
}

/// Calls a second by one actor of several.
pub fn one_to_many(run: &Run) -> Result<f64> {
    let (servers, caller) = (servers(), Caller::remote());
    let each = u64::from(run.rounds(CALLS));
    let calls = each * servers.len() as u64;
    rate(run, calls as f64, || all_answered(&[caller.calls(servers.clone(), each)], calls))
}

/// The same by async methods.
pub fn one_to_many_async(run: &Run) -> Result<f64> {
    let (servers, caller) = (servers(), Caller::remote());
    let each = u64::from(run.rounds(CALLS));
    let calls = each * servers.len() as u64;
    rate(run, calls as f64, || all_answered(&[caller.calls_later(servers.clone(), each)], calls))
}

/// Calls a second by four tasks of several actors.
pub fn many_to_many(run: &Run) -> Result<f64> {
    let (servers, calls) = (servers(), u64::from(run.rounds(CALLS)));
    rate(run, (CALLERS * calls) as f64, || {
        let callers: Vec<ObjectRef<u64>> = (0..CALLERS).map(|_| work::remote(servers.clone(), calls)).collect();
        all_answered(&callers, CALLERS * calls)
    })
}

/// The same by async methods.
pub fn many_to_many_async(run: &Run) -> Result<f64> {
    let (servers, calls) = (servers(), u64::from(run.rounds(CALLS)));
    rate(run, (CALLERS * calls) as f64, || {
        let callers: Vec<ObjectRef<u64>> = (0..CALLERS).map(|_| work_later::remote(servers.clone(), calls)).collect();
        all_answered(&callers, CALLERS * calls)
    })
}

/// Calls a second by several actors, each of one, the argument being an object.
pub fn many_to_many_by_reference(run: &Run) -> Result<f64> {
    let pairs: Vec<(CallerHandle, SmallHandle)> =
        servers().into_iter().map(|server| (Caller::remote(), server)).collect();
    let each = u64::from(run.rounds(CALLS_WITH_ARGUMENT));
    let calls = each * pairs.len() as u64;
    rate(run, calls as f64, || {
        let one = |(caller, server): &(CallerHandle, SmallHandle)| caller.calls_with(vec![server.clone()], each);
        all_answered(&pairs.iter().map(one).collect::<Vec<_>>(), calls)
    })
}
