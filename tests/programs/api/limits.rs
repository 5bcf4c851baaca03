//! Many of everything: lists of references as arguments, lists of results, waits on thousands; without a clock.

use crate::cases::{Cases, Outcome};
use crate::gate::Gate;
use crate::start::last_rank;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// The number of references that one task must be able to take.
const ARGUMENTS: u64 = 10_000;

/// The number of results that one task must be able to have.
const RETURNS: usize = 3_000;

#[mobula::remote]
fn total(parts: Vec<u64>) -> u64 {
    parts.iter().sum()
}

#[mobula::remote]
fn total_borrowed(first: &Vec<u64>, rest: &[u64], more: u64) -> u64 {
    first.iter().chain(rest).sum::<u64>() + more
}

#[mobula::remote]
fn names(all: Vec<Named>, more: &Vec<Named>) -> String {
    all.iter().chain(more).map(|named| named.0.as_str()).collect()
}

#[mobula::remote]
fn sum_of_arrays(parts: Vec<Array<u64>>) -> u64 {
    parts.iter().flat_map(|part| part.iter()).sum()
}

#[mobula::remote]
fn how_many_are_ready(parts: Vec<ObjectRef<u64>>) -> u64 {
    parts.iter().filter(|part| part.is_ready()).count() as u64
}

#[mobula::remote]
pub fn same(number: u64) -> Result<u64, String> {
    if number == u64::MAX { Err("no such number".to_string()) } else { Ok(number) }
}

/// References to objects of the rank that runs it.
#[mobula::remote]
fn put_all(count: u64) -> mobula::Result<Vec<ObjectRef<u64>>> {
    (0..count).map(mobula::put).collect()
}

/// It has no `Clone`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Named(String);

#[mobula::remote(num_returns = "many")]
pub fn split(count: u64, first: u64) -> Vec<u64> {
    (first..first + count).collect()
}

#[mobula::remote(num_returns = 3)]
fn three(count: u64) -> Vec<Named> {
    (0..count).map(|number| Named(number.to_string())).collect()
}

#[mobula::remote(num_returns = "many", num_cpus = 1)]
fn may_fail(how: &str) -> Result<Vec<Array<u64>>, String> {
    match how {
        "error" => Err("nothing was created".to_string()),
        "panic" => panic!("it fell apart"),
        _ => (0..4)
            .map(|part| mobula::put_array(&[part; 8]).and_then(|array| array.get()).map(|array| array.clone()))
            .collect::<mobula::Result<_>>()
            .map_err(|error| error.to_string()),
    }
}

pub fn run(cases: &mut Cases) {
    cases.case("a list of references is an argument", lists);
    cases.case("a list that is not ready yet", pending_list);
    cases.case("elements without Clone, and arrays", other_elements);
    cases.case("a list of references stays one where the parameter is one", references);
    cases.case("the first failure in a list passes on", failed_list);
    cases.case("a task with 10,000 references", long_list);
    cases.case("lists of an actor", actor_lists);
    cases.case("as many results as the call says", requested_returns);
    cases.case("as many results as the attribute says", fixed_returns);
    cases.case("a wrong number of results is an error", wrong_count);
    cases.case("results of a call that fails", failed_returns);
    cases.case("results of a call that is cancelled", cancelled_returns);
    cases.case("results as elements of list arguments", results_as_lists);
    cases.case("wait and get_all on 10,000", many_waits);
    cases.case("wait for 10,000 tasks one by one", one_by_one);
    cases.case("many polls from several threads", polls);
    cases.case("100,000 queued tasks", queued);
    crate::bounds::run(cases);
}

fn numbers(count: u64) -> mobula::Result<Vec<ObjectRef<u64>>> {
    (0..count).map(mobula::put).collect()
}

fn lists() -> Outcome {
    let refs = numbers(4)?;
    let (one, remote) = (mobula::put(vec![10, 20])?, put_all::on(last_rank()).remote(5u64).get()?);
    let array = mobula::put_array(&[100u64, 200])?;
    for rank in [0, last_rank()] {
        assert_eq!(*total::on(rank).remote(&refs).get()?, 6);
        assert_eq!(*total::on(rank).remote(&refs[1..3]).get()?, 3);
        assert_eq!(*total::on(rank).remote(&[refs[0].clone(), refs[3].clone()]).get()?, 3);
        assert_eq!(*total::on(rank).remote(mobula::each(refs.clone())).get()?, 6);
        assert_eq!(*total::on(rank).remote(mobula::each(remote.iter().cloned().rev())).get()?, 10);
        assert_eq!(*total::on(rank).remote(vec![7, 8]).get()?, 15);
        assert_eq!(*total::on(rank).remote(&one).get()?, 30);
        // Empty lists, whose element type the compiler infers.
        assert_eq!(*total::on(rank).remote(vec![]).get()?, 0);
        assert_eq!(*total::on(rank).remote(&refs[..0]).get()?, 0);
        assert_eq!(*total_borrowed::on(rank).remote(&refs, &*remote, &refs[1]).get()?, 17);
        assert_eq!(*total_borrowed::on(rank).remote(&one, &array, 1).get()?, 331);
        assert_eq!(*total_borrowed::on(rank).remote(Vec::new(), mobula::each([]), 1).get()?, 1);
    }
    Ok(())
}

fn pending_list() -> Outcome {
    for rank in [0, last_rank()] {
        let gate = Gate::new();
        let refs = [gate.task(1), mobula::put(2)?, gate.task(3)];
        let sum = total::on(rank).remote(&refs);
        assert!(!sum.is_ready());
        gate.open();
        assert_eq!(*sum.get()?, 6);
    }
    Ok(())
}

fn other_elements() -> Outcome {
    let named = |name: &str| mobula::put(Named(name.to_string()));
    let (letters, parts) = ([named("a")?, named("b")?], [[1u64; 4], [2; 4]].map(|part| mobula::put_array(&part)));
    let parts = parts.into_iter().collect::<mobula::Result<Vec<_>>>()?;
    for rank in [0, last_rank()] {
        assert_eq!(*names::on(rank).remote(&letters, &letters).get()?, "abab");
        assert_eq!(*sum_of_arrays::on(rank).remote(&parts).get()?, 12);
    }
    assert_eq!(letters[0].get()?.0, "a", "taking it by value left the object unchanged");
    Ok(())
}

fn references() -> Outcome {
    let gate = Gate::new();
    let refs = vec![gate.task(1), gate.task(2)];
    // It does not wait for them.
    assert_eq!(*how_many_are_ready::on(0).remote(refs.clone()).get()?, 0);
    gate.open();
    mobula::get_all(&refs)?;
    assert_eq!(*how_many_are_ready::on(0).remote(refs).get()?, 2);
    Ok(())
}

fn failed_list() -> Outcome {
    let (gate, none, tasks) = (Gate::new(), same::remote(u64::MAX), numbers(3)?);
    let refs = [tasks[0].clone(), gate.task(1), none, same::remote(u64::MAX)];
    for rank in [0, last_rank()] {
        let sum = total::on(rank).remote(&refs);
        gate.open();
        let error = sum.get().expect_err("two of its arguments failed");
        assert!(matches!(&error, Error::Task { task, .. } if task == "same"), "{error}");
        assert!(error.to_string().contains("no such number"), "{error}");
    }
    Ok(())
}

fn long_list() -> Outcome {
    let own = numbers(ARGUMENTS)?;
    let remote = put_all::on(last_rank()).remote(ARGUMENTS).get()?;
    let sum = ARGUMENTS * (ARGUMENTS - 1) / 2;
    for rank in [0, last_rank()] {
        assert_eq!(*total::on(rank).remote(&own).get()?, sum);
        assert_eq!(*total::on(rank).remote(&*remote).get()?, sum);
    }
    let results: Vec<ObjectRef<u64>> = (0..ARGUMENTS).map(same::remote).collect();
    assert_eq!(*total::remote(&results).get()?, sum);
    Ok(())
}

/// Sums lists.
pub struct Adder {
    total: u64,
}

#[mobula::actor]
impl Adder {
    pub fn new(parts: Vec<u64>) -> Self {
        Adder { total: parts.iter().sum() }
    }
    pub fn add(&mut self, parts: &[u64]) -> u64 {
        self.total += parts.iter().sum::<u64>();
        self.total
    }
    #[mobula::method(num_returns = 4)]
    pub fn next_four(&mut self, short_by: u64) -> Vec<u64> {
        (self.total..self.total + 4 - short_by).collect()
    }
}

fn actor_lists() -> Outcome {
    for rank in [0, last_rank()] {
        let (gate, refs) = (Gate::new(), numbers(3)?);
        let adder = Adder::on(rank).remote(&[gate.task(10), gate.task(20)]);
        let sum = adder.add(&refs);
        let next = adder.next_four(0);
        gate.open();
        assert_eq!(*sum.get()?, 33);
        let values: Vec<u64> = mobula::get_all(&next)?.iter().map(|value| **value).collect();
        assert_eq!(values, [33, 34, 35, 36]);
        for short in adder.next_four(1) {
            let error = short.get().expect_err("three results instead of four");
            assert!(error.to_string().contains("returned 3 values where num_returns is 4"), "{error}");
        }
    }
    Ok(())
}

fn requested_returns() -> Outcome {
    for rank in [0, last_rank()] {
        for count in [0, 1, 7, RETURNS] {
            let parts: Vec<ObjectRef<u64>> = split::on(rank).num_returns(count).remote(count as u64, 5u64);
            let values = mobula::get_all(&parts)?;
            assert_eq!(values.len(), count);
            assert!(values.iter().zip(5..).all(|(value, expected)| **value == expected));
        }
        // Some of them are enough.
        let parts =
            split::on(rank).num_returns(RETURNS).name("some").remote(RETURNS as u64, 0u64).split_off(RETURNS - 2);
        assert_eq!(*parts[1].get()?, RETURNS as u64 - 1);
    }
    Ok(())
}

fn fixed_returns() -> Outcome {
    for rank in [0, last_rank()] {
        let parts = three::on(rank).remote(3u64);
        assert_eq!(parts.len(), 3);
        assert_eq!(*parts[2].get()?, Named("2".to_string()));
        let parts = three::on(rank).num_returns(2).remote(2u64);
        assert_eq!((parts.len(), &*parts[1].get()?), (2, &Named("1".to_string())));
    }
    let parts = three::remote(3u64);
    let (ready, rest) = mobula::wait(&parts, 3, None)?;
    assert_eq!((ready.len(), rest.len()), (3, 0));
    Ok(())
}

fn wrong_count() -> Outcome {
    for rank in [0, last_rank()] {
        for (returned, expected_count) in [(2, 3), (4, 3), (0, 3)] {
            let parts = three::on(rank).remote(returned);
            assert_eq!(parts.len(), expected_count);
            for part in parts {
                let error = part.get().expect_err("not three");
                let expected = format!("returned {returned} values where num_returns is {expected_count}");
                let here = matches!(&error, Error::Task { task, rank: at, .. } if task == "three" && *at == rank);
                assert!(here && error.to_string().contains(&expected), "{error}");
            }
        }
    }
    Ok(())
}

fn failed_returns() -> Outcome {
    for rank in [0, last_rank()] {
        for (how, text) in [("error", "nothing was created"), ("panic", "it fell apart")] {
            for part in may_fail::on(rank).num_returns(4).remote(how) {
                let error = part.get().expect_err(how);
                assert!(matches!(&error, Error::Task { task, .. } if task == "may_fail"), "{error}");
                assert!(error.to_string().contains(text), "{error}");
            }
        }
        let arrays = may_fail::on(rank).num_returns(4).remote("not");
        assert_eq!(*sum_of_arrays::remote(&arrays).get()?, 8 * (1 + 2 + 3));
        for part in split::on(rank).num_returns(3).remote(same::remote(u64::MAX), 1u64) {
            assert!(part.get().expect_err("its argument failed").to_string().contains("no such number"));
        }
    }
    Ok(())
}

/// Ends when its rank learns that it was cancelled.
#[mobula::remote(num_returns = "many")]
fn until_cancelled(never: ObjectRef<u64>, running: &AdderHandle) -> mobula::Result<Vec<u64>> {
    running.add(vec_of(1)).get()?;
    never.get()?;
    Ok(vec![1, 2])
}

fn vec_of(number: u64) -> Array<u64> {
    mobula::put_array(&[number])
        .and_then(|array| array.get())
        .map(|array| array.clone())
        .expect("space for eight bytes")
}

fn cancelled_returns() -> Outcome {
    for rank in [0, last_rank()] {
        let gate = Gate::new();
        let all_cancelled = |parts: &[ObjectRef<u64>]| {
            mobula::cancel(&parts[1]);
            for part in parts {
                let error = part.get().expect_err("it was cancelled");
                assert!(matches!(error, Error::Cancelled { .. }), "{error}");
            }
        };
        // One that waits for an argument, and one that runs.
        all_cancelled(&split::options().num_returns(2).remote(gate.task(2), 1u64));
        let adder = Adder::on(0).remote(Vec::new());
        let running = until_cancelled::on(rank).num_returns(2).remote(gate.task(1), &adder);
        crate::cases::soon("it runs", || adder.add(vec_of(0)).get().is_ok_and(|total| *total == 1));
        all_cancelled(&running);
    }
    Ok(())
}

fn results_as_lists() -> Outcome {
    let count = RETURNS as u64;
    for rank in [0, last_rank()] {
        let parts = split::on(rank).num_returns(RETURNS).remote(count, 0u64);
        let sums: Vec<_> = parts.chunks(100).map(total::remote).collect();
        assert_eq!(*total::on(last_rank()).remote(&sums).get()?, count * (count - 1) / 2);
    }
    Ok(())
}

fn many_waits() -> Outcome {
    let remote = put_all::on(last_rank()).remote(ARGUMENTS).get()?;
    let (ready, rest) = mobula::wait(&remote, remote.len(), None)?;
    assert_eq!((ready.len(), rest.len()), (remote.len(), 0));
    let remote = put_all::on(last_rank()).remote(ARGUMENTS).get()?;
    assert!(mobula::get_all(&remote)?.iter().zip(0..).all(|(value, expected)| **value == expected));
    let gate = Gate::new();
    let first = gate.task(1);
    let mut tasks: Vec<ObjectRef<u64>> = (0..ARGUMENTS).map(|_| same::remote(&first)).collect();
    let (ready, rest) = mobula::wait(&tasks, 1, Duration::ZERO)?;
    assert_eq!((ready.len(), rest.len()), (0, tasks.len()), "none can have run");
    tasks.push(mobula::put(1)?);
    let (ready, rest) = mobula::wait(&tasks, 1, None)?;
    assert_eq!((ready.len(), rest.len()), (1, tasks.len() - 1));
    gate.open();
    assert_eq!(mobula::wait(&tasks, tasks.len(), None)?.0.len(), tasks.len());
    Ok(())
}

fn one_by_one() -> Outcome {
    let mut tasks: Vec<ObjectRef<u64>> = (0..ARGUMENTS).map(same::remote).collect();
    let mut sum = 0;
    while !tasks.is_empty() {
        let (ready, rest) = mobula::wait(&tasks, 1, None)?;
        sum += *ready[0].get()?;
        tasks = rest;
    }
    assert_eq!(sum, ARGUMENTS * (ARGUMENTS - 1) / 2);
    Ok(())
}

/// Polls results that are not ready, in every way and from several threads at once; then they become ready.
fn polls() -> Outcome {
    let gate = Gate::new();
    let refs: Vec<ObjectRef<u64>> = (0..20).map(|number| gate.task(number)).collect();
    let poll = || -> mobula::Result<u64> {
        for _ in 0..200 {
            let (ready, _) = mobula::wait(&refs, 1, Duration::ZERO)?;
            let timeout = refs[0].get_timeout(Duration::ZERO);
            assert!(ready.is_empty() && matches!(timeout, Err(Error::Timeout { .. })), "the gate is closed");
        }
        Ok(0)
    };
    std::thread::scope(|scope| {
        let pollers: Vec<_> = (0..3).map(|_| scope.spawn(poll)).collect();
        pollers.into_iter().map(|poller| poller.join().expect("it does not panic")).sum::<mobula::Result<u64>>()
    })?;
    let waiter = {
        let refs = refs.clone();
        std::thread::spawn(move || mobula::wait(&refs, refs.len(), None).map(|(ready, _)| ready.len()))
    };
    gate.open();
    assert_eq!(mobula::get_all(&refs)?.iter().map(|value| **value).sum::<u64>(), 190);
    assert_eq!(waiter.join().expect("it does not panic")?, refs.len());
    Ok(())
}

fn queued() -> Outcome {
    let gate = Gate::new();
    let first = gate.task(1);
    let tasks: Vec<ObjectRef<u64>> = (0..100_000).map(|_| same::remote(&first)).collect();
    assert!(tasks.iter().all(|task| !task.is_ready()));
    gate.open();
    assert!(mobula::get_all(&tasks)?.iter().all(|value| **value == 1));
    Ok(())
}
