//! Locations of actors in placement groups: requested of the group's owner, also when their bundle must be reserved
//! again.

use crate::base::{BundleSlot, Error, Rank, Result};
use crate::protocol::{ActorRef, InfoRequest, request_of_actor};
use crate::registry::{Options, Placement};
use crate::runtime::Runtime;
use crate::runtime::memory::in_callback;
use crate::runtime::resources::bundle_dispatch::{group_owner, location_of_slot, slot_error};
use crate::runtime::resources::placement::check_options;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time between two requests for the location of a bundle that is being reserved: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];

/// The rank of an actor in that bundle. Waits until the group is ready, and while the bundle of a dead rank is
/// reserved again.
///
/// # Errors
/// If the group can never be ready, or was removed.
pub fn location_for_actor(runtime: &'static Runtime, options: &Options, slot: BundleSlot, label: &str) -> Result<Rank> {
    check_options(options, label)?;
    let Placement::InGroup(bundle) = &options.place else { return Ok(runtime.cluster.rank) };
    if let Some(group) = &bundle.group {
        group.request();
        while !group.core().is_complete() {
            runtime.block(1, None, |event| group.core().when_complete(event.clone()))?;
        }
        if let Some(error) = group.core().failure() {
            return Err((*error).clone());
        }
    }
    let requested = request_of_actor(options);
    let mut pause = PAUSES[0];
    loop {
        let location = match group_owner(runtime, slot)? {
            None => location_of_slot(runtime, slot),
            Some(owner) => runtime.request(owner, InfoRequest::Location(slot))?,
        };
        match location {
            Ok(Some(rank)) if rank < runtime.cluster.size && !runtime.is_dead(rank) => return Ok(rank),
            // If the rank is dead, the group's owner will learn of that too.
            Ok(_) => runtime.block(1, Some(Instant::now() + pause), |_| {})?,
            Err(reason) => {
                return Err(slot_error(label, slot, &format!("{reason} ({} requested)", requested.displayed())));
            }
        }
        pause = (2 * pause).min(PAUSES[1]);
    }
}

/// Looks up the new location of an actor's bundle, on a thread of its own, and passes it to the protocol.
pub fn find_location_of(
    runtime: &'static Runtime,
    actor: &Arc<ActorRef>,
    options: &Options,
    error: &Error,
) -> Option<Result<Rank>> {
    let (its_actor, its_options, reason) = (actor.clone(), options.clone(), error.clone());
    let look_up = move || {
        let location = match its_options.bundle_slot() {
            Some(slot) => location_for_actor(runtime, &its_options, slot, &its_actor.label),
            None => Ok(runtime.cluster.rank),
        };
        in_callback(|| runtime.protocol.actors.owner.on_bundle_located(&runtime, &its_actor, &reason, location));
    };
    let thread = std::thread::Builder::new().name(format!("mobula-{}-bundle", runtime.cluster.rank)).spawn(look_up);
    let failure = thread.err()?;
    Some(Err(Error::config(format!("no thread can look its bundle up: {failure}")).caused_by(&failure)))
}
