//! The actors of a rank: messages about them, and what the death of a rank means for them.

use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actors::caller::calls::{on_location_reply, on_locations_failed};
use crate::protocol::actors::instance::local_actors::LocalActors;
use crate::protocol::actors::owner::owned_actors::OwnedActors;
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::wire::actor_message::ActorMessage;

/// The actors of a rank. The caller's side is in the handles (`ActorRef`).
#[derive(Default)]
pub struct Actors {
    /// Actors that run on this rank.
    pub instance: LocalActors,
    /// Actors that this rank created and may have to restart.
    pub owner: OwnedActors,
}

impl Actors {
    /// A message about an actor.
    pub(in crate::protocol) fn on_message(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        message: ActorMessage<'_>,
        fetched: &FetchedBlocks,
    ) {
        match message {
            ActorMessage::Kill { reason, forget: last } => self.owner.on_kill(env, id, &reason, last),
            ActorMessage::LocationRequest { incarnation } => self.owner.on_location_request(env, from, id, incarnation),
            ActorMessage::LocationReply { incarnation, location } => {
                if from == id.owner {
                    on_location_reply(env, id, incarnation, location);
                }
            }
            ActorMessage::Ended { incarnation, error } => self.owner.on_ended(env, from, id, incarnation, error),
            ActorMessage::Commit(commit) => self.owner.on_commit(env, from, id, &commit, fetched),
            ActorMessage::CommitAck { incarnation, sequence } => {
                if from == id.owner {
                    self.instance.on_commit_ack(env, id, incarnation, sequence);
                }
            }
            ActorMessage::FinishedCalls { calls } => {
                if from == id.owner {
                    self.instance.on_finished_calls(env, from, id, &calls, fetched);
                }
            }
            ActorMessage::VerifyName { name } => self.instance.on_verify_name(env, from, id, name),
            ActorMessage::ResultsAck { acked_below } => self.instance.on_results_ack(id, from, acked_below),
        }
    }

    /// A rank died: handles the actors that ran there, those that it owned, and the names that it was the directory of.
    pub(in crate::protocol) fn on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        self.instance.on_peer_failed(env, rank, error);
        self.owner.on_peer_failed(env, rank, error);
        on_locations_failed(env, rank, error);
        env.protocol().names.on_peer_failed(rank);
        env.protocol().names.verify_names_of(env, rank);
        for instance in self.instance.with_dead_owner(env) {
            if let Some((name, kind, handle)) = instance.named_handle(env.rank())
                && (handle.actor.owner == rank || env.protocol().names.was_directory_rank(env, &name, rank))
            {
                env.protocol().names.register_without_owner(env, name, kind, handle);
            }
        }
    }
}
