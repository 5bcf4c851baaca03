//! What a simulated task is: small enough to travel with each of millions.

use crate::sim::script::Length;
use serde::{Deserialize, Serialize};

/// A task's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What it draws from.
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
    /// Anything, at random: at most `budget` tasks below it.
    Wander {
        /// Tasks below it, at most.
        budget: u32,
        /// What may occur.
        features: Features,
    },
    /// Makes actors with names that all know, and starts random bodies that look them up.
    Herald {
        /// How many actors.
        names: u32,
        /// How many bodies.
        children: u32,
        /// Tasks below each body, at most.
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
        /// Whether child `i` goes to rank `i`; otherwise where there is room.
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
    /// Has blocks made on all ranks, and starts tasks that take one each.
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

/// What a task asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    #[default]
    Nothing,
    /// To run on this rank, modulo how many there are.
    Rank(u32),
    /// To go to the ranks in turn.
    Spread,
    /// Never to be started again.
    OnlyOnce,
}

/// What becomes of an actor when its rank dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// It is gone.
    #[default]
    Mortal,
    /// It is started again with its state, so often at most, and its calls are made again.
    Lasting {
        /// `u32::MAX` for as often as it takes.
        restarts: u32,
    },
    /// It has no state: what it gives follows from its arguments. It is started again, so often at most.
    Echoing {
        /// `u32::MAX` for as often as it takes.
        restarts: u32,
        /// How often a call is made again.
        retries: u32,
    },
}

impl Life {
    /// Whether what a call gives does not depend on those before it.
    pub fn echoes(self) -> bool {
        matches!(self, Life::Echoing { .. })
    }
}

/// What may occur in a random graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(u16);

impl Features {
    /// References inside of arguments and put values.
    pub const NESTED: Features = Features(1);
    /// References inside of results: they outlive the task that made them.
    pub const ESCAPES: Features = Features(2);
    /// Actors, their calls, their handles inside of values.
    pub const ACTORS: Features = Features(4);
    /// Arrays.
    pub const ARRAYS: Features = Features(8);
    /// Tasks that fail on purpose.
    pub const FAILURES: Features = Features(16);
    /// Tasks that go to certain ranks.
    pub const PLACES: Features = Features(32);
    /// Tasks that are cancelled, and those that nobody waits for.
    pub const STRAYS: Features = Features(64);
    /// Tasks with two results.
    pub const PAIRS: Features = Features(128);
    /// Tasks that are not started again.
    pub const FRAGILE: Features = Features(256);

    /// Actors that are started again when their rank dies.
    pub const LASTING: Features = Features(512);
    /// Actors with names.
    pub const NAMES: Features = Features(1024);
    /// Names that somebody else gave. Never chosen: who starts the work says so.
    pub const SHARED: Features = Features(2048);

    /// What can be lost for good: what a result refers to dies with the rank that made it, an actor with its home, and a task
    /// that went to a certain rank has no other place.
    pub const MORTAL: [Features; 4] = [Features::ESCAPES, Features::ACTORS, Features::PLACES, Features::FRAGILE];

    /// Each feature with its name.
    pub const ALL: [(Features, &str); 11] = [
        (Features::NESTED, "nested"),
        (Features::ESCAPES, "escapes"),
        (Features::ACTORS, "actors"),
        (Features::ARRAYS, "arrays"),
        (Features::FAILURES, "failures"),
        (Features::PLACES, "places"),
        (Features::STRAYS, "strays"),
        (Features::PAIRS, "pairs"),
        (Features::FRAGILE, "fragile"),
        (Features::LASTING, "lasting"),
        (Features::NAMES, "names"),
    ];

    /// Those for which `chosen` is true.
    pub fn choose(mut chosen: impl FnMut() -> bool) -> Features {
        Features(Features::ALL.iter().fold(0, |bits, (feature, _)| if chosen() { bits | feature.0 } else { bits }))
    }

    /// Whether all of `other` may occur.
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

    /// Whether anything may occur that can be lost for good.
    pub fn are_mortal(self) -> bool {
        Features::MORTAL.into_iter().any(|feature| self.have(feature))
    }

    /// Their names.
    pub fn names(self) -> String {
        let names = Features::ALL.iter().filter(|(feature, _)| self.have(*feature)).map(|(_, name)| *name);
        names.collect::<Vec<_>>().join(" ")
    }
}
