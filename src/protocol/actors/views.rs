//! A rank's actors as placement groups and the watch for stalls see them.

use super::{ActorHome, Actors, Life};
use crate::base::sync::lock;
use crate::base::{ObjectId, Seat};
use crate::scheduling::Request;
use std::sync::Arc;

impl Actors {
    /// The actors that live in bundles of which `is_gone` says so.
    pub fn seated(&self, is_gone: impl Fn(Seat) -> bool) -> Vec<ObjectId> {
        let homes: Vec<_> = lock(&self.homes).values().cloned().collect();
        let seat = |home: &Arc<ActorHome>| lock(&home.inner).request.seat.map(|(seat, _)| seat);
        homes.iter().filter(|home| seat(home).is_some_and(&is_gone)).map(|home| home.id).collect()
    }

    /// Whether that actor lives here and has that name.
    pub fn bears(&self, id: ObjectId, name: &str) -> bool {
        self.known(id).is_some_and(|home| {
            let inner = lock(&home.inner);
            !matches!(inner.life, Life::Dead(_)) && inner.name.as_deref() == Some(name)
        })
    }

    /// The living actors with names.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn named(&self) -> Vec<(String, ObjectId)> {
        let homes: Vec<_> = lock(&self.homes).values().cloned().collect();
        let living = homes.iter().filter_map(|home| {
            let inner = lock(&home.inner);
            let dead = matches!(inner.life, Life::Dead(_));
            inner.name.clone().filter(|_| !dead).map(|name| (name, home.id))
        });
        living.collect()
    }

    /// Each actor: its label, what it asks for, and whether it has that.
    pub fn each(&self, mut visit: impl FnMut(&str, &Request, bool)) {
        let homes: Vec<_> = lock(&self.homes).values().cloned().collect();
        for home in homes {
            let inner = lock(&home.inner);
            visit(&inner.label, &inner.request, inner.grant.is_some());
        }
    }
}
