//! Stall detection: decides if a cluster in which something waits still makes progress, from two reports of each rank.

use crate::base::{ObjectId, Rank};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

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

/// A task whose worker's thread is blocked, in a lock or the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedOutside {
    /// The worker.
    pub worker: u64,
    /// The task's name.
    pub name: String,
    /// The system call in which it is blocked: the same text is the same wait.
    pub call: String,
    /// The tasks that can continue once this thread is free.
    pub ready: Vec<String>,
}

impl Display for BlockedOutside {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` blocks worker {} in a lock, a channel or a join", self.name, self.worker)?;
        if self.ready.is_empty() {
            return Ok(());
        }
        let ready: Vec<String> = self.ready.iter().map(|name| format!("`{name}`")).collect();
        let (one, it) = if ready.len() == 1 { ("it", "it") } else { ("one of them", "that one") };
        write!(
            formatter,
            ", and {} could continue on its thread: if {one} holds that lock, or is to send there, {it} never will; \
             release locks and borrows before get, wait and .await",
            ready.join(", ")
        )
    }
}

/// A rank's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankActivity {
    /// The rank.
    pub rank: Rank,
    /// A number that grows when a task begins, or fails because another has failed.
    pub moves: u64,
    /// True while a runnable task or a transfer in flight can still make progress, so that waiting is not a deadlock.
    pub can_progress: bool,
    /// Tasks that run and do not wait.
    pub computing: Vec<String>,
    /// Tasks that may compute or not: their threads are blocked where the runtime does not see for what.
    pub outside: Vec<BlockedOutside>,
    /// True if threads wait that are neither its driver's nor a worker's: such tasks may wait for them.
    pub has_waiting_threads: bool,
    /// When it reported, by its own clock, and how much CPU time its process had used then, ms.
    pub at_ms: u64,
    /// See `at_ms`.
    pub cpu_ms: u64,
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

/// A process that uses less than one part in this many of the time computes nothing.
const COMPUTING_PART: u64 = 10;

/// True if the process of that rank has hardly run since it reported before.
fn is_quiet(before: &[RankActivity], one: &RankActivity) -> bool {
    let quiet = |earlier: &RankActivity| {
        one.cpu_ms.saturating_sub(earlier.cpu_ms) * COMPUTING_PART <= one.at_ms.saturating_sub(earlier.at_ms)
    };
    before.iter().any(|earlier| earlier.rank == one.rank && quiet(earlier))
}

/// True if a task keeps its thread from others that can continue, and is itself in the same wait as before: one of
/// those may hold the lock that it waits for.
fn keeps_others(before: &[RankActivity], one: &RankActivity) -> bool {
    one.outside.iter().any(|task| !task.ready.is_empty() && is_in_same_wait(before, one.rank, task))
}

fn is_in_same_wait(before: &[RankActivity], rank: Rank, task: &BlockedOutside) -> bool {
    let same = |earlier: &BlockedOutside| (earlier.worker, &earlier.call) == (task.worker, &task.call);
    before.iter().any(|earlier| earlier.rank == rank && earlier.outside.iter().any(same))
}

/// The state of the cluster, given the reports `before` and `now`. A rank that did not reply is assumed not to change.
pub fn stall_status(before: &[RankActivity], now: &[RankActivity]) -> StallStatus {
    let same = |one: &RankActivity| before.iter().any(|earlier| earlier.rank == one.rank && earlier.moves == one.moves);
    if now.iter().any(|one| one.can_progress) || !now.iter().all(same) {
        return StallStatus::Progressing;
    }
    let mut computes = Vec::new();
    let any_keeps_others = now.iter().any(|one| keeps_others(before, one));
    for one in now {
        // A task in a lock or a join may wait for threads that compute. If its process does not run, and something else
        // is known that it may wait for, it waits for that.
        let is_explained = (any_keeps_others || one.has_waiting_threads) && is_quiet(before, one);
        let may_compute = |task: &&BlockedOutside| !is_explained || !is_in_same_wait(before, one.rank, task);
        let names = one.outside.iter().filter(may_compute).map(|task| &task.name);
        computes.extend(names.map(|name| format!("rank {} computes `{name}`", one.rank)));
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
            outside: Vec::new(),
            has_waiting_threads: false,
            at_ms: 0,
            cpu_ms: 0,
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
        let outside = |ready: &[&str], call: &str| BlockedOutside {
            worker: 0,
            name: "add".to_string(),
            call: call.to_string(),
            ready: ready.iter().map(ToString::to_string).collect(),
        };
        let with_outside = |earlier: BlockedOutside, later: BlockedOutside| {
            let reports = [earlier, later].map(|task| RankActivity { outside: vec![task], ..still(0) });
            stall_status(&reports[..1], &reports[1..])
        };
        assert_eq!(with_outside(outside(&[], "futex 1"), outside(&["add"], "futex 1")), StallStatus::Stalled);
        assert!(matches!(with_outside(outside(&[], "futex 1"), outside(&[], "futex 1")), StallStatus::Computing(_)));
        assert!(matches!(
            with_outside(outside(&["add"], "futex 1"), outside(&["add"], "futex 2")),
            StallStatus::Computing(_)
        ));
        let with_threads = |at_ms: u64, cpu_ms: u64| {
            let report = RankActivity {
                outside: vec![outside(&[], "futex 1")],
                has_waiting_threads: true,
                at_ms,
                cpu_ms,
                ..still(0)
            };
            stall_status(&[RankActivity { at_ms: 0, cpu_ms: 0, ..report.clone() }], &[report])
        };
        assert_eq!(with_threads(1000, 10), StallStatus::Stalled);
        assert!(matches!(with_threads(1000, 900), StallStatus::Computing(_)), "threads of its own compute");
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
