//! Debug builds warn of a task that blocks its thread in a lock or the like while others could continue on that thread:
//! one of those may hold the lock. The report of a stall says the same, later, and only when nothing else moves.

use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::runtime::Runtime;
use crate::scheduling::BlockedOutside;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// In how many checks in a row a task was in the same wait when it is reported, once.
const CHECKS: u32 = 2;

/// What the checks saw.
#[derive(Default)]
pub struct DebugWatch(Mutex<SeenWorkers>);

#[derive(Default)]
struct SeenWorkers {
    at: Option<Instant>,
    /// By worker, the task that blocks it, and in how many checks it did.
    tasks: HashMap<u64, (BlockedOutside, u32)>,
}

/// Checks the workers, in debug builds; returns when to check again. Only the progress thread calls it.
pub fn warn_of_blocked_workers(runtime: &'static Runtime) -> Option<Duration> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let mut seen = lock(&runtime.workers.debug_watch.0);
    let since = seen.at.map_or(CHECK_INTERVAL, |at| at.elapsed());
    if since < CHECK_INTERVAL {
        return Some(CHECK_INTERVAL - since);
    }
    seen.at = Some(Instant::now());
    let mut earlier = std::mem::take(&mut seen.tasks);
    for worker in runtime.workers.list().iter().filter(|worker| !worker.ready.is_empty()) {
        let Some(task) = worker.blocked_outside() else { continue };
        let checks = match earlier.remove(&task.worker) {
            Some((before, checks)) if before.call == task.call => checks + 1,
            _ => 1,
        };
        if checks == CHECKS {
            log(Level::Warn, || format!("rank {}: {task} (debug builds look for this)", runtime.cluster.rank));
        }
        seen.tasks.insert(task.worker, (task, checks));
    }
    Some(CHECK_INTERVAL)
}
