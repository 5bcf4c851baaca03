//! Objects: put, get, wait, and how long they live.

use crate::cases::{Cases, Outcome, soon};
use crate::gate::Gate;
use crate::start::{last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[mobula::remote]
fn echo(value: u64) -> u64 {
    value
}

#[mobula::remote]
fn fails(value: u64) -> Result<u64, String> {
    Err(format!("{value} is refused"))
}

/// A value with references inside.
#[derive(Clone, Serialize, Deserialize)]
struct Holder {
    label: String,
    inner: Option<ObjectRef<Vec<u64>>>,
    more: HashMap<u32, ObjectRef<u64>>,
}

#[mobula::remote]
fn make_holder(values: Vec<u64>) -> mobula::Result<Holder> {
    let more = HashMap::from([(1, mobula::put(values[0])?), (2, echo::remote(values[1]))]);
    Ok(Holder { label: "held".to_string(), inner: Some(mobula::put(values)?), more })
}

#[mobula::remote]
fn look_inside(holder: &Holder) -> mobula::Result<u64> {
    let inner = holder.inner.as_ref().expect("it has one");
    let mut sum = inner.get()?.iter().sum();
    for reference in holder.more.values() {
        sum += *reference.get()?;
    }
    Ok(sum)
}

/// A value that refers to others of its kind.
#[derive(Clone, Serialize, Deserialize)]
pub struct Link {
    number: u64,
    next: Vec<ObjectRef<Link>>,
}

/// Stores references for its callers.
pub struct LinkStore {
    links: Vec<ObjectRef<Link>>,
}

#[mobula::actor]
impl LinkStore {
    pub fn new() -> Self {
        LinkStore { links: Vec::new() }
    }
    pub fn store(&mut self, links: Vec<ObjectRef<Link>>) {
        self.links = links;
    }
    pub fn links(&self) -> Vec<ObjectRef<Link>> {
        self.links.clone()
    }
}

/// Returns a reference to its own result, once the actor has it.
#[mobula::remote]
fn ring(store: LinkStoreHandle) -> mobula::Result<Link> {
    loop {
        let next = (*store.links().get()?).clone();
        if !next.is_empty() {
            return Ok(Link { number: 7, next });
        }
    }
}

#[mobula::remote]
fn sum_of(refs: Vec<ObjectRef<u64>>) -> mobula::Result<u64> {
    Ok(mobula::get_all(&refs)?.iter().map(|value| **value).sum())
}

/// How many references inside an argument are ready, polled while some cannot be.
#[mobula::remote]
fn ready_among(refs: Vec<ObjectRef<u64>>) -> mobula::Result<usize> {
    Ok(mobula::wait(&refs, refs.len(), Duration::from_millis(1))?.0.len())
}

pub fn run(cases: &mut Cases) {
    cases.case("put and get", put_and_get);
    cases.case("get copies nothing", get_copies_nothing);
    cases.case("a task that returns a reference to itself", returns_itself);
    cases.case("any rank gets what any rank put", everywhere);
    cases.case("get_all keeps the order, and fails where one fails", get_all);
    cases.case("get_timeout returns Timeout, and a later get works", timeout);
    cases.case("get_timeout of a ready object does not wait", timeout_of_ready);
    cases.case("wait keeps the order, at most num_returns", wait_order);
    cases.case("wait counts failures as ready", wait_failed);
    cases.case("wait returns at its time-out", wait_timeout);
    cases.case("any duration is a valid time-out, and so is none", long_timeouts);
    cases.case("wait in a task for tasks of other ranks", wait_there);
    cases.case("a reference inside an object stays a reference", inside);
    cases.case("a reference inside an argument stays a reference", inside_arguments);
    cases.case("an object keeps the objects inside it alive", keeps_alive);
    cases.case("an object survives the task that put it", survives);
    cases.case("an object is dropped with its last reference", dropped);
    cases.case("a Ref keeps its object", kept_by_ref);
}

fn put_and_get() -> Outcome {
    let reference: ObjectRef<Vec<f64>> = mobula::put(vec![1.0, 2.0])?;
    assert_eq!(*reference.get()?, [1.0, 2.0]);
    let text = mobula::put("text".to_string())?;
    assert_eq!(text.get()?.len(), 4);
    assert_eq!(*mobula::put(())?.get()?, ());
    let nested: ObjectRef<Option<(u8, Vec<String>)>> = mobula::put(Some((1, vec!["a".to_string()])))?;
    assert_eq!((*nested.get()?).as_ref().map(|pair| pair.1.len()), Some(1));
    assert!(nested.is_ready());
    Ok(())
}

fn returns_itself() -> Outcome {
    for rank in [0, last_rank()] {
        let store = LinkStore::on(last_rank()).remote();
        let own = ring::on(rank).remote(store.clone());
        store.store(vec![own.clone()]).get()?;
        let mut link = own.get()?;
        for _ in 0..3 {
            assert_eq!((link.number, link.next.len()), (7, 1));
            link = link.next[0].get()?;
        }
    }
    Ok(())
}

fn get_copies_nothing() -> Outcome {
    let values = vec![7u64; 1 << 20];
    let address = values.as_ptr();
    let reference = mobula::put(values)?;
    let (first, second) = (reference.get()?, reference.clone().get()?);
    assert!(std::ptr::eq(&*first, &*second), "two gets returned two copies");
    assert_eq!(first.as_ptr(), address, "put moved the bytes");
    Ok(())
}

#[mobula::remote]
fn put_here(value: u64) -> mobula::Result<ObjectRef<u64>> {
    mobula::put(value)
}

fn everywhere() -> Outcome {
    for owner in ranks() {
        let object = (*put_here::on(owner).remote(u64::from(owner) + 10).get()?).clone();
        assert_eq!(*object.get()?, u64::from(owner) + 10);
        for reader in ranks() {
            assert_eq!(*echo::on(reader).remote(&object).get()?, u64::from(owner) + 10);
            assert_eq!(*sum_of::on(reader).remote(vec![object.clone(); 3]).get()?, 3 * (u64::from(owner) + 10));
        }
    }
    Ok(())
}

fn get_all() -> Outcome {
    let refs: Vec<ObjectRef<u64>> =
        (0..100u32).map(|number| echo::on(number % ranks().len() as u32).remote(u64::from(number))).collect();
    let values: Vec<u64> = mobula::get_all(&refs)?.iter().map(|value| **value).collect();
    assert_eq!(values, (0..100).collect::<Vec<u64>>());
    assert!(mobula::get_all::<u64>(&[])?.is_empty());
    let mixed = [echo::remote(1u64), fails::remote(2u64), echo::remote(3u64)];
    let error = mobula::get_all(&mixed).map(|_| ()).expect_err("the second fails");
    assert!(error.to_string().contains("2 is refused"), "{error}");
    Ok(())
}

fn timeout() -> Outcome {
    let gate = Gate::new();
    let slow = gate.task(3);
    for patience in [Duration::ZERO, Duration::from_millis(50)] {
        let started = Instant::now();
        match slow.get_timeout(patience) {
            Err(Error::Timeout { waited, .. }) => assert_eq!(waited, patience),
            other => panic!("{other:?}"),
        }
        // A time-out is a lower bound.
        assert!(started.elapsed() >= patience);
    }
    let there = echo::on(last_rank()).remote(&slow);
    assert!(matches!(there.get_timeout(Duration::from_millis(10)), Err(Error::Timeout { .. })));
    gate.open();
    assert_eq!((*slow.get()?, *there.get()?), (3, 3));
    Ok(())
}

fn timeout_of_ready() -> Outcome {
    let ready = echo::remote(4u64);
    assert_eq!(*ready.get()?, 4);
    assert_eq!(*ready.get_timeout(Duration::ZERO)?, 4);
    assert_eq!(*echo::on(last_rank()).remote(5u64).get_timeout(Duration::from_secs(20))?, 5);
    assert!(matches!(fails::remote(1u64).get_timeout(Duration::from_secs(20)), Err(Error::Task { .. })));
    Ok(())
}

fn same(left: &ObjectRef<u64>, right: &ObjectRef<u64>) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

fn wait_order() -> Outcome {
    let gate = Gate::new();
    let (slow, also_slow) = (gate.task(0), gate.task(3));
    let refs = [slow, mobula::put(1u64)?, mobula::put(2u64)?, also_slow, mobula::put(4u64)?];
    for (count, ready_indices) in [(1, vec![1]), (2, vec![1, 2]), (3, vec![1, 2, 4])] {
        let (ready, rest) = mobula::wait(&refs, count, None)?;
        assert_eq!(ready.len(), count, "at most num_returns");
        let others = (0..refs.len()).filter(|index| !ready_indices.contains(index));
        assert!(ready.iter().zip(&ready_indices).all(|(one, index)| same(one, &refs[*index])), "{count}: {ready:?}");
        assert_eq!(rest.len(), refs.len() - count);
        assert!(rest.iter().zip(others).all(|(one, index)| same(one, &refs[index])), "{count}: {rest:?}");
    }
    gate.open();
    let (ready, rest) = mobula::wait(&refs, 5, None)?;
    assert!(rest.is_empty());
    let values: Vec<u64> = mobula::get_all(&ready)?.iter().map(|value| **value).collect();
    assert_eq!(values, [0, 1, 2, 3, 4]);
    Ok(())
}

fn wait_failed() -> Outcome {
    let gate = Gate::new();
    let refs = [gate.task(1), fails::remote(2u64)];
    let (ready, rest) = mobula::wait(&refs, 1, None)?;
    assert!(ready[0].get().is_err());
    gate.open();
    assert_eq!(*rest[0].get()?, 1);
    Ok(())
}

fn wait_timeout() -> Outcome {
    let gate = Gate::new();
    let refs = [mobula::put(0u64)?, gate.task(1), gate.task(2)];
    let (patience, started) = (Duration::from_millis(50), Instant::now());
    let (ready, rest) = mobula::wait(&refs, 2, patience)?;
    // A time-out is a lower bound.
    assert!(started.elapsed() >= patience);
    assert_eq!((ready.len(), rest.len()), (1, 2));
    assert_eq!(*ready[0].get()?, 0);
    let (ready, rest) = mobula::wait(&refs[1..], 1, Duration::ZERO)?;
    assert_eq!((ready.len(), rest.len()), (0, 2));
    gate.open();
    assert_eq!(mobula::wait(&refs, 3, None)?.0.len(), 3);
    Ok(())
}

fn long_timeouts() -> Outcome {
    let refs = [echo::on(last_rank()).remote(1u64)];
    assert_eq!(*refs[0].get_timeout(Duration::MAX)?, 1);
    assert_eq!(mobula::wait(&refs, 1, Duration::MAX)?.0.len(), 1);
    assert_eq!(mobula::wait(&refs, 1, Some(Duration::MAX))?.0.len(), 1);
    assert_eq!(mobula::wait::<u64>(&[], 0, None)?.0.len(), 0);
    Ok(())
}

/// Waits for tasks as they end; returns the sum of their results.
#[mobula::remote]
fn drain(ranks: Vec<u32>, count: u64) -> mobula::Result<u64> {
    let mut rest: Vec<ObjectRef<u64>> =
        (0..count).map(|task| echo::on(ranks[task as usize % ranks.len()]).remote(task)).collect();
    let mut sum = 0;
    while !rest.is_empty() {
        let (ready, others) = mobula::wait(&rest, 3, None)?;
        assert!((1..=3).contains(&ready.len()) && ready.len() + others.len() == rest.len());
        sum += mobula::get_all(&ready)?.iter().map(|value| **value).sum::<u64>();
        rest = others;
        if rest.len() < 3 {
            return Ok(sum + mobula::get_all(&rest)?.iter().map(|value| **value).sum::<u64>());
        }
    }
    Ok(sum)
}

fn wait_there() -> Outcome {
    for rank in [0, last_rank()] {
        assert_eq!(*drain::on(rank).remote(ranks(), 100u64).get()?, 4950);
    }
    Ok(())
}

fn inside() -> Outcome {
    for producer in [0, last_rank()] {
        let holder = make_holder::on(producer).remote(vec![1u64, 2, 3]);
        let here = holder.get()?;
        assert_eq!(here.label, "held");
        assert_eq!(*here.inner.as_ref().expect("one").get()?, [1, 2, 3]);
        for reader in [0, last_rank()] {
            assert_eq!(*look_inside::on(reader).remote(&holder).get()?, 6 + 3);
            assert_eq!(*look_inside::on(reader).remote((*here).clone()).get()?, 6 + 3);
        }
    }
    Ok(())
}

fn inside_arguments() -> Outcome {
    let gate = Gate::new();
    let refs = vec![gate.task(1), mobula::put(10u64)?];
    for rank in [0, last_rank()] {
        // The runtime waits for a bare reference, and not for one inside a value.
        assert!(*ready_among::on(rank).remote(refs.clone()).get()? < 2);
    }
    gate.open();
    assert_eq!(*sum_of::on(last_rank()).remote(refs).get()?, 11);
    Ok(())
}

fn keeps_alive() -> Outcome {
    for producer in [0, last_rank()] {
        let outer = {
            let inner = make_vec::on(producer).remote(9u64, 1000);
            mobula::put(Holder { label: String::new(), inner: Some(inner), more: HashMap::new() })?
        };
        churn()?;
        assert_eq!(outer.get()?.inner.as_ref().expect("one").get()?[999], 9);
        assert_eq!(*look_inside::on(last_rank()).remote(&outer).get()?, 9000);
    }
    Ok(())
}

#[mobula::remote]
fn make_vec(value: u64, count: usize) -> Vec<u64> {
    vec![value; count]
}

/// Creates and drops objects, so that memory that was freed too early is reused.
fn churn() -> mobula::Result<()> {
    for rank in ranks() {
        let refs: Vec<ObjectRef<Vec<u64>>> = (0..200).map(|round| make_vec::on(rank).remote(round, 1000)).collect();
        mobula::get_all(&refs)?;
    }
    Ok(())
}

fn survives() -> Outcome {
    let holder = make_holder::on(last_rank()).remote(vec![5u64, 6]);
    let inner = holder.get()?.inner.clone().expect("one");
    drop(holder);
    churn()?;
    assert_eq!(*inner.get()?, [5, 6]);
    Ok(())
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Counts how many were dropped in this process.
#[derive(Serialize, Deserialize)]
struct Counted(u64);

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

#[mobula::remote]
fn weigh(counted: &Counted) -> u64 {
    counted.0
}

fn dropped() -> Outcome {
    let before = DROPPED.load(Ordering::Relaxed);
    let drops = || DROPPED.load(Ordering::Relaxed) - before;
    let reference = mobula::put(Counted(3))?;
    let copy = reference.clone();
    drop(reference);
    assert_eq!((drops(), *weigh::on(0).remote(&copy).get()?), (0, 3));
    drop(copy);
    soon("the object is dropped with its last reference", || drops() == 1);
    // A reference that another rank had and released counts as well.
    let reference = mobula::put(Counted(4))?;
    assert_eq!(*weigh::on(last_rank()).remote(&reference).get()?, 4);
    drop(reference);
    soon("the object is dropped although another rank had it", || drops() >= 2);
    Ok(())
}

fn kept_by_ref() -> Outcome {
    let before = DROPPED.load(Ordering::Relaxed);
    let value = mobula::put(Counted(5))?.get()?;
    churn()?;
    assert_eq!((value.0, DROPPED.load(Ordering::Relaxed) - before), (5, 0));
    drop(value);
    soon("the object is dropped with its last Ref", || DROPPED.load(Ordering::Relaxed) - before == 1);
    Ok(())
}
