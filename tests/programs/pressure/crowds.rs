//! What is in use at once is more than the store: it is waited for, and where that is in vain the error says who holds what.

use crate::{LENGTH, filled, is_whole, make, store_bytes};
use mobula::Error;
use mobula::prelude::*;
use std::time::Instant;

/// Arrays that are read, until there is no room.
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
    println!("it says: {error}");
    assert!(matches!(error, Error::StoreFull { .. }), "{error:?}");
    read.pop();
    assert!(is_whole(&make::remote(3).get()?, 3), "and has room again");
    Ok(())
}

/// Arrays of another rank that are read here, until that rank has no room.
pub fn lent() -> mobula::Result<()> {
    let mut read = Vec::new();
    let error = loop {
        match make::on(1).remote(read.len() as u64).get() {
            Ok(array) => read.push(array),
            Err(error) => break error,
        }
    };
    println!("it says: {error}");
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

/// A producer that is faster than its consumers, with nothing to write to.
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

#[mobula::remote]
fn hold_for_a_while(arrays: Vec<Array<u64>>) -> usize {
    std::thread::sleep(Duration::from_millis(500));
    arrays.len()
}

/// Room that comes only when a task ends.
pub fn late() -> mobula::Result<()> {
    let arrays: mobula::Result<Vec<_>> = (0..8).map(filled).collect();
    let held = hold_for_a_while::remote(arrays?);
    let begun = Instant::now();
    assert!(is_whole(&filled(5)?, 5));
    assert_eq!(*held.get()?, 8);
    println!("room came after {:?}", begun.elapsed());
    Ok(())
}

/// Kept and not read, with nothing to write to or too little: an error in the end, and no hang.
pub fn keeps() -> mobula::Result<()> {
    let mut kept = Vec::new();
    let error = loop {
        match filled(kept.len() as u64).and_then(mobula::put) {
            Ok(object) => kept.push(object),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000, "a thousand arrays are more than there is room for");
    };
    println!("kept {}, then it says: {error}", kept.len());
    assert!(matches!(error, Error::StoreFull { .. }), "{error:?}");
    for (mark, object) in (0..).zip(&kept) {
        assert!(is_whole(&object.get()?, mark), "array {mark}");
    }
    kept.truncate(3);
    assert!(is_whole(&make::remote(3).get()?, 3), "and there is room again");
    Ok(())
}

/// A driver that submits pairs of tasks, the second of which takes what the first makes.
pub fn graph() -> mobula::Result<()> {
    let done: Vec<ObjectRef<bool>> = (0..200).map(|mark| consume::remote(make::remote(mark), mark)).collect();
    for (mark, done) in done.iter().enumerate() {
        assert!(*done.get()?, "array {mark}");
    }
    Ok(())
}

/// More than the whole store is an error at once.
pub fn too_large() -> mobula::Result<()> {
    let begun = Instant::now();
    let error = mobula::create_array::<u8>(store_bytes() as usize + LENGTH * 8).map(drop).unwrap_err();
    assert!(matches!(error, Error::StoreFull { .. }), "{error}");
    println!("refused after {} ms", begun.elapsed().as_millis());
    Ok(())
}

/// Arrays of another host that are wanted while all of this store is in use: they come when there is room, or are refused after
/// the time for which room is waited for.
pub fn pulls() -> mobula::Result<()> {
    let (late, never) = (make::on(1).remote(10), make::on(1).remote(11));
    let mut mine: Vec<Array<u64>> = Vec::new();
    while let Ok(array) = filled(5) {
        mine.push(array);
    }
    let held = std::mem::take(&mut mine);
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
    });
    assert!(is_whole(&late.get()?, 10), "it came when there was room");
    later.join().expect("it ends");
    drop(late);
    while let Ok(array) = filled(5) {
        mine.push(array);
    }
    let error = never.get().map(drop).expect_err("there is no room, and none comes");
    println!("it says: {error}");
    assert!(matches!(error, Error::StoreFull { rank: 0, .. }), "{error:?}");
    mine.clear();
    assert!(is_whole(&make::on(1).remote(12).get()?, 12), "and there is room again");
    Ok(())
}
