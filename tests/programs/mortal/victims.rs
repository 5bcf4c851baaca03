//! Ranks that are killed at a known point: after the task there has reported that it runs.

use mobula::prelude::*;
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};

/// The longest wait: a case that goes wrong fails and does not hang.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// What arrived on which rank, as reported to rank 0.
static ARRIVED: Mutex<Vec<(String, u32)>> = Mutex::new(Vec::new());
static ARRIVAL: Condvar = Condvar::new();

#[mobula::remote]
pub fn record_arrival(what: &str, rank: u32) {
    ARRIVED.lock().unwrap_or_else(PoisonError::into_inner).push((what.to_string(), rank));
    ARRIVAL.notify_all();
}

/// Reports to rank 0 that something runs here. Does not wait: a task that waits is suspended, and releases its thread.
pub fn arrive(what: &str) {
    let _recorded = record_arrival::on(0).remote(what, mobula::context().rank());
}

/// Reports its arrival, and never returns.
pub fn stay(what: &str) -> ! {
    arrive(what);
    loop {
        std::thread::sleep(PATIENCE);
    }
}

/// Waits until `what` has arrived `count` times; returns the ranks, one for each arrival.
pub fn await_arrivals(what: &str, count: usize) -> Vec<u32> {
    let of = |arrived: &Vec<(String, u32)>| -> Vec<u32> {
        arrived.iter().filter(|(name, _)| name == what).map(|(_, rank)| *rank).collect()
    };
    let arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = ARRIVAL.wait_timeout_while(arrived, PATIENCE, |arrived| of(arrived).len() < count);
    let (arrived, _) = wait.unwrap_or_else(PoisonError::into_inner);
    let ranks = of(&arrived);
    assert!(ranks.len() >= count, "{what} arrived on ranks {ranks:?}, {count} arrivals were awaited");
    ranks
}

#[mobula::remote]
pub fn process() -> u32 {
    std::process::id()
}

/// The process of a living rank.
pub fn process_of(rank: u32) -> mobula::Result<u32> {
    Ok(*process::on(rank).remote().get()?)
}

/// Sends a signal, as a person or a batch system would.
#[mobula::remote]
pub fn signal(name: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -s {name} {process}")]).status();
    assert!(sent.is_ok_and(|sent| sent.success()), "no signal {name} to {process}");
}

/// Stops a process, and returns after all its threads are stopped: a thread that waits for a core gets the signal late,
/// and until then the others go on.
#[track_caller]
pub fn stop(process: u32) {
    signal("STOP", process);
    let is_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|fields| fields.trim_start().starts_with('T'))
    };
    soon("it is stopped", || {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
        tasks.is_ok_and(|tasks| tasks.flatten().all(is_stopped))
    });
}

/// Kills a living rank. No other rank needs to have noticed when this returns.
pub fn kill(rank: u32) -> mobula::Result<()> {
    let process = process_of(rank)?;
    println!("kills rank {rank}");
    signal("KILL", process);
    Ok(())
}

/// Returns true if the error is that this rank, on this host, died.
pub fn names(error: &Error, rank: u32) -> bool {
    matches!(error, Error::NodeDied { rank: dead, host, .. } if *dead == rank && host == mobula::context().host())
}

/// Asserts that the result is the error of this rank's death.
#[track_caller]
pub fn died<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>, rank: u32) {
    let error = result.expect_err(what);
    assert!(names(&error, rank), "{what}: {error:?}");
}

/// Waits until `holds` returns true, which must happen in time.
#[track_caller]
pub fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until rank 0 knows that this rank is dead.
#[track_caller]
pub fn await_death(rank: u32) {
    soon(&format!("rank {rank} is known to be dead"), || process_of(rank).is_err());
}
