//! What a rank ran when its process ended, as far as other ranks could read it.

use crate::base::{ObjectId, Rank, TaskId};
use crate::lineage::Blame;
use serde::{Deserialize, Serialize};

/// A task or an actor of which another rank is to know when the rank that runs it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkId {
    /// A task, or a call of an actor, that came from another rank.
    Task(TaskId),
    /// An actor, whichever of its calls ran.
    Actor(ObjectId),
}

impl WorkId {
    /// The rank that submitted the task, or created the actor.
    pub fn owner(self) -> Rank {
        match self {
            WorkId::Task(task) => task.owner,
            WorkId::Actor(actor) => actor.owner,
        }
    }
}

/// A task or call that had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunWork {
    /// What it was; `None` for a task that the rank had submitted itself.
    pub id: Option<WorkId>,
    /// The key of its function.
    pub function: u64,
}

/// What a rank ran when its process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastWork {
    /// Nothing that it ran ended it: it was stopped or cut off.
    Uninvolved,
    /// Its process ended, and no rank could read what it ran.
    Unknown,
    /// These.
    Known {
        /// What had begun and not ended.
        begun: Vec<BegunWork>,
        /// True if that one ended the process by a fault, `abort` or `exit`.
        is_witnessed: bool,
        /// True if that is all that it ran.
        is_complete: bool,
    },
}

/// How many tasks and calls a rank records at once.
pub const BEGUN_MAX: usize = 64;

impl LastWork {
    /// The same, of no more entries than a rank records: what a peer says may be longer.
    pub fn bounded(mut self) -> LastWork {
        if let LastWork::Known { begun, is_witnessed, is_complete } = &mut self {
            *is_witnessed &= begun.len() == 1;
            *is_complete &= begun.len() <= BEGUN_MAX;
            begun.truncate(BEGUN_MAX);
        }
        self
    }

    /// What part a task or actor had in the end of the process.
    pub fn blame_of(&self, id: WorkId) -> Blame {
        match self {
            LastWork::Uninvolved => Blame::None,
            LastWork::Unknown => Blame::Unknown,
            LastWork::Known { begun, .. } if begun.iter().all(|work| work.id != Some(id)) => Blame::None,
            LastWork::Known { is_witnessed: true, .. } => Blame::Witnessed,
            LastWork::Known { begun, is_complete: true, .. } if begun.len() == 1 => Blame::OnlyOne,
            LastWork::Known { .. } => Blame::Suspected,
        }
    }

    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            LastWork::Uninvolved | LastWork::Unknown => 0,
            LastWork::Known { begun, .. } => {
                begun.iter().filter_map(|work| work.id).map(WorkId::owner).max().unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(number: u64) -> WorkId {
        WorkId::Task(TaskId { owner: 3, number })
    }

    fn known(numbers: &[u64], is_witnessed: bool, is_complete: bool) -> LastWork {
        let work = |number: &u64| BegunWork { id: Some(task(*number)), function: 7 };
        LastWork::Known { begun: numbers.iter().map(work).collect(), is_witnessed, is_complete }
    }

    #[test]
    fn blame_follows_from_what_was_read() {
        assert_eq!(LastWork::Uninvolved.blame_of(task(1)), Blame::None);
        assert_eq!(LastWork::Unknown.blame_of(task(1)), Blame::Unknown);
        assert_eq!(known(&[1, 2], false, true).blame_of(task(2)), Blame::Suspected);
        assert_eq!(known(&[1], false, false).blame_of(task(1)), Blame::Suspected);
        assert_eq!(known(&[1, 2], false, true).blame_of(task(3)), Blame::None);
        assert_eq!(known(&[1], false, true).blame_of(task(1)), Blame::OnlyOne);
        assert_eq!(known(&[1], true, false).blame_of(task(1)), Blame::Witnessed);
        let actor = WorkId::Actor(ObjectId { owner: 3, number: 1 });
        assert_eq!(known(&[1], true, true).blame_of(actor), Blame::None, "an actor has numbers of its own");
    }

    #[test]
    fn what_a_peer_says_is_bounded() {
        let numbers: Vec<u64> = (0..1000).collect();
        assert_eq!(known(&numbers, true, true).bounded(), known(&numbers[..BEGUN_MAX], false, false));
        assert_eq!(known(&[1], true, true).bounded(), known(&[1], true, true));
        assert_eq!(known(&[1], true, true).highest_rank(), 3);
    }
}
