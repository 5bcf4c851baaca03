//! Actors in placement groups: they move with their bundle.

use crate::Outcome;
use crate::counts::Count;
use crate::victims::{await_death, kill, soon};
use mobula::prelude::*;
use mobula::{Bundle, PlacementGroup, Strategy, placement_group};

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

fn rank_of(group: &PlacementGroup) -> mobula::Result<u32> {
    Ok(*here::options().place(Placement::Bundle(group, 0)).remote().get()?)
}

/// The rank of its bundle dies: the bundle is reserved on another rank, and the actor is restarted in it.
pub fn in_bundle() -> Outcome {
    let everything = mobula::available_resources();
    let mut group = None;
    // Bundles go to the ranks of a host in turn, so that one comes to rank 1.
    while group.is_none() {
        let next = placement_group(vec![Bundle::new().cpus(1.0).resource("Key", 0.01)], Strategy::Pack)?;
        group = (rank_of(&next)? == 1).then_some(next);
    }
    let group = group.ok_or("no group")?;
    let count = Count::options().place(Placement::Bundle(&group, 0)).resource("Key", 0.01).max_restarts(1).remote(7);
    assert_eq!((*count.add().get()?, *count.rank().get()?), (8, 1));
    kill(1)?;
    await_death(1);
    assert_eq!(*count.add().get()?, 8, "its state is lost");
    let location = *count.rank().get()?;
    assert!(location != 1 && location == rank_of(&group)?, "it is on rank {location}, its bundle is not");
    drop((count, group));
    soon("all is free", || mobula::available_resources() == everything);
    Ok(())
}
