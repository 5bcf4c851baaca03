//! Names of actors that are restarted, and names whose directory rank dies.

use crate::Outcome;
use crate::counts::Count;
use crate::victims::{await_death, kill, soon};
use mobula::prelude::*;

#[mobula::remote]
fn add_by_name(name: &str) -> mobula::Result<u64> {
    Ok(*mobula::get_actor::<Count>(name)?.add().get()?)
}

/// A name leads to the new location, from every rank, also if no handle exists.
pub fn named() -> Outcome {
    let names: Vec<String> = (0..8).map(|number| format!("count {number}")).collect();
    for name in &names {
        let count = Count::options().name(name).place(Placement::Rank(1)).max_restarts(2).remote(0);
        assert_eq!(*count.add().get()?, 1);
    }
    kill(1)?;
    await_death(1);
    for name in &names {
        soon(&format!("{name} is found by rank 0"), || add_by_name::on(0).remote(name.as_str()).get().is_ok());
        assert_eq!(*add_by_name::on(3).remote(name.as_str()).get()?, 2);
        let count = mobula::get_actor::<Count>(name)?;
        count.kill();
        soon(&format!("{name} is free again"), || {
            Count::options().name(name).place(Placement::Rank(3)).remote(7).add().get().is_ok_and(|value| *value == 8)
        });
    }
    Ok(())
}

/// Every name has a directory rank; the death of that rank loses no name of a living actor.
pub fn directory_dies() -> Outcome {
    let names: Vec<String> = (0..16).map(|number| format!("count {number}")).collect();
    for name in &names {
        // Only its name keeps the actor alive.
        assert_eq!(*Count::options().name(name).place(Placement::Rank(2)).remote(0).add().get()?, 1);
    }
    for (deaths, rank) in [1, 3].into_iter().enumerate() {
        kill(rank)?;
        await_death(rank);
        for name in &names {
            soon(&format!("{name} is found"), || mobula::get_actor::<Count>(name).is_ok());
            let value = *mobula::get_actor::<Count>(name)?.add().get()?;
            assert_eq!(value, deaths as u64 + 2, "{name} is the same actor");
        }
    }
    Ok(())
}
