//! Actors that are not restarted, or not any more: the errors of their calls tell why.

use crate::counts::{Count, CountHandle, adds};
use crate::victims::{await_death, kill};
use crate::{Outcome, assert_died};
use mobula::prelude::*;

/// An actor with one restart is restarted once.
pub fn used_up() -> Outcome {
    let count = Count::options().place(Placement::Rank(1)).max_restarts(1).max_task_retries(u32::MAX).remote(0);
    assert_eq!(*count.add().get()?, 1);
    kill(1)?;
    assert_eq!(*count.add().get()?, 1);
    let location = *count.rank().get()?;
    kill(location)?;
    let why = [&format!("rank {location} on host"), "started again once", "max_restarts"];
    assert_died("a call of rank 0", count.add().get(), &why);
    assert_died("a call of rank 4", adds::on(4).remote(count.clone()).get(), &why);
    assert_died("a later call", count.add().get(), &why);
    Ok(())
}

/// A killed actor stays dead when its rank dies too.
pub fn killed() -> Outcome {
    let count = Count::options().place(Placement::Rank(1)).max_restarts(5).name("count").remote(0);
    assert_eq!(*adds::on(2).remote(count.clone()).get()?, 1);
    count.kill();
    assert_died("a call", count.add().get(), &["it was killed"]);
    crate::victims::soon("its name is free", || mobula::get_actor::<Count>("count").is_err());
    kill(1)?;
    await_death(1);
    assert_died("a call after its rank died", count.add().get(), &["it was killed"]);
    assert_died("a call of rank 2", adds::on(2).remote(count.clone()).get(), &["it was killed"]);
    Ok(())
}

/// Its constructor succeeds only on rank 1.
pub struct Fragile {}

#[mobula::actor(max_restarts = 5)]
impl Fragile {
    pub fn new() -> Result<Self, String> {
        if mobula::context().rank() == 1 { Ok(Fragile {}) } else { Err("only on rank 1".to_string()) }
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
}

/// A constructor that fails the second time.
pub fn fragile() -> Outcome {
    let fragile = Fragile::on(1).remote();
    assert_eq!(*fragile.rank().get()?, 1);
    kill(1)?;
    await_death(1);
    assert_died("a call", fragile.rank().get(), &["its constructor failed", "only on rank 1", "started again, time 1"]);
    Ok(())
}

#[mobula::remote]
fn puts(value: u64) -> mobula::Result<ObjectRef<u64>> {
    mobula::put(value)
}

/// An argument of the constructor was lost with its owner.
pub fn argument_lost() -> Outcome {
    let start = (*puts::on(2).remote(7u64).get()?).clone();
    let count = Count::options().place(Placement::Rank(1)).max_restarts(5).remote(&start);
    assert_eq!(*count.add().get()?, 8);
    kill(2)?;
    await_death(2);
    kill(1)?;
    await_death(1);
    assert_died("a call", count.add().get(), &["its constructor failed", "rank 2 on host"]);
    Ok(())
}

/// Creates an actor with a name and one without.
#[mobula::remote]
fn create_counts() -> mobula::Result<(CountHandle, CountHandle)> {
    let create = |name: &str| {
        let count = Count::options().place(Placement::Rank(2)).max_restarts(5);
        if name.is_empty() { count.remote(0) } else { count.name(name).remote(0) }
    };
    let (named, nameless) = (create("named"), create(""));
    named.add().get()?;
    nameless.add().get()?;
    Ok((named, nameless))
}

/// An actor is not restarted after its owner died: one without a name ends at once, one with a name when its rank dies.
pub fn owner_dies() -> Outcome {
    let (named, nameless) = (*create_counts::on(1).remote().get()?).clone();
    assert_eq!((*named.add().get()?, *nameless.add().get()?), (2, 2));
    kill(1)?;
    await_death(1);
    crate::victims::soon("the one without a name ends", || nameless.add().get().is_err());
    assert_died("a call of it", nameless.add().get(), &["rank 1 on host"]);
    let value = *named.add().get()?;
    assert_eq!(value, 3, "the one with a name survives");
    assert_eq!(*adds::on(3).remote(named.clone()).get()?, 4);
    crate::victims::soon("its name is found", || mobula::get_actor::<Count>("named").is_ok());
    kill(2)?;
    assert_died(
        "a call after its rank died",
        named.add().get(),
        &["rank 2 on host", "it is not started again", "rank 1"],
    );
    Ok(())
}
