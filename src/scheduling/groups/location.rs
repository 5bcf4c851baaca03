//! Where the bundles of a group are, or why they are nowhere.

use crate::base::Rank;
use serde::{Deserialize, Serialize};

/// Where work for a group goes.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupLocation {
    /// To this rank.
    At(Rank),
    /// To no rank yet: it waits until the group is ready.
    Later,
    /// Nowhere, and why.
    Nowhere(NoLocation),
}

/// Why a bundle of a group is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoLocation {
    /// The group was removed.
    #[error("it was removed")]
    Removed,
    /// The group ended with its last handle.
    #[error("its last handle was dropped")]
    HandleDropped,
    /// This rank does not have the bundle any more.
    #[error("it is not on rank {0} any more")]
    NotHere(Rank),
    /// The bundle, or each one, is too small.
    #[error(
        "{requested} is more than {}its bundles have: {bundles}",
        index.iter().map(|index| format!("bundle {index} of ")).collect::<String>()
    )]
    TooSmall {
        /// The request.
        requested: String,
        /// The requested bundle.
        index: Option<u32>,
        /// What the bundles of the group have.
        bundles: String,
    },
    /// The group lost a bundle, and no living host has the resources for another one.
    #[error(
        "{}no host that is left can hold it: {missing}",
        loss.iter().map(|loss| format!("{loss}; ")).collect::<String>()
    )]
    Infeasible {
        /// How the bundle was lost.
        loss: Option<String>,
        /// What is missing.
        missing: String,
    },
}
