//! One driver: tasks and an actor, one by one and a thousand at once.

use super::clock::rate;
use crate::case::Run;
use crate::failure::{Result, check};
use mobula::prelude::*;

/// Tasks or calls of a batch.
const BATCH: u64 = 1_000;

#[mobula::remote]
pub fn small_value() -> u64 {
    2
}

/// Responds at once or by an async method.
pub struct Small;

#[mobula::actor]
impl Small {
    pub fn new() -> Self {
        Small
    }

    pub fn small_value(&mut self) -> u64 {
        2
    }

    pub fn small_value_with(&mut self, number: u64) -> u64 {
        number
    }

    pub async fn small_value_later(&mut self) -> u64 {
        2
    }

    pub async fn small_value_later_with(&mut self, number: u64) -> u64 {
        number
    }
}

fn all_are_two(answers: &[ObjectRef<u64>]) -> Result<()> {
    let right = mobula::get_all(answers)?.iter().all(|answer| **answer == 2);
    check(right, || "an answer is not two".to_string())
}

/// Batches a second.
pub fn batch(run: &Run) -> Result<f64> {
    rate(run, 1.0, || all_are_two(&(0..BATCH).map(|_| small_value::remote()).collect::<Vec<_>>()))
}

/// A thousand tasks, taken as they end, a `wait` for each: how often a second.
pub fn wait_one_by_one(run: &Run) -> Result<f64> {
    rate(run, 1.0, || {
        let mut tasks: Vec<ObjectRef<u64>> = (0..BATCH).map(|_| small_value::remote()).collect();
        while !tasks.is_empty() {
            tasks = mobula::wait(&tasks, 1, None)?.1;
        }
        Ok(())
    })
}

/// Tasks a second, each waited for.
pub fn tasks_sync(run: &Run) -> Result<f64> {
    rate(run, 1.0, || check(*small_value::remote().get()? == 2, || "an answer is not two".to_string()))
}

/// Tasks a second, a thousand at once.
pub fn tasks_async(run: &Run) -> Result<f64> {
    Ok(batch(run)? * BATCH as f64)
}

/// Calls a second, each waited for.
pub fn actor_sync(run: &Run) -> Result<f64> {
    let actor = Small::remote();
    rate(run, 1.0, || check(*actor.small_value().get()? == 2, || "an answer is not two".to_string()))
}

/// Calls a second, a thousand at once.
pub fn actor_async(run: &Run) -> Result<f64> {
    let actor = Small::remote();
    rate(run, BATCH as f64, || all_are_two(&(0..BATCH).map(|_| actor.small_value()).collect::<Vec<_>>()))
}

/// The same of an async method, each waited for.
pub fn async_actor_sync(run: &Run) -> Result<f64> {
    let actor = Small::remote();
    rate(run, 1.0, || check(*actor.small_value_later().get()? == 2, || "an answer is not two".to_string()))
}

/// The same, a thousand at once.
pub fn async_actor_async(run: &Run) -> Result<f64> {
    let actor = Small::remote();
    rate(run, BATCH as f64, || all_are_two(&(0..BATCH).map(|_| actor.small_value_later()).collect::<Vec<_>>()))
}

/// The same with a number for an argument.
pub fn async_actor_with_arguments(run: &Run) -> Result<f64> {
    let actor = Small::remote();
    rate(run, BATCH as f64, || {
        let answers: Vec<ObjectRef<u64>> = (0..BATCH).map(|number| actor.small_value_later_with(number)).collect();
        let right = mobula::get_all(&answers)?.iter().zip(0..).all(|(answer, number)| **answer == number);
        check(right, || "an answer is not its argument".to_string())
    })
}
