//! What a rank needs to tell which other ranks live.

use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::boot::DeathNotifier;
use crate::protocol::{Blame, LastWork, WorkId};
use crate::runtime::membership::arbitration::Arbitration;
use crate::runtime::membership::begun::BegunEntries;
use crate::runtime::membership::hangups::Hangup;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What a rank needs to tell which other ranks live. Which ones it knows to be dead is the router's: it sends nothing
/// to those.
pub struct Membership {
    /// Reports ranks that died, if the launcher offers that.
    pub(super) death_notifier: Mutex<Option<DeathNotifier>>,
    /// Suspicions on which rank 0 has not decided yet.
    pub(super) arbitration: Mutex<Arbitration>,
    /// What this rank runs for others.
    pub(super) begun: BegunEntries,
    /// The ranks that died, each with the first error of its death and what it ran.
    pub(super) deaths: Mutex<BTreeMap<Rank, (Error, LastWork)>>,
    /// Ranks whose connection ended, and which the other ranks of their hosts know more about.
    pub(super) hangups: Mutex<Vec<Hangup>>,
    /// How many messages had come from rank 0 when another rank reported that it is silent.
    pub(super) rank_0_suspected_at: Mutex<Option<u32>>,
}

impl Membership {
    /// All ranks live.
    pub fn new(death_notifier: Option<DeathNotifier>) -> Membership {
        Membership {
            death_notifier: Mutex::new(death_notifier),
            arbitration: Mutex::default(),
            begun: BegunEntries::default(),
            deaths: Mutex::default(),
            hangups: Mutex::default(),
            rank_0_suspected_at: Mutex::default(),
        }
    }

    /// The first error of a rank's death, if it died.
    pub fn death_of(&self, rank: Rank) -> Option<Error> {
        lock(&self.deaths).get(&rank).map(|(error, _)| error.clone())
    }

    /// What part a task or actor had in the end of a rank.
    pub fn blame(&self, rank: Rank, work: WorkId) -> Blame {
        lock(&self.deaths).get(&rank).map_or(Blame::None, |(_, last_work)| last_work.blame_of(work))
    }
}
