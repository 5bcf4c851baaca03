//! Tasks that depend on each other: one into many into one, one after the other, and a sum over an array.

use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::us_each;
use mobula::prelude::*;
use rayon::prelude::*;
use std::hint::black_box;

/// Tasks between the two ends of a fan.
const FAN: u64 = 1_000;

/// Tasks of a chain.
const CHAIN: u64 = 1_000;

/// Elements of the array that is summed up, 64 MiB, and the tasks that share it.
const ELEMENTS: usize = 8 << 20;
const PARTS: usize = 64;

#[mobula::remote]
fn start() -> u64 {
    1
}

#[mobula::remote]
fn plus(number: u64, other: u64) -> u64 {
    number + other
}

#[mobula::remote]
fn total(parts: &Vec<u64>) -> u64 {
    parts.iter().sum()
}

#[mobula::remote]
fn part_sum(array: &[u64], part: usize) -> u64 {
    array[part * (ELEMENTS / PARTS)..][..ELEMENTS / PARTS].iter().sum()
}

/// Microseconds of one task's result going into a thousand, and theirs into one.
pub fn out_and_in(run: &Run) -> Result<f64> {
    us_each(run.rounds(200), || {
        let first = start::remote();
        let middle: Vec<ObjectRef<u64>> = (0..FAN).map(|number| plus::remote(&first, number)).collect();
        fanned(*total::remote(&middle).get()?)
    })
}

/// The same sum by rayon's parallel iterator.
pub fn rayon_out_and_in(run: &Run) -> Result<f64> {
    us_each(run.rounds(200), || {
        let first = black_box(1u64);
        fanned(
            (0..FAN as usize)
                .into_par_iter()
                .with_max_len(1)
                .map(|number| number as u64)
                .map(|number| black_box(first) + number)
                .sum(),
        )
    })
}

fn fanned(sum: u64) -> Result<()> {
    check(sum == FAN + FAN * (FAN - 1) / 2, || format!("a fan of {FAN} sums up to {sum}"))
}

/// Microseconds of a task whose argument is the result of the one before it.
pub fn chain(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(200), || {
        let end = (0..CHAIN).fold(start::remote(), |number, _| plus::remote(&number, 1));
        chained(*end.get()?)
    })?;
    Ok(us / CHAIN as f64)
}

/// The same additions as calls that are not inlined.
pub fn plain_chain(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(20_000), || {
        chained((0..CHAIN).fold(start(), |number, _| black_box(plus as fn(u64, u64) -> u64)(number, 1)))
    })?;
    Ok(us / CHAIN as f64)
}

fn chained(end: u64) -> Result<()> {
    check(end == 1 + CHAIN, || format!("a chain of {CHAIN} ended with {end}"))
}

/// Milliseconds of summing up an array of the store, a task a part.
pub fn sum(run: &Run) -> Result<f64> {
    let array = mobula::put_array(&vec![3u64; ELEMENTS])?;
    let us = us_each(run.rounds(20), || {
        let parts: Vec<ObjectRef<u64>> = (0..PARTS).map(|part| part_sum::remote(&array, part)).collect();
        summed(*total::remote(&parts).get()?)
    })?;
    Ok(us / 1e3)
}

/// The same on rayon's threads.
pub fn rayon_sum(run: &Run) -> Result<f64> {
    let array = vec![3u64; ELEMENTS];
    let us = us_each(run.rounds(20), || {
        summed(black_box(&array).par_chunks(ELEMENTS / PARTS).map(|part| part.iter().sum::<u64>()).sum())
    })?;
    Ok(us / 1e3)
}

fn summed(sum: u64) -> Result<()> {
    check(sum == 3 * ELEMENTS as u64, || format!("{ELEMENTS} threes sum up to {sum}"))
}
