//! The public functions.
//!
//! Owns: the free functions, `Cluster`, `context()`, the shape of `main`. Never: state; all of it belongs to the
//! runtime.

mod cluster;
mod groups;
mod objects;
mod options;
mod start;
mod visualize;

pub use crate::runtime::{EnteredContext, Pool, pool};
pub use cluster::{
    Context, Node, NodeTopology, available_resources, cluster_resources, context, error_count, error_info, nodes,
    transports,
};
pub use groups::placement_group;
pub use objects::{cancel, create_array, get_all, put, put_array, wait};
pub use options::{ActorOptions, TaskOptions};
pub use start::{Cluster, init, is_initialized, run_main};
#[cfg(feature = "mpi")]
pub use start::{init_with_comm, init_with_fortran_comm};
pub use visualize::{dashboard_url, timeline, visualize};
