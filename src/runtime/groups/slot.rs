//! The object of a placement group.

use super::gone;
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Result, Seat};
use crate::objects::{AnySlot, Attachment, Cell, Core, Parcel, Slot};
use crate::runtime::Runtime;
use std::any::Any;
use std::sync::Arc;

/// The object that tells that a group is ready; its end is the group's.
pub struct GroupSlot {
    cell: Cell<()>,
    number: u64,
}

impl GroupSlot {
    /// Of the group of that number.
    pub fn new(number: u64) -> Arc<GroupSlot> {
        let slot = Arc::new(GroupSlot { cell: Cell::default(), number });
        slot.core().set_number(number);
        slot
    }

    /// The group is ready.
    pub fn complete(&self) {
        let _again = self.cell.complete(());
    }
}

impl AnySlot for GroupSlot {
    fn core(&self) -> &Core {
        self.cell.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        crate::objects::offer::<()>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        crate::objects::encode_cell(&self.cell)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        crate::objects::complete_cell(&self.cell, bytes, attachments);
    }
}

impl Slot<()> for GroupSlot {
    fn cell(&self) -> &Cell<()> {
        &self.cell
    }
}

impl Drop for GroupSlot {
    fn drop(&mut self) {
        if let Some(runtime) = Runtime::current()
            && !runtime.stopping()
        {
            runtime.group_ends(self.number);
            // Nobody can ask for it any more; work that nobody waits for may still have been sent to it.
            let known = lock(&runtime.own_groups.state).known.remove(&self.number);
            let seat = Seat { group: ObjectId { owner: runtime.rank, number: self.number }, bundle: None };
            for task in known.map_or_else(Vec::new, |known| known.waiting) {
                runtime.protocol.fail_task(
                    &runtime,
                    &task,
                    gone(task.header().name(), seat, "its last handle was dropped"),
                );
            }
        }
    }
}
