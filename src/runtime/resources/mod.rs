//! TODO

mod bundle_lookup;
mod bundles;
mod groups;
#[cfg(test)]
mod kill_tests;
mod placement;
mod remote_load;
mod shared_table;
mod table;

pub use groups::OwnedGroups;
pub use remote_load::RemoteLoad;
pub use shared_table::{SHARED_TABLE_BYTES, SharedTable};
pub use table::ResourceTable;
