//! Names of things that cross a process boundary.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A process of the cluster, `0..size`, numbered as the launcher numbers it.
pub type Rank = u32;

/// A cluster-wide name of an object, an array's block or an actor: the rank that owns it and its number there.
///
/// It is given only when a reference leaves its process; number 0 is never given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The rank that keeps the count and the whereabouts.
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

/// A cluster-wide name of a task that left the process it was made in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// The rank that made the task and waits for its results.
    pub owner: Rank,
    /// Its number on that rank, from 1.
    pub number: u64,
}

impl fmt::Debug for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "t{}.{}", self.owner, self.number)
    }
}

/// A place in a placement group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seat {
    /// The group; its owner reserves its bundles and knows where they are.
    pub group: ObjectId,
    /// Which of its bundles; `None` for any.
    pub bundle: Option<u32>,
}

impl fmt::Display for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bundle {
            Some(bundle) => write!(formatter, "bundle {bundle} of placement group {}", self.group),
            None => write!(formatter, "placement group {}", self.group),
        }
    }
}
