//! The topology of this host, and the core to which each worker is pinned.
//!
//! Owns: the loaded topology of this host, the affinity mask of a thread that is pinned. Never: starts a thread, reads
//! the environment, decides what runs.
//!
//! Discovery goes through hwloc with the feature `hwloc`, and reads sysfs without it; both fill the same [`Topology`].
//! [`plan`] is pure: the same topology and the same bindings give every rank of a host the same plan.
//!
//! Invariants:
//! - TOPOLOGY-1: a worker is placed only on CPUs to which its rank was bound.
//! - TOPOLOGY-2: ranks bound to the same CPUs divide the cores among them; none is given twice while cores suffice.
//! - TOPOLOGY-3: no core's second hardware thread is used while another core of the share is empty.

mod bind;
mod description;
mod error;
#[cfg(feature = "hwloc")]
mod hwloc;
mod kernel;
mod placement;
#[cfg(any(test, not(feature = "hwloc")))]
mod sysfs;

pub use bind::{SavedAffinity, bind_this_thread};
pub use description::{DeviceKind, Topology};
pub use placement::{WorkerPlacement, plan, share};

// The feature `hwloc` selects here what discovers the topology and what pins threads.
#[cfg(not(feature = "hwloc"))]
use bind as binder;
#[cfg(feature = "hwloc")]
use hwloc as binder;
#[cfg(feature = "hwloc")]
use hwloc as discoverer;
#[cfg(not(feature = "hwloc"))]
use sysfs as discoverer;
