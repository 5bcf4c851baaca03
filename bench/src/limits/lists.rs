//! One task with thousands of references among its arguments, or with thousands of results.

use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::ms;
use mobula::prelude::*;
use std::time::Instant;

/// References of one task's argument.
const ARGUMENTS: u64 = 10_000;

/// Results of one task.
const RETURNS: usize = 3_000;

#[mobula::remote]
fn total(parts: &Vec<u64>) -> u64 {
    parts.iter().sum()
}

#[mobula::remote(num_returns = "many")]
fn split(count: u64) -> Vec<u64> {
    (0..count).collect()
}

/// Milliseconds of a task on rank `RANK` that takes so many objects of this process, to its result.
pub fn arguments<const RANK: u32>(_: &Run) -> Result<f64> {
    let parts: Vec<ObjectRef<u64>> = (0..ARGUMENTS).map(mobula::put).collect::<mobula::Result<_>>()?;
    let start = Instant::now();
    let sum = *total::on(RANK).remote(&parts).get()?;
    let time = ms(start.elapsed());
    check(sum == ARGUMENTS * (ARGUMENTS - 1) / 2, || format!("the numbers sum up to {sum}"))?;
    Ok(time)
}

/// Milliseconds of a task on rank `RANK` that makes so many objects, to the last of them.
pub fn returns<const RANK: u32>(_: &Run) -> Result<f64> {
    let start = Instant::now();
    let parts = split::on(RANK).num_returns(RETURNS).remote(RETURNS as u64);
    let values = mobula::get_all(&parts)?;
    let time = ms(start.elapsed());
    let right = values.len() == RETURNS && values.iter().zip(0..).all(|(value, expected)| **value == expected);
    check(right, || "a result is not what was returned".to_string())?;
    Ok(time)
}
