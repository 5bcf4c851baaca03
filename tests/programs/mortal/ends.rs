//! Deaths of who has nothing to do, of who stands still, and while the cluster ends.

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

/// Nobody waits for it, and nothing is sent to it: it is noticed all the same, and work goes elsewhere.
pub fn idle() -> Outcome {
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 2, 3]));
    kill(2)?;
    await_death(2);
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 3]));
    Ok(())
}

/// A process that stands still for two seconds (a debugger, a full swap) is not dead.
pub fn stopped() -> Outcome {
    let process = process_of(1)?;
    stop(process);
    let sent: Vec<_> = (0..64).map(|_| here::on(1).remote()).collect();
    std::thread::sleep(Duration::from_secs(2)); // how long it stands still
    assert!(!sent.iter().any(ObjectRef::is_ready));
    signal("CONT", process);
    for reference in &sent {
        assert_eq!(*reference.get()?, 1);
    }
    assert_eq!(spread(8)?, BTreeSet::from([0, 1, 2, 3]));
    Ok(())
}

/// A task that keeps its worker, while a thread beside it waits for the cluster's end and then kills a process.
#[mobula::remote]
fn kills_at_the_end(process: u32) {
    let never = waits_for_ever::on(0).remote();
    std::thread::spawn(move || {
        let ended = never.get();
        println!("the cluster ends: {}", ended.is_err());
        if process == std::process::id() {
            // At once: a signal from a shell could come when this process has left in order.
            std::process::abort();
        }
        signal("KILL", process);
    });
    stay("kills at the end");
}

#[mobula::remote]
fn waits_for_ever() {
    stay("waits for ever");
}

/// Rank 1 was told to stop, and is killed before it has said its last word.
pub fn while_others_leave() -> Outcome {
    let _running = kills_at_the_end::on(1).remote(process_of(1)?);
    await_arrivals("kills at the end", 1);
    Ok(())
}

/// Rank 1 has said its last word and waits for rank 0, whose worker is not through.
pub fn while_ranks_part() -> Outcome {
    let _running = kills_at_the_end::on(0).remote(process_of(1)?);
    await_arrivals("kills at the end", 1);
    Ok(())
}

/// Rank 0 is killed when the others have been told to stop.
pub fn driver_leaves() -> Outcome {
    let _running = kills_at_the_end::on(0).remote(std::process::id());
    await_arrivals("kills at the end", 1);
    Ok(())
}
