//! Actors without checkpoints: their state is lost, their calls continue.

use crate::victims::{arrive, await_arrivals, await_death, kill, stay};
use crate::{Outcome, assert_died};
use mobula::prelude::*;

pub struct Count {
    value: u64,
}

#[mobula::actor]
impl Count {
    pub fn new(start: u64) -> Self {
        arrive("built");
        Count { value: start }
    }
    pub fn add(&mut self) -> u64 {
        self.value += 1;
        self.value
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
    /// Never returns on rank 1; returns on others.
    pub fn stays(&self) -> u32 {
        if mobula::context().rank() == 1 {
            stay("call")
        }
        mobula::context().rank()
    }
}

#[mobula::remote]
pub fn adds(count: CountHandle) -> mobula::Result<u64> {
    Ok(*count.add().get()?)
}

/// Its rank dies: it is constructed again elsewhere with the same arguments, every handle leads there, and its
/// resources are released and taken again.
pub fn anew() -> Outcome {
    let count = Count::options().place(Placement::Rank(1)).resource("Key", 1.0).max_restarts(2).remote(40);
    assert_eq!(*adds::on(2).remote(count.clone()).get()?, 41);
    assert_eq!((*count.add().get()?, *count.rank().get()?), (42, 1));
    kill(1)?;
    // A call sent before the death is noticed would count as under way.
    await_death(1);
    assert_eq!(*count.add().get()?, 41, "its state is lost");
    let location = *count.rank().get()?;
    assert!(location > 1, "it is on rank {location}");
    for (rank, value) in [(2, 42), (3, 43), (4, 44)] {
        assert_eq!(*adds::on(rank).remote(count.clone()).get()?, value, "from rank {rank}");
    }
    assert_eq!(mobula::available_resources()["Key"], 0.0, "it holds its resource there");
    kill(location)?;
    await_death(location);
    let other = if location == 4 { 3 } else { 4 };
    assert_eq!(*adds::on(other).remote(count.clone()).get()?, 41, "a second restart");
    drop(count);
    crate::victims::soon("its resources are free", || mobula::available_resources()["Key"] == 1.0);
    Ok(())
}

/// Calls under way fail or are retried, as the actor's options say; later calls succeed.
pub fn under_way() -> Outcome {
    let once = Count::options().place(Placement::Rank(1)).max_restarts(1).remote(0);
    let again = Count::options().place(Placement::Rank(1)).max_restarts(1).max_task_retries(1).remote(0);
    let (fails, behind) = (once.stays(), once.add());
    let (stays, follows) = (again.stays(), again.add());
    await_arrivals("call", 2);
    kill(1)?;
    let why = ["rank died while the call ran", "has been started again", "max_task_retries"];
    assert_died("the call that ran", fails.get(), &why);
    assert_died("the call behind it", behind.get(), &why);
    assert_eq!(*once.add().get()?, 1, "a later call");
    assert_eq!((*stays.get()?, *follows.get()?), (*again.rank().get()?, 1), "retried");
    Ok(())
}

/// Stores the arguments of its calls.
pub struct Log {
    lines: Vec<u32>,
}

#[mobula::actor(max_restarts = 2, max_task_retries = 2)]
impl Log {
    pub fn new() -> Self {
        Log { lines: Vec::new() }
    }
    pub fn push(&mut self, line: u32) {
        if line == 3 && mobula::context().rank() == 1 {
            stay("call")
        }
        self.lines.push(line);
    }
    pub fn lines(&self) -> Vec<u32> {
        self.lines.clone()
    }
}

/// Calls of one caller run in their order, those from before the death first. Calls whose results arrived are not
/// retried.
pub fn in_order() -> Outcome {
    let log = Log::on(1).remote();
    let finished: Vec<_> = (1..=2).map(|line| log.push(line)).collect();
    mobula::get_all(&finished)?;
    let before: Vec<_> = (3..=100).map(|line| log.push(line)).collect();
    await_arrivals("call", 1);
    kill(1)?;
    let after: Vec<_> = (101..=1_000).map(|line| log.push(line)).collect();
    assert_eq!(*log.lines().get()?, (3..=1_000).collect::<Vec<u32>>());
    mobula::get_all(&before)?;
    mobula::get_all(&after)?;
    Ok(())
}
