//! Runs leaf functions in the poll that receives their calls.

use crate::base::limits::LEAF_TIME_MAX;
use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::base::{Error, TaskId};
use crate::protocol::WorkId;
use crate::registry::{LeafOutcome, TableEntry};
use crate::rpc::PlainBytes;
use crate::runtime::tasks::execute::leaf_error;
use crate::runtime::{Runtime, membership};
use std::time::Instant;

/// Runs the function of a call that `id` names, if it is a leaf and its arguments and result are plain.
pub fn run_leaf(
    runtime: &'static Runtime,
    id: TaskId,
    entry: &'static TableEntry,
    args: &[u8],
    value: &mut PlainBytes,
) -> Option<Result<(), Error>> {
    let leaf = entry.leaf?;
    let begun = Instant::now();
    let outcome = {
        let _begun = membership::begin(runtime, WorkId::Task(id), entry.key, 0);
        leaf(args, value)
    };
    if begun.elapsed() > LEAF_TIME_MAX {
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
fn report_long(runtime: &'static Runtime, entry: &'static TableEntry, begun: Instant) {
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
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
