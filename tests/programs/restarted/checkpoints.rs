//! Actors with checkpoints: no call is lost and none takes effect twice.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, kill};
use mobula::prelude::*;
use std::collections::BTreeSet;

/// An array in the store of the calling rank.
fn array(values: &[u64]) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array(values.len())?;
    array.as_mut_slice().copy_from_slice(values);
    Ok(array.seal())
}

/// A sum, and arrays and references in its state.
pub struct Sum {
    value: u64,
    seen: Array<u64>,
    first: Option<ObjectRef<String>>,
}

#[mobula::actor(checkpoint, max_restarts = 5, max_task_retries = 5)]
impl Sum {
    pub fn new() -> mobula::Result<Self> {
        Ok(Sum { value: 0, seen: array(&[0])?, first: None })
    }
    pub fn add(&mut self) -> mobula::Result<u64> {
        self.value += 1;
        self.seen = array(&[self.value, 2 * self.value])?;
        Ok(self.value)
    }
    pub fn remember(&mut self, first: Vec<ObjectRef<String>>) {
        self.first = first.into_iter().next();
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
    pub fn recall(&self) -> mobula::Result<(Vec<u64>, String)> {
        let first = self.first.as_ref().map(|first| first.get()).transpose()?;
        let first = first.map_or_else(String::new, |first| (*first).clone());
        Ok((self.seen.to_vec(), first))
    }
    /// The sum, `times` times.
    pub fn repeated(&self, times: usize) -> mobula::Result<Array<u64>> {
        array(&vec![self.value; times])
    }
    /// Takes the result of another call.
    pub fn pass(&mut self, value: u64) -> u64 {
        self.value += value;
        self.value
    }
    fn save(&self) -> (u64, Array<u64>, Option<ObjectRef<String>>) {
        (self.value, self.seen.clone(), self.first.clone())
    }
    fn restore((value, seen, first): (u64, Array<u64>, Option<ObjectRef<String>>)) -> Self {
        arrive("restored");
        Sum { value, seen, first }
    }
}

/// Adds `times` times, ten calls at a time; returns the results.
#[mobula::remote]
fn adds(sum: SumHandle, times: usize) -> mobula::Result<Vec<u64>> {
    let mut results = Vec::new();
    arrive("adds");
    while results.len() < times {
        let calls: Vec<_> = (0..10).map(|_| sum.add()).collect();
        for call in &calls {
            results.push(*call.get()?);
        }
    }
    Ok(results)
}

/// 1,000 additions from two ranks while the actor's rank is killed twice: the sum is exact, and each result is returned
/// once.
pub fn exact() -> Outcome {
    let sum = Sum::on(1).remote();
    let text = mobula::put(String::from("kept"))?;
    sum.remember(vec![text]).get()?;
    let of_rank_4 = adds::on(4).remote(sum.clone(), 500usize);
    await_arrivals("adds", 1);
    let mut results = Vec::new();
    let mut location = 1;
    while results.len() < 500 {
        let calls: Vec<_> = (0..10).map(|_| sum.add()).collect();
        if results.len() == 100 || results.len() == 300 {
            kill(location)?;
        }
        for call in &calls {
            results.push(*call.get()?);
        }
        if results.len() == 200 {
            location = *sum.rank().get()?;
            assert!(location > 1 && location != 4, "it is on rank {location}");
        }
    }
    results.extend(of_rank_4.get()?.iter());
    let (seen, first) = (*sum.recall().get()?).clone();
    let rank = *sum.rank().get()?;
    assert_eq!(results.len(), 1_000);
    assert_eq!(results.into_iter().collect::<BTreeSet<u64>>(), (1..=1_000).collect(), "each result was returned once");
    assert_eq!((seen, first.as_str()), (vec![1_000, 2_000], "kept"));
    assert!(rank > 1 && rank != location, "it is on rank {rank}");
    assert_eq!(await_arrivals("restored", 2).len(), 2);
    Ok(())
}

#[mobula::remote]
fn passes(sum: SumHandle) -> mobula::Result<u64> {
    // The second call needs the first one's result, which is returned before the second runs.
    let one = sum.add();
    let two = sum.pass(&one);
    Ok(*two.get()?)
}

/// A caller on the actor's own rank, and one on its owner's; the last living rank for it is its owner's.
pub fn on_caller_and_owner() -> Outcome {
    let sum = Sum::on(1).remote();
    assert_eq!(*passes::on(1).remote(sum.clone()).get()?, 2);
    assert_eq!(*sum.add().get()?, 3);
    for rank in 1..=4 {
        // It runs nothing when its rank is killed: its constructor, alone there, would count as what ended the rank.
        sum.rank().get()?;
        kill(rank)?;
        crate::victims::await_death(rank);
    }
    assert_eq!(*sum.add().get()?, 4);
    assert_eq!(*sum.rank().get()?, 0);
    assert_eq!(*sum.add().get()?, 5);
    Ok(())
}

/// A large result that arrived but was not read before its producer's rank died.
pub fn large() -> Outcome {
    const TIMES: usize = 64 << 10;
    let sum = Sum::on(1).remote();
    let first = sum.repeated(TIMES);
    assert_eq!(*sum.add().get()?, 1);
    let second = sum.repeated(TIMES);
    // The earlier results have arrived, and the actor's owner does not store them any more.
    assert_eq!(*sum.add().get()?, 2);
    kill(1)?;
    crate::victims::await_death(1);
    let is_of = |array: &Array<u64>, value| array.len() == TIMES && array.iter().all(|element| *element == value);
    assert!(is_of(&*first.get()?, 0) && is_of(&*second.get()?, 1));
    assert_eq!(*sum.add().get()?, 3);
    Ok(())
}
