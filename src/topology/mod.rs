//! What this host is made of, and which core each worker takes.
//!
//! Owns: the loaded topology of this host, the mask of the thread that asks to be pinned. Never: starts a thread, reads the
//! environment, decides what runs.
//!
//! Discovery goes through hwloc with the feature `hwloc`, and reads sysfs without it; both fill the same [`Topology`].
//! [`plan`] is pure: the same topology and the same bindings give every rank of a host the same picture.
//!
//! Invariants:
//! - P1: a worker is placed only on CPUs that its rank was bound to.
//! - P2: ranks bound to the same CPUs divide the cores among them; none is given twice while cores suffice.
//! - P3: no core's second hardware thread is filled while another core of the share is empty.

mod bind;
#[cfg(feature = "hwloc")]
mod hwloc;
mod kernel;
mod placement;
#[cfg(any(test, not(feature = "hwloc")))]
mod sysfs;
mod topology;

pub use bind::{Kept, bind_this_thread};
pub use placement::{WorkerPlace, plan, share};
pub use topology::{DeviceKind, Topology};

// The one place where the feature decides: what discovers and what pins.
#[cfg(not(feature = "hwloc"))]
use bind as binder;
#[cfg(feature = "hwloc")]
use hwloc as binder;
#[cfg(feature = "hwloc")]
use hwloc as discoverer;
#[cfg(not(feature = "hwloc"))]
use sysfs as discoverer;
