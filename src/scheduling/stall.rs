//! Stall detection: decides if a cluster in which something waits still makes progress, from two reports of each rank.

use crate::base::{ObjectId, Rank};
use serde::{Deserialize, Serialize};

/// The state of a rank's driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DriverState {
    /// There is none, or it has finished.
    Finished,
    /// It runs its own code: it may do anything next.
    Computing,
    /// It waits, each entry for one of its threads.
    Waiting(Vec<BlockedTask>),
}

/// A task, call or driver that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedTask {
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub waits_for: String,
    /// Objects of other ranks among those: their owners know more.
    pub objects: Vec<ObjectId>,
}

/// A rank's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankActivity {
    /// The rank.
    pub rank: Rank,
    /// A number that grows when a task begins.
    pub moves: u64,
    /// True while a runnable task or a transfer in flight can still make progress, so that waiting is not a deadlock.
    pub can_progress: bool,
    /// Tasks that run and do not wait.
    pub computing: Vec<String>,
    /// Its driver.
    pub driver: DriverState,
    /// Tasks and calls that wait.
    pub blocked: Vec<BlockedTask>,
    /// Requests that wait for resources, the free amounts, and those that actors hold.
    pub resources: Vec<String>,
    /// The tasks that wait for space in its store: that wait ends by itself, with or without space.
    pub waiting_for_space: Vec<String>,
}

/// The state of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StallStatus {
    /// Something happened between the two reports, or will.
    Progressing,
    /// No task began, but these compute, or have a time limit, and all other waits may depend on them.
    Computing(Vec<String>),
    /// Nothing can happen any more without outside events.
    Stalled,
}

/// The state of the cluster, given the reports `before` and `now`. A rank that did not reply is assumed not to change.
pub fn stall_status(before: &[RankActivity], now: &[RankActivity]) -> StallStatus {
    let same = |one: &RankActivity| before.iter().any(|earlier| earlier.rank == one.rank && earlier.moves == one.moves);
    if now.iter().any(|one| one.can_progress) || !now.iter().all(same) {
        return StallStatus::Progressing;
    }
    let mut computes = Vec::new();
    for one in now {
        computes.extend(one.computing.iter().map(|task| format!("rank {} computes `{task}`", one.rank)));
        if one.driver == DriverState::Computing {
            computes.push(format!("rank {}'s driver computes", one.rank));
        }
        computes.extend(one.waiting_for_space.iter().map(|waiter| format!("on rank {} {waiter}", one.rank)));
    }
    if computes.is_empty() { StallStatus::Stalled } else { StallStatus::Computing(computes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still(rank: Rank) -> RankActivity {
        RankActivity {
            rank,
            moves: 7,
            can_progress: false,
            computing: Vec::new(),
            driver: DriverState::Finished,
            blocked: Vec::new(),
            resources: Vec::new(),
            waiting_for_space: Vec::new(),
        }
    }

    #[test]
    fn cluster_is_stalled_only_without_progress_or_computation() {
        let before = [still(0), still(1)];
        assert_eq!(stall_status(&before, &before), StallStatus::Stalled);
        let with = |change: fn(&mut RankActivity)| {
            let mut now = before.clone();
            change(&mut now[1]);
            stall_status(&before, &now)
        };
        assert_eq!(with(|one| one.moves = 8), StallStatus::Progressing);
        assert_eq!(with(|one| one.can_progress = true), StallStatus::Progressing);
        let computes = StallStatus::Computing(vec!["rank 1 computes `train`".to_string()]);
        assert_eq!(with(|one| one.computing.push("train".to_string())), computes);
        assert!(matches!(with(|one| one.driver = DriverState::Computing), StallStatus::Computing(_)));
        let waits_for_space = StallStatus::Computing(vec!["on rank 1 a driver waits for space".to_string()]);
        assert_eq!(with(|one| one.waiting_for_space.push("a driver waits for space".to_string())), waits_for_space);
        assert_eq!(
            stall_status(&before, &before[..1]),
            StallStatus::Stalled,
            "a rank that does not reply does not change"
        );
        assert_eq!(
            stall_status(&before[..1], &before),
            StallStatus::Progressing,
            "a rank without an earlier report may have changed"
        );
    }
}
