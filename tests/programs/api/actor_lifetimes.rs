//! Actors: names, ends, failures, and the resources that they hold.

use crate::actors::{Counter, CounterHandle, Log, double};
use crate::cases::{Cases, Outcome, soon};
use crate::gate::Gate;
use crate::start::{Holder, last_rank, on_host_of, ranks};
use mobula::Error;
use mobula::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

#[mobula::remote]
fn increment_named(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Counter>(name)?.increment().get()?)
}

/// Its constructor fails.
pub struct Unbuildable {}

#[mobula::actor]
impl Unbuildable {
    pub fn new(panics: bool) -> Result<Self, String> {
        assert!(!panics, "the constructor panicked");
        Err("the constructor refused".to_string())
    }
    pub fn value(&self) -> u64 {
        1
    }
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Counts how many were dropped in this process.
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
    cases.case("a name that does not exist, and one of another type", wrong_names);
    cases.case("a name can be taken once, and again after a kill", name_taken);
    cases.case("kill: later calls and waiting calls fail with ActorDied", killed);
    cases.case("kill from another rank", killed_from_another_rank);
    cases.case("a panic fails the call only", panicked);
    cases.case("an Err fails the call only", refused);
    cases.case("a failed constructor fails every call", constructor_fails);
    cases.case("an actor requests no CPU by default", no_cpu);
    cases.case("an actor holds its resources until its last handle is dropped", resources_held);
    cases.case("an actor has GPUs of its own", gpus);
    cases.case("an actor that fits on no host", infeasible);
    cases.case("an actor ends with its last handle, a named one does not", last_handle);
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
    let error = mobula::get_actor::<Counter>("unknown").map(|_| ()).expect_err("no such name");
    let text = error.to_string();
    assert!(text.contains("no actor has the name \"unknown\"") && !text.contains("died"), "{text}");
    let log = Log::options().name("a log").remote();
    mobula::get_all(&[log.append(1u32, 1u32)])?;
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
        counter.kill(); // a second kill changes nothing
        is_dead(counter.value().get());
    }
    Ok(())
}

#[mobula::remote]
fn kill(counter: CounterHandle) {
    counter.kill();
}

fn killed_from_another_rank() -> Outcome {
    for (location, killer) in [(0, last_rank()), (last_rank(), 0)] {
        let counter = Counter::on(location).remote(0u64);
        assert_eq!(*counter.increment().get()?, 1);
        kill::on(killer).remote(&counter).get()?;
        soon("the actor is dead", || counter.value().get().is_err());
        is_dead(counter.value().get());
    }
    Ok(())
}

fn panicked() -> Outcome {
    for location in ranks() {
        let counter = Counter::on(location).remote(0u64);
        match counter.panic(40u64).get() {
            Err(Error::Task { task, rank, message, .. }) => {
                assert!(task.contains("panic") && task.contains("Counter"), "{task}");
                assert_eq!(rank, location);
                assert!(message.contains("the counter dislikes 40"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(*counter.increment().get()?, 41, "the actor keeps its state");
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

fn constructor_fails() -> Outcome {
    for rank in [0, last_rank()] {
        for (panics, why) in [(true, "the constructor panicked"), (false, "the constructor refused")] {
            let handle = Unbuildable::on(rank).remote(panics);
            for _ in 0..2 {
                match handle.value().get() {
                    Err(Error::ActorDied { actor, reason }) => {
                        assert!(actor.contains("Unbuildable") && reason.contains(why), "{actor}: {reason}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    Ok(())
}

fn no_cpu() -> Outcome {
    // All ten CPUs are held, and actors can still be created.
    let holder = Holder::options().num_cpus(10.0).remote();
    assert!(*holder.ready().get()?);
    for rank in ranks() {
        assert_eq!(*Counter::on(rank).remote(0u64).increment().get()?, 1);
    }
    Ok(())
}

#[mobula::remote(resources = { "Custom": 1 })]
fn exclusive() -> bool {
    true
}

fn resources_held() -> Outcome {
    for rank in [0, last_rank()] {
        let holder = Holder::on(rank).resource("Custom", 1.0).remote();
        assert!(*holder.ready().get()?);
        let copy = holder.clone();
        let waits = exclusive::options().place(on_host_of(rank)).remote();
        drop(holder);
        assert!(*copy.ready().get()?);
        assert!(!waits.is_ready(), "a task has a resource that an actor holds");
        drop(copy);
        assert!(*waits.get()?);
        // A named one holds them until it is killed.
        let named = Holder::on(rank).name("holder").resource("Custom", 1.0).remote();
        assert!(*named.ready().get()?);
        drop(named);
        let waits = exclusive::options().place(on_host_of(rank)).remote();
        assert!(*mobula::get_actor::<Holder>("holder")?.ready().get()?);
        assert!(!waits.is_ready());
        mobula::get_actor::<Holder>("holder")?.kill();
        assert!(*waits.get()?);
    }
    Ok(())
}

fn gpus() -> Outcome {
    let first = Counter::options().num_gpus(1.0).place(on_host_of(last_rank())).remote(0u64);
    let second = Counter::on(last_rank()).num_gpus(1.0).remote(0u64);
    let mut ids = [first.gpus().get()?.to_vec(), second.gpus().get()?.to_vec()].concat();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1]);
    assert_eq!(*first.gpus().get()?, *first.gpus().get()?, "they stay assigned to it");
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
    let dropped = || DROPPED.load(Ordering::Relaxed) - before;
    let mortal = Mortal::on(0).remote();
    let copy = mortal.clone();
    assert!(*mortal.ready().get()?);
    drop(mortal);
    assert!(*copy.ready().get()?);
    assert_eq!(dropped(), 0);
    drop(copy);
    soon("the actor ends with its last handle", || dropped() == 1);
    let named = Mortal::on(0).name("mortal").remote();
    assert!(*named.ready().get()?);
    drop(named);
    let found = mobula::get_actor::<Mortal>("mortal")?;
    assert!(*found.ready().get()?);
    assert_eq!(dropped(), 1);
    found.kill();
    soon("a named actor ends when it is killed", || dropped() == 2);
    Ok(())
}
