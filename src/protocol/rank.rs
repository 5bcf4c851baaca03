//! The protocol state of one rank.

use crate::base::{Error, Rank};
use crate::protocol::actors::instance::local_actors::LocalActors;
use crate::protocol::tasks::remote_tasks::RemoteTasks;
use crate::protocol::objects::copies::HostCopies;
use crate::protocol::environment::Environment;
use crate::protocol::wire::header::ReceiveSequence;
use crate::protocol::objects::unfetched::UnfetchedValues;
use crate::protocol::inbound::receive::DeferredMessages;
use crate::protocol::actors::owner::owned_actors::OwnedActors;
use crate::protocol::recovery::drain::PendingDrains;
use crate::protocol::names::directory::NameDirectory;
use crate::protocol::objects::references::References;
use crate::protocol::stealing::work_stealing::WorkStealing;
use crate::protocol::tasks::cancelled::CancelledTasks;
use crate::scheduling::StealState;
use std::sync::Arc;

/// What one rank knows of the cluster's tasks, objects and actors, and how it handles events.
///
/// Several threads may call it at once. Each part has its own lock, held for no longer than one decision.
pub struct Protocol {
    /// This rank.
    pub rank: Rank,
    /// The number of ranks.
    pub size: u32,
    /// Objects that were passed by reference to or from other ranks.
    pub references: References,
    /// Tasks of this rank that run on other ranks.
    pub remote_tasks: RemoteTasks,
    /// Cancelled tasks of other ranks.
    pub cancelled: CancelledTasks,
    /// Actors that run on this rank.
    pub local_actors: LocalActors,
    /// Actors that this rank created and may have to restart.
    pub owned_actors: OwnedActors,
    /// Values that were left in the store of another host.
    pub unfetched: Arc<UnfetchedValues>,
    /// Blocks of other hosts that are here or are being fetched.
    pub copies: HostCopies,
    /// Names that this rank is the directory of.
    pub names: NameDirectory,
    /// Work stealing: which rank to request work from, which ranks are idle.
    pub stealing: WorkStealing,
    pub(super) receive_sequence: ReceiveSequence,
    pub(super) pending_drains: PendingDrains,
    pub(super) deferred: DeferredMessages,
    /// True if the store of some rank is not mapped here.
    pub(super) has_unmapped_stores: bool,
}

impl Protocol {
    /// The protocol of rank `rank` of `size`, which steals as `stealing` decides.
    pub fn new(rank: Rank, size: u32, has_unmapped_stores: bool, stealing: StealState) -> Protocol {
        Protocol {
            rank,
            size,
            references: References::new(rank),
            remote_tasks: RemoteTasks::default(),
            cancelled: CancelledTasks::default(),
            local_actors: LocalActors::default(),
            owned_actors: OwnedActors::default(),
            unfetched: Arc::default(),
            copies: HostCopies::new(rank),
            names: NameDirectory::default(),
            stealing: WorkStealing::new(stealing),
            receive_sequence: ReceiveSequence::new(size),
            pending_drains: PendingDrains::default(),
            deferred: DeferredMessages::default(),
            has_unmapped_stores,
        }
    }

    /// True if the stores of some ranks are not mapped into this process.
    pub fn has_unmapped_stores(&self) -> bool {
        self.has_unmapped_stores
    }

    /// A rank was declared dead (`Environment::is_dead` is already true): what depended on it is retried, recovered or
    /// failed.
    pub fn on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        self.deferred.on_peer_failed(rank);
        self.stealing.on_peer_failed(rank);
        self.references.on_peer_failed(env, rank, error);
        self.cancelled.on_peer_failed(rank);
        self.copies_on_peer_failed(env, rank);
        self.actors_on_peer_failed(env, rank, error);
        self.retry_all_of(env, rank, error);
        self.recover_all_at(env, rank, error);
        if !env.has_work() {
            // The rank that was to remember this one as idle may be the dead one.
            self.request_work(env);
        }
    }
}
