//! The resources of a rank's host, and where work for resources of other hosts goes.

use crate::base::Rank;
use crate::base::sync::AtomicU32;
use crate::runtime::resources::owned_groups::OwnedGroups;
use crate::runtime::resources::remote_load::RemoteLoad;
use crate::runtime::resources::table::ResourceTable;

/// What a rank knows of resources.
pub struct Resources {
    /// The host's table.
    pub table: ResourceTable,
    pub(super) groups: OwnedGroups,
    pub(super) remote_load: RemoteLoad,
    /// The turn of the next task or actor with `Placement::Spread`.
    pub(super) next_spread: AtomicU32,
}

impl Resources {
    /// With its host's table; no group is there yet.
    pub fn new(table: ResourceTable) -> Resources {
        Resources {
            table,
            groups: OwnedGroups::new(u64::from(std::process::id())),
            remote_load: RemoteLoad::default(),
            next_spread: AtomicU32::new(0),
        }
    }

    /// Calls `visit` for each rank of which a group's bundles are awaited.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        self.groups.each_awaited_rank(visit);
    }

    /// True if groups of this rank are to be tried again.
    pub fn has_pending_groups(&self) -> bool {
        self.groups.any() && self.groups.due().is_some()
    }

    /// The groups of this rank that are not ready, with what they request.
    pub fn pending_groups(&self) -> Vec<(u64, String)> {
        self.groups.pending()
    }
}
