//! What objects require of their rank.

use crate::base::ObjectId;
use crate::base::forked::is_forked;
use crate::objects::{AnySlot, Links};
use crate::protocol::Message;
use crate::protocol::environment::Environment;
use std::sync::Arc;

/// A rank, as objects use it.
pub struct ProtocolLinks<D>(pub D);

impl<D: Environment> Links for ProtocolLinks<D> {
    fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>> {
        self.0.protocol().objects.references.find(id)
    }
    fn intern(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        self.0.protocol().objects.references.intern(id, slot)
    }
    fn on_reference_decoded(&self, id: ObjectId) {
        self.0.protocol().objects.references.on_decoded(&self.0, id);
    }
    fn request(&self, id: ObjectId) {
        self.0.send(id.owner, &Message::Fetch { object: id.number, without: None });
        if self.0.is_dead(id.owner)
            && let Some(slot) = self.find(id)
        {
            slot.fail(Arc::new(self.0.death_error(id.owner)));
        }
    }
    fn on_dropped(&self, id: ObjectId, address: usize) {
        if is_forked() {
            return;
        }
        self.0.protocol().objects.references.on_released(&self.0, id, address);
    }
}
