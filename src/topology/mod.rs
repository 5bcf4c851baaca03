//! The topology of this host, the core to which each worker is pinned, and the cores of a task of several CPUs.
//!
//! Owns: the loaded topology of this host, the affinity mask of a thread that is pinned. Never: starts a thread, reads
//! the environment, decides what runs.
//!
//! Discovery goes through hwloc with the feature `hwloc`, and reads sysfs without it; both fill the same [`Topology`].
//! [`RankCores`] is pure: the same topology and the same bindings give every rank of a host the same plan.
//!
//! Invariants:
//! - TOPOLOGY-1: a worker or a task is placed only on CPUs to which its rank was bound.
//! - TOPOLOGY-2: ranks bound to the same CPUs divide the cores among them; none is given twice while cores suffice.
//! - TOPOLOGY-3: no core's second hardware thread is used while another core of the share is empty.

mod bind;
mod description;
mod error;
#[cfg(feature = "hwloc")]
mod hwloc;
mod kernel;
mod near;
mod placement;
#[cfg(any(test, not(feature = "hwloc")))]
mod sysfs;

pub use bind::{SavedAffinity, allowed_cpus, bind_this_thread};
pub use description::{DeviceKind, Topology};
pub use near::near;
pub use placement::{RankCores, share};

// The feature `hwloc` selects here what discovers the topology and what pins threads.
#[cfg(not(feature = "hwloc"))]
use bind as binder;
#[cfg(feature = "hwloc")]
use hwloc as binder;
#[cfg(feature = "hwloc")]
use hwloc as discoverer;
#[cfg(not(feature = "hwloc"))]
use sysfs as discoverer;
