//! Arrays in use exceed the store: an allocation waits for space, and if none is freed its error lists the holders.

use crate::{LENGTH, filled, is_whole, make, store_bytes};
use mobula::Error;
use mobula::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads arrays until the store has no space.
pub fn full() -> mobula::Result<()> {
    let mut read = Vec::new();
    let mut mine = Vec::new();
    let error = loop {
        let outcome = make::remote(read.len() as u64).get();
        match outcome {
            Ok(array) => read.push(array),
            Err(error) => break error,
        }
        if read.len() == 5 {
            mine.push(filled(99)?);
        }
    };
    println!("error: {error}");
    assert!(matches!(error, Error::StoreFull { .. }), "{error:?}");
    read.pop();
    assert!(is_whole(&make::remote(3).get()?, 3), "and has space again");
    Ok(())
}

/// Reads arrays of another rank, until that rank has no space.
pub fn read_elsewhere() -> mobula::Result<()> {
    let mut read = Vec::new();
    let error = loop {
        match make::on(1).remote(read.len() as u64).get() {
            Ok(array) => read.push(array),
            Err(error) => break error,
        }
    };
    println!("error: {error}");
    assert!(matches!(error, Error::StoreFull { rank: 1, .. }), "{error:?}");
    for (mark, array) in (0..).zip(&read) {
        assert!(is_whole(array, mark), "array {mark}");
    }
    Ok(())
}

#[mobula::remote]
fn consume(array: &[u64], mark: u64) -> bool {
    is_whole(array, mark)
}

/// A producer that is faster than its consumers, without a spill folder.
pub fn stream() -> mobula::Result<()> {
    let mut done = Vec::new();
    for mark in 0..120 {
        done.push(consume::remote(&mobula::put(filled(mark)?)?, mark));
    }
    for (mark, done) in done.iter().enumerate() {
        assert!(*done.get()?, "array {mark}");
    }
    Ok(())
}

/// How often a waiting allocation has gone to sleep before the test takes it as waiting.
const SLEEPS: u64 = 3;

/// The thread that allocates, under /proc, and how often it had slept before: set when the store is full.
static ALLOCATING: Mutex<Option<(PathBuf, u64)>> = Mutex::new(None);

/// True once the arrays of `hold_until_awaited` are about to be dropped.
static RELEASED: AtomicBool = AtomicBool::new(false);

/// How often a thread went to sleep so far.
fn sleeps(thread: &Path) -> u64 {
    let status = std::fs::read_to_string(thread.join("status")).expect("the thread runs");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("Linux counts them")
}

/// Returns true if a thread of this process has this name.
fn has_thread(name: &str) -> bool {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.map(|found| found.trim().to_string()).any(|found| found == name)
}

/// Holds arrays that fill the store until an allocation waits for space.
#[mobula::remote]
fn hold_until_awaited(arrays: Vec<Array<u64>>) -> usize {
    let waits = || {
        let allocating = ALLOCATING.lock().expect("no panic");
        allocating.as_ref().is_some_and(|(thread, before)| sleeps(thread) >= before + SLEEPS)
    };
    while !waits() {
        std::thread::yield_now();
    }
    RELEASED.store(true, Ordering::Relaxed);
    arrays.len()
}

/// Space that is freed only when a task ends.
pub fn freed_by_a_task() -> mobula::Result<()> {
    let count = store_bytes() / (8 * LENGTH as u64);
    let arrays: mobula::Result<Vec<_>> = (0..count).map(filled).collect();
    let held = hold_until_awaited::remote(arrays?);
    let thread = Path::new("/proc").join(std::fs::read_link("/proc/thread-self").expect("Linux"));
    let before = sleeps(&thread);
    *ALLOCATING.lock().expect("no panic") = Some((thread, before));
    assert!(is_whole(&filled(5)?, 5));
    assert!(RELEASED.load(Ordering::Relaxed), "there was space while the task held all of the store");
    assert_eq!(*held.get()?, count as usize);
    Ok(())
}

/// Objects that are kept and not read, with a spill folder that is missing or too small: finally an error, and no hang.
pub fn kept_objects() -> mobula::Result<()> {
    let mut kept = Vec::new();
    let error = loop {
        match filled(kept.len() as u64).and_then(mobula::put) {
            Ok(object) => kept.push(object),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000, "a thousand arrays exceed the space");
    };
    println!("kept {}, then the error: {error}", kept.len());
    assert!(matches!(error, Error::StoreFull { .. }), "{error:?}");
    for (mark, object) in (0..).zip(&kept) {
        assert!(is_whole(&object.get()?, mark), "array {mark}");
    }
    kept.truncate(3);
    assert!(is_whole(&make::remote(3).get()?, 3), "and there is space again");
    Ok(())
}

/// A driver that submits pairs of tasks, the second of which takes the result of the first.
pub fn graph() -> mobula::Result<()> {
    let done: Vec<ObjectRef<bool>> = (0..200).map(|mark| consume::remote(make::remote(mark), mark)).collect();
    for (mark, done) in done.iter().enumerate() {
        assert!(*done.get()?, "array {mark}");
    }
    Ok(())
}

/// An array larger than the store is refused without a wait.
pub fn too_large() -> mobula::Result<()> {
    let error = mobula::create_array::<u8>(store_bytes() as usize + LENGTH * 8).map(drop).unwrap_err();
    assert!(matches!(error, Error::StoreFull { .. }), "{error}");
    Ok(())
}

/// Arrays of another host that are requested while all of this store is in use: they are fetched when space is freed,
/// or refused after `MOBULA_STORE_WAIT_S`.
pub fn fetches() -> mobula::Result<()> {
    let (late, never) = (make::on(1).remote(10), make::on(1).remote(11));
    let mut own: Vec<Array<u64>> = Vec::new();
    while let Ok(array) = filled(5) {
        own.push(array);
    }
    let held = std::mem::take(&mut own);
    let releaser = std::thread::spawn(move || {
        // The runtime has this thread only while a read waits for space.
        while !has_thread("mobula-0-space") {
            std::thread::yield_now();
        }
        drop(held);
    });
    assert!(is_whole(&late.get()?, 10), "it is fetched when space is freed");
    releaser.join().expect("it ends");
    drop(late);
    while let Ok(array) = filled(5) {
        own.push(array);
    }
    let error = never.get().map(drop).expect_err("there is no space, and none is freed");
    println!("error: {error}");
    assert!(matches!(error, Error::StoreFull { rank: 0, .. }), "{error:?}");
    own.clear();
    assert!(is_whole(&make::on(1).remote(12).get()?, 12), "and there is space again");
    Ok(())
}
