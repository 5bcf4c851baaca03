//! One rank's protocol, whole.

use crate::base::{Error, Rank};
use crate::protocol::actors::Actors;
use crate::protocol::away::Away;
use crate::protocol::copies::HostCopies;
use crate::protocol::driver::Driver;
use crate::protocol::envelope::Arrivals;
use crate::protocol::far::FarValues;
use crate::protocol::inbound::HeldByRank;
use crate::protocol::made::Made;
use crate::protocol::mourning::Mourners;
use crate::protocol::names::Names;
use crate::protocol::references::References;
use crate::protocol::stealing::Thieving;
use crate::protocol::unwanted::Unwanted;
use crate::scheduling::Stealing;
use std::sync::Arc;

/// What one rank knows of the cluster's tasks, objects and actors, and how it answers what happens.
///
/// Several threads may call it at once: each part has a lock of its own, held for no longer than a decision takes.
pub struct Protocol {
    /// This rank.
    pub rank: Rank,
    /// How many ranks there are.
    pub size: u32,
    /// Objects that left by name, or came by name.
    pub references: References,
    /// Tasks of this rank that are elsewhere.
    pub away: Away,
    /// Tasks of others that nobody wants any more.
    pub unwanted: Unwanted,
    /// Actors that live here.
    pub actors: Actors,
    /// Actors that this rank made and may have to start again.
    pub made: Made,
    /// Values that were left where they were made.
    pub far: Arc<FarValues>,
    /// Blocks of other hosts that are here or on their way.
    pub copies: HostCopies,
    /// Names that this rank keeps.
    pub names: Names,
    /// Who asks whom for work.
    pub thieving: Thieving,
    pub(super) arrivals: Arrivals,
    pub(super) mourners: Mourners,
    pub(super) held: HeldByRank,
    /// Whether blocks of some rank are not mapped here.
    pub(super) has_foreign_memory: bool,
}

impl Protocol {
    /// Of rank `rank` of `size`, which asks for work as `stealing` says.
    pub fn new(rank: Rank, size: u32, has_foreign_memory: bool, stealing: Stealing) -> Protocol {
        Protocol {
            rank,
            size,
            references: References::new(rank),
            away: Away::default(),
            unwanted: Unwanted::default(),
            actors: Actors::default(),
            made: Made::default(),
            far: Arc::default(),
            copies: HostCopies::new(rank),
            names: Names::default(),
            thieving: Thieving::new(stealing),
            arrivals: Arrivals::new(size),
            mourners: Mourners::default(),
            held: HeldByRank::default(),
            has_foreign_memory,
        }
    }

    /// Whether the stores of some ranks cannot be read here as memory.
    pub fn has_foreign_memory(&self) -> bool {
        self.has_foreign_memory
    }

    /// A rank was declared gone (`Driver::is_dead` says so by now): what waited for it goes on, or fails by name.
    pub fn lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        self.held.lost(rank);
        self.thieving.lost(rank);
        self.references.lost(driver, rank, error);
        self.unwanted.lost(rank);
        self.copies_lost(driver, rank);
        self.actors_lost(driver, rank, error);
        self.retry_all_of(driver, rank, error);
        self.recover_all_at(driver, rank, error);
        if !driver.has_work() {
            // Who was to remember that this rank is idle may be the one that is gone.
            self.ask_for_work(driver);
        }
    }
}
