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

/// The driver's results are made by rank 1, on another host, and stay there until somebody wants them.
pub fn again() -> mobula::Result<()> {
    let count = std::env::var("COUNT").expect("a file to count in");
    let elsewhere = || makes::options().num_cpus(1.0).place(Placement::Rank(1));
    let results: Vec<ObjectRef<Array<u64>>> =
        (0..RESULTS).map(|mark| elsewhere().remote(mark, count.clone())).collect();
    // Who waits for none of them lets all of them be made.
    while runs(&count) < RESULTS {
        std::thread::sleep(Duration::from_millis(5));
    }
    // What was read is dropped: it takes room here, and cannot be made again any more.
    for (mark, result) in (0..).zip(results) {
        if mark % 3 == 0 {
            let checked = checks::on(2).remote(&result, mark).get()?;
            assert!(*checked, "array {mark}, read by another rank");
        } else {
            assert!(is_whole(&result.get()?, mark), "array {mark}");
        }
    }
    println!("{} runs for {RESULTS} results", runs(&count));
    assert!(runs(&count) > RESULTS, "some were made again");
    std::fs::remove_file(count).expect("our own");
    Ok(())
}

fn runs(count: &str) -> u64 {
    Path::new(count).metadata().map_or(0, |count| count.len())
}
