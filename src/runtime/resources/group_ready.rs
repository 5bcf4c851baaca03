//! The object that completes when a placement group is ready.

use crate::base::arc_pool::Recycle;
use crate::base::{BundleSlot, ObjectId};
use crate::objects::{AnySlot, Promise, slot};
use crate::runtime::Runtime;
use crate::runtime::resources::bundle_dispatch::slot_error;
use crate::runtime::resources::groups::end_group;
use crate::scheduling::NoLocation;
use std::sync::Arc;

/// Completes when a group is ready. The group lives as long as this object.
pub struct GroupReady {
    cell: Promise<()>,
    runtime: &'static Runtime,
    number: u64,
}

impl GroupReady {
    /// The object of the group of that rank with that number.
    pub fn new(runtime: &'static Runtime, number: u64) -> Arc<GroupReady> {
        let slot = Arc::new(GroupReady { cell: Promise::default(), runtime, number });
        slot.core().set_number(number);
        slot
    }

    /// The group is ready.
    pub fn complete(&self) {
        let _again = self.cell.complete(());
    }
}

slot!([] GroupReady: (), cell, decoded {});

impl Recycle for GroupReady {}

impl Drop for GroupReady {
    fn drop(&mut self) {
        let runtime = self.runtime;
        if !runtime.stopping() {
            end_group(runtime, self.number);
            // No handle is left. Tasks whose results were dropped may still have been sent to the group.
            let slot =
                BundleSlot { group: ObjectId { owner: runtime.cluster.rank, number: self.number }, bundle: None };
            for task in runtime.resources.groups.remove(self.number) {
                runtime.protocol.tasks.fail(
                    &runtime,
                    &task,
                    slot_error(task.header().name(), slot, &NoLocation::HandleDropped),
                );
            }
        }
    }
}
