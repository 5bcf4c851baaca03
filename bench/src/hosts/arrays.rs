//! Arrays of the other rank, fetched to this one.

use super::{OTHER, pieces, rate};
use crate::case::Run;
use crate::failure::{Failure, Result, check};
use mobula::prelude::*;
use std::time::Instant;

/// Arrays in the store of the rank that runs this, each filled with its number.
#[mobula::remote]
fn make(count: u32, bytes: u64) -> mobula::Result<Vec<ObjectRef<Array<u8>>>> {
    let array = |number: u32| {
        let mut writer = mobula::create_array::<u8>(bytes as usize)?;
        writer.as_mut_slice().fill(number as u8);
        mobula::put(writer.seal())
    };
    (0..count).map(array).collect()
}

/// GiB a second of getting arrays of this many bytes, one after the other.
pub fn get<const BYTES: usize>(run: &Run) -> Result<f64> {
    let count = pieces(run, BYTES);
    // The memory of the last sample has its pages: the first arrays only touch it.
    let warm = make::on(OTHER).remote(1, BYTES as u64).get()?;
    drop(warm[0].get()?);
    let arrays = make::on(OTHER).remote(count as u32, BYTES as u64).get()?;
    let start = Instant::now();
    for (number, array) in arrays.iter().enumerate() {
        let array = array.get().map_err(Failure::from)?;
        let ends = (array.first().copied(), array.last().copied());
        check(array.len() == BYTES && ends == (Some(number as u8), Some(number as u8)), || {
            format!("array {number} came as {ends:?}")
        })?;
    }
    Ok(rate(count * BYTES, start.elapsed()))
}
