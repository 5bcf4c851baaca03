//! Counts of what occurred in a run. A test adds them up over many seeds, and so notices a generator that no longer
//! draws something.

use crate::base::sync::{AtomicU64, Ordering};
use crate::protocol::{ActorMessage, Message, WireTask};
use crate::registry::FunctionKind;
use crate::sim::task::function as function_of;
use std::collections::BTreeMap;

macro_rules! coverage {
    ($($(#[$doc:meta])* $item:ident = $name:literal,)+) => {
        /// Something that occurred.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Coverage { $($(#[$doc])* $item,)+ }

        const NAMES: &[&str] = &[$($name,)+];
    };
}

coverage! {
    /// Idle copies of a cache rank left a full store.
    CopiesEvicted = "idle copies evicted",
    /// A copy that packed values need, and no task reads, left a full store.
    NeededCopiesEvicted = "needed copies evicted",
    /// A copy that had left was fetched again for a reader.
    CopiesFetchedAgain = "copies fetched again",
    /// An original was written to disk.
    Spilled = "originals spilled",
    /// A rank released blocks of another rank's store.
    EvictedForOthers = "blocks evicted for others",
    /// A block was to be fetched and had no space.
    StoreFull = "blocks without space",
    /// A state was sent to the owner of its actor.
    StatesSaved = "states saved",
    /// An actor was restored from its state.
    StatesRestored = "states restored",
    /// Results of calls of an earlier incarnation were sent to an actor's next location.
    ResultsRestored = "results restored",
    /// A constructor was sent once more.
    ActorsRestarted = "actors restarted",
    /// A caller was told an actor's new location.
    LocationsSent = "locations sent",
    /// A caller was told that a restarted actor has died for good.
    DeathsSent = "actor deaths sent",
    /// A name was registered.
    NamesRegistered = "names registered",
    /// A name belonged to another actor.
    NameConflicts = "name conflicts",
    /// A name was resolved to its actor.
    NamesFound = "names found",
    /// A name could not be resolved to its actor yet.
    NameLookupsRetried = "name lookups retried",
    /// A name was free again.
    NamesFreed = "names freed",
    /// The rank that was asked about a name had died.
    DirectoryRanksLost = "directory ranks dead",
    /// A name was registered again because its directory rank had died.
    NamesReregistered = "names registered again",
    /// A rank died.
    Deaths = "deaths",
    /// The rank of the driver died, and the cluster with it.
    DriverDeaths = "deaths of the driver",
    /// A partition separated ranks.
    Partitions = "partitions",
    /// A rank stood still.
    Stops = "stops",
    /// A rank that had been declared dead went on.
    Fenced = "ranks fenced",
}

impl Coverage {
    /// The item that a message is evidence of, if any.
    pub fn of(message: &Message<'_>) -> Option<Coverage> {
        match message {
            Message::Actor { message: ActorMessage::Commit(_), .. } => Some(Coverage::StatesSaved),
            Message::Actor { message: ActorMessage::FinishedCalls { .. }, .. } => Some(Coverage::ResultsRestored),
            Message::Actor { message: ActorMessage::LocationReply { location: Ok(_), .. }, .. } => {
                Some(Coverage::LocationsSent)
            }
            Message::Actor { message: ActorMessage::LocationReply { location: Err(_), .. }, .. } => {
                Some(Coverage::DeathsSent)
            }
            Message::Task(WireTask { function, actor: Some(target), .. }) => {
                let constructs = function_of(*function).is_some_and(|entry| entry.kind == FunctionKind::New);
                (constructs && target.incarnation > 0).then_some(Coverage::ActorsRestarted)
            }
            Message::NameSet { token: 0, .. } => Some(Coverage::NamesReregistered),
            _ => None,
        }
    }
}

/// How often each item occurred.
#[derive(Default)]
pub struct CoverageCounts([AtomicU64; NAMES.len()]);

impl CoverageCounts {
    /// Counts an occurrence.
    pub fn covered(&self, item: Coverage) {
        self.0[item as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each item occurred, by name; those that never did are included.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        NAMES.iter().zip(&self.0).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
    }
}
