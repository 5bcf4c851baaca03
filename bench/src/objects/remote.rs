//! Objects of the other rank: the cost of `get`, array by array and by the thousand, and a broadcast.

use super::OTHER;
use crate::case::Run;
use crate::failure::{Failure, Result, check};
use crate::sample::{us, us_each};
use crate::suite::ranks;
use mobula::prelude::*;
use std::time::Instant;

/// Arrays of a sample, at most, and their bytes together, at most.
const ARRAYS_MAX: usize = 1000;
const SAMPLE_BYTES_MAX: usize = 64 << 20;

/// Arrays that are fetched before the clock starts, so that neither rank sleeps: the others are fetched amid work.
const WARM_UP: u32 = 100;

/// What fills the arrays.
const FILL: f64 = 1.5;

/// Arrays in the store of the rank that runs this.
#[mobula::remote]
fn make(count: u32, elements: u64) -> mobula::Result<Vec<ObjectRef<Array<f64>>>> {
    let array = || {
        let mut writer = mobula::create_array::<f64>(elements as usize)?;
        writer.as_mut_slice().fill(FILL);
        mobula::put(writer.seal())
    };
    (0..count).map(|_| array()).collect()
}

/// Microseconds of getting an array of this many bytes for the first time.
pub fn get<const BYTES: usize>(run: &Run) -> Result<f64> {
    let most = run.rounds(ARRAYS_MAX as u32);
    let count = (SAMPLE_BYTES_MAX / BYTES).clamp(1, most as usize) as u32;
    let elements = BYTES / size_of::<f64>();
    let arrays = make::on(OTHER).remote(count, elements as u64).get()?;
    let others = make::on(OTHER).remote(WARM_UP, 1).get()?;
    fetch(&others)?;
    let start = Instant::now();
    let got = fetch(&arrays)?;
    let time = start.elapsed();
    for array in &got {
        let ends = (array.len(), array.first(), array.last());
        check(ends == (elements, Some(&FILL), Some(&FILL)), || format!("an array of {elements} came as {ends:?}"))?;
    }
    Ok(us(time) / f64::from(count))
}

/// Gets one after the other; all of them stay alive.
fn fetch(references: &[ObjectRef<Array<f64>>]) -> Result<Vec<Ref<Array<f64>>>> {
    references.iter().map(|reference| reference.get().map_err(Failure::from)).collect()
}

/// Objects of eight bytes that are fetched together.
const SMALL: u64 = 10_000;

/// References to small objects of the rank that runs this.
#[mobula::remote]
fn put_all(count: u64) -> mobula::Result<Vec<ObjectRef<u64>>> {
    (0..count).map(mobula::put).collect()
}

/// Millions of objects a second that are fetched from the other rank, ten thousand at once.
pub fn get_small(run: &Run) -> Result<f64> {
    let rounds = run.rounds(10);
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let references = put_all::on(OTHER).remote(SMALL).get()?;
        let start = Instant::now();
        let values = mobula::get_all(&references)?;
        spent += start.elapsed();
        let right = values.iter().zip(0..).all(|(value, expected)| **value == expected);
        check(right, || "an object is not what was put".to_string())?;
    }
    Ok(SMALL as f64 * f64::from(rounds) / us(spent))
}

/// Reads an array on the rank to which it was fetched.
#[mobula::remote]
fn ends(array: &[u8]) -> (u64, u8) {
    (array.len() as u64, array.first().copied().unwrap_or_default() & array.last().copied().unwrap_or_default())
}

/// Microseconds from putting an array of this many bytes until every other rank has read it.
pub fn broadcast<const BYTES: usize>(run: &Run) -> Result<f64> {
    let bytes = vec![5u8; BYTES];
    let others = 1..ranks();
    us_each(run.rounds(((64 << 20) / BYTES).clamp(3, 1000) as u32), || {
        let array = mobula::put_array(&bytes)?;
        let seen: Vec<ObjectRef<(u64, u8)>> = others.clone().map(|rank| ends::on(rank).remote(&array)).collect();
        let right = mobula::get_all(&seen)?.iter().all(|seen| **seen == (BYTES as u64, 5));
        check(right, || format!("{BYTES} bytes came as others"))
    })
}
