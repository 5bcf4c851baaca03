//! The description of a simulated task: small enough to travel with each of millions.

use crate::sim::script::Length;
use serde::{Deserialize, Serialize};

/// A task's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The seed of its draws.
    pub seed: u64,
    /// How many results it has.
    pub returns: u8,
    /// What it does.
    pub program: Program,
}

impl Spec {
    /// A body with one result.
    pub fn new(seed: u64, program: Program) -> Spec {
        Spec { seed, returns: 1, program }
    }
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Program {
    /// Anything, at random.
    RandomWorkload {
        /// Tasks below it, at most.
        budget: u32,
        /// What may occur.
        features: Features,
    },
    /// Creates actors with names that all scripts know, and starts random scripts that look them up.
    Broadcast {
        /// How many actors.
        names: u32,
        /// How many scripts.
        children: u32,
        /// Tasks below each script, at most.
        budget: u32,
        /// What may occur in them.
        features: Features,
    },
    /// Computes, and no more.
    Leaf(Length),
    /// Makes an array.
    Block {
        /// Its length.
        bytes: u32,
    },
    /// Starts children and adds their results up.
    Fan {
        /// How many.
        children: u32,
        /// True if child `i` goes to rank `i`; otherwise the scheduler chooses.
        placed: bool,
        /// What each does.
        child: Box<Program>,
    },
    /// Starts children and one task that takes all their results, again and again.
    Rounds {
        /// Children of a round.
        width: u32,
        /// How often.
        rounds: u32,
        /// What each child does.
        child: Box<Program>,
    },
    /// Makes blocks on all ranks, and starts tasks that take one each.
    Near {
        /// How many blocks: block `i` is made on rank `i`.
        blocks: u32,
        /// Length of each.
        bytes: u32,
        /// Tasks for each block.
        uses: u32,
        /// How long each computes.
        length: Length,
    },
    /// A tree whose shape only its nodes know, as in UTS (Olivier et al., LCPC'06): counts its nodes.
    Tree {
        /// Mean number of children, in thousandths; falls to nothing at `depth`.
        mean_milli: u32,
        /// Levels below this one, at most.
        depth: u32,
        /// How long each node computes.
        length: Length,
    },
}

/// The options of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScriptOptions {
    /// None.
    #[default]
    Default,
    /// To run on this rank, modulo how many there are.
    Rank(u32),
    /// To go to the ranks in turn.
    Spread,
    /// Never to be retried.
    NoRetry,
}

/// What becomes of an actor when its rank dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// The actor has died.
    #[default]
    NotRestarted,
    /// It is restarted with its state, so often at most, and its calls are retried.
    Checkpointed {
        /// `u32::MAX` for as often as it takes.
        restarts: u32,
    },
    /// It has no state: the results of its calls follow from their arguments. It is restarted, so often at most.
    Stateless {
        /// `u32::MAX` for as often as it takes.
        restarts: u32,
        /// How often a call is retried.
        retries: u32,
    },
}

impl Life {
    /// Returns true if the result of a call does not depend on earlier calls.
    pub fn is_stateless(self) -> bool {
        matches!(self, Life::Stateless { .. })
    }
}

/// What may occur in a random graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(u16);

impl Features {
    /// References inside of arguments and put values.
    pub const NESTED: Features = Features(1);
    /// References inside of results: they survive the task that created them.
    pub const RETURNED_REFERENCES: Features = Features(2);
    /// Actors, their calls, their handles inside of values.
    pub const ACTORS: Features = Features(4);
    /// Arrays.
    pub const ARRAYS: Features = Features(8);
    /// Tasks that fail on purpose.
    pub const FAILURES: Features = Features(16);
    /// Tasks that go to certain ranks.
    pub const PLACED: Features = Features(32);
    /// Tasks that are cancelled, and those whose results no task reads.
    pub const CANCELLED: Features = Features(64);
    /// Tasks with two results.
    pub const PAIRS: Features = Features(128);
    /// Tasks that are not retried.
    pub const NOT_RETRIED: Features = Features(256);

    /// Actors that are restarted when their rank dies.
    pub const RESTARTED: Features = Features(512);
    /// Actors with names.
    pub const NAMES: Features = Features(1024);
    /// Names that another script registered. Never drawn: the creator of the work adds it.
    pub const SHARED: Features = Features(2048);

    /// What can be lost for good: the referents of a result die with the rank that made them, an actor with the rank
    /// that runs it, and a task for a certain rank can run on no other.
    pub const LOSABLE: [Features; 4] =
        [Features::RETURNED_REFERENCES, Features::ACTORS, Features::PLACED, Features::NOT_RETRIED];

    /// Each feature with its name.
    pub const ALL: [(Features, &str); 11] = [
        (Features::NESTED, "nested"),
        (Features::RETURNED_REFERENCES, "returned-references"),
        (Features::ACTORS, "actors"),
        (Features::ARRAYS, "arrays"),
        (Features::FAILURES, "failures"),
        (Features::PLACED, "placed"),
        (Features::CANCELLED, "cancelled"),
        (Features::PAIRS, "pairs"),
        (Features::NOT_RETRIED, "not-retried"),
        (Features::RESTARTED, "restarted"),
        (Features::NAMES, "names"),
    ];

    /// Those for which `chosen` is true.
    pub fn choose(mut chosen: impl FnMut() -> bool) -> Features {
        Features(Features::ALL.iter().fold(0, |bits, (feature, _)| if chosen() { bits | feature.0 } else { bits }))
    }

    /// Returns true if all of `other` may occur.
    pub fn have(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    /// These without `other`.
    pub fn without(self, other: Features) -> Features {
        Features(self.0 & !other.0)
    }

    /// These and `other`.
    pub fn with(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// Returns true if anything may occur that can be lost for good.
    pub fn can_lose_work(self) -> bool {
        Features::LOSABLE.into_iter().any(|feature| self.have(feature))
    }

    /// Their names.
    pub fn names(self) -> String {
        let names = Features::ALL.iter().filter(|(feature, _)| self.have(*feature)).map(|(_, name)| *name);
        names.collect::<Vec<_>>().join(" ")
    }
}
