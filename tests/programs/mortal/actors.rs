//! Actors on a rank that dies, and actors that a dying rank owned or had in its name directory.

use crate::Outcome;
use crate::victims::{await_arrivals, await_death, kill, soon, stay};
use mobula::prelude::*;

/// A state that is lost with its rank.
pub struct Count {
    value: u64,
}

#[mobula::actor]
impl Count {
    pub fn new() -> Self {
        Count { value: 0 }
    }
    pub fn add(&mut self) -> u64 {
        self.value += 1;
        self.value
    }
    pub fn stays(&self) -> u64 {
        stay("call")
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
}

#[mobula::remote]
fn adds(count: CountHandle) -> mobula::Result<u64> {
    Ok(*count.add().get()?)
}

#[track_caller]
fn assert_died<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>) {
    let error = result.expect_err(what);
    let named = format!("rank 1 on host {} died", mobula::context().host());
    assert!(matches!(&error, Error::ActorDied { reason, .. } if reason.contains(&named)), "{what}: {error:?}");
}

/// The running call, the one behind it, one from another rank and later ones fail with `ActorDied`, which names the
/// rank.
pub fn calls() -> Outcome {
    let count = Count::options().place(Placement::Rank(1)).remote();
    assert_eq!(*adds::on(2).remote(count.clone()).get()?, 1);
    let runs = count.stays();
    let waits = count.add();
    await_arrivals("call", 1);
    let from_another = adds::on(2).remote(count.clone());
    kill(1)?;
    assert_died("the call that ran", runs.get());
    assert_died("the call that waited", waits.get());
    assert_died("the call of another rank", from_another.get());
    assert_died("a later call", count.add().get());
    assert_died("a later call of another rank", adds::on(3).remote(count.clone()).get());
    let late = Count::options().place(Placement::Rank(1)).remote().add().get().expect_err("its rank is dead");
    assert!(crate::victims::names(&late, 1), "{late:?}");
    for _ in 0..8 {
        assert_ne!(*Count::remote().rank().get()?, 1, "new actors are placed on other ranks");
    }
    Ok(())
}

#[mobula::remote]
fn add_by_name(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Count>(name)?.add().get()?)
}

/// The names of the dead rank's actors are free again; names of living actors that its directory held are found as
/// before.
pub fn names() -> Outcome {
    let names: Vec<String> = (0..16).map(|number| format!("count {number}")).collect();
    let location = Placement::Rank(2);
    let counts: Vec<_> =
        names.iter().map(|name| Count::options().name(name).place(location.clone()).remote()).collect();
    let dying: Vec<String> = (0..8).map(|number| format!("dying {number}")).collect();
    for name in &dying {
        assert_eq!(*Count::options().name(name).place(Placement::Rank(1)).remote().add().get()?, 1);
    }
    for name in &names {
        assert_eq!(*add_by_name::on(3).remote(name.as_str()).get()?, 1);
    }
    kill(1)?;
    await_death(1);
    for (count, name) in counts.iter().zip(&names) {
        assert_eq!(*count.add().get()?, 2, "the actor survives");
        // The new directory rank of a name has it as soon as the actor's owner learns of the death.
        soon(&format!("{name} is found"), || mobula::get_actor::<Count>(name).is_ok());
        assert_eq!(*mobula::get_actor::<Count>(name)?.add().get()?, 3, "it is the same actor");
    }
    for name in &dying {
        soon(&format!("{name} is free again"), || {
            Count::options().name(name).place(Placement::Rank(3)).remote().add().get().is_ok()
        });
        soon(&format!("{name} is found"), || {
            add_by_name::on(2)
                .remote(name.as_str())
                .get_timeout(crate::victims::PATIENCE)
                .is_ok_and(|value| *value >= 2)
        });
    }
    Ok(())
}

/// Creates an actor on rank `location` and returns its handle; the rank of this task owns it.
#[mobula::remote]
fn create_count(location: u32) -> mobula::Result<CountHandle> {
    let count = Count::options().place(Placement::Rank(location)).resource("Key", 1.0).remote();
    count.add().get()?;
    Ok(count)
}

/// An actor ends with its owner, which counts its handles: its resources are free again, and its calls tell why they
/// fail.
pub fn owner_dies() -> Outcome {
    let count = create_count::on(1).remote(2u32).get()?;
    assert_eq!(*count.add().get()?, 2);
    assert_eq!(mobula::available_resources()["Key"], 0.0);
    kill(1)?;
    soon("its resources are free", || mobula::available_resources()["Key"] == 1.0);
    assert_died("a call after the owner died", count.add().get());
    Ok(())
}
