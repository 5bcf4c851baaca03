//! Objects of a rank that dies.

use crate::Outcome;
use crate::victims::{await_arrivals, died, kill, stay};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// What rank 1 owns.
#[derive(Clone, Serialize, Deserialize)]
struct Estate {
    fetched: ObjectRef<u64>,
    left: ObjectRef<Vec<u64>>,
    array: ObjectRef<Array<u64>>,
    array_left: ObjectRef<Array<u64>>,
    pending: ObjectRef<u64>,
}

#[mobula::remote]
fn never() -> u64 {
    stay("never")
}

#[mobula::remote]
fn estate() -> mobula::Result<Estate> {
    Ok(Estate {
        fetched: mobula::put(7)?,
        left: mobula::put(vec![1; 10_000])?,
        array: mobula::put_array(&[3; 10_000])?,
        array_left: mobula::put_array(&[5; 10_000])?,
        pending: never::on(mobula::context().rank()).remote(),
    })
}

#[mobula::remote]
fn look(reference: Vec<ObjectRef<u64>>) -> mobula::Result<u64> {
    Ok(*reference[0].get()?)
}

#[mobula::remote]
fn passes(value: u64) -> u64 {
    value
}

/// What was read stays readable; what was not fails by name wherever it is waited for; nobody waits for ever.
pub fn objects() -> Outcome {
    let estate = estate::on(1).remote().get()?;
    let array = estate.array.get()?;
    assert_eq!((*estate.fetched.get()?, array.as_slice()[9_999]), (7, 3));
    // A task that waits in get, one whose argument it is, and a driver.
    let waits = look::on(2).remote(vec![estate.pending.clone()]);
    let argument = passes::on(3).remote(&estate.pending);
    let here = passes::remote(&estate.pending);
    let pending = estate.pending.clone();
    let driver = std::thread::spawn(move || pending.get().map(|value| *value));
    await_arrivals("never", 1);
    kill(1)?;
    died("a task that waits", waits.get(), 1);
    died("a task whose argument it is", argument.get(), 1);
    died("a task of the driver's", here.get(), 1);
    died("a driver that waits", driver.join().expect("no panic"), 1);
    died("a value that was never read", estate.left.get(), 1);
    died("an array that was never read", estate.array_left.get(), 1);
    died("a reference that another rank has", look::on(3).remote(vec![estate.pending.clone()]).get(), 1);
    assert_eq!((*estate.fetched.get()?, array.as_slice().iter().sum::<u64>()), (7, 30_000));
    let (ready, _) = mobula::wait(std::slice::from_ref(&estate.pending), 1, crate::victims::PATIENCE)?;
    assert_eq!(ready.len(), 1, "a failure is an end");
    Ok(())
}
