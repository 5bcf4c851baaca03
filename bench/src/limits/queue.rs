//! A million tasks of one driver, queued before the first of them runs.

use super::HERE;
use crate::case::Run;
use crate::failure::{Failure, Result, check};
use crate::sample::us;
use mobula::prelude::*;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Tasks that are queued.
const TASKS: u32 = 1_000_000;

#[mobula::remote]
fn count_up(number: u64) -> u64 {
    number + 1
}

/// Bytes that a queued task and its reference take, with eight bytes of argument and eight of result: the growth of
/// this process. Only the first sample of a process is valid: later ones reuse memory that the allocator has retained.
pub fn bytes(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let occupied = OccupiedCpus::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    let before = resident_bytes()?;
    submit(&mut queued, tasks);
    let grown = resident_bytes()?.saturating_sub(before);
    occupied.release()?;
    all_right(&queued)?;
    Ok(grown as f64 / f64::from(tasks))
}

/// Millions of tasks a second that the driver queues.
pub fn submitted(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let occupied = OccupiedCpus::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    let start = Instant::now();
    submit(&mut queued, tasks);
    let time = us(start.elapsed());
    occupied.release()?;
    all_right(&queued)?;
    Ok(f64::from(tasks) / time)
}

/// Millions of tasks a second, from the moment when they may run to the last result.
pub fn run_off(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let occupied = OccupiedCpus::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    submit(&mut queued, tasks);
    let start = Instant::now();
    occupied.release()?;
    all_right(&queued)?;
    Ok(f64::from(tasks) / us(start.elapsed()))
}

fn submit(queued: &mut Vec<ObjectRef<u64>>, tasks: u32) {
    queued.extend((0..u64::from(tasks)).map(count_up::remote));
}

fn all_right(queued: &[ObjectRef<u64>]) -> Result<()> {
    let right = mobula::get_all(queued)?.iter().zip(1..).all(|(value, expected)| **value == expected);
    check(right, || "a result is not that of its task".to_string())
}

/// The resident memory of this process.
///
/// # Errors
/// If the kernel does not report it.
pub fn resident_bytes() -> Result<u64> {
    let fail = |reason: String| Failure::Program { program: "/proc/self/status".to_string(), reason };
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| fail(error.to_string()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes << 10).ok_or_else(|| fail("it has no line VmRSS".to_string()))
}

/// Tasks of this process that occupy one CPU each: how many have begun, and whether they may end.
static OCCUPIERS: Mutex<(usize, bool)> = Mutex::new((0, false));
static CHANGED: Condvar = Condvar::new();

fn occupiers() -> MutexGuard<'static, (usize, bool)> {
    OCCUPIERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[mobula::remote]
fn occupy() {
    let mut state = occupiers();
    state.0 += 1;
    CHANGED.notify_all();
    while !state.1 {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Every CPU of this host is occupied, so that no task that requests one begins.
pub struct OccupiedCpus(Vec<ObjectRef<()>>);

impl OccupiedCpus {
    /// Occupies all of them.
    ///
    /// # Errors
    /// If the runtime reports no CPUs.
    pub fn cpus() -> Result<OccupiedCpus> {
        *occupiers() = (0, false);
        let cpus = mobula::cluster_resources().get("CPU").copied().unwrap_or_default() as usize;
        check(cpus > 0, || "there are no CPUs to occupy".to_string())?;
        let occupied = (0..cpus).map(|_| occupy::on(HERE).remote()).collect();
        let mut state = occupiers();
        while state.0 < cpus {
            state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(OccupiedCpus(occupied))
    }

    /// Releases all of them.
    ///
    /// # Errors
    /// If a task that occupied one failed.
    pub fn release(mut self) -> Result<()> {
        self.open();
        mobula::get_all(&std::mem::take(&mut self.0))?;
        Ok(())
    }

    fn open(&self) {
        occupiers().1 = true;
        CHANGED.notify_all();
    }
}

impl Drop for OccupiedCpus {
    fn drop(&mut self) {
        self.open();
    }
}
