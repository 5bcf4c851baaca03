//! Locations of actors in placement groups: requested of the group's owner, also when their bundle must be reserved
//! again.

use crate::base::{BundleSlot, Error, Rank, Result};
use crate::protocol::{ActorRef, InfoRequest, request_of_actor};
use crate::registry::{Options, Placement};
use crate::runtime::Runtime;
use crate::runtime::groups::slot_error;
use crate::runtime::placement::check_amounts;
use crate::runtime::space::in_callback;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time between two requests for the location of a bundle that is being reserved: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];

impl Runtime {
    /// The rank of an actor in that bundle. Waits until the group is ready, and while the bundle of a dead rank is
    /// reserved again.
    ///
    /// # Errors
    /// If the group can never be ready, or was removed.
    pub(super) fn location_for_actor(&'static self, options: &Options, slot: BundleSlot, label: &str) -> Result<Rank> {
        check_amounts(options, label)?;
        let Placement::InGroup(bundle) = &options.place else { return Ok(self.rank) };
        if let Some(group) = &bundle.group {
            group.request();
            while !group.core().is_complete() {
                self.block(1, None, |event| group.core().when_complete(event.clone()))?;
            }
            if let Some(error) = group.core().failure() {
                return Err((*error).clone());
            }
        }
        let requested = request_of_actor(options);
        let mut pause = PAUSES[0];
        loop {
            let location = match self.group_owner(slot)? {
                None => self.location_of_slot(slot),
                Some(owner) => self.request(owner, InfoRequest::Location(slot))?,
            };
            match location {
                Ok(Some(rank)) if rank < self.size && !self.is_dead(rank) => return Ok(rank),
                // If the rank is dead, the group's owner will learn of that too.
                Ok(_) => self.block(1, Some(Instant::now() + pause), |_| {})?,
                Err(reason) => {
                    return Err(slot_error(label, slot, &format!("{reason} ({} requested)", requested.displayed())));
                }
            }
            pause = (2 * pause).min(PAUSES[1]);
        }
    }

    /// Looks up the new location of an actor's bundle, on a thread of its own, and passes it to the protocol.
    pub(super) fn find_location_of(&'static self, actor: &Arc<ActorRef>, options: &Options, error: &Error) {
        let (its_actor, its_options, reason) = (actor.clone(), options.clone(), error.clone());
        let look_up = move || {
            let location = match its_options.bundle_slot() {
                Some(slot) => self.location_for_actor(&its_options, slot, &its_actor.label),
                None => Ok(self.rank),
            };
            in_callback(|| self.protocol.on_bundle_located(&self, &its_actor, &reason, location));
        };
        if let Err(failure) = std::thread::Builder::new().name(format!("mobula-{}-bundle", self.rank)).spawn(look_up) {
            let location =
                Err(Error::config(format!("no thread can look its bundle up: {failure}")).caused_by(&failure));
            self.protocol.on_bundle_located(&self, actor, error, location);
        }
    }
}
