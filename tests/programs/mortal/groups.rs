//! Placement groups and dead ranks: bundles move to other ranks, and the reservations of a dead owner are released.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, await_death, kill, soon, stay};
use mobula::prelude::*;
use mobula::{Bundle, PlacementGroup, Strategy, placement_group};
use std::collections::BTreeSet;

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

/// Stays in its bundle as long as its rank lives; a retry on another rank returns.
#[mobula::remote(max_retries = 3)]
fn resident(first: u32) -> u32 {
    if mobula::context().rank() == first {
        stay("resident");
    }
    mobula::context().rank()
}

/// Owns a group, and is killed with it.
#[mobula::remote]
fn owner() -> mobula::Result<()> {
    let group = placement_group(vec![Bundle::new().cpus(3.0), Bundle::new().resource("Key", 1.0)], Strategy::Pack)?;
    group.ready().get()?;
    arrive("owner");
    stay("owner's end")
}

/// A group with a bundle on that rank: bundles go to the ranks of a host in turn.
fn group_on(rank: u32) -> Result<PlacementGroup, Box<dyn std::error::Error>> {
    for _ in 0..64 {
        let group = placement_group(vec![Bundle::new().cpus(2.0)], Strategy::Pack)?;
        if *here::options().place(Placement::Bundle(&group, 0)).remote().get()? == rank {
            return Ok(group);
        }
    }
    Err("sixty-four groups, none of them on that rank".into())
}

/// A rank dies that holds a bundle in use: the bundle is reserved on another rank, its task is retried there, and
/// finally all resources are free.
pub fn groups() -> Outcome {
    let everything = mobula::available_resources();
    let first_rank = 1;
    let group = group_on(first_rank)?;
    let runs = resident::options().place(Placement::Bundle(&group, 0)).remote(first_rank);
    await_arrivals("resident", 1);
    kill(first_rank)?;
    await_death(first_rank);
    let again = *runs.get()?;
    assert_ne!(again, first_rank, "it ran on the dead rank");
    let later: BTreeSet<u32> = (0..8)
        .map(|_| here::options().place(Placement::Bundle(&group, 0)).remote())
        .map(|rank| rank.get().map(|rank| *rank))
        .collect::<Result<_, _>>()?;
    assert_eq!(later, BTreeSet::from([again]), "the bundle is on the rank of the retry");
    soon("two CPUs are reserved for the group", || mobula::available_resources()["CPU"] == everything["CPU"] - 2.0);
    group.remove();
    soon("all is free", || mobula::available_resources() == everything);
    // Another rank owns a group, and dies.
    let owner_rank = 2;
    let owned = owner::options().max_retries(0).place(Placement::Rank(owner_rank)).remote();
    await_arrivals("owner", 1);
    assert!(mobula::available_resources()["CPU"] < everything["CPU"] - 2.0);
    kill(owner_rank)?;
    await_death(owner_rank);
    crate::victims::died("its owner's task", owned.get(), owner_rank);
    soon("all is free again", || mobula::available_resources() == everything);
    Ok(())
}
