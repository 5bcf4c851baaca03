//! Actors: names, ends, failures, and what they keep while they live.

use crate::actors::{Counter, CounterHandle, Log, double};
use crate::cases::{Cases, Outcome, soon};
use crate::gate::Gate;
use crate::start::{Keeper, beside, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

#[mobula::remote]
fn increment_named(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Counter>(name)?.increment().get()?)
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
        let waits = exclusive::options().place(beside(rank)).remote();
        drop(keeper);
        assert!(*copy.ready().get()?);
        assert!(!waits.is_ready(), "a task has what an actor keeps");
        drop(copy);
        assert!(*waits.get()?);
        // A named one keeps them until it is killed.
        let named = Keeper::on(rank).name("keeper").resource("Custom", 1.0).remote();
        assert!(*named.ready().get()?);
        drop(named);
        let waits = exclusive::options().place(beside(rank)).remote();
        assert!(*mobula::get_actor::<Keeper>("keeper")?.ready().get()?);
        assert!(!waits.is_ready());
        mobula::get_actor::<Keeper>("keeper")?.kill();
        assert!(*waits.get()?);
    }
    Ok(())
}

fn gpus() -> Outcome {
    let first = Counter::options().num_gpus(1.0).place(beside(last_rank())).remote(0u64);
    let second = Counter::on(last_rank()).num_gpus(1.0).remote(0u64);
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
