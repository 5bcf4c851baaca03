//! Unread results that exceed the store of their producer's rank: some are released, and recomputed.

use crate::{filled, is_whole};
use mobula::prelude::*;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Results: three stores' worth.
const RESULTS: u64 = 24;

/// Like `make`; each run adds a letter to a file.
#[mobula::remote]
fn make_counted(mark: u64, counter: String) -> mobula::Result<Array<u64>> {
    let mut counter = File::options().append(true).create(true).open(counter).expect("a file of this test");
    counter.write_all(b"x").expect("written");
    filled(mark)
}

/// Returns true if an array of another rank is as it was made.
#[mobula::remote(num_cpus = 0)]
fn check(array: &[u64], mark: u64) -> bool {
    is_whole(array, mark)
}

/// Like `make_counted`, for a list: the store has its encoded form.
#[mobula::remote]
fn make_list(mark: u64, counter: String) -> mobula::Result<Vec<u8>> {
    make_counted(mark, counter).map(|array| array.iter().flat_map(|element| element.to_le_bytes()).collect())
}

/// Returns true if a list is as `make_list` made it.
fn is_whole_list(list: &[u8], mark: u64) -> bool {
    let (elements, rest) = list.as_chunks();
    let elements: Vec<u64> = elements.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    rest.is_empty() && is_whole(&elements, mark)
}

/// The file in which tasks count their runs.
fn counter_file() -> String {
    std::env::var("COUNT").expect("COUNT names a file")
}

/// Waits until all tasks have run. The driver waits for none of the results, so that all stay where they were produced.
fn await_all_runs(counter: &str) {
    while runs(counter) < RESULTS {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn assert_some_ran_again(counter: &str) {
    println!("{} runs for {RESULTS} results", runs(counter));
    assert!(runs(counter) > RESULTS, "some were recomputed");
    std::fs::remove_file(counter).expect("the test's own file");
}

/// The driver's results are produced by rank 1, on another host, and stay there until they are requested.
pub fn arrays() -> mobula::Result<()> {
    let counter = counter_file();
    let elsewhere = || make_counted::options().num_cpus(1.0).place(Placement::Rank(1));
    let results: Vec<ObjectRef<Array<u64>>> =
        (0..RESULTS).map(|mark| elsewhere().remote(mark, counter.clone())).collect();
    await_all_runs(&counter);
    // Arrays that were read are dropped: they take space here, and cannot be recomputed any more.
    for (mark, result) in (0..).zip(results) {
        if mark % 3 == 0 {
            let checked = check::on(2).remote(&result, mark).get()?;
            assert!(*checked, "array {mark}, read by another rank");
        } else {
            assert!(is_whole(&result.get()?, mark), "array {mark}");
        }
    }
    assert_some_ran_again(&counter);
    Ok(())
}

/// Like `arrays`, for values without arrays.
pub fn lists() -> mobula::Result<()> {
    let counter = counter_file();
    let elsewhere = || make_list::options().num_cpus(1.0).place(Placement::Rank(1));
    let results: Vec<ObjectRef<Vec<u8>>> = (0..RESULTS).map(|mark| elsewhere().remote(mark, counter.clone())).collect();
    await_all_runs(&counter);
    for (mark, result) in (0..).zip(results) {
        assert!(is_whole_list(&result.get()?, mark), "list {mark}");
    }
    assert_some_ran_again(&counter);
    Ok(())
}

fn runs(counter: &str) -> u64 {
    Path::new(counter).metadata().map_or(0, |file| file.len())
}
