//! Placement groups as their users hold them.

use crate::base::{ObjectId, Seat};
use crate::objects::{AnySlot, ObjectRef};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What one part of a placement group asks for, all of it on one host.
///
/// ```
/// use mobula::Bundle;
/// let bundle = Bundle::new().cpus(2.0).gpus(0.5).resource("Licence", 1.0);
/// assert_eq!(format!("{bundle:?}"), "2 CPU, 0.5 GPU, 1 Licence");
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    pub(crate) cpus: f64,
    pub(crate) gpus: f64,
    pub(crate) resources: Vec<(String, f64)>,
}

impl Bundle {
    /// Of nothing yet.
    pub fn new() -> Bundle {
        Bundle::default()
    }
    /// CPUs; may be a fraction.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Bundle {
        self.cpus = cpus;
        self
    }
    /// GPUs; may be a fraction.
    #[must_use]
    pub fn gpus(mut self, gpus: f64) -> Bundle {
        self.gpus = gpus;
        self
    }
    /// An amount of a resource of your own naming.
    #[must_use]
    pub fn resource(mut self, name: impl Into<String>, amount: f64) -> Bundle {
        self.resources.push((name.into(), amount));
        self
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let custom = self.resources.iter().map(|(name, amount)| (name.as_str(), *amount));
        let all =
            [("CPU", self.cpus), ("GPU", self.gpus)].into_iter().filter(|(_, amount)| *amount > 0.0).chain(custom);
        let all: Vec<String> = all.map(|(name, amount)| format!("{amount} {name}")).collect();
        formatter.write_str(&all.join(", "))
    }
}

/// Resources that are reserved together: made by [`placement_group`](crate::placement_group). It can be cloned, stored and
/// passed to tasks; when the last handle goes, or with [`remove`](PlacementGroup::remove), the resources are free again. Keep a
/// handle for as long as actors of the group are to live.
#[derive(Clone, Serialize, Deserialize)]
pub struct PlacementGroup {
    pub(crate) id: ObjectId,
    /// Complete once every bundle is there.
    pub(crate) ready: ObjectRef<()>,
    pub(crate) bundles: Vec<Bundle>,
}

impl PlacementGroup {
    /// Its bundles, as they were asked for.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// An object that is there once every bundle is: to `get`, to `wait` for among others, or to give to a task. Where the
    /// group can never be, it holds the reason.
    pub fn ready(&self) -> ObjectRef<()> {
        self.ready.clone()
    }

    pub(crate) fn seat(&self, bundle: Option<u32>) -> GroupSeat {
        GroupSeat { seat: Seat { group: self.id, bundle }, group: Some(self.ready.any()) }
    }
}

impl std::fmt::Debug for PlacementGroup {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PlacementGroup({}, {:?})", self.id, self.bundles)
    }
}

/// A place in a group, that keeps the group alive where the call is made.
#[derive(Clone)]
pub struct GroupSeat {
    pub(crate) seat: Seat,
    pub(crate) group: Option<Arc<dyn AnySlot>>,
}

impl From<Seat> for GroupSeat {
    /// As it comes from another rank: the group is kept alive where the call was made.
    fn from(seat: Seat) -> GroupSeat {
        GroupSeat { seat, group: None }
    }
}
