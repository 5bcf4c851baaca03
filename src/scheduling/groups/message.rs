//! Messages between the owner of a placement group and the ranks that hold its bundles.

use crate::scheduling::{ResourceRequest, Totals};
use serde::{Deserialize, Serialize};

/// A message about placement groups. All but `Reserved` and `Remove` are sent by the owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GroupMessage {
    /// Reserve these bundles, all or none.
    Reserve {
        /// The group's number at its owner.
        group: u64,
        /// Which attempt this is.
        attempt: u32,
        /// The bundles, by their index in the group.
        bundles: Vec<(u32, ResourceRequest)>,
    },
    /// To the owner: they are reserved, or refused.
    Reserved {
        /// As asked.
        group: u64,
        /// As asked.
        attempt: u32,
        /// True if they are reserved.
        granted: bool,
        /// What is free on the host after that.
        free: Totals,
    },
    /// All other ranks reserved theirs too: the bundles may be used.
    Commit {
        /// The group.
        group: u64,
        /// The attempt that reserved them.
        attempt: u32,
    },
    /// Release the bundles.
    Release {
        /// The group.
        group: u64,
        /// Those that this attempt reserved; `None` for all: the group has ended.
        attempt: Option<u32>,
    },
    /// To the owner, from the holder of a handle: remove the group.
    Remove {
        /// The group.
        group: u64,
    },
}
