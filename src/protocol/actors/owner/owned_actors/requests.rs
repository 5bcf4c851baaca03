//! Requests to an actor's owner: to end it, for its location, and to free its name.

use super::{GivenName, OwnedActor};
use crate::base::{Error, ObjectId, Rank};
use crate::protocol::Message;
use crate::protocol::actors::caller::handles::LAST_HANDLE_DROPPED;
use crate::protocol::actors::owner::owned_actors::OwnedActors;
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::wire::actor_message::ActorMessage;

impl OwnedActors {
    /// A rank ends an actor: one that this rank could restart, or one that runs here.
    pub(in crate::protocol) fn on_kill(&self, env: &impl Environment, id: ObjectId, reason: &str, last: bool) {
        let location = {
            let mut owned = lock(&self.actors);
            let entry = owned.get_mut(&id).filter(|entry| entry.restart.is_some() || entry.ended.is_some());
            entry.map(|entry| {
                let error = Error::ActorDied { actor: entry.label.clone(), reason: reason.to_string() };
                entry.ended.get_or_insert(error);
                entry.location
            })
        };
        match location {
            // Its location ends it, and then reports that.
            Some(location) if location != env.rank() => {
                let message = ActorMessage::Kill { reason: reason.to_string(), forget: last };
                env.send(location, &Message::Actor { actor: id, message });
            }
            _ => env.protocol().actors.instance.kill(env, id, reason, last),
        }
    }

    /// A rank requests the location of an actor of this rank, because that incarnation's location died.
    pub(in crate::protocol) fn on_location_request(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        known: u32,
    ) {
        // Dropped after the lock, like the handle of an entry.
        let handle = env.protocol().objects.references.find_actor(id);
        let reply = {
            let mut owned = lock(&self.actors);
            match owned.get_mut(&id) {
                Some(OwnedActor { ended: Some(error), incarnation, .. }) => Some((*incarnation, Err(error.clone()))),
                Some(OwnedActor { restart: Some(restart), location, incarnation, .. }) => {
                    if *incarnation > known && !restart.relocating {
                        Some((*incarnation, Ok(*location)))
                    } else {
                        restart.requesters.push(from);
                        None
                    }
                }
                // Its name is registered, the directory rank knows that its location died, and its constructor is not
                // sent yet.
                None if handle.is_some() => {
                    lock(&self.location_requests).entry(id).or_default().push(from);
                    None
                }
                _ => Some((
                    known,
                    Err(Error::ActorDied { actor: id.to_string(), reason: LAST_HANDLE_DROPPED.to_string() }),
                )),
            }
        };
        if let Some((incarnation, location)) = reply {
            env.send(
                from,
                &Message::Actor { actor: id, message: ActorMessage::LocationReply { incarnation, location } },
            );
        }
    }

    /// The actor's location reports that it ended for good.
    pub(in crate::protocol) fn on_ended(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        incarnation: u32,
        error: Error,
    ) {
        let actor = {
            let owned = lock(&self.actors);
            let entry = owned.get(&id).filter(|entry| entry.location == from && entry.incarnation == incarnation);
            entry.and_then(|entry| entry.actor.upgrade())
        };
        if let Some(actor) = actor {
            self.end(env, &actor, error);
        }
    }

    /// Frees the name of a named actor that ended.
    pub(in crate::protocol) fn free_name(&self, env: &impl Environment, actor: ObjectId) {
        let name = lock(&self.actors).get_mut(&actor).and_then(|entry| entry.name.take());
        if let Some(GivenName { name, .. }) = name {
            let directory = env.protocol().names.directory_rank(env, &name);
            env.send(directory, &Message::NameFree { name, actor });
        }
    }
}
