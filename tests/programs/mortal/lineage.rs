//! Results that lie where they were made, on ranks that die: made again when they are wanted.

use crate::Outcome;
use crate::victims::{await_death, kill};
use mobula::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Small objects, made by all ranks in turn: of two ranks, each has a thousand.
const OBJECTS: u64 = 2_000;

/// Numbers of each.
const LENGTH: usize = 128;

/// Tasks that this rank ran.
static RAN: AtomicU64 = AtomicU64::new(0);

fn filled(number: impl Fn(usize) -> u64) -> mobula::Result<Array<u64>> {
    RAN.fetch_add(1, Ordering::Relaxed);
    let mut array = mobula::create_array::<u64>(LENGTH)?;
    array.as_mut_slice().iter_mut().enumerate().for_each(|(index, element)| *element = number(index));
    Ok(array.seal())
}

#[mobula::remote]
fn made(number: u64) -> mobula::Result<Array<u64>> {
    filled(|_| number)
}

/// With a result by which one hears that it ran, and leaves the array where it is.
#[mobula::remote(num_returns = 2)]
fn doubled(array: &[u64]) -> mobula::Result<(Array<u64>, bool)> {
    Ok((filled(|index| 2 * array[index])?, true))
}

/// Every rank but this one is lost, with what it made and with what was made of that: all of it is there again.
pub fn made_again() -> Outcome {
    let lost = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or_default();
    let made: Vec<_> = (0..OBJECTS).map(|number| made::options().place(Placement::Spread).remote(number)).collect();
    let (doubled, ran): (Vec<_>, Vec<_>) =
        made.iter().map(|array| doubled::options().place(Placement::Spread).remote(array)).unzip();
    mobula::get_all(&ran)?;
    // Of these only what it takes to make them is left, for those that need them.
    drop(made);
    let before = RAN.load(Ordering::Relaxed);
    (1..=lost).try_for_each(kill)?;
    let killed = Instant::now();
    (1..=lost).for_each(await_death);
    let noticed = killed.elapsed();
    let arrays = mobula::get_all(&doubled)?;
    let again = RAN.load(Ordering::Relaxed) - before;
    println!(
        "{OBJECTS} objects are there again {:?} after the loss of {lost} ranks, which took {noticed:?} to be noticed; {again} tasks ran again",
        killed.elapsed()
    );
    assert!((0..OBJECTS).zip(&arrays).all(|(number, array)| array.as_slice() == [2 * number; LENGTH]));
    // Where memory is shared, what the dead had in theirs can still be read.
    let shared = std::env::var_os("MOBULA_FABRIC").is_none();
    assert_eq!(again == 0, shared, "{again} tasks ran again");
    Ok(())
}
