//! Runs leaf functions in the poll that receives their calls.
//!
//! Only a worker between two tasks and the progress thread run them: a thread of the program, or one that runs a task,
//! may hold a lock that the leaf takes, and a fault in the leaf would count for the task.

use crate::base::limits::LEAF_TIME_MAX;
use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::base::{Error, TaskId};
use crate::protocol::WorkId;
use crate::registry::{LeafOutcome, TableEntry};
use crate::rpc::PlainBytes;
use crate::runtime::tasks::context::runs_task;
use crate::runtime::tasks::execute::leaf_error;
use crate::runtime::workers::worker;
use crate::runtime::{Runtime, membership};
use std::cell::Cell;

thread_local! {
    /// LEAF_TIME_MAX in ticks; 0 if this thread runs no leaf.
    static TICKS_MAX: Cell<u64> = const { Cell::new(0) };
}

/// The calling thread is a worker's, or the progress thread: from now on it runs leaf functions while it runs no task.
pub fn run_leaves_here(runtime: &Runtime) {
    TICKS_MAX.set(runtime.output.ticks.count_in(LEAF_TIME_MAX.as_nanos() as u64).max(1));
}

/// Runs the function of a call that `id` names, if it is a leaf, its arguments and result are plain, and this thread
/// may run it; `None` if it is to run as a task.
pub fn run_leaf(
    runtime: &'static Runtime,
    id: TaskId,
    entry: &'static TableEntry,
    args: &[u8],
    value: &mut PlainBytes,
) -> Option<Result<(), Error>> {
    let ticks_max = TICKS_MAX.get();
    let leaf = entry.leaf.filter(|_| ticks_max > 0 && !runs_task())?;
    let begun = runtime.output.ticks.now();
    let outcome = {
        let _begun = membership::begin(runtime, worker::here(), WorkId::Task(id), entry.key, 0);
        leaf(args, value)
    };
    let passed = runtime.output.ticks.now().saturating_sub(begun);
    if passed > ticks_max {
        report_long(runtime, entry, begun);
    }
    match outcome {
        LeafOutcome::Returned => Some(Ok(())),
        LeafOutcome::Failed(failure) => Some(Err(leaf_error(runtime, entry.name, failure))),
        LeafOutcome::NotPlain => None,
    }
}

/// Says once of each function that it keeps this rank from receiving.
#[cold]
fn report_long(runtime: &'static Runtime, entry: &'static TableEntry, begun: u64) {
    let to_ns = runtime.output.ticks.converter();
    let milliseconds = to_ns(runtime.output.ticks.now()).saturating_sub(to_ns(begun)) as f64 / 1e6;
    if lock(&runtime.output.long_leaves).insert(entry.key) {
        log(Level::Warn, || {
            format!(
                "rank {} on {}: the leaf function {} ran for {milliseconds:.1} ms, or its thread got no CPU: meanwhile \
                 the rank received nothing else. A leaf takes microseconds; if it takes longer, it is none",
                runtime.cluster.rank, runtime.cluster.host, entry.name
            )
        });
    }
}
