//! Kept objects exceed the store: some are on disk meanwhile, and are read back unchanged.

use crate::{LENGTH, filled, is_whole, make, next};
use mobula::prelude::*;
use std::io::Write;

/// Links of the chain: ten stores' worth.
const LINKS: u64 = 90;

/// Each array is computed from the one before, all are kept, and all are read again at the end.
pub fn chain() -> mobula::Result<()> {
    let mut links = vec![make::remote(0)];
    for _ in 1..LINKS {
        let link = next::options().place(Placement::Spread).remote(&links[links.len() - 1]);
        links.push(link);
    }
    for (added, link) in links.iter().enumerate() {
        let array = link.get()?;
        let right = array.iter().zip(0..).all(|(element, number): (&u64, u64)| *element == number + added as u64);
        assert!(right && array.len() == LENGTH, "link {added} differs from what was written");
    }
    Ok(())
}

/// As many bytes in arrays of a few KiB.
pub fn small() -> mobula::Result<()> {
    const SMALL: usize = 500;
    let count = 10 * (crate::store_bytes() as usize) / (SMALL * 8);
    let all: mobula::Result<Vec<ObjectRef<Array<u64>>>> =
        (0..count).map(|mark| mobula::put_array(&vec![mark as u64; SMALL])).collect();
    for (mark, array) in all?.iter().enumerate() {
        let array = array.get()?;
        assert!(array.len() == SMALL && array.iter().all(|element| *element == mark as u64), "array {mark}");
    }
    Ok(())
}

/// Objects with arrays inside, put by the driver.
pub fn puts() -> mobula::Result<()> {
    let objects: mobula::Result<Vec<_>> = (0..60)
        .map(|mark| {
            mobula::put((format!("number {mark}"), vec![filled(mark)?, filled(mark + 1)?], Some(filled(mark)?)))
        })
        .collect();
    let objects = objects?;
    for (object, mark) in objects.iter().rev().zip((0..60).rev()) {
        let object = object.get()?;
        assert_eq!(object.0, format!("number {mark}"));
        assert!(is_whole(&object.1[1], mark + 1) && object.2.as_ref().is_some_and(|array| is_whole(array, mark)));
    }
    Ok(())
}

/// An array that is being read stays at its address, whatever is spilled around it.
pub fn pinned() -> mobula::Result<()> {
    let read = make::remote(7).get()?;
    let own = filled(8)?;
    let kept = mobula::put(own.clone())?;
    let addresses = (read.as_ptr().addr(), own.as_ptr().addr());
    let others: Vec<ObjectRef<Array<u64>>> = (100..140).map(make::remote).collect();
    for (mark, other) in (100..).zip(&others) {
        assert!(is_whole(&other.get()?, mark), "array {mark}");
        assert_eq!(addresses, (read.as_ptr().addr(), own.as_ptr().addr()));
        assert_eq!(kept.get()?.as_ptr().addr(), addresses.1, "all readers of an object read the same copy");
    }
    assert!(is_whole(&read, 7) && is_whole(&own, 8) && is_whole(&kept.get()?, 8));
    Ok(())
}

/// Keeps three stores' worth, and waits to be killed or until a file exists.
pub fn idles() -> mobula::Result<()> {
    let kept: mobula::Result<Vec<_>> = (0..27).map(|mark| mobula::put(filled(mark)?)).collect();
    let kept = kept?;
    println!("idle");
    let _ = std::io::stdout().flush();
    let go = std::env::args().nth(2).unwrap_or_default();
    while !std::path::Path::new(&go).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for (mark, object) in (0..).zip(&kept) {
        assert!(is_whole(&object.get()?, mark), "array {mark}");
    }
    Ok(())
}

/// The spill folder is removed while it is in use: its objects are still readable, and more are written elsewhere.
pub fn folder_removed() -> mobula::Result<()> {
    let base = std::env::var("MOBULA_SPILL_DIR").expect("a folder of this test");
    let mut kept = Vec::new();
    for round in 0..3 {
        for mark in round * 20..round * 20 + 20 {
            kept.push(mobula::put(filled(mark)?)?);
        }
        let folders: Vec<_> = std::fs::read_dir(&base).expect("the base folder exists").flatten().collect();
        assert!(!folders.is_empty(), "something was written");
        folders.iter().for_each(|folder| std::fs::remove_dir_all(folder.path()).expect("it can be removed"));
    }
    for (mark, object) in (0..).zip(&kept) {
        assert!(is_whole(&object.get()?, mark), "array {mark}");
    }
    Ok(())
}

/// The files are cut while they are in use: readers of their objects get an error.
pub fn file_cut() -> mobula::Result<()> {
    let base = std::env::var("MOBULA_SPILL_DIR").expect("a folder of this test");
    let kept: mobula::Result<Vec<_>> = (0..20).map(|mark| mobula::put(filled(mark)?)).collect();
    let kept = kept?;
    for folder in std::fs::read_dir(&base).expect("the base folder exists").flatten() {
        for file in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
            let file = std::fs::File::options().write(true).open(file.path()).expect("a file");
            file.set_len(0).expect("it can be cut");
        }
    }
    let failures: Vec<String> =
        kept.iter().filter_map(|object| object.get().err()).map(|error| error.to_string()).collect();
    println!("{} of 20 are lost: {}", failures.len(), failures.first().map_or("", String::as_str));
    assert!(!failures.is_empty() && failures.iter().all(|failure| failure.contains("was cut to 0 bytes")));
    assert!(is_whole(&make::remote(3).get()?, 3), "everything else goes on");
    Ok(())
}

/// Creates arrays and puts them as objects of this rank.
#[mobula::remote]
fn put_arrays(first: u64, count: u64) -> mobula::Result<Vec<ObjectRef<Array<u64>>>> {
    (first..first + count).map(|mark| mobula::put(filled(mark)?)).collect()
}

/// Reads them all, `rounds` times; returns how often one was right.
#[mobula::remote(num_cpus = 0)]
fn reads(objects: Vec<ObjectRef<Array<u64>>>, rounds: u64) -> mobula::Result<u64> {
    let mut whole = 0;
    for _ in 0..rounds {
        for (mark, object) in (0..).zip(&objects) {
            whole += u64::from(is_whole(&object.get()?, mark));
        }
    }
    Ok(whole)
}

/// One rank reads more copies of other ranks' objects than fit into its store, and nothing can be spilled.
pub fn copies() -> mobula::Result<()> {
    const EACH: u64 = 7;
    let owners = [0, 2];
    let mut objects = Vec::new();
    for (turn, rank) in (0..).zip(owners) {
        let put = put_arrays::on(rank).remote(turn * EACH, EACH);
        objects.extend(put.get()?.iter().cloned());
    }
    let whole = reads::on(1).remote(objects, 3).get()?;
    assert_eq!(*whole, 3 * EACH * owners.len() as u64);
    Ok(())
}
