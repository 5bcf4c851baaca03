//! Results that nobody has read yet are more than the store of who makes them: some are let go, and made again.

use crate::{filled, is_whole};
use mobula::prelude::*;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Results: three stores' worth.
const RESULTS: u64 = 24;

/// As `make`; each time it runs it adds a letter to a file.
#[mobula::remote]
fn makes(mark: u64, count: String) -> mobula::Result<Array<u64>> {
    let mut count = File::options().append(true).create(true).open(count).expect("a file of this test's own");
    count.write_all(b"x").expect("written");
    filled(mark)
}

/// Of an array that lies elsewhere, whether it is whole.
#[mobula::remote(num_cpus = 0)]
fn checks(array: &[u64], mark: u64) -> bool {
    is_whole(array, mark)
}

/// As `makes`, of a list: what lies in the store is its encoded form.
#[mobula::remote]
fn lists(mark: u64, count: String) -> mobula::Result<Vec<u8>> {
    makes(mark, count).map(|array| array.iter().flat_map(|element| element.to_le_bytes()).collect())
}

/// Whether all of a list is as `lists` made it.
fn is_whole_list(list: &[u8], mark: u64) -> bool {
    let (elements, rest) = list.as_chunks();
    let elements: Vec<u64> = elements.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    rest.is_empty() && is_whole(&elements, mark)
}

/// A file that tasks count in.
fn counter() -> String {
    std::env::var("COUNT").expect("a file to count in")
}

/// Returns when all results have been made: who waits for none of them leaves all of them where they are.
fn until_all_ran(count: &str) {
    while runs(count) < RESULTS {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn some_ran_again(count: &str) {
    println!("{} runs for {RESULTS} results", runs(count));
    assert!(runs(count) > RESULTS, "some were made again");
    std::fs::remove_file(count).expect("our own");
}

/// The driver's results are made by rank 1, on another host, and stay there until somebody wants them.
pub fn again() -> mobula::Result<()> {
    let count = counter();
    let elsewhere = || makes::options().num_cpus(1.0).place(Placement::Rank(1));
    let results: Vec<ObjectRef<Array<u64>>> =
        (0..RESULTS).map(|mark| elsewhere().remote(mark, count.clone())).collect();
    until_all_ran(&count);
    // What was read is dropped: it takes room here, and cannot be made again any more.
    for (mark, result) in (0..).zip(results) {
        if mark % 3 == 0 {
            let checked = checks::on(2).remote(&result, mark).get()?;
            assert!(*checked, "array {mark}, read by another rank");
        } else {
            assert!(is_whole(&result.get()?, mark), "array {mark}");
        }
    }
    some_ran_again(&count);
    Ok(())
}

/// As `again`, of values without arrays.
pub fn lists_again() -> mobula::Result<()> {
    let count = counter();
    let elsewhere = || lists::options().num_cpus(1.0).place(Placement::Rank(1));
    let results: Vec<ObjectRef<Vec<u8>>> = (0..RESULTS).map(|mark| elsewhere().remote(mark, count.clone())).collect();
    until_all_ran(&count);
    for (mark, result) in (0..).zip(results) {
        assert!(is_whole_list(&result.get()?, mark), "list {mark}");
    }
    some_ran_again(&count);
    Ok(())
}

fn runs(count: &str) -> u64 {
    Path::new(count).metadata().map_or(0, |count| count.len())
}
