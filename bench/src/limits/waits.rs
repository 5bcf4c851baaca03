//! `wait` and `get_all` on thousands of references.

use super::OTHER;
use super::queue::OccupiedCpus;
use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::ms;
use mobula::prelude::*;
use std::time::Instant;

/// References that are waited for.
const REFERENCES: u64 = 10_000;

#[mobula::remote]
fn same(number: u64) -> u64 {
    number
}

/// References to objects of the rank that runs it.
#[mobula::remote]
fn put_all(count: u64) -> mobula::Result<Vec<ObjectRef<u64>>> {
    (0..count).map(mobula::put).collect()
}

/// Milliseconds of a `wait` for all of so many tasks.
pub fn for_all(_: &Run) -> Result<f64> {
    let tasks: Vec<ObjectRef<u64>> = (0..REFERENCES).map(same::remote).collect();
    let start = Instant::now();
    let (ready, remaining) = mobula::wait(&tasks, tasks.len(), None)?;
    let time = ms(start.elapsed());
    check(ready.len() == tasks.len() && remaining.is_empty(), || format!("{} of all are ready", ready.len()))?;
    Ok(time)
}

/// Milliseconds of a `wait` for one of so many tasks of which none has begun, with a time-out that is over at once.
pub fn for_none(run: &Run) -> Result<f64> {
    let occupied = OccupiedCpus::cpus()?;
    let tasks: Vec<ObjectRef<u64>> = (0..REFERENCES).map(same::remote).collect();
    let rounds = run.rounds(20);
    let start = Instant::now();
    for _ in 0..rounds {
        let (ready, remaining) = mobula::wait(&tasks, 1, Duration::ZERO)?;
        check(ready.is_empty() && remaining.len() == tasks.len(), || "a task ran that could not".to_string())?;
    }
    let time = ms(start.elapsed()) / f64::from(rounds);
    occupied.release()?;
    mobula::get_all(&tasks)?;
    Ok(time)
}

/// Milliseconds of taking so many tasks out of a list, one `wait` for each, as they end.
pub fn one_by_one(_: &Run) -> Result<f64> {
    let mut tasks: Vec<ObjectRef<u64>> = (0..REFERENCES).map(same::remote).collect();
    let start = Instant::now();
    let mut sum = 0;
    while !tasks.is_empty() {
        let (ready, remaining) = mobula::wait(&tasks, 1, None)?;
        sum += *ready[0].get()?;
        tasks = remaining;
    }
    let time = ms(start.elapsed());
    check(sum == REFERENCES * (REFERENCES - 1) / 2, || format!("the numbers sum up to {sum}"))?;
    Ok(time)
}

/// Milliseconds of getting so many objects of this process.
pub fn get_own(_: &Run) -> Result<f64> {
    let objects: Vec<ObjectRef<u64>> = (0..REFERENCES).map(mobula::put).collect::<mobula::Result<_>>()?;
    get(&objects)
}

/// Milliseconds of getting so many objects of the other rank, none of which was here before.
pub fn get_remote(_: &Run) -> Result<f64> {
    let objects = put_all::on(OTHER).remote(REFERENCES).get()?;
    get(&objects)
}

/// Milliseconds of a `wait` for all of so many objects of the other rank, none of which was here before.
pub fn wait_remote(_: &Run) -> Result<f64> {
    let objects = put_all::on(OTHER).remote(REFERENCES).get()?;
    let start = Instant::now();
    let (ready, _) = mobula::wait(&objects, objects.len(), None)?;
    let time = ms(start.elapsed());
    check(ready.len() == objects.len(), || format!("{} of all are ready", ready.len()))?;
    Ok(time)
}

fn get(objects: &[ObjectRef<u64>]) -> Result<f64> {
    let start = Instant::now();
    let values = mobula::get_all(objects)?;
    let time = ms(start.elapsed());
    let right =
        values.len() as u64 == REFERENCES && values.iter().zip(0..).all(|(value, expected)| **value == expected);
    check(right, || "an object is not what was put".to_string())?;
    Ok(time)
}
