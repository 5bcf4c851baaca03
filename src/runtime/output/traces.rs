//! Records of the first tasks of a rank, for graphs and timelines.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::trace::TaskRecord;
use crate::base::{Rank, clock};
use crate::objects::AnySlot;
use crate::registry::{Runnable, TaskHeader};
use crate::runtime::Runtime;
use crate::runtime::tasks::context;
use crate::runtime::workers::worker::Worker;
use std::sync::{Arc, Mutex};

/// The records of a rank: half of a task's record, if the task was submitted here and ran elsewhere, or vice versa.
pub struct Traces {
    limit: usize,
    submitted: AtomicUsize,
    records: Mutex<Vec<TaskRecord>>,
}

impl Traces {
    /// For the first `limit` tasks.
    pub fn new(limit: usize) -> Traces {
        Traces { limit, submitted: AtomicUsize::new(0), records: Mutex::default() }
    }

    /// Records a task that was submitted here.
    #[inline]
    pub fn record_submission(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
        if self.submitted.load(Ordering::Relaxed) < self.limit {
            self.record_new(runtime, task);
        }
    }

    /// True if the task is recorded.
    #[inline]
    pub fn is_recorded(&self, header: &TaskHeader) -> bool {
        header.number.load(Ordering::Relaxed) != 0
    }

    #[cold]
    fn record_new(&self, runtime: &'static Runtime, task: &Arc<dyn Runnable>) {
        let sequence = self.submitted.fetch_add(1, Ordering::Relaxed) as u64 + 1;
        let number = u64::from(runtime.cluster.rank) << 40 | sequence;
        task.header().number.store(number, Ordering::Relaxed);
        let mut inputs = Vec::new();
        task.references(&mut |slot| inputs.push(number_of(runtime, &*slot)));
        let outputs = task.clone().objects().iter().map(|slot| number_of(runtime, &**slot)).collect();
        lock(&self.records).push(TaskRecord {
            task: number,
            parent: context::trace_number(),
            name: task.header().name().to_string(),
            inputs,
            outputs,
            rank: u32::MAX,
            ..TaskRecord::default()
        });
    }

    /// Records the run of a task here.
    pub fn record_run(
        &self,
        runtime: &'static Runtime,
        task: &Arc<dyn Runnable>,
        began_ns: u64,
        worker: Option<&Worker>,
    ) {
        lock(&self.records).push(TaskRecord {
            task: task.header().number.load(Ordering::Relaxed),
            name: task.header().name().to_string(),
            rank: runtime.cluster.rank,
            worker: worker.map_or(u32::MAX, |worker| worker.shared.index as u32),
            began_ns,
            ended_ns: clock::now_ns(),
            ..TaskRecord::default()
        });
    }

    /// The records of this rank.
    pub fn records(&self) -> Vec<TaskRecord> {
        lock(&self.records).clone()
    }
}

/// An object's number in graphs: its owner's number for it, and the owner.
fn number_of(runtime: &'static Runtime, slot: &dyn AnySlot) -> u64 {
    let (owner, number): (Rank, u64) = match slot.remote_id() {
        Some(id) => (id.owner, id.number),
        None => match slot.core().number() {
            0 => (runtime.cluster.rank, slot.core().set_number(runtime.protocol.objects.references.fresh_number())),
            number => (runtime.cluster.rank, number),
        },
    };
    u64::from(owner) << 40 | number
}
