//! What users see.
//!
//! Owns: the free functions, `Cluster`, `context()`, the shape of `main`. Never: state; all of it is the node's.

mod builders;
mod cluster;
mod groups;
mod objects;
mod preempt;
mod seeing;
mod start;

pub use cluster::{Context, Node, available_resources, cluster_resources, context, error_info, nodes, roads};
pub use groups::placement_group;
pub use objects::{cancel, create_array, get_all, put, put_array, wait};
pub use preempt::on_preempt;
pub use seeing::{dashboard_url, timeline, visualize};
#[cfg(feature = "mpi")]
pub use start::init_with_comm;
pub use start::{Cluster, init, is_initialized, run_main};
