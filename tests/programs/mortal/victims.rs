//! Ranks that are killed at a known point: when what runs there has said that it is there.

use mobula::prelude::*;
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};

/// Nobody waits longer: a case that goes wrong fails and does not hang.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// What came to where, as rank 0 was told.
static ARRIVED: Mutex<Vec<(String, u32)>> = Mutex::new(Vec::new());
static ARRIVAL: Condvar = Condvar::new();

#[mobula::remote]
pub fn note(what: &str, rank: u32) {
    ARRIVED.lock().unwrap_or_else(PoisonError::into_inner).push((what.to_string(), rank));
    ARRIVAL.notify_all();
}

/// Tells rank 0 that something runs here. Waits for nothing: a task that waits is put aside, and gives up its thread.
pub fn arrive(what: &str) {
    let _told = note::on(0).remote(what, mobula::context().rank());
}

/// Says that it is there, and stays for as long as its process does.
pub fn stay(what: &str) -> ! {
    arrive(what);
    loop {
        std::thread::sleep(PATIENCE);
    }
}

/// Returns when something has arrived at so many places, or several times at one; which ranks these are.
pub fn await_arrivals(what: &str, count: usize) -> Vec<u32> {
    let of = |arrived: &Vec<(String, u32)>| -> Vec<u32> {
        arrived.iter().filter(|(told, _)| told == what).map(|(_, rank)| *rank).collect()
    };
    let arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = ARRIVAL.wait_timeout_while(arrived, PATIENCE, |arrived| of(arrived).len() < count);
    let (arrived, _) = wait.unwrap_or_else(PoisonError::into_inner);
    let ranks = of(&arrived);
    assert!(ranks.len() >= count, "{what} arrived at {ranks:?}, awaited at {count} places");
    ranks
}

#[mobula::remote]
pub fn process() -> u32 {
    std::process::id()
}

/// The process of a rank that lives.
pub fn process_of(rank: u32) -> mobula::Result<u32> {
    Ok(*process::on(rank).remote().get()?)
}

/// Sends a signal, as a person or a batch system would.
#[mobula::remote]
pub fn signal(name: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -s {name} {process}")]).status();
    assert!(sent.is_ok_and(|sent| sent.success()), "no signal {name} to {process}");
}

/// Stops a process, and returns when every thread of it stands still: one that waits for a core learns of the signal late,
/// and until then the others go on.
#[track_caller]
pub fn stop(process: u32) {
    signal("STOP", process);
    let stands = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|fields| fields.trim_start().starts_with('T'))
    };
    soon("it stands still", || {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
        tasks.is_ok_and(|tasks| tasks.flatten().all(stands))
    });
}

/// Kills a rank that lives. Nobody knows of it yet when this returns.
pub fn kill(rank: u32) -> mobula::Result<()> {
    let process = process_of(rank)?;
    println!("kills rank {rank}");
    signal("KILL", process);
    Ok(())
}

/// Whether the error says that this rank is gone, and where it was.
pub fn names(error: &Error, rank: u32) -> bool {
    matches!(error, Error::NodeDied { rank: gone, host, .. } if *gone == rank && host == mobula::context().host())
}

/// The error of what must have failed because this rank died.
#[track_caller]
pub fn died<T: std::fmt::Debug>(what: &str, result: mobula::Result<T>, rank: u32) {
    let error = result.expect_err(what);
    assert!(names(&error, rank), "{what}: {error:?}");
}

/// Returns when `holds` does, for what happens soon and not at once.
#[track_caller]
pub fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns when rank 0 knows that this rank is gone.
#[track_caller]
pub fn await_death(rank: u32) {
    soon(&format!("rank {rank} is gone"), || process_of(rank).is_err());
}
