//! Tasks: where they run, how deep they nest, and how they are cancelled.

use crate::cases::{Cases, Outcome};
use crate::gate::Gate;
use crate::start::{host_of, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn context() -> (String, String, f64) {
    let context = mobula::context();
    (format!("{:?}", context.task()), format!("{:?}", context.actor()), context.cpus())
}

#[mobula::remote]
fn put_there(value: u64) -> mobula::Result<(u32, ObjectRef<u64>)> {
    Ok((mobula::context().rank(), mobula::put(value)?))
}

#[mobula::remote]
fn reads(array: &[u64]) -> (u32, u64) {
    (mobula::context().rank(), array[array.len() - 1])
}

/// Passes its unread argument on to another task.
#[mobula::remote]
fn passes_on(arrays: Vec<ObjectRef<Array<u64>>>) -> mobula::Result<(u32, u64)> {
    Ok(*reads::remote(&arrays[0]).get()?)
}

/// An actor that reads its argument in its constructor.
struct Reader {
    last: u64,
}

#[mobula::actor]
impl Reader {
    pub fn new(array: &[u64]) -> Self {
        Reader { last: array[array.len() - 1] }
    }
    pub fn location_and_value(&self) -> (u32, u64) {
        (mobula::context().rank(), self.last)
    }
}

/// Like `passes_on`, to an actor that it creates.
#[mobula::remote]
fn creates_a_reader(arrays: Vec<ObjectRef<Array<u64>>>) -> mobula::Result<(u32, u64)> {
    Ok(*Reader::remote(&arrays[0]).location_and_value().get()?)
}

pub fn run(cases: &mut Cases) {
    cases.case("on(rank) runs on that rank", on_each);
    cases.case("Placement::Rank runs on that rank", placed_on_each);
    cases.case("Placement::Spread uses every rank", spread);
    cases.case("Placement::Host, and a host that does not exist", hosts);
    cases.case("Placement::Near runs where the object is", near);
    cases.case("Placement::Auto runs somewhere", || {
        let rank = *here::options().place(Placement::Auto).remote().get()?;
        assert!(ranks().contains(&rank));
        Ok(())
    });
    cases.case("Placement::Auto prefers the host that stores the argument", near_its_argument);
    cases.case("an actor is placed on the host that stores its argument", actor_near_its_argument);
    cases.case("a rank that does not exist is an error", no_such_rank);
    cases.case("context() in a task", in_a_task);
    cases.case("tasks nest 10,000 deep", nested);
    cases.case("tasks nest 1,000 deep across ranks", nested_across);
    cases.case("a tree of tasks", tree);
    cases.case("a task that submits 1,000 tasks on every rank", wide);
    cases.case("a task deep in ordinary calls", on_a_deep_stack);
    cases.case("cancel of a task that has not started", cancelled);
    cases.case("a cancelled task does not run, and tasks that depend on it fail", cancelled_never_runs);
    cases.case("cancel on another rank", cancelled_there);
    cases.case("cancel of a finished task changes nothing", cancelled_late);
    cases.case("cancel of a running task does not hang", cancelled_running);
}

fn on_each() -> Outcome {
    for round in 0..20 {
        for rank in ranks() {
            assert_eq!(*here::on(rank).remote().get()?, rank, "round {round}");
        }
    }
    let refs: Vec<(u32, ObjectRef<u32>)> =
        (0..200).flat_map(|_| ranks()).map(|rank| (rank, here::on(rank).remote())).collect();
    for (rank, reference) in refs {
        assert_eq!(*reference.get()?, rank);
    }
    Ok(())
}

fn placed_on_each() -> Outcome {
    for rank in ranks() {
        assert_eq!(*here::options().place(Placement::Rank(rank)).remote().get()?, rank);
        assert_eq!(*here::options().num_cpus(10.0).place(Placement::Rank(rank)).remote().get()?, rank);
    }
    Ok(())
}

fn spread() -> Outcome {
    let count = 4 * ranks().len();
    let refs: Vec<ObjectRef<u32>> = (0..count).map(|_| here::options().place(Placement::Spread).remote()).collect();
    let used: BTreeSet<u32> = mobula::get_all(&refs)?.iter().map(|rank| **rank).collect();
    assert_eq!(used.into_iter().collect::<Vec<u32>>(), ranks());
    Ok(())
}

fn near_its_argument() -> Outcome {
    let array = mobula::put_array(&vec![7u64; 1 << 18])?;
    let (rank, value) = *passes_on::on(last_rank()).remote(vec![array.clone()]).get()?;
    assert_eq!(value, 7);
    assert_eq!(host_of(rank), if crate::start::hosts() > 1 { host_of(0) } else { host_of(last_rank()) });
    Ok(())
}

fn actor_near_its_argument() -> Outcome {
    let array = mobula::put_array(&vec![7u64; 1 << 18])?;
    let (rank, value) = *creates_a_reader::on(last_rank()).remote(vec![array.clone()]).get()?;
    assert_eq!(value, 7);
    assert!(crate::start::hosts() == 1 || host_of(rank) == host_of(0), "it was placed on rank {rank}");
    Ok(())
}

fn hosts() -> Outcome {
    let name = mobula::nodes()[0].name().to_string();
    let rank = *here::options().place(Placement::Host(name.clone())).remote().get()?;
    assert!(ranks().contains(&rank));
    let error = here::options().place(Placement::Host(format!("not-{name}"))).remote().get().expect_err("no such host");
    assert!(error.to_string().contains(&format!("not-{name}")), "{error}");
    Ok(())
}

fn near() -> Outcome {
    for rank in ranks() {
        let (there, object) = (*put_there::on(rank).remote(5u64).get()?).clone();
        assert_eq!(there, rank);
        assert_eq!(*here::options().place(Placement::Near(&object)).remote().get()?, rank);
    }
    let object = mobula::put(1u64)?;
    assert_eq!(*here::options().place(Placement::Near(&object)).remote().get()?, 0);
    Ok(())
}

fn no_such_rank() -> Outcome {
    let beyond = last_rank() + 1;
    for error in [
        here::on(beyond).remote().get().expect_err("no such rank"),
        here::options().place(Placement::Rank(u32::MAX)).remote().get().expect_err("no such rank"),
    ] {
        assert!(error.to_string().contains("rank"), "{error}");
    }
    Ok(())
}

fn in_a_task() -> Outcome {
    let (task, actor, cpus) = (*context::on(last_rank()).num_cpus(2.0).remote().get()?).clone();
    assert!(task.contains("context"), "{task}");
    assert_eq!((actor.as_str(), cpus), ("None", 2.0));
    assert_eq!(context::remote().get()?.2, 1.0, "one CPU is the default");
    Ok(())
}

/// Each task submits one and waits for it.
#[mobula::remote]
fn deep(levels: u32) -> mobula::Result<u32> {
    Ok(if levels == 0 { 0 } else { 1 + *deep::remote(levels - 1).get()? })
}

fn nested() -> Outcome {
    assert_eq!(*deep::remote(10_000).get()?, 10_000);
    assert_eq!(*deep::on(last_rank()).remote(3_000).get()?, 3_000);
    Ok(())
}

/// The same, each on the rank after its parent's rank.
#[mobula::remote]
fn deep_across(levels: u32, ranks: u32) -> mobula::Result<u32> {
    if levels == 0 {
        return Ok(0);
    }
    let next = (mobula::context().rank() + 1) % ranks;
    Ok(1 + *deep_across::on(next).remote(levels - 1, ranks).get()?)
}

fn nested_across() -> Outcome {
    assert_eq!(*deep_across::remote(1_000, ranks().len() as u32).get()?, 1_000);
    Ok(())
}

#[mobula::remote]
fn fibonacci(n: u32) -> mobula::Result<u64> {
    if n < 2 {
        return Ok(u64::from(n));
    }
    let (left, right) = (fibonacci::remote(n - 1), fibonacci::remote(n - 2));
    Ok(*left.get()? + *right.get()?)
}

fn tree() -> Outcome {
    assert_eq!(*fibonacci::remote(20).get()?, 6765);
    let many: Vec<ObjectRef<u64>> = ranks().into_iter().map(|rank| fibonacci::on(rank).remote(15)).collect();
    assert!(mobula::get_all(&many)?.iter().all(|value| **value == 610));
    Ok(())
}

#[mobula::remote]
fn sum_of_ranks(ranks: Vec<u32>) -> mobula::Result<u64> {
    let refs: Vec<ObjectRef<u32>> = (0..1000).map(|task| here::on(ranks[task % ranks.len()]).remote()).collect();
    Ok(mobula::get_all(&refs)?.iter().map(|rank| u64::from(**rank)).sum())
}

fn wide() -> Outcome {
    let all = ranks();
    let expected: u64 = (0..1000).map(|task| u64::from(all[task % all.len()])).sum();
    let refs: Vec<ObjectRef<u64>> = all.iter().map(|rank| sum_of_ranks::on(*rank).remote(all.clone())).collect();
    assert!(mobula::get_all(&refs)?.iter().all(|sum| **sum == expected));
    Ok(())
}

/// Uses half of a task's default stack before it waits for another task.
#[mobula::remote]
fn after_a_descent(levels: u32) -> mobula::Result<u32> {
    fn descend(levels: u32) -> mobula::Result<u32> {
        let frame = std::hint::black_box([levels; 1024]); // 4 KiB
        if levels == 0 { Ok(*deep::remote(20).get()? + frame[1023]) } else { descend(levels - 1) }
    }
    descend(levels)
}

fn on_a_deep_stack() -> Outcome {
    let refs: Vec<ObjectRef<u32>> = (0..20).map(|_| after_a_descent::remote(100)).collect();
    assert!(mobula::get_all(&refs)?.iter().all(|value| **value == 20));
    Ok(())
}

static RAN: AtomicU32 = AtomicU32::new(0);

/// Counts its runs in this process.
#[mobula::remote]
fn counted(after: u64) -> u64 {
    RAN.fetch_add(1, Ordering::Relaxed);
    after
}

fn cancelled() -> Outcome {
    let gate = Gate::new();
    let waits = counted::remote(gate.task(1));
    mobula::cancel(&waits);
    match waits.get() {
        Err(Error::Cancelled { task }) => assert_eq!(task, "counted"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn cancelled_never_runs() -> Outcome {
    let gate = Gate::new();
    let before = RAN.load(Ordering::Relaxed);
    let (first, second) = (counted::on(0).remote(gate.task(1)), counted::on(0).remote(gate.task(2)));
    let depends = counted::remote(&first);
    mobula::cancel(&first);
    gate.open();
    assert_eq!(*second.get()?, 2);
    let error = depends.get().expect_err("its input was cancelled");
    assert!(matches!(&error, Error::Cancelled { task } if task == "counted"), "{error:?}");
    assert!(matches!(first.get(), Err(Error::Cancelled { .. })));
    assert_eq!(RAN.load(Ordering::Relaxed) - before, 1);
    Ok(())
}

fn cancelled_there() -> Outcome {
    let gate = Gate::new();
    let waits = counted::on(last_rank()).remote(gate.task(1));
    mobula::cancel(&waits);
    assert!(matches!(waits.get(), Err(Error::Cancelled { .. })));
    gate.open();
    assert_eq!(*counted::on(last_rank()).remote(3u64).get()?, 3);
    Ok(())
}

fn cancelled_late() -> Outcome {
    let finished = counted::remote(4u64);
    assert_eq!(*finished.get()?, 4);
    mobula::cancel(&finished);
    assert_eq!(*finished.get()?, 4);
    let put = mobula::put(5u64)?;
    mobula::cancel(&put);
    assert_eq!(*put.get()?, 5);
    Ok(())
}

fn cancelled_running() -> Outcome {
    let gate = Gate::new();
    let runs = gate.task(6);
    mobula::cancel(&runs);
    gate.open();
    // It may have started or not; either way it ends.
    match runs.get() {
        Ok(value) => assert_eq!(*value, 6),
        Err(error) => assert!(matches!(error, Error::Cancelled { .. }), "{error:?}"),
    }
    assert_eq!(*here::on(0).remote().get()?, 0);
    Ok(())
}
