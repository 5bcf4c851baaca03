//! What ranks say to each other about one actor: where it lives, that it is gone, and what its owner keeps of it.

use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::wire::WireParcel;
use serde::{Deserialize, Serialize};

/// What holds for the calls of an actor that is started again when its rank dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How often a call that was under way is made again; `u32::MAX` for as often as it takes.
    pub retries: u32,
    /// Whether its owner keeps its state.
    pub checkpoint: bool,
}

/// An actor's handle on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireActor {
    /// The actor; its owner made it and counts its handles.
    pub actor: ObjectId,
    /// The rank that it runs on, as far as the sender knows.
    pub home: Rank,
    /// How often it had been started again by then.
    pub incarnation: u32,
    /// What holds where it is started again; `None` where it never is.
    pub terms: Option<Terms>,
    /// Its type, and its name where it has one.
    pub label: String,
}

impl WireActor {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        self.actor.owner.max(self.home)
    }
}

/// The actor that a constructor or call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The actor.
    pub actor: ObjectId,
    /// How often it had been started again.
    pub incarnation: u32,
    /// The sender has the results of all its calls of this actor below this number.
    pub heard_below: u64,
}

impl Target {
    /// An actor that is never started again.
    pub fn of(actor: ObjectId) -> Target {
        Target { actor, incarnation: 0, heard_below: 0 }
    }
}

/// A call that ran, and what it gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireFinished<'a> {
    /// The call.
    pub call: TaskId,
    /// Its results, in order.
    #[serde(borrow)]
    pub results: Vec<Result<WireParcel<'a>, Error>>,
}

/// What an owner is to keep of its actor: all of it, or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireCommit<'a> {
    /// Which incarnation says so.
    pub incarnation: u32,
    /// Numbers grow.
    pub sequence: u64,
    /// Arguments of the actor's `restore`.
    #[serde(borrow)]
    pub state: WireParcel<'a>,
    /// The calls that ran since the last commit.
    pub finished: Vec<WireFinished<'a>>,
    /// By caller's rank: its calls below that number need not be kept any more.
    pub heard: Vec<(Rank, u64)>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum About<'a> {
    /// To its home: end it.
    Kill {
        /// Why.
        reason: String,
        /// Whether nobody can ask for it any more, so that nothing need be remembered of it.
        last: bool,
    },
    /// To its owner: the home of that incarnation is gone. Where is it now?
    Where {
        /// The newest that the asker knows.
        incarnation: u32,
    },
    /// From its owner: it is there, or gone for good.
    Lives {
        /// How often it was started again.
        incarnation: u32,
        /// Its home, or why it is gone.
        home: Result<Rank, Error>,
    },
    /// From its home to its owner: it is gone for good.
    Ended {
        /// Which one.
        incarnation: u32,
        /// Why.
        error: Error,
    },
    /// From its home to its owner: keep this, in place of what was before.
    #[serde(borrow)]
    Commit(WireCommit<'a>),
    /// From its owner to its home: the commit of that number is kept.
    Kept {
        /// Which one.
        incarnation: u32,
        /// The commit.
        sequence: u64,
    },
    /// From its owner to its next home, before it is built there: these ran already.
    Finished {
        /// Some of the calls.
        #[serde(borrow)]
        calls: Vec<WireFinished<'a>>,
    },
    /// From a caller to its home, where no call says it: results that it has.
    Heard {
        /// All those of its calls below this number.
        below: u64,
    },
    /// From who keeps a name to its bearer's home: the bearer's owner is gone, and may never have built it. Does it live?
    Bears {
        /// The name.
        name: String,
    },
}

impl<'a> About<'a> {
    /// The parcels that it brings.
    pub fn parcels(&self) -> Vec<&WireParcel<'a>> {
        let (state, calls) = match self {
            About::Commit(commit) => (Some(&commit.state), &commit.finished),
            About::Finished { calls } => (None, calls),
            _ => return Vec::new(),
        };
        state.into_iter().chain(calls.iter().flat_map(|call| call.results.iter().flatten())).collect()
    }

    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let own = match self {
            About::Lives { home: Ok(home), .. } => *home,
            About::Commit(commit) => {
                let heard = commit.heard.iter().map(|(rank, _)| *rank);
                commit.finished.iter().map(|call| call.call.owner).chain(heard).max().unwrap_or_default()
            }
            About::Finished { calls } => calls.iter().map(|call| call.call.owner).max().unwrap_or_default(),
            _ => 0,
        };
        self.parcels().into_iter().map(WireParcel::highest_rank).fold(own, Rank::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Message;

    #[test]
    fn every_rank_in_it_is_seen() {
        let actor = ObjectId { owner: 1, number: 2 };
        let ranks = |about| Message::Actor { actor, about }.highest_rank();
        let call = WireFinished { call: TaskId { owner: 8, number: 1 }, results: vec![Ok(WireParcel::default())] };
        let commit = |finished, heard| {
            let state = WireParcel::default();
            About::Commit(WireCommit { incarnation: 0, sequence: 1, state, finished, heard })
        };
        assert_eq!(ranks(About::Where { incarnation: 3 }), 1);
        assert_eq!(ranks(About::Lives { incarnation: 3, home: Ok(5) }), 5);
        assert_eq!(ranks(commit(vec![call.clone()], vec![(3, 9)])), 8);
        assert_eq!(ranks(commit(vec![call.clone()], vec![(9, 9)])), 9);
        assert_eq!(ranks(About::Finished { calls: vec![call] }), 8);
    }
}
