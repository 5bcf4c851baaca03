//! Records of what ran, for graphs and timelines: written by the runtime, read by `observe`.

use serde::{Deserialize, Serialize};

/// One task, actor creation or actor call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskRecord {
    /// A number for the task, unique in the cluster: owner rank in the high 24 bits.
    pub task: u64,
    /// The task that submitted it; 0 for a driver.
    pub parent: u64,
    /// The function's name.
    pub name: String,
    /// Numbers of the objects it takes by reference.
    pub inputs: Vec<u64>,
    /// Numbers of the objects it creates.
    pub outputs: Vec<u64>,
    /// The rank that ran it.
    pub rank: u32,
    /// The worker that ran it.
    pub worker: u32,
    /// When it began, ns of the rank's clock; 0 if it has not.
    pub began_ns: u64,
    /// When it ended; 0 if it has not.
    pub ended_ns: u64,
}
