//! Tasks: they hold the requested resources while they run, and never more than exist.

use crate::cases::{Cases, Outcome};
use crate::gate::{Gate, fresh, meet};
use crate::span::{Span, most_at_once};
use crate::start::{Holder, last_rank, on_host_of, ranks};
use mobula::Error;
use mobula::prelude::*;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[mobula::remote]
fn nap() -> Span {
    Span::of_a_nap()
}

#[mobula::remote(resources = { "Custom": 1 })]
fn exclusive() -> Span {
    Span::of_a_nap()
}

#[mobula::remote(num_gpus = 0.5)]
fn half_a_gpu() -> Span {
    Span::of_a_nap()
}

/// Returns when `count` of them run at once.
#[mobula::remote]
pub fn together(meeting: u32, count: u32) -> bool {
    meet(meeting, count)
}

pub fn run(cases: &mut Cases) {
    cases.case("ten blocking tasks, placed anywhere, run at once on ten CPUs", ten_anywhere);
    cases.case("ten blocking tasks of one rank run at once", ten_at_once);
    cases.case("twenty half CPUs run at once", twenty_halves);
    cases.case("CPUs are never exceeded", cpus_not_exceeded);
    cases.case("a custom resource of one excludes", custom_excludes);
    cases.case("GPUs are assigned, by halves", gpus_by_halves);
    cases.case("GPUs are assigned, whole", gpus_whole);
    cases.case("a request beyond every host is an error that says so", infeasible);
    cases.case("an invalid request is an error", invalid);
    cases.case("a task that depends on an infeasible one fails with its error", infeasible_dependent);
    cases.case("a task blocked in get releases its CPU", blocked_in_get);
    cases.case("a task blocked in wait releases its CPU", blocked_in_wait);
    cases.case("tasks that wait for each other hold one CPU", one_cpu_for_a_chain);
    cases.case("a task that waits for resources does not block smaller ones", no_head_of_line);
}

/// Returns true if all CPUs of the cluster but `held` are free before a deadline.
fn all_free_but(held: f64) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (all, free) = (mobula::cluster_resources()["CPU"], mobula::available_resources()["CPU"]);
        if free == all - held || Instant::now() > deadline {
            return free == all - held;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A chain of tasks, each of which waits for the next; the last one checks the free CPUs.
#[mobula::remote]
fn chain(length: u32) -> mobula::Result<bool> {
    if length == 0 { Ok(all_free_but(1.0)) } else { Ok(*chain::remote(length - 1).get()?) }
}

/// An actor whose call waits for a chain.
struct Caller;

#[mobula::actor]
impl Caller {
    pub fn new() -> Self {
        Caller
    }
    pub fn call(&self) -> mobula::Result<bool> {
        Ok(*chain::remote(3).get()?)
    }
}

fn one_cpu_for_a_chain() -> Outcome {
    assert!(*chain::remote(5).get()?, "a chain held more than one CPU, or less");
    for rank in [0, last_rank()] {
        assert!(*Caller::on(rank).remote().call().get()?, "a chain that an actor waited for held more than one CPU");
    }
    assert!(all_free_but(0.0), "not all CPUs were released");
    Ok(())
}

fn ten_anywhere() -> Outcome {
    let gate = Gate::new();
    let refs: Vec<ObjectRef<()>> = (0..10).map(|_| gate.task_anywhere()).collect();
    // None can end while the gate is closed, and none waits in a way that releases its CPU.
    assert!(gate.started(10), "ten tasks of one CPU never ran at once on ten CPUs");
    assert!(!refs.iter().any(ObjectRef::is_ready));
    gate.open_on(ranks())?;
    mobula::get_all(&refs)?;
    Ok(())
}

fn ten_at_once() -> Outcome {
    let meeting = fresh();
    let refs: Vec<ObjectRef<bool>> = (0..10).map(|_| together::on(0).remote(meeting, 10)).collect();
    assert!(mobula::get_all(&refs)?.iter().all(|met| **met), "ten tasks of one CPU never met on ten CPUs");
    Ok(())
}

fn twenty_halves() -> Outcome {
    let meeting = fresh();
    let refs: Vec<ObjectRef<bool>> = (0..20).map(|_| together::on(0).num_cpus(0.5).remote(meeting, 20)).collect();
    assert!(mobula::get_all(&refs)?.iter().all(|met| **met), "twenty tasks of half a CPU never met on ten CPUs");
    Ok(())
}

fn spans(count: usize, mut task: impl FnMut() -> ObjectRef<Span>) -> mobula::Result<Vec<Span>> {
    let refs: Vec<ObjectRef<Span>> = (0..count).map(|_| task()).collect();
    Ok(mobula::get_all(&refs)?.iter().map(|span| (**span).clone()).collect())
}

fn cpus_not_exceeded() -> Outcome {
    for (cpus, most) in [(1.0, 10), (4.0, 2), (2.5, 4), (10.0, 1)] {
        for place in [Placement::Auto, Placement::Spread, Placement::Rank(0)] {
            let spans = spans(3 * most, || nap::options().num_cpus(cpus).place(place.clone()).remote())?;
            let seen = most_at_once(spans.iter());
            assert!(seen <= most, "{seen} tasks of {cpus} CPUs at once, of a host's 10 CPUs");
        }
    }
    Ok(())
}

fn custom_excludes() -> Outcome {
    for place in [Placement::Auto, Placement::Spread, Placement::Rank(last_rank())] {
        let spans = spans(8, || exclusive::options().place(place.clone()).remote())?;
        assert_eq!(most_at_once(spans.iter()), 1);
    }
    let spans = spans(9, || nap::options().resource("Custom", 0.4).place(Placement::Spread).remote())?;
    assert!(most_at_once(spans.iter()) <= 2);
    Ok(())
}

fn gpus_by_halves() -> Outcome {
    let spans = spans(12, || half_a_gpu::options().place(Placement::Spread).remote())?;
    assert!(spans.iter().all(|span| span.gpus.len() == 1), "{spans:?}");
    assert!(most_at_once(spans.iter()) <= 4);
    let ids: BTreeSet<u32> = spans.iter().flat_map(|span| span.gpus.clone()).collect();
    assert!(ids.iter().all(|id| *id < 2), "{ids:?}");
    for id in ids {
        assert!(most_at_once(spans.iter().filter(|span| span.gpus == [id])) <= 2, "GPU {id}: {spans:?}");
    }
    Ok(())
}

fn gpus_whole() -> Outcome {
    let whole = spans(8, || half_a_gpu::options().num_gpus(1.0).place(Placement::Spread).remote())?;
    for id in [0, 1] {
        assert!(most_at_once(whole.iter().filter(|span| span.gpus == [id])) <= 1, "GPU {id}: {whole:?}");
    }
    let both = spans(3, || half_a_gpu::options().num_gpus(2.0).remote())?;
    for mut span in both {
        span.gpus.sort_unstable();
        assert_eq!(span.gpus, [0, 1]);
    }
    assert!(spans(1, nap::remote)?[0].gpus.is_empty(), "a task that requests none has none");
    Ok(())
}

fn infeasible() -> Outcome {
    let requests = [
        (nap::options().num_cpus(1000.0), "CPU", "1000"),
        (nap::options().num_cpus(10.5), "CPU", "10.5"),
        (nap::options().num_gpus(3.0), "GPU", "3"),
        (nap::options().resource("Custom", 1.5), "Custom", "1.5"),
        (nap::options().resource("Unobtainium", 1.0), "Unobtainium", "1"),
    ];
    for (request, name, amount) in requests {
        match request.remote().get() {
            Err(Error::Unschedulable { task, missing }) => {
                assert_eq!(task, "nap");
                assert!(missing.contains(name) && missing.contains(amount), "{missing}");
            }
            other => panic!("{amount} {name}: {other:?}"),
        }
    }
    let there = nap::on(last_rank()).num_cpus(1000.0).remote().get();
    assert!(matches!(there, Err(Error::Unschedulable { .. })), "{there:?}");
    Ok(())
}

fn invalid() -> Outcome {
    for amount in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(nap::options().num_cpus(amount).remote().get().is_err(), "{amount} CPUs");
        assert!(nap::options().resource("Custom", amount).remote().get().is_err(), "{amount} of Custom");
    }
    assert!(nap::options().num_cpus(0.0).remote().get().is_ok(), "a request for no CPU is valid");
    Ok(())
}

#[mobula::remote]
fn of_span(span: Span) -> usize {
    span.gpus.len()
}

fn infeasible_dependent() -> Outcome {
    let never = nap::options().num_cpus(11.0).remote();
    let error = of_span::remote(&never).get().expect_err("its input is infeasible");
    assert!(matches!(&error, Error::Unschedulable { task, .. } if task == "nap"), "{error:?}");
    Ok(())
}

/// Requests every CPU, and waits for another task that does.
#[mobula::remote(num_cpus = 10)]
fn greedy(levels: u32) -> mobula::Result<u32> {
    Ok(if levels == 0 { 0 } else { 1 + *greedy::remote(levels - 1).get()? })
}

fn blocked_in_get() -> Outcome {
    assert_eq!(*greedy::remote(50).get()?, 50);
    let both = [greedy::on(0).remote(20), greedy::on(last_rank()).remote(20)];
    assert!(mobula::get_all(&both)?.iter().all(|levels| **levels == 20));
    Ok(())
}

#[mobula::remote(num_cpus = 10)]
fn greedy_wait(levels: u32) -> mobula::Result<u32> {
    if levels == 0 {
        return Ok(0);
    }
    let below = [greedy_wait::remote(levels - 1)];
    let (ready, rest) = mobula::wait(&below, 1, None)?;
    assert!(rest.is_empty());
    Ok(1 + *ready[0].get()?)
}

fn blocked_in_wait() -> Outcome {
    assert_eq!(*greedy_wait::remote(30).get()?, 30);
    Ok(())
}

fn no_head_of_line() -> Outcome {
    let holder = Holder::options().num_cpus(6.0).place(on_host_of(0)).remote();
    assert!(*holder.ready().get()?);
    // It does not fit while the actor holds six CPUs; the small ones, submitted later, do.
    let large = nap::options().num_cpus(10.0).place(on_host_of(0)).remote();
    let small: Vec<ObjectRef<Span>> = (0..5).map(|_| nap::options().place(on_host_of(0)).remote()).collect();
    let (ready, _) = mobula::wait(&small, 5, Duration::from_secs(20))?;
    assert_eq!(ready.len(), 5, "small tasks waited behind a large one that does not fit");
    assert!(!large.is_ready());
    drop(holder);
    large.get()?;
    Ok(())
}
