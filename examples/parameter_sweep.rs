//! A parameter sweep whose runs take unequal time: a bounded number at a time, results taken as they come.
//!
//! The runs are logistic maps `x -> r x (1 - x)` with their own `r`; the sweep counts those that converge, and finds
//! the widest swing. In a Slurm array (`slurm/array-sweep.sbatch`) each element does its share of the runs.

use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// Runs that are running or queued at any time.
const AT_WORK: usize = 16;

/// Parameters tried: 2.500, 2.501, ... 3.999.
const RUNS: u32 = 1500;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Outcome {
    r: f64,
    spread: f64,
}

/// How far apart the last values of the map lie. The number of steps differs from run to run by a factor of ten.
#[mobula::remote]
fn swing(r: f64) -> Outcome {
    let steps = 2_000 + (r * 1000.0) as u64 % 10 * 2_000;
    let mut x = 0.5;
    for _ in 0..steps {
        x = r * x * (1.0 - x);
    }
    let (mut low, mut high) = (x, x);
    for _ in 0..64 {
        x = r * x * (1.0 - x);
        low = x.min(low);
        high = x.max(high);
    }
    Outcome { r, spread: high - low }
}

/// The runs of this process: every one, or those of an element of a Slurm array.
fn share() -> impl ExactSizeIterator<Item = u32> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u32>().ok());
    let element = number("SLURM_ARRAY_TASK_ID").unwrap_or(0) - number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
    (element..RUNS).step_by(number("SLURM_ARRAY_TASK_COUNT").unwrap_or(1) as usize)
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let runs = share().len();
    let mut untried = share().map(|run| 2.5 + f64::from(run) / 1000.0);
    let mut at_work: Vec<ObjectRef<Outcome>> = untried.by_ref().take(AT_WORK).map(swing::remote).collect();
    let mut steady = 0;
    let mut widest = Outcome { r: 0.0, spread: 0.0 };
    while !at_work.is_empty() {
        // A new run is started for each one that ends.
        let (ready, rest) = mobula::wait(&at_work, 1, None)?;
        at_work = rest;
        for outcome in mobula::get_all(&ready)? {
            steady += u32::from(outcome.spread < 1e-3);
            if outcome.spread > widest.spread {
                widest = *outcome;
            }
            at_work.extend(untried.next().map(swing::remote));
        }
    }
    println!("the widest swing is {:.3}, at r = {:.3}", widest.spread, widest.r);
    println!("ok: {runs} runs, {steady} of them steady");
    Ok(())
}
