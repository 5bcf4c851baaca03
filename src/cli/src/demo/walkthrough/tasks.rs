//! Remote functions: calls, futures as arguments, parallelism, nesting.

use super::tour::show;
use crate::failure::Result;
use mobula::prelude::*;
use std::time::{Duration, Instant};

#[mobula::remote]
fn one() -> i64 {
    1
}

#[mobula::remote]
fn chain(value: i64) -> i64 {
    value + 1
}

#[mobula::remote]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// A task whose duration is known.
#[mobula::remote]
pub fn nap(milliseconds: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

#[mobula::remote(num_returns = 3)]
fn three() -> (i32, String, Vec<u8>) {
    (1, "two".to_string(), vec![3, 3, 3])
}

/// A task that starts tasks and waits for them: it gives its CPU back while it waits.
#[mobula::remote]
fn fibonacci(n: u32) -> mobula::Result<u64> {
    if n < 2 {
        return Ok(u64::from(n));
    }
    let (left, right) = (fibonacci::remote(n - 1), fibonacci::remote(n - 2));
    Ok(*left.get()? + *right.get()?)
}

#[mobula::remote]
async fn double(value: ObjectRef<i64>) -> mobula::Result<i64> {
    Ok(2 * *value.await?)
}

#[mobula::remote]
fn where_am_i() -> u32 {
    mobula::context().rank()
}

/// The output of a task reaches the driver's terminal, with the name of the task.
#[mobula::remote]
fn speak() -> u32 {
    println!("  (a line printed by a task)");
    std::process::id()
}

/// Shows remote functions.
pub fn run() -> Result<()> {
    show("an ordinary call", one(), one() == 1)?;
    let reference = one::remote();
    show("a remote call, fetched", *reference.get()?, *reference.get()? == 1)?;
    arguments()?;
    parallel()?;
    let (a, b, c) = three::remote();
    let parts = format!("{}, {:?}, {:?}", *a.get()?, *b.get()?, *c.get()?);
    show("three results, three references", &parts, parts == r#"1, "two", [3, 3, 3]"#)?;
    let value = fibonacci::remote(16).get()?;
    show("tasks that make tasks: fibonacci(16)", *value, *value == 987)?;
    placed()
}

/// A value, a reference to one, or the result of a task that has not run yet: the function sees the value.
fn arguments() -> Result<()> {
    let (x, y) = (mobula::put(1i64)?, mobula::put(2i64)?);
    let sums = [add::remote(1, 2), add::remote(1, &y), add::remote(&x, &y)];
    let sums: Vec<i64> = mobula::get_all(&sums)?.iter().map(|sum| **sum).collect();
    show("values and references as arguments", format!("{sums:?}"), sums == [3, 3, 3])?;
    let chained = chain::remote(chain::remote(one::remote()));
    show("futures as arguments, in a chain", *chained.get()?, *chained.get()? == 3)?;
    // Inside another object a reference stays a reference.
    let inner: ObjectRef<ObjectRef<i64>> = mobula::put(chained)?;
    let doubled = double::remote(&inner);
    show("an async task awaits a reference", *doubled.get()?, *doubled.get()? == 6)
}

/// Ten naps, one after the other and at once.
fn parallel() -> Result<()> {
    const NAP_MS: u64 = 200;
    let start = Instant::now();
    let slept: u64 = (0..10).map(|_| nap(NAP_MS)).sum();
    let serial = start.elapsed();
    show("ten naps of 0.2 s in a row", format!("{:.2} s", serial.as_secs_f64()), slept == 2000)?;
    let start = Instant::now();
    let refs: Vec<ObjectRef<u64>> = (0..10).map(|_| nap::remote(NAP_MS)).collect();
    let submitted = start.elapsed();
    let slept: u64 = mobula::get_all(&refs)?.iter().map(|slept| **slept).sum();
    let parallel = start.elapsed();
    let times = format!("{:.2} s ({} us to submit)", parallel.as_secs_f64(), submitted.as_micros());
    show("the same as tasks, ten CPUs", times, slept == 2000 && parallel < serial)
}

/// Tasks sent to a rank, and tasks spread.
fn placed() -> Result<()> {
    let size: u32 = mobula::nodes().iter().map(|node| node.ranks().len() as u32).sum();
    let process = speak::on(size - 1).remote().get()?;
    show("a task that prints, and its process", *process, *process != 0)?;
    let ranks = (0..size).map(|rank| Ok(*where_am_i::on(rank).remote().get()?)).collect::<Result<Vec<u32>>>()?;
    show("a call to each rank", format!("{ranks:?}"), ranks.iter().copied().eq(0..size))?;
    let spread = where_am_i::options().place(Placement::Spread).name("spread").remote().get()?;
    show("a task placed anywhere, by options", format!("rank {}", *spread), *spread < size)
}
