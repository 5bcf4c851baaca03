//! Pictures: the computation graph and the timeline. Reads trace records only.
//!
//! Owns: layout and file formats. Never: asks a rank, or reads anything but the records it is given.

mod graph;
mod timeline;

pub use graph::graph;
pub use timeline::timeline;

use crate::base::trace::TaskRecord;
use std::collections::BTreeMap;

/// Joins the halves of records: where a task was made, and where it ran.
fn joined(records: &[TaskRecord]) -> Vec<TaskRecord> {
    let mut tasks: BTreeMap<u64, TaskRecord> = BTreeMap::new();
    for record in records {
        let task = tasks.entry(record.task).or_insert_with(|| record.clone());
        if record.ended_ns > 0 {
            let (rank, worker) = (record.rank, record.worker);
            (task.rank, task.worker, task.began_ns, task.ended_ns) = (rank, worker, record.began_ns, record.ended_ns);
        } else {
            (task.parent, task.takes, task.makes) = (record.parent, record.takes.clone(), record.makes.clone());
        }
    }
    tasks.into_values().collect()
}
