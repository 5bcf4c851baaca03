//! Resources that a rank held when it died are free on its host again.

use crate::Outcome;
use crate::victims::{await_arrivals, await_death, kill, soon, stay};
use mobula::prelude::*;

#[mobula::remote]
fn holds() -> u32 {
    stay("holds")
}

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

/// A task of rank 1 holds the host's only Key, and every other rank waits for it.
pub fn resource() -> Outcome {
    let cpus = mobula::available_resources()["CPU"];
    let held = holds::on(1).resource("Key", 1.0).remote();
    await_arrivals("holds", 1);
    let waiting: Vec<_> = [2, 3, 0].map(|rank| here::on(rank).resource("Key", 1.0).remote()).into_iter().collect();
    assert_eq!(mobula::available_resources()["Key"], 0.0);
    kill(1)?;
    for (reference, rank) in waiting.iter().zip([2, 3, 0]) {
        assert_eq!(*reference.get()?, rank);
    }
    crate::victims::died("the task that held it", held.get(), 1);
    soon("the Key is free", || mobula::available_resources()["Key"] == 1.0);
    soon("so are the CPUs", || mobula::available_resources()["CPU"] >= cpus);
    Ok(())
}

/// The first ranks of a host die, which had duties for the others: the remaining ranks go on with the shared tables.
pub fn first_of_host() -> Outcome {
    let everything = mobula::available_resources();
    for rank in [1, 2] {
        kill(rank)?;
        await_death(rank);
        let refs: Vec<_> = (0..32).map(|_| here::options().place(Placement::Spread).remote()).collect();
        for reference in &refs {
            assert!(!(1..=rank).contains(&*reference.get()?), "it ran on a dead rank");
        }
    }
    soon("all is free", || mobula::available_resources() == everything);
    Ok(())
}
