//! On the rank itself: putting, getting, and arrays of the store against plain memory.

use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::us_each;
use std::hint::black_box;
use std::sync::Arc;

/// Most bytes that a sample of arrays writes.
const SAMPLE_BYTES: usize = 640 << 20;

/// Elements of the small one: 1 KiB.
const SMALL: usize = 1024 / size_of::<u64>();

/// Microseconds of `get` on a value that is here.
pub fn get_ready(run: &Run) -> Result<f64> {
    let reference = mobula::put(42u64)?;
    us_each(run.rounds(200_000), || {
        let value = *black_box(&reference).get()?;
        check(value == 42, || format!("put 42 and got {value}"))
    })
}

/// Microseconds of counting a reader in and out, the least cost of a shared value.
pub fn clone_arc(run: &Run) -> Result<f64> {
    let value = Arc::new(42u64);
    us_each(run.rounds(200_000), || Ok(Arc::clone(black_box(&value))))
}

/// Microseconds of putting eight bytes and dropping the reference.
pub fn put(run: &Run) -> Result<f64> {
    us_each(run.rounds(200_000), || Ok(mobula::put(black_box(42u64))?))
}

/// Microseconds of the same without a store.
pub fn new_arc(run: &Run) -> Result<f64> {
    us_each(run.rounds(200_000), || Ok(Arc::new(black_box(42u64))))
}

/// Microseconds of allocating a small array in the store, sealing and dropping it; only its ends are written.
pub fn create_and_seal(run: &Run) -> Result<f64> {
    us_each(run.rounds(50_000), || {
        let mut writer = mobula::create_array::<u64>(SMALL)?;
        let elements = writer.as_mut_slice();
        (elements[0], elements[SMALL - 1]) = (1, 2);
        let array = writer.seal();
        check((array[0], array[SMALL - 1]) == (1, 2), || "a sealed array lost what was written".to_string())
    })
}

/// Gigabytes a second of putting an array of so many bytes, into memory that earlier arrays have left warm.
pub fn put_array<const BYTES: usize>(run: &Run) -> Result<f64> {
    let source = numbers(BYTES);
    let us = us_each(rounds(run, BYTES), || Ok(mobula::put_array(black_box(&source))?))?;
    let array = mobula::put_array(&source)?.get()?;
    check(**array == *source, || "an array is not what was put".to_string())?;
    Ok(gigabytes_a_second(BYTES, us))
}

/// The same copied into memory that was written just before.
pub fn copy_warm<const BYTES: usize>(run: &Run) -> Result<f64> {
    let source = numbers(BYTES);
    let mut target = vec![1u64; source.len()];
    let us = us_each(rounds(run, BYTES), || {
        target.copy_from_slice(black_box(&source));
        black_box(&mut target);
        Ok(())
    })?;
    Ok(gigabytes_a_second(BYTES, us))
}

fn rounds(run: &Run, bytes: usize) -> u32 {
    run.rounds((SAMPLE_BYTES / bytes).clamp(1, 50_000) as u32)
}

fn numbers(bytes: usize) -> Vec<u64> {
    (0..(bytes / size_of::<u64>()) as u64).collect()
}

fn gigabytes_a_second(bytes: usize, us: f64) -> f64 {
    bytes as f64 / us / 1e3
}
