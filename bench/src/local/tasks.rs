//! Tasks: many that do nothing, and a tree of tasks that do hardly anything.

use crate::case::Run;
use crate::failure::{Failure, Result, check};
use crate::sample::{us, us_each};
use mobula::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::hint::black_box;
use std::time::Instant;

/// Tasks of a batch.
const BATCH: u32 = 10_000;

/// The Fibonacci numbers for warming up and for measuring.
const WARM_UP: u32 = 15;
const MEASURED: u32 = 30;

#[mobula::remote]
fn empty() {}

#[mobula::remote]
fn fib(n: u32) -> mobula::Result<u64> {
    if n < 2 {
        return Ok(u64::from(n));
    }
    let (a, b) = (fib::remote(n - 1), fib::remote(n - 2));
    Ok(*a.get()? + *b.get()?)
}

/// Microseconds of an empty task whose result is waited for before the next one starts.
pub fn one_by_one(run: &Run) -> Result<f64> {
    us_each(run.rounds(100_000), || Ok(empty::remote().get()?))
}

/// Microseconds of calling the same function, without inlining.
pub fn plain_call(run: &Run) -> Result<f64> {
    us_each(run.rounds(10_000_000), || {
        black_box(empty as fn())();
        Ok(())
    })
}

/// Microseconds of an empty task, started with nine thousand others and then waited for.
pub fn batch(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(20), || {
        let all: Vec<ObjectRef<()>> = (0..BATCH).map(|_| empty::remote()).collect();
        Ok(mobula::get_all(&all)?)
    })?;
    Ok(us / f64::from(BATCH))
}

/// The same on rayon's own threads.
pub fn rayon_batch(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(20), || {
        rayon::scope(|scope| {
            for _ in 0..BATCH {
                scope.spawn(|_| {
                    black_box(());
                });
            }
        });
        Ok(())
    })?;
    Ok(us / f64::from(BATCH))
}

/// The same on one thread.
pub fn rayon_batch_one_thread(run: &Run) -> Result<f64> {
    one_thread()?.install(|| rayon_batch(run))
}

/// Microseconds of a call where every call is a task that starts two and waits for them.
pub fn fibonacci(_: &Run) -> Result<f64> {
    fibonacci_with(|n| Ok(*fib::remote(n).get()?))
}

/// The same as the plain recursion.
pub fn plain_fibonacci(_: &Run) -> Result<f64> {
    fn called(n: u32) -> u64 {
        if n < 2 {
            u64::from(n)
        } else {
            black_box(called as fn(u32) -> u64)(n - 1) + black_box(called as fn(u32) -> u64)(n - 2)
        }
    }
    fibonacci_with(|n| Ok(called(n)))
}

/// The same with rayon's fork and join.
pub fn rayon_fibonacci(_: &Run) -> Result<f64> {
    fibonacci_with(|n| Ok(rayon::join(|| joined(n - 1), || joined(n - 2))).map(|(a, b)| a + b))
}

/// The same on one thread.
pub fn rayon_fibonacci_one_thread(run: &Run) -> Result<f64> {
    one_thread()?.install(|| rayon_fibonacci(run))
}

fn joined(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = rayon::join(|| joined(n - 1), || joined(n - 2));
    a + b
}

/// Microseconds a call of a Fibonacci number by `compute`, once to warm up and once measured.
fn fibonacci_with(compute: impl Fn(u32) -> Result<u64>) -> Result<f64> {
    compute(WARM_UP)?;
    let start = Instant::now();
    let value = compute(black_box(MEASURED))?;
    let time = start.elapsed();
    check(value == number(MEASURED), || format!("fib({MEASURED}) came out as {value}"))?;
    Ok(us(time) / calls(MEASURED) as f64)
}

/// The n-th Fibonacci number, by adding up.
fn number(n: u32) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

/// Calls of the recursion, itself included: `calls(n) = 1 + calls(n - 1) + calls(n - 2) = 2 F(n + 1) - 1`.
fn calls(n: u32) -> u64 {
    2 * number(n + 1) - 1
}

fn one_thread() -> Result<ThreadPool> {
    let built = ThreadPoolBuilder::new().num_threads(1).build();
    built.map_err(|error| Failure::Program { program: "rayon".to_string(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_recursion() {
        fn counted(n: u32) -> u64 {
            if n < 2 { 1 } else { 1 + counted(n - 1) + counted(n - 2) }
        }
        for n in 0..15 {
            assert_eq!(calls(n), counted(n));
        }
        assert_eq!((number(30), calls(30)), (832_040, 2_692_537));
    }

    #[test]
    fn the_peers_compute_the_same() {
        let run = Run { repeat: 1, quick: true, seed: 0 };
        assert_eq!(joined(20), number(20));
        assert!(rayon_fibonacci_one_thread(&run).unwrap() > 0.0);
    }

    #[test]
    fn a_wrong_number_is_no_result() {
        assert!(matches!(fibonacci_with(|n| Ok(number(n) + 1)), Err(Failure::Wrong(_))));
    }
}
