//! Objects of a rank that dies.

use crate::Outcome;
use crate::victims::{await_arrivals, died, kill, stay};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// The objects that rank 1 owns.
#[derive(Clone, Serialize, Deserialize)]
struct OwnedObjects {
    fetched: ObjectRef<u64>,
    unread: ObjectRef<Vec<u64>>,
    array: ObjectRef<Array<u64>>,
    unread_array: ObjectRef<Array<u64>>,
    pending: ObjectRef<u64>,
}

#[mobula::remote]
fn never() -> u64 {
    stay("never")
}

#[mobula::remote]
fn owned() -> mobula::Result<OwnedObjects> {
    Ok(OwnedObjects {
        fetched: mobula::put(7)?,
        unread: mobula::put(vec![1; 10_000])?,
        array: mobula::put_array(&[3; 10_000])?,
        unread_array: mobula::put_array(&[5; 10_000])?,
        pending: never::on(mobula::context().rank()).remote(),
    })
}

#[mobula::remote]
fn get_first(reference: Vec<ObjectRef<u64>>) -> mobula::Result<u64> {
    Ok(*reference[0].get()?)
}

#[mobula::remote]
fn passes(value: u64) -> u64 {
    value
}

/// Objects that were read stay readable; the others fail with the dead rank's name on every rank that waits; no wait
/// hangs.
pub fn objects() -> Outcome {
    let owned = owned::on(1).remote().get()?;
    let array = owned.array.get()?;
    assert_eq!((*owned.fetched.get()?, array.as_slice()[9_999]), (7, 3));
    // A task that waits in get, one that takes it as argument, and a driver.
    let waits = get_first::on(2).remote(vec![owned.pending.clone()]);
    let argument = passes::on(3).remote(&owned.pending);
    let here = passes::remote(&owned.pending);
    let pending = owned.pending.clone();
    let driver = std::thread::spawn(move || pending.get().map(|value| *value));
    await_arrivals("never", 1);
    kill(1)?;
    died("a task that waits", waits.get(), 1);
    died("a task that takes it as argument", argument.get(), 1);
    died("a task of the driver's", here.get(), 1);
    died("a driver that waits", driver.join().expect("no panic"), 1);
    died("a value that was never read", owned.unread.get(), 1);
    // Within a host its place came with the reference, and the dead rank's store stays mapped.
    let unread_array = owned.unread_array.get();
    if std::env::var("MOBULA_FABRIC").is_ok_and(|transport| transport == "tcp") {
        died("an array that was never read", unread_array.map(drop), 1);
    } else {
        assert!(unread_array?.as_slice().iter().all(|element| *element == 5));
    }
    died("a reference that another rank has", get_first::on(3).remote(vec![owned.pending.clone()]).get(), 1);
    assert_eq!((*owned.fetched.get()?, array.as_slice().iter().sum::<u64>()), (7, 30_000));
    let (ready, _) = mobula::wait(std::slice::from_ref(&owned.pending), 1, crate::victims::PATIENCE)?;
    assert_eq!(ready.len(), 1, "a failed object counts as ready");
    Ok(())
}
