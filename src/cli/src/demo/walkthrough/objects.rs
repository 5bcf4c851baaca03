//! Objects: put and get, arrays that are never copied, time-outs, waiting for some of many.

use super::tasks::nap;
use super::tour::show;
use crate::failure::Result;
use mobula::prelude::*;
use std::time::Duration;

#[mobula::remote]
fn total(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}

#[mobula::remote]
fn sum(numbers: &Vec<i64>) -> i64 {
    numbers.iter().sum()
}

/// Returns an array twice as large in every number, written in place in the store.
#[mobula::remote]
fn doubled(numbers: &[f64]) -> mobula::Result<Array<f64>> {
    let mut result = mobula::create_array::<f64>(numbers.len())?;
    for (new, old) in result.as_mut_slice().iter_mut().zip(numbers) {
        *new = 2.0 * old;
    }
    Ok(result.seal())
}

#[mobula::remote]
fn zeros(rows: usize, columns: usize) -> mobula::Result<Array<f64>> {
    let mut matrix = mobula::create_array::<f64>(rows * columns)?;
    matrix.as_mut_slice().fill(0.0);
    Ok(matrix.seal())
}

#[mobula::remote]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Shows objects.
pub fn run() -> Result<()> {
    let numbers = mobula::put(vec![23i64, 42, 93])?;
    show("put and get a list", format!("{:?}", *numbers.get()?), *numbers.get()? == [23, 42, 93])?;
    let value = sum::remote(&numbers).get()?;
    show("a task on what was put", *value, *value == 158)?;
    arrays()?;
    timeouts()?;
    waiting()
}

fn arrays() -> Result<()> {
    let million = mobula::put_array(&vec![1.0f64; 1_000_000])?;
    let sums: Vec<ObjectRef<f64>> = (0..10).map(|_| total::remote(&million)).collect();
    let sums: f64 = mobula::get_all(&sums)?.iter().map(|sum| **sum).sum();
    show("ten tasks read one array, stored once", sums, sums == 1e7)?;
    let (first, second) = (million.get()?, million.get()?);
    let same = std::ptr::eq(first.as_ptr(), second.as_ptr());
    show("get copies nothing: same address", format!("{:p}, {:p}", first.as_ptr(), second.as_ptr()), same)?;
    let twice = doubled::remote(&million).get()?;
    let values = (first[0], twice[0]);
    show("objects never change; tasks make new ones", format!("{values:?}"), values == (1.0, 2.0))?;
    let (a, b) = (zeros::remote(10, 10), zeros::remote(10, 10));
    let product = dot::remote(&a, &b).get()?;
    show("two tasks at once, a third that needs both", *product, *product == 0.0)
}

fn timeouts() -> Result<()> {
    let long = nap::remote(400);
    let early = long.get_timeout(Duration::from_millis(20));
    let timed_out = matches!(early, Err(mobula::Error::Timeout { .. }));
    show("get with a time-out", early.err().map_or("ready".to_string(), |error| error.to_string()), timed_out)?;
    show("get without one waits", format!("{} ms", *long.get()?), *long.get()? == 400)
}

fn waiting() -> Result<()> {
    let refs: Vec<ObjectRef<u64>> = [0, 50, 800].into_iter().map(nap::remote).collect();
    let (ready, rest) = mobula::wait(&refs, 2, None)?;
    show("wait for two of three", format!("{} ready, {} not", ready.len(), rest.len()), ready.len() == 2)?;
    let (ready, rest) = mobula::wait(&refs, 3, Duration::from_millis(20))?;
    let enough = ready.len() + rest.len() == 3 && ready.len() < 3;
    show("wait for three, 20 ms at most", format!("{} ready, {} not", ready.len(), rest.len()), enough)?;

    // Five running at any time: whenever one ends, another begins.
    let mut remaining: Vec<ObjectRef<u64>> = (0..5).map(|_| nap::remote(1)).collect();
    let mut ended = 0;
    for _ in 0..100 {
        let (ready, rest) = mobula::wait(&remaining, 1, None)?;
        ended += ready.len();
        remaining = rest;
        remaining.push(nap::remote(1));
    }
    show("a hundred tasks, five at a time", format!("{ended} ended"), ended == 100)?;
    // No task of these outlasts the tour.
    mobula::get_all(&refs)?;
    mobula::get_all(&remaining)?;
    Ok(())
}
