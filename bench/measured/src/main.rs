//! A user's program, as small as one can be. `mobula-bench run instructions` counts its instructions:
//! `mobula-measured PATH ROUNDS` takes one path through mobula, a thousand operations or so a round, checks the
//! answers, and prints how many operations it did.
//!
//! Rank 1, if there is one, is called.

use mobula::prelude::*;

/// Operations of a round, of every path but fib.
const ROUND: u64 = 1_000;

/// The Fibonacci number of a round, and the calls that its recursion takes: 2 F(n + 1) - 1.
const FIB: u64 = 14;
const FIB_VALUE: u64 = 377;
const FIB_CALLS: u64 = 1_219;

/// Rounds that warm up: caches, connections, queues.
const WARM_UP: u64 = 5;

/// The rank that is called.
const OTHER: u32 = 1;

#[mobula::remote]
fn next(number: u64) -> u64 {
    number + 1
}

#[mobula::remote(leaf)]
fn next_leaf(number: u64) -> u64 {
    number + 1
}

#[mobula::remote]
fn fib(n: u64) -> mobula::Result<u64> {
    if n < 2 {
        return Ok(n);
    }
    let (a, b) = (fib::remote(n - 1), fib::remote(n - 2));
    Ok(*a.get()? + *b.get()?)
}

struct Counter {
    count: u64,
}

#[mobula::actor]
impl Counter {
    pub fn new() -> Counter {
        Counter { count: 0 }
    }

    pub fn add(&mut self, number: u64) -> u64 {
        self.count += number;
        self.count
    }
}

/// Tasks of this rank, all of a round submitted before the first result is read.
fn batch(_: u64) -> mobula::Result<u64> {
    let results: Vec<ObjectRef<u64>> = (0..ROUND).map(next::remote).collect();
    numbers_from_1(&results)
}

/// Tasks of this rank, each of which takes the result of the one before it.
fn chain(_: u64) -> mobula::Result<u64> {
    let mut last = next::remote(0);
    for _ in 1..ROUND {
        last = next::remote(&last);
    }
    assert_eq!(*last.get()?, ROUND);
    Ok(ROUND)
}

/// A tree of tasks of this rank.
fn tree(_: u64) -> mobula::Result<u64> {
    assert_eq!(*fib::remote(FIB).get()?, FIB_VALUE);
    Ok(FIB_CALLS)
}

/// Tasks of the other rank, all of a round in flight.
fn calls(_: u64) -> mobula::Result<u64> {
    let results: Vec<ObjectRef<u64>> = (0..ROUND).map(|number| next::on(OTHER).remote(number)).collect();
    numbers_from_1(&results)
}

/// The same, of a leaf function.
fn leaf_calls(_: u64) -> mobula::Result<u64> {
    let results: Vec<ObjectRef<u64>> = (0..ROUND).map(|number| next_leaf::on(OTHER).remote(number)).collect();
    numbers_from_1(&results)
}

/// Tasks of the other rank, one at a time.
fn round_trips(_: u64) -> mobula::Result<u64> {
    for number in 0..ROUND {
        assert_eq!(*next::on(OTHER).remote(number).get()?, number + 1);
    }
    Ok(ROUND)
}

/// Calls of an actor, all of a round in flight.
fn actor_calls(counter: &CounterHandle, round: u64) -> mobula::Result<u64> {
    let results: Vec<ObjectRef<u64>> = (0..ROUND).map(|_| counter.add(1)).collect();
    for (result, expected) in results.iter().zip(round * ROUND + 1..) {
        assert_eq!(*result.get()?, expected);
    }
    Ok(ROUND)
}

fn numbers_from_1(results: &[ObjectRef<u64>]) -> mobula::Result<u64> {
    for (result, expected) in results.iter().zip(1..) {
        assert_eq!(*result.get()?, expected);
    }
    Ok(ROUND)
}

/// What is counted lies between two calls of this: callgrind knows it by name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn mobula_measured_mark() {
    std::hint::black_box(());
}

#[mobula::remote]
fn mark() {
    mobula_measured_mark();
}

/// Takes a path, to warm up and then so many rounds that are counted; returns the operations of those. It is a task, so
/// that the only worker runs all of it: the thread of `main` would share the work, now more and now less of it.
#[mobula::remote]
fn take(path: String, rounds: u64) -> mobula::Result<u64> {
    let on_actor = |counter: CounterHandle| move |round| actor_calls(&counter, round);
    let round: Box<dyn Fn(u64) -> mobula::Result<u64>> = match path.as_str() {
        "batch" => Box::new(batch),
        "chain" => Box::new(chain),
        "fib" => Box::new(tree),
        "actor" => Box::new(on_actor(Counter::remote())),
        "remote-calls" => Box::new(calls),
        "remote-leaf-calls" => Box::new(leaf_calls),
        "remote-actor" => Box::new(on_actor(Counter::on(OTHER).remote())),
        "remote-round-trips" => Box::new(round_trips),
        _ => panic!("there is no path {path}"),
    };
    for number in 0..WARM_UP {
        round(number)?;
    }
    let ranks = mobula::nodes().iter().map(|node| node.ranks().len() as u32).sum();
    mark_on_every_rank(ranks)?;
    let mut operations = 0;
    for number in WARM_UP..WARM_UP + rounds {
        operations += round(number)?;
    }
    mark_on_every_rank(ranks)?;
    Ok(operations)
}

fn mark_on_every_rank(ranks: u32) -> mobula::Result<()> {
    for other in 1..ranks {
        mark::on(other).remote().get()?;
    }
    mobula_measured_mark();
    Ok(())
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, rounds] = &arguments[..] else { panic!("usage: mobula-measured PATH ROUNDS") };
    let rounds: u64 = rounds.parse().expect("ROUNDS is a number");
    println!("{}", *take::on(0).remote(path.clone(), rounds).get()?);
    Ok(())
}
