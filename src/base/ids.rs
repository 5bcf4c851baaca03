//! Names of things that cross a process boundary.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A process of the cluster, `0..size`, numbered as the launcher numbers it.
pub type Rank = u32;

/// A cluster-wide name of an object, an array's block or an actor: the rank that owns it and its number there.
///
/// It is assigned only when a reference leaves its process; number 0 is never assigned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The rank that counts the references and knows the locations.
    pub owner: Rank,
    /// Its number on that rank, from 1.
    pub number: u64,
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "o{}.{}", self.owner, self.number)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// A cluster-wide name of a task that left the process that submitted it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// The rank that submitted the task and waits for its results.
    pub owner: Rank,
    /// Its number on that rank, from 1.
    pub number: u64,
}

impl fmt::Debug for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "t{}.{}", self.owner, self.number)
    }
}

/// A slot of a placement group: one of its bundles, or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BundleSlot {
    /// The group; its owner reserves its bundles and knows where they are.
    pub group: ObjectId,
    /// Which of its bundles; `None` for any.
    pub bundle: Option<u32>,
}

impl fmt::Display for BundleSlot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bundle {
            Some(bundle) => write!(formatter, "bundle {bundle} of placement group {}", self.group),
            None => write!(formatter, "placement group {}", self.group),
        }
    }
}
