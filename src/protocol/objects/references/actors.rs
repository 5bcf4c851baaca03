//! References to actors, and what this rank retains for actors without decoding it.

use crate::base::{Error, ObjectId, Rank};
use crate::protocol::actors::caller::handles::{ActorRef, LAST_HANDLE_DROPPED};
use crate::protocol::environment::Environment;
use crate::protocol::locks::{lock, lock_to_send};
use crate::protocol::objects::references::{ExportPin, Imported, References, object_lost};
use crate::protocol::wire::actor_message::WireActor;
use std::sync::Arc;

impl References {
    /// The handle of an actor named in a message from `from`, as it was known before.
    pub fn import_actor(&self, env: &impl Environment, wire: &WireActor, from: Rank) -> Result<Arc<ActorRef>, Error> {
        let id = wire.actor;
        let mut tables = lock_to_send(&self.tables);
        tables.count_received(env, id, from);
        if id.owner == self.rank {
            return match tables.exported.get(&id.number) {
                Some(ExportPin::Actor(actor)) => Ok(actor.clone()),
                _ => Err(Error::ActorDied { actor: wire.label.clone(), reason: LAST_HANDLE_DROPPED.to_string() }),
            };
        }
        if let Some((_, Imported::Actor(actor))) = tables.imported.get(&id)
            && let Some(actor) = actor.upgrade()
        {
            return Ok(actor);
        }
        if wire.location >= env.size() {
            return Err(object_lost(&wire.label, "its location is no rank of this cluster"));
        }
        let actor = ActorRef::new(env, wire.clone());
        tables.imported.insert(id, (Arc::as_ptr(&actor).addr(), Imported::Actor(Arc::downgrade(&actor))));
        Ok(actor)
    }

    /// The handle of an actor that this rank has, or that others have of this rank's.
    pub fn find_actor(&self, id: ObjectId) -> Option<Arc<ActorRef>> {
        let tables = lock(&self.tables);
        if id.owner == self.rank {
            return match tables.exported.get(&id.number) {
                Some(ExportPin::Actor(actor)) => Some(actor.clone()),
                _ => None,
            };
        }
        match tables.imported.get(&id) {
            Some((_, Imported::Actor(actor))) => actor.upgrade(),
            _ => None,
        }
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
