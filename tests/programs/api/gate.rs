//! Tasks that end when they are told to, and tasks that end only together: order and concurrency without a clock.
//!
//! Both block their worker's thread, as a task that waits for a file or a library does. Both live in rank 0.

use mobula::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Nobody waits longer: a case that goes wrong fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(1);
static OPEN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static OPENED: Condvar = Condvar::new();
static ARRIVED: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());
static ARRIVAL: Condvar = Condvar::new();

/// A number that no gate and no meeting has yet.
pub fn fresh() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Keeps tasks of rank 0 from ending until it is opened, or dropped.
pub struct Gate(u32);

/// Ends with `value` when the gate is open.
#[mobula::remote]
fn pass(gate: u32, value: u64) -> mobula::Result<u64> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = OPENED.wait_timeout_while(open, PATIENCE, |open| !open.contains(&gate));
    let (open, _) = wait.unwrap_or_else(PoisonError::into_inner);
    assert!(open.contains(&gate), "nobody opened gate {gate}");
    Ok(value)
}

impl Gate {
    /// Closed.
    pub fn new() -> Gate {
        Gate(fresh())
    }

    /// A task of rank 0 that ends with `value` once the gate is open.
    pub fn task(&self, value: u64) -> ObjectRef<u64> {
        pass::on(0).remote(self.0, value)
    }

    /// Lets everybody pass.
    pub fn open(&self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0);
        OPENED.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// Returns when `count` callers of this process are there; false where they do not come.
pub fn meet(place: u32, count: u32) -> bool {
    let mut arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
    *arrived.entry(place).or_default() += 1;
    ARRIVAL.notify_all();
    let wait = ARRIVAL.wait_timeout_while(arrived, PATIENCE, |arrived| arrived[&place] < count);
    wait.is_ok_and(|(arrived, _)| arrived[&place] >= count)
}
