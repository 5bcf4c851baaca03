//! Actors: calls share a state, run one at a time, and keep the order of each caller.

use crate::cases::{Cases, Outcome};
use crate::gate::{Gate, fresh, meet};
use crate::start::{last_rank, ranks};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// The smallest actor with a state.
pub struct Counter {
    value: u64,
}

#[mobula::actor]
impl Counter {
    pub fn new(start: u64) -> Self {
        Counter { value: start }
    }
    pub fn increment(&mut self) -> u64 {
        self.value += 1;
        self.value
    }
    pub fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }
    pub fn value(&self) -> u64 {
        self.value
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
    pub fn gpus(&self) -> Vec<u32> {
        mobula::context().gpus().to_vec()
    }
    pub fn task_and_actor(&self) -> (String, String) {
        let context = mobula::context();
        (format!("{:?}", context.task()), format!("{:?}", context.actor()))
    }
    #[mobula::method(num_returns = 2)]
    pub fn halves(&self) -> (u64, u64) {
        (self.value / 2, self.value - self.value / 2)
    }
    pub fn panic(&mut self, at: u64) -> u64 {
        self.value = at;
        panic!("the counter dislikes {at}")
    }
    pub fn refuse(&mut self, why: &str) -> Result<u64, String> {
        Err(format!("refused: {why}"))
    }
    pub fn meet(&self, meeting: u32, count: u32) -> bool {
        meet(meeting, count)
    }
    /// Waits for a task and for a call of another actor.
    pub fn gather(&mut self, other: CounterHandle) -> mobula::Result<u64> {
        let there = other.add(1);
        self.value += *double::remote(5u64).get()? + *there.get()?;
        Ok(self.value)
    }
}

#[mobula::remote]
pub fn double(value: u64) -> u64 {
    2 * value
}

/// Stores lines in the order in which its calls run.
pub struct Log {
    lines: Vec<(u32, u32)>,
    in_call: bool,
}

#[mobula::actor]
impl Log {
    pub fn new() -> Self {
        Log { lines: Vec::new(), in_call: false }
    }
    pub fn append(&mut self, caller: u32, number: u32) {
        assert!(!std::mem::replace(&mut self.in_call, true), "two calls at a time");
        std::thread::yield_now();
        self.lines.push((caller, number));
        self.in_call = false;
    }
    pub fn lines(&self) -> Vec<(u32, u32)> {
        self.lines.clone()
    }
}

/// Appends `count` lines; waits only for the last call.
#[mobula::remote]
fn append(log: LogHandle, caller: u32, count: u32) -> mobula::Result<()> {
    let calls: Vec<ObjectRef<()>> = (0..count).map(|number| log.append(caller, number)).collect();
    if let Some(last) = calls.last() {
        last.get()?;
    }
    Ok(())
}

#[mobula::remote]
fn increment(counter: CounterHandle, times: u64) -> mobula::Result<u64> {
    let mut last = 0;
    for _ in 0..times {
        last = *counter.increment().get()?;
    }
    Ok(last)
}

#[mobula::remote]
fn increment_borrowed(counter: &CounterHandle) -> mobula::Result<u64> {
    Ok(*counter.increment().get()?)
}

#[mobula::remote]
fn make_counter(start: u64) -> CounterHandle {
    Counter::remote(start)
}

/// A value with handles inside.
#[derive(Clone, Serialize, Deserialize)]
struct Team {
    first: CounterHandle,
    others: Vec<CounterHandle>,
}

#[mobula::remote]
fn increment_team(team: &Team) -> mobula::Result<u64> {
    let mut sum = *team.first.increment().get()?;
    for other in &team.others {
        sum += *other.increment().get()?;
    }
    Ok(sum)
}

pub fn run(cases: &mut Cases) {
    cases.case("a counter counts, in the order of its calls", in_order);
    cases.case("arguments are values and references", arguments);
    cases.case("a call waits for its arguments, and later calls for it", order_behind_a_slow_argument);
    cases.case("each caller's calls run in its order, one at a time", order_of_callers);
    cases.case("ten actors run in parallel", parallel);
    cases.case("a hundred actors on every rank", many);
    cases.case("an actor is placed on any rank, and stays there", placed);
    cases.case("several results of a method", several_results);
    cases.case("a method submits tasks and calls other actors", nested);
    cases.case("context() in a method", context);
    cases.case("handles passed to tasks, by value and borrowed", handles_to_tasks);
    cases.case("handles inside objects and arguments", handles_in_objects);
    cases.case("a handle returned by a task", handle_from_a_task);
}

fn in_order() -> Outcome {
    for rank in ranks() {
        let counter = Counter::on(rank).remote(0u64);
        let calls: Vec<ObjectRef<u64>> = (0..1000).map(|_| counter.increment()).collect();
        let values: Vec<u64> = mobula::get_all(&calls)?.iter().map(|value| **value).collect();
        assert_eq!(values, (1..=1000).collect::<Vec<u64>>(), "rank {rank}");
    }
    Ok(())
}

fn arguments() -> Outcome {
    let counter = Counter::remote(mobula::put(100u64)?);
    let amount = double::on(last_rank()).remote(4u64);
    assert_eq!(*counter.add(&amount).get()?, 108);
    assert_eq!(*counter.add(counter.add(1u64)).get()?, 108 + 1 + 109);
    assert_eq!(*double::remote(counter.value()).get()?, 436);
    assert!(counter.refuse("a str").get().expect_err("it returns an error").to_string().contains("a str"));
    Ok(())
}

fn order_behind_a_slow_argument() -> Outcome {
    for rank in [0, last_rank()] {
        let gate = Gate::new();
        let counter = Counter::on(rank).remote(0u64);
        let first = counter.add(gate.task(10));
        let (second, third) = (counter.increment(), counter.value());
        gate.open();
        assert_eq!((*first.get()?, *second.get()?, *third.get()?), (10, 11, 11), "rank {rank}");
    }
    Ok(())
}

fn order_of_callers() -> Outcome {
    const LINES: u32 = 200;
    for rank in [0, last_rank()] {
        let log = Log::on(rank).remote();
        let callers: Vec<u32> = (0..2 * ranks().len() as u32).collect();
        let tasks: Vec<ObjectRef<()>> = callers
            .iter()
            .map(|caller| append::on(caller % ranks().len() as u32).remote(&log, *caller, LINES))
            .collect();
        mobula::get_all(&tasks)?;
        let lines = log.lines().get()?;
        assert_eq!(lines.len(), callers.len() * LINES as usize);
        for caller in callers {
            let numbers: Vec<u32> = lines.iter().filter(|line| line.0 == caller).map(|line| line.1).collect();
            assert_eq!(numbers, (0..LINES).collect::<Vec<u32>>(), "caller {caller}");
        }
    }
    Ok(())
}

fn parallel() -> Outcome {
    let meeting = fresh();
    let counters: Vec<CounterHandle> = (0..10).map(|_| Counter::on(0).remote(0u64)).collect();
    let met: Vec<ObjectRef<bool>> = counters.iter().map(|counter| counter.meet(meeting, 10)).collect();
    assert!(mobula::get_all(&met)?.iter().all(|met| **met), "ten actors never met");
    Ok(())
}

fn many() -> Outcome {
    let counters: Vec<CounterHandle> =
        (0..100u64).flat_map(|start| ranks().into_iter().map(move |rank| Counter::on(rank).remote(start))).collect();
    let values: Vec<ObjectRef<u64>> = counters.iter().map(|counter| counter.increment()).collect();
    for (position, value) in mobula::get_all(&values)?.iter().enumerate() {
        assert_eq!(**value, 1 + (position / ranks().len()) as u64);
    }
    Ok(())
}

fn placed() -> Outcome {
    for rank in ranks() {
        let counter = Counter::options().place(Placement::Rank(rank)).remote(0u64);
        for _ in 0..10 {
            assert_eq!(*counter.rank().get()?, rank);
        }
    }
    let spread: Vec<CounterHandle> =
        (0..4 * ranks().len()).map(|_| Counter::options().place(Placement::Spread).remote(0u64)).collect();
    let mut used = Vec::new();
    for counter in &spread {
        used.push(*counter.rank().get()?);
    }
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, ranks());
    Ok(())
}

fn several_results() -> Outcome {
    for rank in [0, last_rank()] {
        let (low, high) = Counter::on(rank).remote(7u64).halves();
        assert_eq!((*low.get()?, *high.get()?), (3, 4));
    }
    Ok(())
}

fn nested() -> Outcome {
    let (here, there) = (Counter::on(0).remote(0u64), Counter::on(last_rank()).remote(100u64));
    assert_eq!(*here.gather(&there).get()?, 10 + 101);
    assert_eq!(*there.gather(&here).get()?, 101 + 10 + 112);
    Ok(())
}

fn context() -> Outcome {
    let (task, actor) = (*Counter::on(last_rank()).remote(0u64).task_and_actor().get()?).clone();
    assert!(task.contains("task_and_actor") && actor.contains("Counter"), "{task} {actor}");
    Ok(())
}

fn handles_to_tasks() -> Outcome {
    for location in ranks() {
        let counter = Counter::on(location).remote(0u64);
        let all: Vec<ObjectRef<u64>> =
            ranks().into_iter().map(|rank| increment::on(rank).remote(counter.clone(), 20u64)).collect();
        mobula::get_all(&all)?;
        let total = 20 * ranks().len() as u64;
        assert_eq!(*counter.value().get()?, total);
        assert_eq!(*increment_borrowed::on(last_rank()).remote(&counter).get()?, total + 1);
    }
    Ok(())
}

fn handles_in_objects() -> Outcome {
    let team = Team { first: Counter::remote(0u64), others: vec![Counter::on(last_rank()).remote(10u64); 2] };
    let stored = mobula::put(team.clone())?;
    // Only the object's handles keep the actors alive.
    drop(team);
    for (round, rank) in ranks().into_iter().chain([0]).enumerate() {
        let round = round as u64;
        let sum = (round + 1) + (10 + 2 * round + 1) + (10 + 2 * round + 2);
        assert_eq!(*increment_team::on(rank).remote(&stored).get()?, sum);
    }
    let first = stored.get()?.first.clone();
    drop(stored);
    assert_eq!(*first.value().get()?, ranks().len() as u64 + 1);
    Ok(())
}

fn handle_from_a_task() -> Outcome {
    let counter = (*make_counter::on(last_rank()).remote(5u64).get()?).clone();
    assert_eq!(*counter.increment().get()?, 6);
    assert_eq!(*increment::on(last_rank()).remote(&counter, 2u64).get()?, 8);
    Ok(())
}
