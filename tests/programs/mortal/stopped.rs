//! Ranks that are stopped (SIGSTOP) for longer than MOBULA_PEER_TIMEOUT_S, and continue later: the other ranks declare
//! them dead, and they end themselves.

use crate::Outcome;
use crate::victims::{arrive, await_arrivals, died, process_of, signal, soon, stay, stop};
use mobula::prelude::*;

#[mobula::remote]
fn stays() -> u32 {
    stay("stays")
}

#[mobula::remote]
fn here() -> u32 {
    mobula::context().rank()
}

/// Never returns on `rank`; a retry on another rank returns at once.
#[mobula::remote]
fn stays_on(rank: u32) -> u32 {
    if mobula::context().rank() == rank {
        stay("stays on");
    }
    arrive("stays elsewhere");
    mobula::context().rank()
}

/// Returns true if the process runs; a zombie, which waits for its parent, does not.
fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|fields| !fields.is_empty() && !fields.trim_start().starts_with('Z'))
}

fn free(name: &str) -> f64 {
    mobula::available_resources()[name]
}

/// The resources of rank 2 are released exactly once when it is declared dead, also if it continues later; its tasks
/// fail or run elsewhere.
pub fn too_long() -> Outcome {
    let process = process_of(2)?;
    let held = stays::options().resource("Key", 1.0).place(Placement::Rank(2)).remote();
    let moved: Vec<_> = (0..8).map(|_| stays_on::options().place(Placement::Spread).remote(2u32)).collect();
    await_arrivals("stays", 1);
    await_arrivals("stays on", 2);
    assert_eq!(free("Key"), 0.0);
    println!("stops rank 2");
    stop(process);
    died("the task that holds the resource", held.get(), 2);
    for reference in &moved {
        assert_ne!(*reference.get()?, 2);
    }
    died("a task sent to it", here::on(2).remote().get(), 2);
    soon("its resource is free", || free("Key") == 1.0);
    assert_eq!(*here::options().resource("Key", 1.0).place(Placement::Rank(3)).remote().get()?, 3);
    signal("CONT", process);
    soon("it ends itself", || !runs(process));
    soon("every CPU is free", || free("CPU") == 10.0);
    assert_eq!(free("Key"), 1.0, "it was not released a second time");
    died("a task sent to it later", here::on(2).remote().get(), 2);
    Ok(())
}

/// Rank 1 is stopped when the others shut down: they do not wait for it without end.
pub fn during_shutdown() -> Outcome {
    let process = process_of(1)?;
    println!("stops process {process}");
    stop(process);
    Ok(())
}
