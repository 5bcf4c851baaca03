//! Tasks that end on request, and tasks that end only together: order and concurrency without a clock.
//!
//! Both block their worker's thread, like a task that waits for a file or a library.

use mobula::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The longest wait: a case that goes wrong fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(1);
static OPEN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static OPENED: Condvar = Condvar::new();
static ARRIVED: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());
static ARRIVAL: Condvar = Condvar::new();

/// A number that no gate and no meeting has had.
pub fn fresh() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Keeps tasks from ending until it is opened, or dropped.
pub struct Gate(u32);

/// Blocks this thread until the gate is open in this process.
fn wait_for(gate: u32) {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = OPENED.wait_timeout_while(open, PATIENCE, |open| !open.contains(&gate));
    let (open, _) = wait.unwrap_or_else(PoisonError::into_inner);
    assert!(open.contains(&gate), "gate {gate} was not opened");
}

/// Returns `value` when the gate is open.
#[mobula::remote]
fn pass(gate: u32, value: u64) -> u64 {
    wait_for(gate);
    value
}

/// Reports its start to rank 0, and returns when the gate is open on its rank.
#[mobula::remote]
fn report_and_pass(gate: u32) {
    drop(record_start::on(0).remote(gate));
    wait_for(gate);
}

#[mobula::remote(num_cpus = 0)]
fn record_start(gate: u32) {
    *ARRIVED.lock().unwrap_or_else(PoisonError::into_inner).entry(gate).or_default() += 1;
    ARRIVAL.notify_all();
}

#[mobula::remote(num_cpus = 0)]
fn open_here(gate: u32) {
    Gate::open_number(gate);
}

impl Gate {
    /// Closed.
    pub fn new() -> Gate {
        Gate(fresh())
    }

    /// A task of rank 0 that returns `value` once the gate is open.
    pub fn task(&self, value: u64) -> ObjectRef<u64> {
        pass::on(0).remote(self.0, value)
    }

    /// A task of any rank that ends once the gate is open on that rank.
    pub fn task_anywhere(&self) -> ObjectRef<()> {
        report_and_pass::remote(self.0)
    }

    /// Returns true when `count` tasks of `task_anywhere` have started; false if they do not start in time.
    pub fn started(&self, count: u32) -> bool {
        let started = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
        let few = |started: &mut BTreeMap<u32, u32>| started.get(&self.0).is_none_or(|started| *started < count);
        ARRIVAL.wait_timeout_while(started, PATIENCE, few).is_ok_and(|(_, wait)| !wait.timed_out())
    }

    /// Opens it for the tasks of rank 0.
    pub fn open(&self) {
        Gate::open_number(self.0);
    }

    /// Opens it for the tasks of all these ranks.
    pub fn open_on(&self, ranks: Vec<u32>) -> mobula::Result<()> {
        let opened: Vec<ObjectRef<()>> = ranks.into_iter().map(|rank| open_here::on(rank).remote(self.0)).collect();
        mobula::get_all(&opened).map(drop)
    }

    fn open_number(gate: u32) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(gate);
        OPENED.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// Returns true when `count` callers of this process have met; false if they do not come in time.
pub fn meet(meeting: u32, count: u32) -> bool {
    let mut arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
    *arrived.entry(meeting).or_default() += 1;
    ARRIVAL.notify_all();
    let wait = ARRIVAL.wait_timeout_while(arrived, PATIENCE, |arrived| arrived[&meeting] < count);
    wait.is_ok_and(|(arrived, _)| arrived[&meeting] >= count)
}
