//! Putting and getting, the drop of the last reference, and placement groups.

use super::clock::rate;
use crate::case::Run;
use crate::failure::{Result, check};
use mobula::prelude::*;
use mobula::{Bundle, Strategy};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

/// Elements of the array that one driver puts (800 MB), and of those that ten tasks put ten of each (80 MB).
const BIG: usize = 100 << 20;
const PART: usize = 10 << 20;
const PUTTERS: u64 = 10;
const PARTS: u32 = 10;

/// Small objects that each of ten tasks puts.
const SMALL: u64 = 100;

/// References in an object, and objects of a batch that goes out of scope.
const REFERENCES: u64 = 10_000;
const DROPPED: u64 = 1_000;

/// Placement groups that exist at once.
const GROUPS: usize = 100;

/// Gets a second of a value that is here.
pub fn get(run: &Run) -> Result<f64> {
    let reference = mobula::put(0u64)?;
    rate(run, 1.0, || check(*black_box(&reference).get()? == 0, || "put 0 and got another number".to_string()))
}

/// Puts a second.
pub fn put(run: &Run) -> Result<f64> {
    rate(run, 1.0, || {
        black_box(mobula::put(0u64)?);
        Ok(())
    })
}

#[mobula::remote]
fn put_small() -> mobula::Result<u64> {
    for number in 0..SMALL {
        black_box(mobula::put(number)?);
    }
    Ok(SMALL)
}

/// Puts a second by ten tasks.
pub fn put_by_many(run: &Run) -> Result<f64> {
    rate(run, (PUTTERS * SMALL) as f64, || {
        let putters: Vec<ObjectRef<u64>> = (0..PUTTERS).map(|_| put_small::remote()).collect();
        let right = mobula::get_all(&putters)?.iter().all(|count| **count == SMALL);
        check(right, || "a task did not put all".to_string())
    })
}

/// Gigabytes a second of one array.
pub fn put_gigabytes(run: &Run) -> Result<f64> {
    let zeros = vec![0u64; BIG];
    rate(run, bytes(BIG), || {
        let array = mobula::put_array(&zeros)?.get()?;
        check(array.len() == BIG, || "an array has another length".to_string())
    })
}

#[mobula::remote]
fn put_parts(count: u32) -> mobula::Result<u32> {
    for _ in 0..count {
        black_box(mobula::put_array(&vec![0u64; PART])?);
    }
    Ok(count)
}

/// Gigabytes a second by ten tasks.
pub fn put_gigabytes_by_many(run: &Run) -> Result<f64> {
    let parts = run.rounds(PARTS);
    rate(run, bytes(PART) * PUTTERS as f64 * f64::from(parts), || {
        let putters: Vec<ObjectRef<u32>> = (0..PUTTERS).map(|_| put_parts::remote(parts)).collect();
        let right = mobula::get_all(&putters)?.iter().all(|count| **count == parts);
        check(right, || "a task did not put all".to_string())
    })
}

fn bytes(elements: usize) -> f64 {
    (elements * size_of::<u64>()) as f64 / 1e9
}

#[mobula::remote]
fn with_references() -> mobula::Result<Vec<ObjectRef<u64>>> {
    (0..REFERENCES).map(|_| mobula::put(1u64)).collect()
}

/// Gets a second of an object that holds ten thousand references.
pub fn get_with_references(run: &Run) -> Result<f64> {
    let object = with_references::remote();
    rate(run, 1.0, || check(object.get()?.len() as u64 == REFERENCES, || "a reference is missing".to_string()))
}

/// Values whose last reference has been dropped.
static DROPS: AtomicU64 = AtomicU64::new(0);

/// Counts the drop of its last reference. Ray's users register a callback for that; here any value's `Drop` does it.
#[derive(Serialize, Deserialize)]
struct CountsDrops(u64);

impl Drop for CountsDrops {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Objects a second that are put, and whose drop is counted.
pub fn register_drop(run: &Run) -> Result<f64> {
    rate(run, 1.0, || {
        drop(mobula::put(CountsDrops(0))?);
        Ok(())
    })
}

/// Objects a second of which a thousand are dropped together, until all drops are counted.
pub fn fire_drops(run: &Run) -> Result<f64> {
    rate(run, DROPPED as f64, || {
        let before = DROPS.load(Ordering::Relaxed);
        let objects: Vec<ObjectRef<CountsDrops>> =
            (0..DROPPED).map(|number| mobula::put(CountsDrops(number))).collect::<mobula::Result<_>>()?;
        drop(objects);
        let dropped = DROPS.load(Ordering::Relaxed) - before;
        check(dropped == DROPPED, || format!("{dropped} of {DROPPED} objects were dropped"))
    })
}

/// Placement groups a second that are created, waited for and removed.
pub fn groups(run: &Run) -> Result<f64> {
    rate(run, GROUPS as f64, || {
        let bundle = || vec![Bundle::new().resource("custom", 0.001)];
        let created = (0..GROUPS).map(|_| mobula::placement_group(bundle(), Strategy::Pack));
        let groups = created.collect::<mobula::Result<Vec<_>>>()?;
        for group in &groups {
            check(group.wait(None)?, || "a placement group is not there".to_string())?;
        }
        groups.iter().for_each(mobula::PlacementGroup::remove);
        Ok(())
    })
}
