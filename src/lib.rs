//! Remote tasks, actors and shared immutable objects inside MPI and Slurm jobs.
//!
//! Processes that `mpirun` or `srun` started form the cluster; there is no head node, no daemon and no port. A program
//! that is started alone is a cluster of one process.
//!
//! ```
//! use mobula::prelude::*;
//!
//! #[mobula::remote]
//! fn add(a: f64, b: f64) -> f64 {
//!     a + b
//! }
//!
//! #[mobula::main]
//! fn main() -> mobula::Result<()> {
//!     let x = add::remote(1.0, 2.0);
//!     let y = add::remote(&x, 10.0);
//!     assert_eq!(*y.get()?, 13.0);
//!     Ok(())
//! }
//! ```
//!
//! What the runtime logs goes to the logger that the program has installed through the crate `log`, with the target
//! `mobula`; without one it is printed on standard error. `MOBULA_LOG` says how much the runtime logs in both cases.
//!
//! `docs/design.md` draws how it works; each module's documentation says what it owns and what its invariants are.
#![deny(unsafe_code)]

// The macros refer to the crate by its name, also in its own tests.
#[allow(unused_extern_crates)]
extern crate self as mobula;

pub(crate) mod api;
pub(crate) mod base;
pub(crate) mod boot;
pub(crate) mod gpu;
pub(crate) mod lineage;
pub(crate) mod memory;
pub(crate) mod objects;
pub(crate) mod observe;
pub(crate) mod protocol;
pub(crate) mod registry;
pub(crate) mod runtime;
pub(crate) mod scheduling;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod sim;
pub(crate) mod store;
pub(crate) mod topology;
pub(crate) mod transport;

#[cfg(feature = "mpi")]
pub use api::init_with_comm;
pub use api::{
    Cluster, Context, Node, NodeTopology, available_resources, cancel, cluster_resources, context, create_array, dashboard_url,
    error_info, get_all, init, is_initialized, nodes, on_preempt, placement_group, put, put_array, timeline,
    transports, visualize, wait,
};
pub use base::config::{Config, FabricChoice, Pages};
pub use base::error::{Error, ErrorSource, Result};
pub use bytemuck::Pod;
pub use mobula_macros::{actor, main, remote};
pub use objects::{Array, ArrayMut, Object, ObjectRef, Ref};
pub use registry::{Actor, Bundle, Each, Placement, PlacementGroup, each};
pub use runtime::{
    HostReport, Preempt, ReportSection, Strategy, TransportReason, TransportRow, Transports, get_actor, host_report,
};

/// The usual imports: `use mobula::prelude::*;`.
pub mod prelude {
    pub use crate::{Array, ArrayMut, Cluster, Config, Error, ObjectRef, Placement, Ref};
    pub use std::time::Duration;
}

/// For the macros' output. Not for programs: it changes with the macros.
#[doc(hidden)]
pub mod __private {
    pub use crate::api::run_main;
    pub use crate::objects::SerializedValue;
    pub use crate::registry::{
        ActorFn, ActorNew, Arg, Checkpoint, Explain, ExplainDebug, ExplainDisplay, ExplainError, Failure, Function,
        IntoArg, IntoListArg, ListArg, Many, Multiple, Options, Own, OwnByClone, OwnBySerde, RemoteFn, Single,
    };
    pub use crate::registry::{ActorState, save};
    pub use crate::runtime::{RawHandle, block_on, call, create, submit};
    pub use {inventory, serde};
}

/// Decoders of bytes from peers: for tests and fuzzers.
#[cfg(any(all(test, not(loom)), fuzzing))]
#[doc(hidden)]
#[path = "../tests/decoders/mod.rs"]
pub mod decoders;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
