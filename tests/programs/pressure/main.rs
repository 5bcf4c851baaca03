//! Programs that need more memory than their stores have. The first argument says which.

mod again;
mod crowds;
mod limits;
mod spilling;

use mobula::prelude::*;

/// The store of each rank: eight arrays and some room for what is small.
const STORE_BYTES: u64 = 72 << 20;

/// Elements of an array: 8 MiB.
const LENGTH: usize = 1 << 20;

/// An array of which every element is told by its number and `mark`.
#[mobula::remote]
fn make(mark: u64) -> mobula::Result<Array<u64>> {
    filled(mark)
}

fn filled(mark: u64) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(LENGTH)?;
    array.as_mut_slice().iter_mut().zip(0..).for_each(|(element, number)| *element = mark * 1_000_003 + number);
    Ok(array.seal())
}

/// Whether all of an array is as `filled` made it.
fn is_whole(array: &[u64], mark: u64) -> bool {
    array.len() == LENGTH && array.iter().zip(0..).all(|(element, number)| *element == mark * 1_000_003 + number)
}

/// An array of the same elements, each one more.
#[mobula::remote]
fn next(array: &[u64]) -> mobula::Result<Array<u64>> {
    let mut following = mobula::create_array::<u64>(array.len())?;
    following.as_mut_slice().iter_mut().zip(array).for_each(|(to, from)| *to = from + 1);
    Ok(following.seal())
}

#[mobula::main(store_bytes = 75_497_472)]
fn main() -> mobula::Result<()> {
    let case = std::env::args().nth(1).unwrap_or_default();
    match case.as_str() {
        "chain" => spilling::chain()?,
        "small" => spilling::small()?,
        "puts" => spilling::puts()?,
        "stays" => spilling::stays()?,
        "sits" => spilling::sits()?,
        "vanishes" => spilling::vanishes()?,
        "cut" => spilling::cut()?,
        "again" => again::again()?,
        "lists_again" => again::lists_again()?,
        "pulls" => crowds::pulls()?,
        "limits" => limits::limits()?,
        "accounts" => limits::accounts()?,
        "keeps" => crowds::keeps()?,
        "graph" => crowds::graph()?,
        "copies" => spilling::copies()?,
        "lent" => crowds::lent()?,
        "full" => crowds::full()?,
        "stream" => crowds::stream()?,
        "late" => crowds::late()?,
        "too_large" => crowds::too_large()?,
        _ => panic!("there is no case {case:?}"),
    }
    println!("passed {case}");
    Ok(())
}

/// Bytes of the store as the settings of this program have it.
fn store_bytes() -> u64 {
    std::env::var("MOBULA_STORE_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(STORE_BYTES)
}
