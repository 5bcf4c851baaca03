//! Deaths of idle ranks, ranks that are stopped for a while, and deaths during the cluster's shutdown.

use crate::Outcome;
use crate::victims::{await_arrivals, await_death, kill, process_of, signal, stay, stop};
use mobula::prelude::*;
use std::collections::BTreeSet;

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

fn spread(count: usize) -> mobula::Result<BTreeSet<u32>> {
    let refs: Vec<_> = (0..count).map(|_| here::options().place(Placement::Spread).remote()).collect();
    refs.iter().map(|reference| reference.get().map(|rank| *rank)).collect()
}

/// No rank waits for it and nothing is sent to it: its death is noticed all the same, and tasks go to other ranks.
pub fn idle() -> Outcome {
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 2, 3]));
    kill(2)?;
    await_death(2);
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 3]));
    Ok(())
}

/// A process that is stopped for two seconds (by a debugger, by swapping) is not declared dead.
pub fn stopped() -> Outcome {
    let process = process_of(1)?;
    stop(process);
    let sent: Vec<_> = (0..64).map(|_| here::on(1).remote()).collect();
    std::thread::sleep(Duration::from_secs(2)); // how long it is stopped
    assert!(!sent.iter().any(ObjectRef::is_ready));
    signal("CONT", process);
    for reference in &sent {
        assert_eq!(*reference.get()?, 1);
    }
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 2, 3]));
    Ok(())
}

/// A task that keeps its worker, while a thread waits for the cluster's end and then kills a process.
#[mobula::remote]
fn kills_at_the_end(process: u32) {
    let never = never_returns::on(0).remote();
    std::thread::spawn(move || {
        let ended = never.get();
        println!("the cluster ends: {}", ended.is_err());
        if process == std::process::id() {
            // Immediately: a signal from a shell could arrive after this process ended regularly.
            std::process::abort();
        }
        signal("KILL", process);
    });
    stay("kills at the end");
}

#[mobula::remote]
fn never_returns() {
    stay("never returns");
}

/// Rank 1 received the request to shut down, and dies before it has sent its last message.
pub fn dies_before_shutdown_ready() -> Outcome {
    let _running = kills_at_the_end::on(1).remote(process_of(1)?);
    await_arrivals("kills at the end", 1);
    Ok(())
}

/// Rank 1 has sent its last message and waits for rank 0, one of whose workers still runs a task.
pub fn dies_during_shutdown() -> Outcome {
    let _running = kills_at_the_end::on(0).remote(process_of(1)?);
    await_arrivals("kills at the end", 1);
    Ok(())
}

/// Rank 0 dies after it requested the other ranks to shut down.
pub fn driver_dies_during_shutdown() -> Outcome {
    let _running = kills_at_the_end::on(0).remote(std::process::id());
    await_arrivals("kills at the end", 1);
    Ok(())
}
