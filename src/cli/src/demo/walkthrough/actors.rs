//! Actors: state that calls share, in order for each caller, in parallel between actors.

use super::tour::show;
use crate::failure::Result;
use mobula::prelude::*;

/// The smallest thing with a state.
pub struct Counter {
    value: u64,
}

#[mobula::actor]
impl Counter {
    /// Starts at a number.
    pub fn new(start: u64) -> Self {
        Counter { value: start }
    }

    /// Adds one.
    pub fn increment(&mut self) -> u64 {
        self.value += 1;
        self.value
    }

    /// Adds more.
    pub fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }
}

/// A task that calls an actor through a handle that it was given.
#[mobula::remote]
fn increment_twice(counter: CounterHandle) -> mobula::Result<u64> {
    counter.increment().get()?;
    Ok(*counter.increment().get()?)
}

/// Shows actors.
pub fn run() -> Result<()> {
    let counters: Vec<CounterHandle> = (0..10).map(|_| Counter::remote(0)).collect();
    let firsts: Vec<ObjectRef<u64>> = counters.iter().map(CounterHandle::increment).collect();
    let firsts: Vec<u64> = mobula::get_all(&firsts)?.iter().map(|value| **value).collect();
    show("ten counters, in parallel", format!("{firsts:?}"), firsts == [1; 10])?;
    let next: Vec<ObjectRef<u64>> = (0..5).map(|_| counters[0].increment()).collect();
    let next: Vec<u64> = mobula::get_all(&next)?.iter().map(|value| **value).collect();
    show("five calls of one, in order", format!("{next:?}"), next == [2, 3, 4, 5, 6])?;

    let amount = counters[1].add(41);
    let total = counters[2].add(&amount).get()?;
    show("a call on the result of a call", *total, *total == 43)?;
    let value = increment_twice::remote(counters[3].clone()).get()?;
    show("a handle handed to a task", *value, *value == 3)?;

    let named = Counter::options().name("walkthrough").place(Placement::Spread).remote(100);
    named.increment().get()?;
    let found = mobula::get_actor::<Counter>("walkthrough")?;
    let value = found.increment().get()?;
    show("an actor found by its name", *value, *value == 102)?;

    found.kill();
    let dead = named.increment().get();
    let died = matches!(dead, Err(mobula::Error::ActorDied { .. }));
    show("a call on a killed actor", dead.err().map_or("answered".to_string(), |error| error.to_string()), died)
}
