//! Programs that need more memory than their stores have: `pressure CASE`.

mod full_stores;
mod limits;
mod recompute;
mod spilling;

use mobula::prelude::*;

/// The store of each rank: nine arrays.
const STORE_BYTES: u64 = 72 << 20;

/// Elements of an array: 8 MiB.
const LENGTH: usize = 1 << 20;

/// An array whose elements depend on their index and `mark`.
#[mobula::remote]
fn make(mark: u64) -> mobula::Result<Array<u64>> {
    filled(mark)
}

fn filled(mark: u64) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(LENGTH)?;
    array.as_mut_slice().iter_mut().zip(0..).for_each(|(element, number)| *element = mark * 1_000_003 + number);
    Ok(array.seal())
}

/// Returns true if an array is as `filled` made it.
fn is_whole(array: &[u64], mark: u64) -> bool {
    array.len() == LENGTH && array.iter().zip(0..).all(|(element, number)| *element == mark * 1_000_003 + number)
}

/// A copy of an array with 1 added to each element.
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
        "pinned" => spilling::pinned()?,
        "idles" => spilling::idles()?,
        "folder_removed" => spilling::folder_removed()?,
        "file_cut" => spilling::file_cut()?,
        "recompute_arrays" => recompute::arrays()?,
        "recompute_lists" => recompute::lists()?,
        "fetches" => full_stores::fetches()?,
        "limits" => limits::limits()?,
        "amounts" => limits::amounts()?,
        "kept_objects" => full_stores::kept_objects()?,
        "graph" => full_stores::graph()?,
        "copies" => spilling::copies()?,
        "read_elsewhere" => full_stores::read_elsewhere()?,
        "full" => full_stores::full()?,
        "stream" => full_stores::stream()?,
        "freed_by_a_task" => full_stores::freed_by_a_task()?,
        "too_large" => full_stores::too_large()?,
        _ => panic!("there is no case {case:?}"),
    }
    println!("passed {case}");
    Ok(())
}

/// The size of the store, as this program's settings give it.
fn store_bytes() -> u64 {
    std::env::var("MOBULA_STORE_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(STORE_BYTES)
}
