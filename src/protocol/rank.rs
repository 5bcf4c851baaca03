//! The protocol state of one rank.

use crate::base::{Error, Rank};
#[cfg(any(test, feature = "sim"))]
use crate::protocol::InboundBatch;
use crate::protocol::actors::Actors;
use crate::protocol::environment::Environment;
use crate::protocol::inbound::Inbound;
use crate::protocol::names::directory::NameDirectory;
use crate::protocol::objects::Objects;
use crate::protocol::recovery::Recovery;
use crate::protocol::stealing::work_stealing::WorkStealing;
use crate::protocol::tasks::Tasks;
use crate::scheduling::StealState;

/// What one rank knows of the cluster's tasks, objects and actors, and how it handles events: its parts. Each part owns
/// its state and the functions that decide on it; a part reaches another one through `Environment::protocol`.
///
/// Several threads may call it at once. Each part has its own locks, held for no longer than one decision.
pub struct Protocol {
    /// This rank.
    pub rank: Rank,
    /// Tasks that cross ranks.
    pub tasks: Tasks,
    /// Objects that ranks share.
    pub objects: Objects,
    /// Actors, by side of the conversation.
    pub actors: Actors,
    /// Names that this rank is the directory of.
    pub names: NameDirectory,
    /// Work stealing: which rank to request work from, which ranks are idle.
    pub stealing: WorkStealing,
    pub(super) recovery: Recovery,
    pub(super) inbound: Inbound,
}

impl Protocol {
    /// The protocol of rank `rank` of `size`, which steals as `stealing` decides.
    pub fn new(rank: Rank, size: u32, has_unmapped_stores: bool, allows_short: bool, stealing: StealState) -> Protocol {
        Protocol {
            rank,
            tasks: Tasks::new(allows_short),
            objects: Objects::new(rank, has_unmapped_stores),
            actors: Actors::default(),
            names: NameDirectory::default(),
            stealing: WorkStealing::new(stealing),
            recovery: Recovery::default(),
            inbound: Inbound::new(size),
        }
    }

    /// Receives bytes from `from`, with their header, as a batch of one message.
    #[cfg(any(test, feature = "sim"))]
    pub fn receive(&self, env: &impl Environment, from: Rank, bytes: &[u8]) {
        InboundBatch::new(env).receive(from, bytes);
    }

    /// Handles a message without its header, of a living rank or of this one.
    pub fn handle(&self, env: &impl Environment, from: Rank, bytes: &[u8]) {
        self.inbound.handle(env, from, bytes);
    }

    /// A rank was declared dead (`Environment::is_dead` is already true): what depended on it is retried, recovered or
    /// failed.
    pub fn on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        self.inbound.deferred.on_peer_failed(rank);
        self.inbound.fragments.on_peer_failed(rank);
        self.stealing.on_peer_failed(rank);
        self.objects.references.on_peer_failed(env, rank, error);
        self.tasks.cancelled.on_peer_failed(rank);
        self.objects.copies.on_peer_failed(env, rank);
        self.actors.on_peer_failed(env, rank, error);
        self.recovery.retry_all_of(env, rank, error);
        self.recovery.recover_values_at(env, rank, error);
        if !env.has_work() {
            // The rank that was to remember this one as idle may be the dead one.
            self.stealing.request_work(env);
        }
    }
}
