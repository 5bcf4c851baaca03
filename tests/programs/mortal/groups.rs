//! Placement groups and the dead: bundles go elsewhere, and what a dead owner had reserved is free.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, await_death, kill, soon, stay};
use mobula::prelude::*;
use mobula::{Bundle, PlacementGroup, Strategy, placement_group};
use std::collections::BTreeSet;

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

/// Stays in its bundle for as long as its rank does, unless that was started again.
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

/// A group with a bundle on that rank: the ranks of a host are taken in turn.
fn group_on(rank: u32) -> Result<PlacementGroup, Box<dyn std::error::Error>> {
    for _ in 0..64 {
        let group = placement_group(vec![Bundle::new().cpus(2.0)], Strategy::Pack)?;
        if *here::options().place(Placement::Bundle(&group, 0)).remote().get()? == rank {
            return Ok(group);
        }
    }
    Err("sixty-four groups, none of them there".into())
}

/// A rank dies that holds a bundle in use: the bundle is reserved anew, what ran in it is started again there, and in the end
/// everything is free.
pub fn groups() -> Outcome {
    let everything = mobula::available_resources();
    let home = 1;
    let group = group_on(home)?;
    let runs = resident::options().place(Placement::Bundle(&group, 0)).remote(home);
    await_arrivals("resident", 1);
    kill(home)?;
    await_death(home);
    let again = *runs.get()?;
    assert_ne!(again, home, "it ran on the dead");
    let later: BTreeSet<u32> = (0..8)
        .map(|_| here::options().place(Placement::Bundle(&group, 0)).remote())
        .map(|rank| rank.get().map(|rank| *rank))
        .collect::<Result<_, _>>()?;
    assert_eq!(later, BTreeSet::from([again]), "the bundle is where it went");
    soon("two CPUs are the group's", || mobula::available_resources()["CPU"] == everything["CPU"] - 2.0);
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
