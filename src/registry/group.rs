//! Placement groups as users see them.

use crate::base::{BundleSlot, ObjectId};
use crate::objects::{AnySlot, ObjectRef};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What one bundle of a placement group requests, all of it on one host.
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
    /// A bundle without resources.
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
    /// An amount of a resource that you name.
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

/// Resources that are reserved together: created by [`placement_group`](crate::placement_group). It can be cloned,
/// stored and passed to tasks; when the last handle is dropped, or with [`remove`](PlacementGroup::remove), the
/// resources are free again. Hold a handle for as long as actors of the group are to live.
///
/// ```
/// use mobula::prelude::*;
/// use mobula::{Bundle, PlacementGroup, Strategy};
///
/// #[mobula::remote]
/// fn solve_in(group: PlacementGroup) -> mobula::Result<usize> {
///     group.ready().get()?;
///     Ok(group.bundles().len())
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(4.0))?;
/// let group = mobula::placement_group(vec![Bundle::new().cpus(1.0); 3], Strategy::Spread)?;
/// assert_eq!(*solve_in::remote(group.clone()).get()?, 3);
/// # drop(group);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct PlacementGroup {
    pub(crate) id: ObjectId,
    /// Complete once every bundle is reserved.
    pub(crate) ready: ObjectRef<()>,
    pub(crate) bundles: Vec<Bundle>,
}

impl PlacementGroup {
    /// Its bundles, as requested.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// An object that is complete once every bundle is reserved: to `get`, to `wait` for among others, or to pass to a
    /// task. If the group can never be reserved, it holds the reason.
    pub fn ready(&self) -> ObjectRef<()> {
        self.ready.clone()
    }

    pub(crate) fn slot(&self, bundle: Option<u32>) -> PlacementSlot {
        PlacementSlot { slot: BundleSlot { group: self.id, bundle }, group: Some(self.ready.any()) }
    }
}

impl std::fmt::Debug for PlacementGroup {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PlacementGroup({}, {:?})", self.id, self.bundles)
    }
}

/// A slot in a group, which keeps the group alive on the rank that makes the call.
#[derive(Clone)]
pub struct PlacementSlot {
    pub(crate) slot: BundleSlot,
    pub(crate) group: Option<Arc<dyn AnySlot>>,
}

impl From<BundleSlot> for PlacementSlot {
    /// As received from another rank: the calling rank keeps the group alive.
    fn from(slot: BundleSlot) -> PlacementSlot {
        PlacementSlot { slot, group: None }
    }
}
