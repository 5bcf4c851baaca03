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

/// Bytes that a queued task and its reference take, with eight bytes of argument and eight of result: what this process grows
/// by. Only the first sample of a process says so: later ones take what the allocator has kept.
pub fn bytes(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let held = Held::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    let before = resident_bytes()?;
    submit(&mut queued, tasks);
    let grown = resident_bytes()?.saturating_sub(before);
    held.release()?;
    all_right(&queued)?;
    Ok(grown as f64 / f64::from(tasks))
}

/// Millions of tasks a second that the driver queues.
pub fn submitted(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let held = Held::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    let start = Instant::now();
    submit(&mut queued, tasks);
    let time = us(start.elapsed());
    held.release()?;
    all_right(&queued)?;
    Ok(f64::from(tasks) / time)
}

/// Millions of tasks a second from the moment when they may run to that when the last result is there.
pub fn run_off(run: &Run) -> Result<f64> {
    let tasks = run.rounds(TASKS);
    let held = Held::cpus()?;
    let mut queued = Vec::with_capacity(tasks as usize);
    submit(&mut queued, tasks);
    let start = Instant::now();
    held.release()?;
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

/// What this process has in memory.
///
/// # Errors
/// Where the kernel does not say.
pub fn resident_bytes() -> Result<u64> {
    let fail = |reason: String| Failure::Program { program: "/proc/self/status".to_string(), reason };
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| fail(error.to_string()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes << 10).ok_or_else(|| fail("it has no line VmRSS".to_string()))
}

/// Tasks of this process that hold one CPU each: how many have begun, and whether they may end.
static HOLDERS: Mutex<(usize, bool)> = Mutex::new((0, false));
static CHANGED: Condvar = Condvar::new();

fn holders() -> MutexGuard<'static, (usize, bool)> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[mobula::remote]
fn hold() {
    let mut state = holders();
    state.0 += 1;
    CHANGED.notify_all();
    while !state.1 {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Every CPU of this host is held, so that nothing that asks for one begins.
pub struct Held(Vec<ObjectRef<()>>);

impl Held {
    /// Takes all of them.
    ///
    /// # Errors
    /// Where the runtime does not say how many there are.
    pub fn cpus() -> Result<Held> {
        *holders() = (0, false);
        let cpus = mobula::cluster_resources().get("CPU").copied().unwrap_or_default() as usize;
        check(cpus > 0, || "there are no CPUs to hold".to_string())?;
        let held = (0..cpus).map(|_| hold::on(HERE).remote()).collect();
        let mut state = holders();
        while state.0 < cpus {
            state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(Held(held))
    }

    /// Gives all of them back.
    ///
    /// # Errors
    /// Where a task that held one failed.
    pub fn release(mut self) -> Result<()> {
        self.open();
        mobula::get_all(&std::mem::take(&mut self.0))?;
        Ok(())
    }

    fn open(&self) {
        holders().1 = true;
        CHANGED.notify_all();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.open();
    }
}
