//! Pi from random darts: many independent tasks, each with random numbers of its own, summed on the way up.

use mobula::prelude::*;

/// Tasks; each has its own stream of random numbers, so that the answer does not depend on the rank that runs it.
const TASKS: u64 = 256;

/// Darts a task.
const DARTS: u64 = 100_000;

/// Darts within the quarter circle.
#[mobula::remote]
fn throw(stream: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(stream);
    (0..DARTS).filter(|_| random.f64().powi(2) + random.f64().powi(2) < 1.0).count() as u64
}

#[mobula::remote]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let mut hits: Vec<ObjectRef<u64>> = (0..TASKS).map(throw::remote).collect();

    // A tree of additions: references in, references out, and only the last line waits.
    while hits.len() > 1 {
        hits = hits
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => add::remote(a, b),
                rest => rest[0].clone(),
            })
            .collect();
    }
    let pi = 4.0 * *hits[0].get()? as f64 / (TASKS * DARTS) as f64;
    assert!((pi - std::f64::consts::PI).abs() < 0.002, "{pi}");
    println!("ok: pi is about {pi:.4}");
    Ok(())
}
