//! What occurred in a run: a generator that stops drawing something is noticed by who counts these over many seeds.

use crate::base::sync::{AtomicU64, Ordering};
use crate::protocol::{About, Message, Run};
use crate::registry::Kind;
use crate::sim::task::function as function_of;
use std::collections::BTreeMap;

macro_rules! feats {
    ($($(#[$doc:meta])* $feat:ident = $name:literal,)+) => {
        /// Something that occurred.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Feat { $($(#[$doc])* $feat,)+ }

        const NAMES: &[&str] = &[$($name,)+];
    };
}

feats! {
    /// Idle copies that a keeper kept left a full store.
    CopiesEvicted = "kept copies evicted",
    /// A copy that packed values need, and nobody reads, left a full store.
    CopiesLeft = "needed copies left",
    /// A copy that had left was fetched again for a reader.
    CopiesFetchedAgain = "copies fetched again",
    /// An original went to disk.
    Spilled = "originals spilled",
    /// A rank let go of blocks of another rank's store.
    ShedForOthers = "blocks shed for others",
    /// A block was to be brought and had no room.
    StoreFull = "blocks without room",
    /// A state was sent to the owner of its actor.
    StatesKept = "states kept",
    /// An actor was made again of its state.
    StatesRestored = "states restored",
    /// Results of calls of an earlier life were sent to an actor's next home.
    ResultsRestored = "results restored",
    /// A constructor was sent once more.
    ActorsRestarted = "actors restarted",
    /// A caller heard where an actor lives now.
    HomesTold = "homes told",
    /// A caller heard that an actor that was started again is gone for good.
    EndsTold = "ends told",
    /// A name was given.
    NamesGiven = "names given",
    /// A name had another bearer.
    NamesTaken = "names taken twice",
    /// A name led to its bearer.
    NamesFound = "names found",
    /// A name did not lead to its bearer yet.
    NamesSoughtAgain = "names sought again",
    /// A name was free again.
    NamesFreed = "names freed",
    /// Who was asked about a name was gone.
    KeepersLost = "keepers of names lost",
    /// A name was given again because who kept it was gone.
    NamesGivenAgain = "names given again",
    /// A rank died.
    Deaths = "deaths",
    /// The rank of the driver died, and the cluster with it.
    DriverDeaths = "deaths of the driver",
    /// Ranks did not hear each other.
    Partings = "partings",
    /// A rank stood still.
    Stops = "stops",
    /// A rank that had been given up went on.
    Fenced = "ranks fenced",
}

impl Feat {
    /// What a message shows, where it shows any of these.
    pub fn of(message: &Message<'_>) -> Option<Feat> {
        match message {
            Message::Actor { about: About::Commit(_), .. } => Some(Feat::StatesKept),
            Message::Actor { about: About::Finished { .. }, .. } => Some(Feat::ResultsRestored),
            Message::Actor { about: About::Lives { home: Ok(_), .. }, .. } => Some(Feat::HomesTold),
            Message::Actor { about: About::Lives { home: Err(_), .. }, .. } => Some(Feat::EndsTold),
            Message::Run(Run { function, actor: Some(target), .. }) => {
                let constructs = function_of(*function).is_some_and(|entry| entry.kind == Kind::New);
                (constructs && target.incarnation > 0).then_some(Feat::ActorsRestarted)
            }
            Message::NameSet { token: 0, .. } => Some(Feat::NamesGivenAgain),
            _ => None,
        }
    }
}

/// How often each occurred.
#[derive(Default)]
pub struct Feats([AtomicU64; NAMES.len()]);

impl Feats {
    /// It occurred.
    pub fn saw(&self, feat: Feat) {
        self.0[feat as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each occurred, by name; also those that never did.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        NAMES.iter().zip(&self.0).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
    }
}
