//! Several actors, several callers.

use crate::case::Run;
use crate::failure::{Failure, Result, check};
use crate::sample::us_each;
use crate::suite::ranks;
use mobula::prelude::*;

/// Calls that a caller makes of each of its actors before it asks for a result.
const IN_FLIGHT: u64 = 10_000;

/// Counts its calls.
struct Counted {
    calls: u64,
}

#[mobula::actor]
impl Counted {
    pub fn new() -> Self {
        Counted { calls: 0 }
    }

    pub fn count(&mut self, number: u64) -> u64 {
        self.calls += number;
        self.calls
    }

    pub async fn count_later(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }
}

/// Calls every one of the actors so many times, adding one each time; returns the sum of their last counts.
#[mobula::remote(num_cpus = 0)]
fn call(actors: Vec<CountedHandle>, calls: u64) -> mobula::Result<u64> {
    let one = |actor: &CountedHandle| actor.count(1);
    sum_of_last(&actors, calls, one)
}

/// The same; the one is an object that is fetched for each call.
#[mobula::remote(num_cpus = 0)]
fn call_by_reference(actors: Vec<CountedHandle>, calls: u64) -> mobula::Result<u64> {
    let one = mobula::put(1u64)?;
    sum_of_last(&actors, calls, |actor| actor.count(&one))
}

fn sum_of_last(
    actors: &[CountedHandle],
    calls: u64,
    one: impl Fn(&CountedHandle) -> ObjectRef<u64>,
) -> mobula::Result<u64> {
    let all: Vec<ObjectRef<u64>> = (0..calls).flat_map(|_| actors.iter().map(&one)).collect();
    let counts = mobula::get_all(&all)?;
    Ok(counts.iter().rev().take(actors.len()).map(|count| **count).sum())
}

/// Microseconds of a call of an async method of an actor on this rank, whose result is waited for.
pub fn async_one_by_one(run: &Run) -> Result<f64> {
    let actor = Counted::on(0).remote();
    let mut calls = 0;
    us_each(run.rounds(5_000), || {
        calls += 1;
        let counted = *actor.count_later().get()?;
        check(counted == calls, || format!("an actor counted {counted} calls where {calls} were made"))
    })
}

/// Millions of such calls a second, many in flight.
pub fn async_in_flight(run: &Run) -> Result<f64> {
    let actor = Counted::on(0).remote();
    let mut calls = 0;
    let us = us_each(run.rounds(10), || {
        calls += IN_FLIGHT;
        let all: Vec<ObjectRef<u64>> = (0..IN_FLIGHT).map(|_| actor.count_later()).collect();
        let counted = mobula::get_all(&all)?.last().map_or(0, |last| **last);
        check(counted == calls, || format!("an actor counted {counted} calls where {calls} were made"))
    })?;
    Ok(IN_FLIGHT as f64 / us)
}

/// An actor on every rank.
fn one_a_rank() -> Vec<CountedHandle> {
    (0..ranks()).map(|rank| Counted::on(rank).remote()).collect()
}

/// Millions of calls a second by this rank's caller, of an actor on every rank.
pub fn one_to_many(run: &Run) -> Result<f64> {
    let actors = one_a_rank();
    let mut calls = 0;
    let us = us_each(run.rounds(10), || {
        calls += IN_FLIGHT;
        let counted = sum_of_last(&actors, IN_FLIGHT, |actor| actor.count(1)).map_err(Failure::from)?;
        let expected = calls * actors.len() as u64;
        check(counted == expected, || format!("the actors counted {counted} calls where {expected} were made"))
    })?;
    Ok((IN_FLIGHT * actors.len() as u64) as f64 / us)
}

/// Millions of calls a second by a caller on every rank, of an actor on every rank.
pub fn many_to_many(run: &Run) -> Result<f64> {
    by_every_rank(run, |rank, actors| call::on(rank).remote(actors, IN_FLIGHT))
}

/// The same, with a reference for an argument.
pub fn many_to_many_by_reference(run: &Run) -> Result<f64> {
    by_every_rank(run, |rank, actors| call_by_reference::on(rank).remote(actors, IN_FLIGHT))
}

fn by_every_rank(run: &Run, caller: impl Fn(u32, Vec<CountedHandle>) -> ObjectRef<u64>) -> Result<f64> {
    let (actors, callers) = (one_a_rank(), u64::from(ranks()));
    let a_round = IN_FLIGHT * callers * actors.len() as u64;
    let mut calls = 0;
    let us = us_each(run.rounds(10), || {
        calls += a_round;
        let callers: Vec<ObjectRef<u64>> = (0..ranks()).map(|rank| caller(rank, actors.clone())).collect();
        mobula::get_all(&callers)?;
        // Every caller has its results, so every call has been counted.
        let counts: Vec<ObjectRef<u64>> = actors.iter().map(|actor| actor.count(0)).collect();
        let counted: u64 = mobula::get_all(&counts)?.iter().map(|count| **count).sum();
        check(counted == calls, || format!("the actors counted {counted} calls where {calls} were made"))
    })?;
    Ok(a_round as f64 / us)
}
