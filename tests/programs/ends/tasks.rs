//! Tasks and actors that end the process of their rank.

use crate::end;
use mobula::prelude::*;
use std::time::{Duration, Instant};

/// The longest wait: a case that goes wrong fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(40);

const TASKS: u64 = 12;

/// The task of the sweep that ends its process.
const ENDS: u64 = 5;

#[mobula::remote(place = Placement::Spread)]
fn step(number: u64, how: &str) -> u64 {
    if number == ENDS {
        end(how);
    }
    std::thread::sleep(Duration::from_millis(5)); // its work
    number * number
}

/// One of twelve tasks ends its process wherever it runs: the others have their answers, it has an error.
pub fn sweep(how: &str) {
    let steps: Vec<_> = (0..TASKS).map(|number| step::remote(number, how)).collect();
    for (number, step) in (0..TASKS).zip(&steps) {
        match step.get_timeout(PATIENCE) {
            Ok(square) => assert!(*square == number * number && number != ENDS),
            Err(error) => println!("task {number}: {error}"),
        }
    }
    println!("living: {:?}", living());
}

fn living() -> Vec<u32> {
    mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect()
}

#[mobula::remote]
fn leaf(how: &str) -> u64 {
    end(how)
}

#[mobula::remote(place = Placement::Spread)]
fn parent(number: u64, how: &str) -> u64 {
    if number == 1 { *leaf::on(mobula::context().rank()).remote(how).get().expect("it never returns") } else { number }
}

/// What a task submits on its own rank counts for it.
pub fn child(how: &str) {
    let parents: Vec<_> = (0..4).map(|number| parent::remote(number, how)).collect();
    for (number, parent) in (0..4).zip(&parents) {
        match parent.get_timeout(PATIENCE) {
            Ok(value) => assert_eq!(*value, number),
            Err(error) => println!("task {number}: {error}"),
        }
    }
}

#[mobula::remote]
fn begun() {
    println!("one more has begun");
}

/// Ends its process on rank 1 only; elsewhere it returns its rank.
#[mobula::remote(place = Placement::Spread)]
fn ends_once(number: u32, how: &str) -> u32 {
    if mobula::context().rank() == 1 {
        let _recorded = begun::on(0).remote();
        std::thread::sleep(Duration::from_millis(300)); // until all of them run
        if number == 1 {
            end(how);
        }
        std::thread::sleep(PATIENCE);
    }
    mobula::context().rank()
}

/// Several tasks run on rank 1 when it ends: each starts again where it cannot end rank 0.
pub fn suspects(how: &str) {
    let ranks = living().len() as u32;
    let tasks: Vec<_> = (0..ranks * 3).map(|number| ends_once::remote(number, how)).collect();
    let on: Vec<u32> = tasks.iter().map(|task| *task.get_timeout(PATIENCE).expect("it ended one rank only")).collect();
    println!("they ran on {on:?}");
    let again: Vec<u32> = on.iter().copied().skip(1).step_by(ranks as usize).collect();
    println!("again on {again:?}");
}

/// A task that was sent to a rank ends it: the error of that rank says so to whoever asks it for anything.
pub fn named(how: &str) {
    let error = leaf::on(1).remote(how).get_timeout(PATIENCE).expect_err("it never returns");
    println!("the task: {error}");
    let deadline = Instant::now() + PATIENCE;
    while living().contains(&1) {
        assert!(Instant::now() < deadline, "rank 1 is dead");
        std::thread::sleep(Duration::from_millis(2));
    }
    let error = leaf::on(1).remote("").get_timeout(PATIENCE).expect_err("its rank is dead");
    println!("another task: {error}");
}

pub struct Fragile;

#[mobula::actor(max_restarts = 10, max_task_retries = 10, num_cpus = 0)]
impl Fragile {
    pub fn new(how: &str) -> Self {
        if !how.is_empty() {
            end(how);
        }
        Fragile
    }

    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }

    pub fn end(&self, how: &str) -> u32 {
        end(how)
    }
}

/// A method ends its rank, wherever the actor lives.
pub fn actor(how: &str) {
    let fragile = Fragile::remote("");
    println!("it lives on {}", fragile.rank().get_timeout(PATIENCE).expect("it lives"));
    println!("the call: {}", fragile.end(how).get_timeout(PATIENCE).expect_err("it never returns"));
    println!("living: {:?}", living());
}

/// A constructor ends its rank, wherever it runs.
pub fn constructor(how: &str) {
    let fragile = Fragile::remote(how);
    println!("the call: {}", fragile.rank().get_timeout(PATIENCE).expect_err("it is never constructed"));
    println!("living: {:?}", living());
}
