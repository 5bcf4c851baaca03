//! Actors: state that calls share, one at a time, in the order of each caller.

use crate::cases::{Cases, Outcome, soon};
use crate::gate::{Gate, fresh, meet};
use crate::start::{Keeper, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// The smallest thing with a state.
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
    pub fn told_of_itself(&self) -> (String, String) {
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
    pub fn meet(&self, place: u32, count: u32) -> bool {
        meet(place, count)
    }
    /// Makes tasks and waits for them, one of them on another actor.
    pub fn gather(&mut self, other: CounterHandle) -> mobula::Result<u64> {
        let there = other.add(1);
        self.value += *double::remote(5u64).get()? + *there.get()?;
        Ok(self.value)
    }
}

#[mobula::remote]
fn double(value: u64) -> u64 {
    2 * value
}

/// Keeps what it is told, in the order of arrival.
pub struct Log {
    lines: Vec<(u32, u32)>,
    inside: bool,
}

#[mobula::actor]
impl Log {
    pub fn new() -> Self {
        Log { lines: Vec::new(), inside: false }
    }
    pub fn tell(&mut self, who: u32, what: u32) {
        assert!(!std::mem::replace(&mut self.inside, true), "two calls at a time");
        std::thread::yield_now();
        self.lines.push((who, what));
        self.inside = false;
    }
    pub fn lines(&self) -> Vec<(u32, u32)> {
        self.lines.clone()
    }
}

/// Tells `count` things, waiting for none of them but the last.
#[mobula::remote]
fn tell(log: LogHandle, who: u32, count: u32) -> mobula::Result<()> {
    let told: Vec<ObjectRef<()>> = (0..count).map(|what| log.tell(who, what)).collect();
    if let Some(last) = told.last() {
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
fn increment_named(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Counter>(name)?.increment().get()?)
}

#[mobula::remote]
fn make_counter(start: u64) -> CounterHandle {
    Counter::remote(start)
}

/// Handles inside.
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

/// Does not come to be.
pub struct Stillborn {}

#[mobula::actor]
impl Stillborn {
    pub fn new(panics: bool) -> Result<Self, String> {
        assert!(!panics, "the constructor panicked");
        Err("the constructor refused".to_string())
    }
    pub fn value(&self) -> u64 {
        1
    }
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Counts how many of it have gone in this process.
pub struct Mortal {}

#[mobula::actor]
impl Mortal {
    pub fn new() -> Self {
        Mortal {}
    }
    pub fn ready(&self) -> bool {
        true
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
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
    cases.case("a method makes tasks and calls other actors", nested);
    cases.case("context() in a method", context);
    cases.case("handles passed to tasks, by value and borrowed", handles_to_tasks);
    cases.case("handles inside objects and arguments", handles_in_objects);
    cases.case("a handle made by a task", handle_from_a_task);
    cases.case("a named actor is found from every rank", named);
    cases.case("a name that nobody has, and one of another type", wrong_names);
    cases.case("a name can be had once, and again after a kill", name_taken);
    cases.case("kill: later calls and waiting calls say ActorDied", killed);
    cases.case("kill from another rank", killed_from_afar);
    cases.case("a panic fails the call only", panicked);
    cases.case("an Err fails the call only", refused);
    cases.case("a constructor that fails says so at every call", stillborn);
    cases.case("an actor asks for no CPU unless told to", no_cpu);
    cases.case("an actor keeps its resources until its last handle goes", resources_kept);
    cases.case("an actor has GPUs of its own", gpus);
    cases.case("an actor that no host can hold", infeasible);
    cases.case("an actor goes with its last handle, a named one does not", last_handle);
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
    assert!(counter.refuse("a str").get().expect_err("it refuses").to_string().contains("a str"));
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
    const TOLD: u32 = 200;
    for place in [0, last_rank()] {
        let log = Log::on(place).remote();
        let callers: Vec<u32> = (0..2 * ranks().len() as u32).collect();
        let tellers: Vec<ObjectRef<()>> =
            callers.iter().map(|who| tell::on(who % ranks().len() as u32).remote(&log, *who, TOLD)).collect();
        mobula::get_all(&tellers)?;
        let lines = log.lines().get()?;
        assert_eq!(lines.len(), callers.len() * TOLD as usize);
        for who in callers {
            let told: Vec<u32> = lines.iter().filter(|line| line.0 == who).map(|line| line.1).collect();
            assert_eq!(told, (0..TOLD).collect::<Vec<u32>>(), "caller {who}");
        }
    }
    Ok(())
}

fn parallel() -> Outcome {
    let place = fresh();
    let counters: Vec<CounterHandle> = (0..10).map(|_| Counter::on(0).remote(0u64)).collect();
    let met: Vec<ObjectRef<bool>> = counters.iter().map(|counter| counter.meet(place, 10)).collect();
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
    let (task, actor) = (*Counter::on(last_rank()).remote(0u64).told_of_itself().get()?).clone();
    assert!(task.contains("told_of_itself") && actor.contains("Counter"), "{task} {actor}");
    Ok(())
}

fn handles_to_tasks() -> Outcome {
    for place in ranks() {
        let counter = Counter::on(place).remote(0u64);
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
    // The object's handles alone keep the actors.
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

fn named() -> Outcome {
    let counter = Counter::options().name("c").place(Placement::Rank(last_rank())).remote(0u64);
    assert_eq!(*counter.increment().get()?, 1);
    assert_eq!(*mobula::get_actor::<Counter>("c")?.increment().get()?, 2);
    for (position, rank) in ranks().into_iter().enumerate() {
        assert_eq!(*increment_named::on(rank).remote("c").get()?, 3 + position as u64);
    }
    counter.kill();
    Ok(())
}

fn wrong_names() -> Outcome {
    let error = mobula::get_actor::<Counter>("nobody").map(|_| ()).expect_err("nobody has it");
    assert!(error.to_string().contains("nobody"), "{error}");
    let log = Log::options().name("a log").remote();
    mobula::get_all(&[log.tell(1u32, 1u32)])?;
    let error = mobula::get_actor::<Counter>("a log").map(|_| ()).expect_err("it is a Log");
    assert!(error.to_string().contains("a log"), "{error}");
    log.kill();
    Ok(())
}

fn name_taken() -> Outcome {
    let first = Counter::options().name("taken").remote(1u64);
    assert_eq!(*first.value().get()?, 1);
    let second = Counter::options().name("taken").place(Placement::Rank(last_rank())).remote(2u64);
    let error = second.value().get().expect_err("the name is taken");
    assert!(error.to_string().contains("taken"), "{error}");
    assert_eq!(*mobula::get_actor::<Counter>("taken")?.value().get()?, 1);
    first.kill();
    soon("the name is free after the kill", || {
        let third = Counter::options().name("taken").remote(3u64);
        third.value().get().is_ok_and(|value| *value == 3)
    });
    mobula::get_actor::<Counter>("taken")?.kill();
    Ok(())
}

#[track_caller]
fn is_dead<T: std::fmt::Debug>(outcome: mobula::Result<T>) {
    match outcome {
        Err(Error::ActorDied { actor, reason }) => assert!(!actor.is_empty() && !reason.is_empty()),
        other => panic!("{other:?}"),
    }
}

fn killed() -> Outcome {
    for rank in ranks() {
        let gate = Gate::new();
        let counter = Counter::on(rank).remote(0u64);
        assert_eq!(*counter.increment().get()?, 1);
        let waiting = counter.add(gate.task(1));
        counter.kill();
        is_dead(counter.increment().get());
        is_dead(waiting.get());
        gate.open();
        is_dead(double::remote(counter.value()).get());
        counter.kill(); // twice is once
        is_dead(counter.value().get());
    }
    Ok(())
}

#[mobula::remote]
fn kill(counter: CounterHandle) {
    counter.kill();
}

fn killed_from_afar() -> Outcome {
    for (place, killer) in [(0, last_rank()), (last_rank(), 0)] {
        let counter = Counter::on(place).remote(0u64);
        assert_eq!(*counter.increment().get()?, 1);
        kill::on(killer).remote(&counter).get()?;
        soon("the actor is gone", || counter.value().get().is_err());
        is_dead(counter.value().get());
    }
    Ok(())
}

fn panicked() -> Outcome {
    for place in ranks() {
        let counter = Counter::on(place).remote(0u64);
        match counter.panic(40u64).get() {
            Err(Error::Task { task, rank, message, .. }) => {
                assert!(task.contains("panic") && task.contains("Counter"), "{task}");
                assert_eq!(rank, place);
                assert!(message.contains("the counter dislikes 40"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(*counter.increment().get()?, 41, "the actor goes on with what it had");
    }
    Ok(())
}

fn refused() -> Outcome {
    let counter = Counter::on(last_rank()).remote(1u64);
    let (bad, good) = (counter.refuse("no reason"), counter.increment());
    match bad.get() {
        Err(Error::Task { message, .. }) => assert!(message.contains("refused: no reason"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(*good.get()?, 2);
    Ok(())
}

fn stillborn() -> Outcome {
    for rank in [0, last_rank()] {
        for (panics, why) in [(true, "the constructor panicked"), (false, "the constructor refused")] {
            let handle = Stillborn::on(rank).remote(panics);
            for _ in 0..2 {
                match handle.value().get() {
                    Err(Error::ActorDied { actor, reason }) => {
                        assert!(actor.contains("Stillborn") && reason.contains(why), "{actor}: {reason}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    Ok(())
}

fn no_cpu() -> Outcome {
    // All ten CPUs are kept, and still there are actors.
    let keeper = Keeper::options().num_cpus(10.0).remote();
    assert!(*keeper.ready().get()?);
    for rank in ranks() {
        assert_eq!(*Counter::on(rank).remote(0u64).increment().get()?, 1);
    }
    Ok(())
}

#[mobula::remote(resources = { "Custom": 1 })]
fn exclusive() -> bool {
    true
}

fn resources_kept() -> Outcome {
    for rank in [0, last_rank()] {
        let keeper = Keeper::on(rank).resource("Custom", 1.0).remote();
        assert!(*keeper.ready().get()?);
        let copy = keeper.clone();
        let waits = exclusive::remote();
        drop(keeper);
        assert!(*copy.ready().get()?);
        assert!(!waits.is_ready(), "a task has what an actor keeps");
        drop(copy);
        assert!(*waits.get()?);
        // A named one keeps them until it is killed.
        let named = Keeper::on(rank).name("keeper").resource("Custom", 1.0).remote();
        assert!(*named.ready().get()?);
        drop(named);
        let waits = exclusive::remote();
        assert!(*mobula::get_actor::<Keeper>("keeper")?.ready().get()?);
        assert!(!waits.is_ready());
        mobula::get_actor::<Keeper>("keeper")?.kill();
        assert!(*waits.get()?);
    }
    Ok(())
}

fn gpus() -> Outcome {
    let (first, second) =
        (Counter::options().num_gpus(1.0).remote(0u64), Counter::on(last_rank()).num_gpus(1.0).remote(0u64));
    let mut ids = [first.gpus().get()?.to_vec(), second.gpus().get()?.to_vec()].concat();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1]);
    assert_eq!(*first.gpus().get()?, *first.gpus().get()?, "they stay its own");
    Ok(())
}

fn infeasible() -> Outcome {
    let error = Counter::options().num_gpus(3.0).remote(0u64).value().get().expect_err("there are two GPUs");
    assert!(matches!(error, Error::Unschedulable { .. } | Error::ActorDied { .. }), "{error:?}");
    assert!(error.to_string().contains("GPU") && error.to_string().contains("Counter"), "{error}");
    Ok(())
}

fn last_handle() -> Outcome {
    let before = DROPPED.load(Ordering::Relaxed);
    let gone = || DROPPED.load(Ordering::Relaxed) - before;
    let mortal = Mortal::on(0).remote();
    let copy = mortal.clone();
    assert!(*mortal.ready().get()?);
    drop(mortal);
    assert!(*copy.ready().get()?);
    assert_eq!(gone(), 0);
    drop(copy);
    soon("the actor goes with its last handle", || gone() == 1);
    let named = Mortal::on(0).name("mortal").remote();
    assert!(*named.ready().get()?);
    drop(named);
    let found = mobula::get_actor::<Mortal>("mortal")?;
    assert!(*found.ready().get()?);
    assert_eq!(gone(), 1);
    found.kill();
    soon("a named actor goes when it is killed", || gone() == 2);
    Ok(())
}
