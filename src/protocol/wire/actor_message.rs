//! Messages about one actor: its location, its end, and what its owner saves of it.

use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::wire::values::WireValue;
use serde::{Deserialize, Serialize};

/// How calls are retried and state is saved, for an actor that is restarted when its rank dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// How often a call that was in flight is retried; `u32::MAX` for no limit.
    pub retries: u32,
    /// True if the owner saves the actor's state.
    pub checkpoint: bool,
}

/// An actor's handle in wire form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireActor {
    /// The actor; its owner created it and counts its handles.
    pub actor: ObjectId,
    /// The rank that runs the actor, as far as the sender knows.
    pub location: Rank,
    /// How often the actor had been restarted by then.
    pub incarnation: u32,
    /// The policy of an actor that is restarted; `None` for one that never is.
    pub restart_policy: Option<RestartPolicy>,
    /// Its type, and its name where it has one.
    pub label: String,
}

impl WireActor {
    /// The highest rank that the handle names.
    pub fn highest_rank(&self) -> Rank {
        self.actor.owner.max(self.location)
    }
}

/// The actor that a constructor or call is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorTarget {
    /// The actor.
    pub actor: ObjectId,
    /// How often the actor had been restarted.
    pub incarnation: u32,
    /// The sender has the results of all its calls of this actor below this number (exclusive).
    pub acked_below: u64,
}

impl ActorTarget {
    /// An actor that is never started again.
    pub fn of(actor: ObjectId) -> ActorTarget {
        ActorTarget { actor, incarnation: 0, acked_below: 0 }
    }
}

/// A call that ran, and its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedCall<'a> {
    /// The call.
    pub call: TaskId,
    /// Its results, in order.
    #[serde(borrow)]
    pub results: Vec<Result<WireValue<'a>, Error>>,
}

/// The state and results that an owner is to save of its actor: all of it, or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireCommit<'a> {
    /// The incarnation that sends it.
    pub incarnation: u32,
    /// The commit's number; numbers increase.
    pub sequence: u64,
    /// Arguments of the actor's `restore`.
    #[serde(borrow)]
    pub state: WireValue<'a>,
    /// The calls that ran since the last commit.
    pub finished: Vec<FinishedCall<'a>>,
    /// By caller's rank: results of its calls below that number (exclusive) need not be retained any more.
    pub acked: Vec<(Rank, u64)>,
}

/// A message about an actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActorMessage<'a> {
    /// To its location: end it.
    Kill {
        /// Why.
        reason: String,
        /// True if no handle is left that could call the actor, so that its location need not remember it.
        forget: bool,
    },
    /// To its owner: the location of that incarnation died. Where is the actor now?
    LocationRequest {
        /// The newest incarnation that the sender knows.
        incarnation: u32,
    },
    /// From its owner: the actor's location, or that it ended for good.
    LocationReply {
        /// How often the actor was restarted.
        incarnation: u32,
        /// Its location, or why it ended.
        location: Result<Rank, Error>,
    },
    /// From its location to its owner: the actor ended for good.
    Ended {
        /// The incarnation that ended.
        incarnation: u32,
        /// Why.
        error: Error,
    },
    /// From its location to its owner: save this, in place of the last commit.
    #[serde(borrow)]
    Commit(WireCommit<'a>),
    /// From its owner to its location: the commit is saved.
    CommitAck {
        /// The incarnation that sent the commit.
        incarnation: u32,
        /// The commit's number.
        sequence: u64,
    },
    /// From its owner to its next location, before the constructor: calls that ran already.
    FinishedCalls {
        /// A part of those calls.
        #[serde(borrow)]
        calls: Vec<FinishedCall<'a>>,
    },
    /// From a caller to its location, where no further call carries it: which results the caller has.
    ResultsAck {
        /// The caller has the results of its calls below this number (exclusive).
        acked_below: u64,
    },
    /// From a name's directory rank to the location of the named actor: the actor's owner is dead, and may never have
    /// sent the constructor. Is the actor there?
    VerifyName {
        /// The name.
        name: String,
    },
}

impl<'a> ActorMessage<'a> {
    /// The values that it carries.
    pub fn values(&self) -> Vec<&WireValue<'a>> {
        let (state, calls) = match self {
            ActorMessage::Commit(commit) => (Some(&commit.state), &commit.finished),
            ActorMessage::FinishedCalls { calls } => (None, calls),
            _ => return Vec::new(),
        };
        state.into_iter().chain(calls.iter().flat_map(|call| call.results.iter().flatten())).collect()
    }

    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let own = match self {
            ActorMessage::LocationReply { location: Ok(location), .. } => *location,
            ActorMessage::Commit(commit) => {
                let acked = commit.acked.iter().map(|(rank, _)| *rank);
                commit.finished.iter().map(|call| call.call.owner).chain(acked).max().unwrap_or_default()
            }
            ActorMessage::FinishedCalls { calls } => calls.iter().map(|call| call.call.owner).max().unwrap_or_default(),
            _ => 0,
        };
        self.values().into_iter().map(WireValue::highest_rank).fold(own, Rank::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Message;

    #[test]
    fn highest_rank_covers_every_field() {
        let actor = ObjectId { owner: 1, number: 2 };
        let ranks = |about| Message::Actor { actor, message: about }.highest_rank();
        let call = FinishedCall { call: TaskId { owner: 8, number: 1 }, results: vec![Ok(WireValue::default())] };
        let commit = |finished, acked| {
            let state = WireValue::default();
            ActorMessage::Commit(WireCommit { incarnation: 0, sequence: 1, state, finished, acked })
        };
        assert_eq!(ranks(ActorMessage::LocationRequest { incarnation: 3 }), 1);
        assert_eq!(ranks(ActorMessage::LocationReply { incarnation: 3, location: Ok(5) }), 5);
        assert_eq!(ranks(commit(vec![call.clone()], vec![(3, 9)])), 8);
        assert_eq!(ranks(commit(vec![call.clone()], vec![(9, 9)])), 9);
        assert_eq!(ranks(ActorMessage::FinishedCalls { calls: vec![call] }), 8);
    }
}
