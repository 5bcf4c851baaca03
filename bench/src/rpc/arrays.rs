//! Arrays that the other rank made: what `get` costs before a byte is read, whatever their size.

use super::OTHER;
use crate::case::Run;
use crate::failure::{Failure, Result, check};
use crate::sample::us;
use mobula::prelude::*;
use std::time::Instant;

/// Most arrays that are made for a sample, and the bytes that they may have together.
const ARRAYS_MAX: usize = 1000;
const SAMPLE_BYTES_MAX: usize = 64 << 20;

/// Arrays that are got before the clock starts, so that neither rank sleeps: the others are got in the midst of work.
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

/// Gets one after the other, keeping all of them.
fn fetch(references: &[ObjectRef<Array<f64>>]) -> Result<Vec<Ref<Array<f64>>>> {
    references.iter().map(|reference| reference.get().map_err(Failure::from)).collect()
}
