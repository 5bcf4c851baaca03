//! The resources of the host, and the placement of work by what it needs.
//!
//! Owns: the host's shared table, the bundles that this rank reserved, the groups that it owns, and an estimate of
//! other ranks' load. Never: runs a task; what fits where is decided by `scheduling`.
//!
//! - RUNTIME-3 is the table's: what is free is computed from what living ranks hold.

mod admission;
mod bundle_dispatch;
mod bundle_lookup;
mod bundles;
mod group_ready;
mod groups;
mod owned_groups;
mod part;
mod placement;
mod remote_load;
mod shared_table;
mod table;
#[cfg(test)]
mod tests;

pub use admission::queue_for_resources;
pub use bundle_dispatch::{dispatch_to_slot, location_of_slot};
pub use bundle_lookup::{find_location_of, location_for_actor};
pub use groups::{create_group, groups_on_peer_failed, on_group, remove_group, tick_groups};
pub use part::Resources;
pub use placement::{choose_rank, choose_rank_without};
pub use remote_load::{launch_after_arguments, preferred_rank};
pub use shared_table::{SHARED_TABLE_BYTES, SharedTable};
pub use table::ResourceTable;
