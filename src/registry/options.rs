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

/// Gets the options that are fields from the table of options, `src/macros/src/option_table.rs`.
macro_rules! options {
    ($($(#[$documentation:meta])* $field:ident: $type:ty;)*) => {
        /// What a task or an actor requests. Unset fields have the meaning of the defaults: 1 CPU for a task, none for
        /// an actor.
        #[derive(Clone, Default)]
        pub struct Options {
            $($(#[$documentation])* pub $field: Option<$type>,)*
            /// Resources of other names, and memory.
            pub resources: Vec<(String, f64)>,
            /// Where it goes.
            pub place: Placement,
        }

        impl Options {
            /// True if no option is set.
            pub fn is_unset(&self) -> bool {
                self.requests_nothing() && self.is_free()
            }

            /// True if no option is set but perhaps the place.
            #[inline]
            pub fn requests_nothing(&self) -> bool {
                $(self.$field.is_none() &&)* self.resources.is_empty()
            }

            /// These options, completed by `defaults`: fields set here take precedence.
            pub fn or_defaults(mut self, defaults: Options) -> Options {
                $(self.$field = self.$field.or(defaults.$field);)*
                for (name, amount) in defaults.resources {
                    if !self.resources.iter().any(|(own, _)| *own == name) {
                        self.resources.push((name, amount));
                    }
                }
                if self.is_free() {
                    self.place = defaults.place;
                }
                self
            }
        }
    };
}

mobula_macros::option_fields!(options);

impl Options {
    /// Sets the amount of a resource that is neither CPUs nor GPUs.
    pub fn set_resource(&mut self, name: String, amount: f64) {
        self.resources.retain(|(other, _)| *other != name);
        self.resources.push((name, amount));
    }

    /// Sets the bytes of memory.
    pub fn set_memory(&mut self, bytes: u64) {
        self.set_resource(MEMORY.to_string(), bytes as f64);
    }

    /// The options, to set one: as `CallOptions::set`.
    pub fn set(&mut self) -> &mut Options {
        self
    }

    /// Takes over every option that `shared` sets; the others stay as they are.
    pub fn take_over(&mut self, shared: &Options) {
        *self = shared.clone().or_defaults(std::mem::take(self));
    }

    /// Bytes of memory that were requested.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.resources.iter().find(|(name, _)| name == MEMORY).map(|(_, bytes)| *bytes as u64)
    }

    /// The requested rank, if nothing else was requested, and nothing that is refused.
    pub fn just_rank(&self) -> Option<Rank> {
        let Placement::Rank(rank) = self.place else { return None };
        let plain =
            self.num_cpus.is_none() && self.num_gpus.is_none() && self.resources.is_empty() && self.name.is_none();
        let has_returns = self.num_returns.is_none_or(|returns| returns <= RETURNS_MAX);
        (plain && has_returns).then_some(rank)
    }

    /// True if a task is also retried when it fails by itself.
    pub fn retries_errors(&self) -> bool {
        self.retry_on_error == Some(true)
    }

    /// The requested slot of a placement group.
    pub fn bundle_slot(&self) -> Option<BundleSlot> {
        if let Placement::InGroup(target) = &self.place { Some(target.slot) } else { None }
    }

    /// True if any rank whose host has the resources may run it.
    pub fn is_free(&self) -> bool {
        matches!(self.place, Placement::Auto)
    }
}
