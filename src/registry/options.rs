//! What a call requests.

use crate::base::config::MEMORY;
use crate::base::limits::RETURNS_MAX;
use crate::base::{BundleSlot, Rank};
use crate::objects::{AnySlot, Object, ObjectRef};
use crate::registry::group::{PlacementGroup, PlacementSlot};
use std::sync::Arc;

/// Where a task or an actor goes: `Auto`, `Spread`, `Rank(r)`, `Host(name)`, `Near(&object)`, `Bundle(&group, i)` or
/// `Group(&group)`.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote(place = Placement::Spread)]
/// fn rank(_data: &[f64]) -> u32 {
///     mobula::context().rank()
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let data = mobula::put_array(&[1.0])?;
/// let host = mobula::context().host().to_string();
/// let anywhere = rank::options().place(Placement::Auto).remote(&data);
/// for place in [Placement::Rank(0), Placement::Host(host), Placement::Near(&data)] {
///     assert_eq!(*rank::options().place(place).remote(&data).get()?, 0);
/// }
/// assert_eq!(*anywhere.get()?, 0); // the only rank
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// A task that was sent to a certain rank runs nowhere else: if that rank dies, the task fails with
/// [`Error::NodeDied`](crate::Error::NodeDied).
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Placement {
    /// The runtime chooses.
    #[default]
    Auto,
    /// Spread over the ranks in turn.
    Spread,
    /// To this rank.
    Rank(Rank),
    /// To a rank of a host: created by `Placement::Host(name)`.
    #[doc(hidden)]
    OnHost(String),
    /// To the rank that owns an object: created by `Placement::Near(&object)`.
    #[doc(hidden)]
    NearTo(NearObject),
    /// Into a placement group: created by `Placement::Bundle(&group, i)` and `Placement::Group(&group)`.
    #[doc(hidden)]
    InGroup(PlacementSlot),
}

#[allow(non_snake_case)]
impl Placement {
    /// To a rank of the host of that name.
    pub fn Host(name: impl Into<String>) -> Placement {
        Placement::OnHost(name.into())
    }

    /// To the rank that owns `object`.
    pub fn Near<T: Object>(object: &ObjectRef<T>) -> Placement {
        Placement::NearTo(NearObject(object.any()))
    }

    /// Into a bundle of a placement group: it runs on that bundle's host, with resources of the bundle.
    pub fn Bundle(group: &PlacementGroup, bundle: u32) -> Placement {
        Placement::InGroup(group.slot(Some(bundle)))
    }

    /// Into any bundle of a placement group that can hold it, in turn.
    pub fn Group(group: &PlacementGroup) -> Placement {
        Placement::InGroup(group.slot(None))
    }
}

/// The object that a task is placed near to.
#[derive(Clone)]
pub struct NearObject(pub(crate) Arc<dyn AnySlot>);

/// What a task or an actor requests. Unset fields have the meaning of the defaults: 1 CPU for a task, none for an
/// actor.
#[derive(Clone, Default)]
pub struct Options {
    /// CPUs.
    pub num_cpus: Option<f64>,
    /// GPUs.
    pub num_gpus: Option<f64>,
    /// Resources of other names.
    pub resources: Vec<(String, f64)>,
    /// How many objects the task's list of results becomes, if the function leaves that to its caller.
    pub num_returns: Option<usize>,
    /// How often the task is restarted when its rank dies.
    pub max_retries: Option<u32>,
    /// True if it is also restarted when it fails by itself.
    pub retry_on_error: Option<bool>,
    /// How often an actor is restarted when its rank dies.
    pub max_restarts: Option<u32>,
    /// How often a call of an actor is retried when its rank dies.
    pub max_task_retries: Option<u32>,
    /// A task's name in errors and graphs; an actor's name for `get_actor`.
    pub name: Option<String>,
    /// Where it goes.
    pub place: Placement,
}

impl Options {
    /// No option set.
    pub fn new() -> Options {
        Options::default()
    }
    /// CPUs; may be a fraction.
    pub fn num_cpus(mut self, cpus: f64) -> Self {
        self.num_cpus = Some(cpus);
        self
    }
    /// GPUs; may be a fraction.
    pub fn num_gpus(mut self, gpus: f64) -> Self {
        self.num_gpus = Some(gpus);
        self
    }
    /// An amount of a resource that you name.
    pub fn resource(mut self, name: impl Into<String>, amount: f64) -> Self {
        self.resources.push((name.into(), amount));
        self
    }
    /// How many objects the task's list of results becomes.
    ///
    /// # Panics
    /// Above `RETURNS_MAX`: that many are a mistake.
    #[track_caller]
    pub fn num_returns(mut self, returns: usize) -> Self {
        assert!(returns <= RETURNS_MAX, "num_returns is at most {RETURNS_MAX}, not {returns}");
        self.num_returns = Some(returns);
        self
    }
    /// Bytes of memory of its host, which are also the most that the arrays it creates may take in the store at once.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.resources.retain(|(name, _)| name != MEMORY);
        self.resource(MEMORY, bytes as f64)
    }
    /// How often the task is restarted when its rank dies.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }
    /// True if it is also restarted when it fails by itself.
    pub fn retry_on_error(mut self, retry: bool) -> Self {
        self.retry_on_error = Some(retry);
        self
    }
    /// How often an actor is restarted when its rank dies.
    pub fn max_restarts(mut self, restarts: u32) -> Self {
        self.max_restarts = Some(restarts);
        self
    }
    /// How often a call of an actor is retried when its rank dies.
    pub fn max_task_retries(mut self, retries: u32) -> Self {
        self.max_task_retries = Some(retries);
        self
    }
    /// A name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
    /// Where it goes.
    pub fn place(mut self, place: Placement) -> Self {
        self.place = place;
        self
    }
    /// To this rank.
    pub fn rank(self, rank: u32) -> Self {
        self.place(Placement::Rank(rank))
    }

    /// Bytes of memory that were requested.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.resources.iter().find(|(name, _)| name == MEMORY).map(|(_, bytes)| *bytes as u64)
    }

    /// True if no option is set, so that the function's own defaults apply without a merge.
    pub fn is_unset(&self) -> bool {
        self.num_cpus.is_none()
            && self.num_gpus.is_none()
            && self.resources.is_empty()
            && self.num_returns.is_none()
            && self.max_retries.is_none()
            && self.retry_on_error.is_none()
            && self.max_restarts.is_none()
            && self.max_task_retries.is_none()
            && self.name.is_none()
            && matches!(self.place, Placement::Auto)
    }

    /// The requested rank, if nothing else was requested.
    pub fn just_rank(&self) -> Option<Rank> {
        let Placement::Rank(rank) = self.place else { return None };
        let plain =
            self.num_cpus.is_none() && self.num_gpus.is_none() && self.resources.is_empty() && self.name.is_none();
        plain.then_some(rank)
    }

    /// The requested slot of a placement group.
    pub fn bundle_slot(&self) -> Option<BundleSlot> {
        if let Placement::InGroup(target) = &self.place { Some(target.slot) } else { None }
    }

    /// True if any rank whose host has the resources may run it.
    pub fn is_free(&self) -> bool {
        matches!(self.place, Placement::Auto)
    }

    /// These options, completed by `defaults`: fields set here take precedence.
    pub fn or_defaults(mut self, defaults: Options) -> Options {
        self.num_cpus = self.num_cpus.or(defaults.num_cpus);
        self.num_gpus = self.num_gpus.or(defaults.num_gpus);
        for (name, amount) in defaults.resources {
            if !self.resources.iter().any(|(own, _)| *own == name) {
                self.resources.push((name, amount));
            }
        }
        self.num_returns = self.num_returns.or(defaults.num_returns);
        self.max_retries = self.max_retries.or(defaults.max_retries);
        self.retry_on_error = self.retry_on_error.or(defaults.retry_on_error);
        self.max_restarts = self.max_restarts.or(defaults.max_restarts);
        self.max_task_retries = self.max_task_retries.or(defaults.max_task_retries);
        self.name = self.name.or(defaults.name);
        if matches!(self.place, Placement::Auto) {
            self.place = defaults.place;
        }
        self
    }
}
