//! Whether a cluster in which somebody waits still moves: decided from what each rank said of itself twice.

use crate::base::{ObjectId, Rank};
use serde::{Deserialize, Serialize};

/// What the driver of a rank does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Driver {
    /// There is none, or it is through.
    Through,
    /// It is in its own code: it may go on to do anything.
    Computes,
    /// It waits, each line for one of its threads.
    Waits(Vec<Wait>),
}

/// Something that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Who.
    pub who: String,
    /// What for.
    pub what: String,
    /// Objects of other ranks among that: their owners know more.
    pub objects: Vec<ObjectId>,
}

/// What a rank says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Which rank.
    pub rank: Rank,
    /// A number that grows when a task begins.
    pub moves: u64,
    /// Whether work may run that does not, or bytes are on their way: what is to come is not up to anybody who waits.
    pub is_busy: bool,
    /// Tasks that run and do not wait.
    pub computes: Vec<String>,
    /// Its driver.
    pub driver: Driver,
    /// Tasks and calls that wait.
    pub waits: Vec<Wait>,
    /// Requests that wait for resources, what is free, and what actors hold.
    pub resources: Vec<String>,
    /// Who waits for room in its store: that ends by itself, with room or without.
    pub for_room: Vec<String>,
}

/// What is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something moved between the two, or will.
    Moves,
    /// Nobody began anything, but these compute, or wait only so long, and what else waits may wait for them.
    Computes(Vec<String>),
    /// Nothing can move any more, but from outside.
    Stalled,
}

/// What is so, after ranks have said this `before` and that `now`. One that did not answer is taken to stand still.
pub fn verdict(before: &[Waits], now: &[Waits]) -> Verdict {
    let same = |one: &Waits| before.iter().any(|earlier| earlier.rank == one.rank && earlier.moves == one.moves);
    if now.iter().any(|one| one.is_busy) || !now.iter().all(same) {
        return Verdict::Moves;
    }
    let mut computes = Vec::new();
    for one in now {
        computes.extend(one.computes.iter().map(|task| format!("rank {} computes `{task}`", one.rank)));
        if one.driver == Driver::Computes {
            computes.push(format!("rank {}'s driver computes", one.rank));
        }
        computes.extend(one.for_room.iter().map(|who| format!("on rank {} {who}", one.rank)));
    }
    if computes.is_empty() { Verdict::Stalled } else { Verdict::Computes(computes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still(rank: Rank) -> Waits {
        Waits {
            rank,
            moves: 7,
            is_busy: false,
            computes: Vec::new(),
            driver: Driver::Through,
            waits: Vec::new(),
            resources: Vec::new(),
            for_room: Vec::new(),
        }
    }

    #[test]
    fn a_cluster_is_stalled_only_where_nobody_moves_computes_or_is_about_to() {
        let before = [still(0), still(1)];
        assert_eq!(verdict(&before, &before), Verdict::Stalled);
        let with = |change: fn(&mut Waits)| {
            let mut now = before.clone();
            change(&mut now[1]);
            verdict(&before, &now)
        };
        assert_eq!(with(|one| one.moves = 8), Verdict::Moves);
        assert_eq!(with(|one| one.is_busy = true), Verdict::Moves);
        let computes = Verdict::Computes(vec!["rank 1 computes `train`".to_string()]);
        assert_eq!(with(|one| one.computes.push("train".to_string())), computes);
        assert!(matches!(with(|one| one.driver = Driver::Computes), Verdict::Computes(_)));
        let waits_for_room = Verdict::Computes(vec!["on rank 1 a driver waits for room".to_string()]);
        assert_eq!(with(|one| one.for_room.push("a driver waits for room".to_string())), waits_for_room);
        assert_eq!(verdict(&before, &before[..1]), Verdict::Stalled, "one that does not answer stands still");
        assert_eq!(verdict(&before[..1], &before), Verdict::Moves, "one that was not heard before may have moved");
    }
}
