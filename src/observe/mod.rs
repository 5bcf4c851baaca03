//! The computation graph and the timeline of a run, drawn from trace records.
//!
//! Owns: layout and file formats. Never: sends a request to a rank, or reads anything but the records it is given.

mod graph;
mod timeline;

pub use graph::graph;
pub use timeline::timeline;

use crate::base::trace::TaskRecord;
use std::collections::BTreeMap;

/// Joins the two halves of each task's record: of the rank that submitted it, and of the rank that ran it.
fn joined(records: &[TaskRecord]) -> Vec<TaskRecord> {
    let mut tasks: BTreeMap<u64, TaskRecord> = BTreeMap::new();
    for record in records {
        let task = tasks.entry(record.task).or_insert_with(|| record.clone());
        if record.ended_ns > 0 {
            let (rank, worker) = (record.rank, record.worker);
            (task.rank, task.worker, task.began_ns, task.ended_ns) = (rank, worker, record.began_ns, record.ended_ns);
        } else {
            (task.parent, task.inputs, task.outputs) = (record.parent, record.inputs.clone(), record.outputs.clone());
        }
    }
    tasks.into_values().collect()
}
