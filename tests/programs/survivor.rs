//! Rounds of tasks on every rank, while a test kills ranks, powers hosts off and pulls cables: the answers must be
//! right all the same. `survivor [ROUNDS]`; `survivor until-loss` ends after the first round that begins with
//! a rank lost.
//!
//! Prints the process of each rank, `round N` for each round, and finally `survived: right answers, lost ranks [..]`.

use mobula::prelude::*;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

/// Tasks of a round, for each rank.
const TASKS_A_RANK: u64 = 4;

/// Steps of a task: about 10 ms of work.
const STEPS: u32 = 4_000_000;

/// A step multiplies by this (the multiplier of Knuth's MMIX generator), so all of them do by its power.
const FACTOR: u64 = 6_364_136_223_846_793_005;

/// The longest wait: a task that is never retried fails the program and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

#[mobula::remote]
fn host_and_process() -> (String, u32) {
    (mobula::context().host().to_string(), std::process::id())
}

/// A value that takes about 10 ms to compute and depends only on the seed; and the rank that computed it.
#[mobula::remote(max_retries = 5)]
fn work(seed: u64) -> (u64, u32) {
    (value_of(seed), mobula::context().rank())
}

/// Step by step: a task computes for a while.
fn value_of(seed: u64) -> u64 {
    (0..STEPS).fold(seed, |state, _| std::hint::black_box(state.wrapping_mul(FACTOR)))
}

/// The same at once: the driver computes nothing that tasks also do, for the ranks may have few CPUs.
fn expected(seed: u64) -> u64 {
    seed.wrapping_mul(FACTOR.wrapping_pow(STEPS))
}

/// Prints a line, flushed so that the test reads it immediately.
fn print_now(line: String) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

fn living() -> Vec<u32> {
    mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect()
}

/// The ranks to which no task can be sent any more.
fn lost(ranks: &[u32]) -> mobula::Result<Vec<u32>> {
    let mut lost = Vec::new();
    for rank in ranks {
        match host_and_process::on(*rank).remote().get_timeout(PATIENCE) {
            Ok(_) => {}
            Err(Error::NodeDied { .. }) => lost.push(*rank),
            Err(other) => return Err(other),
        }
    }
    Ok(lost)
}

#[mobula::main(store_bytes = 67_108_864)]
fn main() -> mobula::Result<()> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "20".to_string());
    let until_loss = argument == "until-loss";
    let rounds = if until_loss { u64::MAX } else { argument.parse().expect("a number of rounds, or until-loss") };
    let ranks = living();
    for rank in &ranks {
        let answer = host_and_process::on(*rank).remote().get()?;
        print_now(format!("rank {rank} is process {} of {}", answer.1, answer.0));
    }
    let tasks = TASKS_A_RANK * ranks.len() as u64;
    let seeds = |round: u64| (0..tasks).map(move |task| round * tasks + task + 1);
    for round in 0..rounds {
        let is_last = until_loss && living() != ranks;
        let refs: Vec<_> = seeds(round).map(|seed| work::options().place(Placement::Spread).remote(seed)).collect();
        print_now(format!("round {round}"));
        let mut workers = BTreeSet::new();
        for (reference, seed) in refs.iter().zip(seeds(round)) {
            let answer = reference.get_timeout(PATIENCE)?;
            assert_eq!(answer.0, expected(seed), "a wrong answer in round {round}");
            workers.insert(answer.1);
        }
        print_now(format!("round {round} was computed by ranks {workers:?}"));
        if is_last {
            break;
        }
    }
    print_now(format!("survived: right answers, lost ranks {:?}", lost(&ranks)?));
    Ok(())
}
