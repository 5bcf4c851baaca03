//! Work stealing between ranks: what stealers take from this rank's queues.

use crate::base::Rank;
use crate::protocol::request_of;
use crate::registry::{Options, Runnable};
use crate::runtime::Runtime;
use crate::runtime::workers::Work;
use crate::scheduling::UNIT;
use std::sync::Arc;

/// True if the stealer's host has a free CPU, as far as this rank knows: it knows its own host only. If that has
/// none, this rank is notified when it has.
pub fn can_run(runtime: &Runtime, stealer: Rank) -> bool {
    if !runtime.cluster.host_ranks().contains(&stealer) || runtime.resources.table.free_cpu() >= UNIT {
        return true;
    }
    runtime.resources.table.set_waiting();
    runtime.resources.table.free_cpu() >= UNIT
}

/// Takes up to `count` tasks for `stealer`, claimed, the oldest first.
pub fn take_for_stealer(runtime: &'static Runtime, stealer: Rank, count: usize) -> Vec<Arc<dyn Runnable>> {
    let mut taken = Vec::new();
    let mut unfit = Vec::new();
    while taken.len() < count {
        let Some(work) = take_oldest(runtime) else { break };
        let Work::Task(task) = work else {
            unfit.push(work);
            continue;
        };
        if !can_steal(runtime, stealer, &task) {
            unfit.push(Work::Task(task));
        } else if task.header().claim() {
            taken.push(task);
        }
    }
    // Work that the stealer cannot run goes to the local queue, out of the way of the next stealer.
    unfit.into_iter().for_each(|work| runtime.workers.queues.local.push(work));
    taken
}

/// The oldest work that another rank may run, if its options let it.
fn take_oldest(runtime: &Runtime) -> Option<Work> {
    let from_workers = || runtime.workers.list().iter().find_map(|worker| worker.queue.pop_oldest());
    runtime.workers.queues.shared.pop_oldest().or_else(from_workers)
}

fn can_steal(runtime: &Runtime, stealer: Rank, task: &Arc<dyn Runnable>) -> bool {
    let header = task.header();
    let fits = |options: &Options| {
        options.is_free() && runtime.cluster.totals_of(stealer).missing(&request_of(options)).is_none()
    };
    header.stealable && header.options.as_deref().is_none_or(fits)
}
