//! References to actors, and what this rank keeps for actors without decoding it.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::objects::Attachment;
use crate::protocol::actor_message::WireActor;
use crate::protocol::driver::Driver;
use crate::protocol::handles::{ActorRef, LAST_DROPPED};
use crate::protocol::references::{Keep, Live, References, lost};
use std::sync::Arc;

impl References {
    /// What came beside a value that this rank keeps and does not decode: its own objects are held from now on.
    pub fn hold_own(&self, attachments: &mut [Attachment]) {
        for attachment in attachments {
            if let Attachment::Remote(arrival) = attachment
                && arrival.id.owner == self.me
                && let Some(slot) = self.own_slot(arrival.id.number)
            {
                *attachment = Attachment::Slot(slot);
            }
        }
    }

    /// The handle of an actor named in a message from `from`, as it was known before.
    pub fn import_actor(&self, driver: &impl Driver, wire: &WireActor, from: Rank) -> Result<Arc<ActorRef>, Error> {
        let id = wire.actor;
        let mut tables = lock(&self.tables);
        Self::received(&mut tables, driver, id, from);
        if id.owner == self.me {
            return match tables.exported.get(&id.number) {
                Some(Keep::Actor(actor)) => Ok(actor.clone()),
                _ => Err(Error::ActorDied { actor: wire.label.clone(), reason: LAST_DROPPED.to_string() }),
            };
        }
        if let Some((_, Live::Actor(actor))) = tables.live.get(&id)
            && let Some(actor) = actor.upgrade()
        {
            return Ok(actor);
        }
        if wire.home >= driver.size() {
            return Err(lost(&wire.label, "its home is no rank of this cluster"));
        }
        let actor = ActorRef::new(driver, wire.clone());
        tables.live.insert(id, (Arc::as_ptr(&actor).addr(), Live::Actor(Arc::downgrade(&actor))));
        Ok(actor)
    }

    /// The handle of an actor that this rank holds, or that others hold of this rank's.
    pub fn find_actor(&self, id: ObjectId) -> Option<Arc<ActorRef>> {
        let tables = lock(&self.tables);
        if id.owner == self.me {
            return match tables.exported.get(&id.number) {
                Some(Keep::Actor(actor)) => Some(actor.clone()),
                _ => None,
            };
        }
        match tables.live.get(&id) {
            Some((_, Live::Actor(actor))) => actor.upgrade(),
            _ => None,
        }
    }

    /// The actors of other ranks that have handles here.
    pub fn actors_of_others(&self) -> Vec<Arc<ActorRef>> {
        let tables = lock(&self.tables);
        let live = tables.live.values();
        live.filter_map(|(_, live)| if let Live::Actor(actor) = live { actor.upgrade() } else { None }).collect()
    }
}
