//! References to actors, and what this rank retains for actors without decoding it.

use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actors::caller::handles::{ActorRef, LAST_HANDLE_DROPPED};
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::objects::references::{ExportPin, Imported, References, Tables, object_lost, send_counts};
use crate::protocol::wire::actor_message::WireActor;
use std::sync::Arc;

impl References {
    /// The handle of an actor named in a message from `from`, as it was known before.
    pub fn import_actor(&self, env: &impl Environment, wire: &WireActor, from: Rank) -> Result<Arc<ActorRef>, Error> {
        let (borrow, actor) = {
            let mut tables = lock(&self.tables);
            (tables.counts.received(wire.actor, from), tables.represent_actor(env, wire))
        };
        send_counts(env, borrow);
        actor
    }

    /// The handle of an actor that this rank has, or that others have of this rank's.
    pub fn find_actor(&self, id: ObjectId) -> Option<Arc<ActorRef>> {
        lock(&self.tables).known_actor(self.rank, id)
    }

    /// The actors of other ranks that have handles here.
    pub fn actors_of_others(&self) -> Vec<Arc<ActorRef>> {
        let tables = lock(&self.tables);
        let imported = tables.imported.values();
        imported
            .filter_map(|(_, imported)| if let Imported::Actor(actor) = imported { actor.upgrade() } else { None })
            .collect()
    }
}

impl Tables {
    fn known_actor(&self, me: Rank, id: ObjectId) -> Option<Arc<ActorRef>> {
        if id.owner == me {
            return match self.exported.get(&id.number) {
                Some(ExportPin::Actor(actor)) => Some(actor.clone()),
                _ => None,
            };
        }
        match self.imported.get(&id) {
            Some((_, Imported::Actor(actor))) => actor.upgrade(),
            _ => None,
        }
    }

    /// The handle of a received actor, as it was known before.
    fn represent_actor(&mut self, env: &impl Environment, wire: &WireActor) -> Result<Arc<ActorRef>, Error> {
        if let Some(actor) = self.known_actor(env.rank(), wire.actor) {
            return Ok(actor);
        }
        if wire.actor.owner == env.rank() {
            return Err(Error::ActorDied { actor: wire.label.clone(), reason: LAST_HANDLE_DROPPED.to_string() });
        }
        if wire.location >= env.size() {
            return Err(object_lost(&wire.label, "its location is no rank of this cluster"));
        }
        let actor = ActorRef::new(env, wire.clone());
        self.imported.insert(wire.actor, (Arc::as_ptr(&actor).addr(), Imported::Actor(Arc::downgrade(&actor))));
        Ok(actor)
    }
}
