//! What the owner of a placement group and the ranks that hold its bundles say to each other.

use crate::scheduling::{Request, Totals};
use serde::{Deserialize, Serialize};

/// A message about placement groups. Those but `Reserved` and `Remove` are sent by the owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GroupMessage {
    /// Hold these bundles, all or none.
    Reserve {
        /// The group's number at its owner.
        group: u64,
        /// Which attempt this is.
        attempt: u32,
        /// The bundles, by their place in the group.
        bundles: Vec<(u32, Request)>,
    },
    /// To the owner: they are held, or not.
    Reserved {
        /// As asked.
        group: u64,
        /// As asked.
        attempt: u32,
        /// Whether they are held.
        granted: bool,
        /// What is free on the host after that.
        free: Totals,
    },
    /// The other ranks hold theirs too: the bundles may be used.
    Commit {
        /// The group.
        group: u64,
        /// By which attempt they came.
        attempt: u32,
    },
    /// Give back.
    Release {
        /// The group.
        group: u64,
        /// What came by that attempt; `None` for all: the group is gone.
        attempt: Option<u32>,
    },
    /// To the owner, by who holds a handle: the group is to end.
    Remove {
        /// The group.
        group: u64,
    },
}
