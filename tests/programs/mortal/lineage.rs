//! Results in the stores of their producers' ranks, which die: they are recomputed when they are requested.

use crate::Outcome;
use crate::victims::{await_death, kill};
use mobula::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Small objects, produced by all ranks in turn: of two ranks, each stores a thousand.
const OBJECTS: u64 = 2_000;

/// Elements of each.
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
fn constant(number: u64) -> mobula::Result<Array<u64>> {
    filled(|_| number)
}

/// Its second result tells the driver that it ran; the array stays in the producer's store.
#[mobula::remote(num_returns = 2)]
fn doubled(array: &[u64]) -> mobula::Result<(Array<u64>, bool)> {
    Ok((filled(|index| 2 * array[index])?, true))
}

/// All ranks but this one die, with their results and with the results computed from those: all are recomputed.
pub fn recomputed() -> Outcome {
    let lost = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or_default();
    let inputs: Vec<_> =
        (0..OBJECTS).map(|number| constant::options().place(Placement::Spread).remote(number)).collect();
    let (doubled, ran): (Vec<_>, Vec<_>) =
        inputs.iter().map(|array| doubled::options().place(Placement::Spread).remote(array)).unzip();
    mobula::get_all(&ran)?;
    // Only the lineage of these is kept, for the results computed from them.
    drop(inputs);
    let before = RAN.load(Ordering::Relaxed);
    (1..=lost).try_for_each(kill)?;
    let killed = Instant::now();
    (1..=lost).for_each(await_death);
    let noticed = killed.elapsed();
    let arrays = mobula::get_all(&doubled)?;
    let again = RAN.load(Ordering::Relaxed) - before;
    let elapsed = killed.elapsed();
    println!(
        "{OBJECTS} objects are available again {elapsed:?} after {lost} ranks died (noticed after {noticed:?}); \
         {again} tasks ran again"
    );
    assert!((0..OBJECTS).zip(&arrays).all(|(number, array)| array.as_slice() == [2 * number; LENGTH]));
    // Ranks that share memory can still read the stores of the dead ranks.
    let shared = std::env::var_os("MOBULA_FABRIC").is_none();
    assert_eq!(again == 0, shared, "{again} tasks ran again");
    Ok(())
}
