//! Actors in placement groups: they go with their bundle.

use crate::Outcome;
use crate::counts::Count;
use crate::victims::{await_death, kill, soon};
use mobula::prelude::*;
use mobula::{Bundle, PlacementGroup, Strategy, placement_group};

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

fn place_of(group: &PlacementGroup) -> mobula::Result<u32> {
    Ok(*here::options().place(Placement::Bundle(group, 0)).remote().get()?)
}

/// The rank of its bundle dies: the bundle is reserved anew on another rank, and the actor is built again in it.
pub fn seated() -> Outcome {
    let everything = mobula::available_resources();
    let mut group = None;
    // The ranks of a host are taken in turn, but for this one they may all be the same.
    while group.is_none() {
        let next = placement_group(vec![Bundle::new().cpus(1.0).resource("Key", 0.01)], Strategy::Pack)?;
        group = (place_of(&next)? == 1).then_some(next);
    }
    let group = group.ok_or("no group")?;
    let count = Count::options().place(Placement::Bundle(&group, 0)).resource("Key", 0.01).max_restarts(1).remote(7);
    assert_eq!((*count.add().get()?, *count.rank().get()?), (8, 1));
    kill(1)?;
    await_death(1);
    assert_eq!(*count.add().get()?, 8, "its state is lost");
    let home = *count.rank().get()?;
    assert!(home != 1 && home == place_of(&group)?, "it lives on rank {home}, its bundle is elsewhere");
    drop((count, group));
    soon("all is free", || mobula::available_resources() == everything);
    Ok(())
}
