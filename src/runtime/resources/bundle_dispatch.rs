//! Work for a bundle of a placement group: it goes to the rank that reserved the bundle, waits until the group is
//! ready, or fails.

use crate::base::{BundleSlot, Error, Rank, Result};
use crate::protocol::request_of;
use crate::registry::Runnable;
use crate::runtime::workers::Work;
use crate::runtime::{Runtime, tasks};
use crate::scheduling::{GroupLocation, NoLocation, ResourceRequest};
use std::fmt::Display;
use std::sync::Arc;

/// The rank to which a task for that slot goes first: the group's owner, which knows the slot's location; `None` if
/// that is this rank.
pub fn group_owner(runtime: &Runtime, slot: BundleSlot) -> Result<Option<Rank>> {
    let owner = slot.group.owner;
    if owner >= runtime.cluster.size {
        return Err(Error::config(format!("{slot} is of another cluster")));
    }
    if runtime.is_dead(owner) {
        return Err(runtime.death_of(owner));
    }
    Ok((owner != runtime.cluster.rank).then_some(owner))
}

/// Returns true if a task for that slot runs here. Otherwise it was sent on, waits until the group is ready, or
/// failed.
pub fn dispatch_to_slot(runtime: &'static Runtime, task: &Arc<dyn Runnable>, slot: BundleSlot) -> bool {
    if slot.group.owner != runtime.cluster.rank && runtime.resources.table.has_slot(slot) {
        // The group's owner has checked that it fits.
        return true;
    }
    let request = task.header().options.as_deref().map(request_of).unwrap_or_default();
    let location = if slot.group.owner == runtime.cluster.rank {
        match runtime.resources.groups.locate_or_wait(slot, &request, task) {
            Some(location) => location,
            None => return false,
        }
    } else {
        GroupLocation::Nowhere(NoLocation::NotHere(runtime.cluster.rank))
    };
    let reason = match location {
        GroupLocation::At(rank) if rank == runtime.cluster.rank => return true,
        GroupLocation::At(rank) => {
            tasks::launch_on(runtime, task.clone(), rank);
            return false;
        }
        GroupLocation::Later => NoLocation::HandleDropped,
        GroupLocation::Nowhere(reason) => reason,
    };
    runtime.protocol.tasks.fail(&runtime, task, slot_error(task.header().name(), slot, &reason));
    false
}

/// The location of that slot of one of this rank's groups; `None` while it is being reserved.
pub fn location_of_slot(runtime: &Runtime, slot: BundleSlot) -> Result<Option<Rank>, NoLocation> {
    match runtime.resources.groups.locate(slot, &ResourceRequest::default()) {
        GroupLocation::At(rank) => Ok(Some(rank)),
        GroupLocation::Later => Ok(None),
        GroupLocation::Nowhere(reason) => Err(reason),
    }
}

/// Fails work for a slot that is no longer reserved here, or is too small; returns true if it did.
pub fn fail_without_slot(runtime: &'static Runtime, request: &ResourceRequest, work: &Work) -> bool {
    let Some((slot, cpu)) = request.bundle else { return false };
    let reason = if !runtime.resources.table.has_slot(slot) {
        NoLocation::NotHere(runtime.cluster.rank).to_string()
    } else if runtime.resources.table.slot_is_too_small(slot, cpu, request) {
        format!("{} is more than it has", request.displayed())
    } else {
        return false;
    };
    match work {
        Work::Actor(actor) => {
            runtime.protocol.actors.instance.kill(&runtime, actor.id, &format!("{slot}: {reason}"), false);
        }
        Work::Task(task) => {
            if task.header().claim() {
                let error = slot_error(task.header().name(), slot, &reason);
                runtime.report(error.clone());
                task.fail(Arc::new(error));
                runtime.protocol.tasks.on_finished(&runtime, task);
            }
        }
    }
    true
}

/// The error of work for a slot that was removed, or that is too small.
pub fn slot_error(name: &str, slot: BundleSlot, reason: &dyn Display) -> Error {
    Error::Unschedulable { task: name.to_string(), missing: format!("{slot}: {reason}") }
}
