//! Actors of a rank that dies, and what it knew of others.

use crate::Outcome;
use crate::victims::{await_arrivals, await_death, kill, soon, stay};
use mobula::prelude::*;

/// A state that goes with its rank.
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
fn gone<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>) {
    let error = result.expect_err(what);
    let named = format!("rank 1 on host {} is gone", mobula::context().host());
    assert!(matches!(&error, Error::ActorDied { reason, .. } if reason.contains(&named)), "{what}: {error:?}");
}

/// The call that runs, the one behind it, one from another rank and later ones say that the actor is gone, and with whom.
pub fn calls() -> Outcome {
    let count = Count::options().place(Placement::Rank(1)).remote();
    assert_eq!(*adds::on(2).remote(count.clone()).get()?, 1);
    let runs = count.stays();
    let waits = count.add();
    await_arrivals("call", 1);
    let afar = adds::on(2).remote(count.clone());
    kill(1)?;
    gone("the call that ran", runs.get());
    gone("the call that waited", waits.get());
    gone("the call of another rank", afar.get());
    gone("a later call", count.add().get());
    gone("a later call of another rank", adds::on(3).remote(count.clone()).get());
    let late = Count::options().place(Placement::Rank(1)).remote().add().get().expect_err("no rank for it");
    assert!(crate::victims::names(&late, 1), "{late:?}");
    for _ in 0..8 {
        assert_ne!(*Count::remote().rank().get()?, 1, "new ones live elsewhere");
    }
    Ok(())
}

#[mobula::remote]
fn add_by_name(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Count>(name)?.add().get()?)
}

/// The names of the dead rank's actors can be given again; those that it kept for actors elsewhere are found as before.
pub fn names() -> Outcome {
    let names: Vec<String> = (0..16).map(|number| format!("count {number}")).collect();
    let home = Placement::Rank(2);
    let counts: Vec<_> = names.iter().map(|name| Count::options().name(name).place(home.clone()).remote()).collect();
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
        assert_eq!(*count.add().get()?, 2, "the actor lives on");
        // Who keeps a name now has it as soon as the actor's owner knows of the death.
        soon(&format!("{name} is found"), || mobula::get_actor::<Count>(name).is_ok());
        assert_eq!(*mobula::get_actor::<Count>(name)?.add().get()?, 3, "it is the same actor");
    }
    for name in &dying {
        soon(&format!("{name} can be had again"), || {
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

/// Makes an actor on `home` and hands it over: this rank is its owner.
#[mobula::remote]
fn mother(home: u32) -> mobula::Result<CountHandle> {
    let count = Count::options().place(Placement::Rank(home)).resource("Key", 1.0).remote();
    count.add().get()?;
    Ok(count)
}

/// An actor ends with the rank that made it, which counts its handles: what it held is free again, its calls say why.
pub fn orphans() -> Outcome {
    let count = mother::on(1).remote(2u32).get()?;
    assert_eq!(*count.add().get()?, 2);
    assert_eq!(mobula::available_resources()["Key"], 0.0);
    kill(1)?;
    soon("its resources are free", || mobula::available_resources()["Key"] == 1.0);
    gone("a call of an orphan", count.add().get());
    Ok(())
}
