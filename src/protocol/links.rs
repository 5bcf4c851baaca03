//! What objects ask of their rank.

use crate::base::ObjectId;
use crate::objects::{AnySlot, Links};
use crate::protocol::Message;
use crate::protocol::driver::Driver;
use std::sync::Arc;

/// A rank as objects see it.
pub struct ProtocolLinks<D>(pub D);

impl<D: Driver> Links for ProtocolLinks<D> {
    fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>> {
        self.0.protocol().references.find(id)
    }
    fn adopt(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        self.0.protocol().references.adopt(id, slot)
    }
    fn settled(&self, id: ObjectId) {
        self.0.protocol().references.settled(&self.0, id);
    }
    fn request(&self, id: ObjectId) {
        self.0.send(id.owner, &Message::Fetch { object: id.number, without: None });
        if self.0.is_dead(id.owner)
            && let Some(slot) = self.find(id)
        {
            slot.fail(Arc::new(self.0.death_of(id.owner)));
        }
    }
    fn released(&self, id: ObjectId, address: usize) {
        self.0.protocol().references.released(&self.0, id, address);
    }
}
