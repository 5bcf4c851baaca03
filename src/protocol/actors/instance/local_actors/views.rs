//! A rank's actors as placement groups and the stall detector see them.

use super::{ActorInstance, ActorPhase, LocalActors};
use crate::base::{BundleSlot, ObjectId};
use crate::protocol::locks::lock;
use crate::scheduling::ResourceRequest;
use std::sync::Arc;

impl LocalActors {
    /// The actors in bundle slots for which `is_removed` is true.
    pub fn in_bundles(&self, is_removed: impl Fn(BundleSlot) -> bool) -> Vec<ObjectId> {
        let instances: Vec<_> = lock(&self.instances).values().cloned().collect();
        let bundle_slot =
            |instance: &Arc<ActorInstance>| lock(&instance.inner).request.bundle.map(|(bundle_slot, _)| bundle_slot);
        instances
            .iter()
            .filter(|instance| bundle_slot(instance).is_some_and(&is_removed))
            .map(|instance| instance.id)
            .collect()
    }

    /// True if that actor is alive here and has that name.
    pub fn has_name(&self, id: ObjectId, name: &str) -> bool {
        self.find(id).is_some_and(|instance| {
            let inner = lock(&instance.inner);
            !matches!(inner.phase, ActorPhase::Dead(_)) && inner.identity.name.as_deref() == Some(name)
        })
    }

    /// The living actors that have a name.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn named(&self) -> Vec<(String, ObjectId)> {
        let instances: Vec<_> = lock(&self.instances).values().cloned().collect();
        let living = instances.iter().filter_map(|instance| {
            let inner = lock(&instance.inner);
            let dead = matches!(inner.phase, ActorPhase::Dead(_));
            inner.identity.name.clone().filter(|_| !dead).map(|name| (name, instance.id))
        });
        living.collect()
    }

    /// Visits each actor: its label, the resources that it requests, and whether it has them.
    pub fn each(&self, mut visit: impl FnMut(&str, &ResourceRequest, bool)) {
        let instances: Vec<_> = lock(&self.instances).values().cloned().collect();
        for instance in instances {
            let inner = lock(&instance.inner);
            visit(&inner.identity.label, &inner.request, inner.grant.is_some());
        }
    }
}
