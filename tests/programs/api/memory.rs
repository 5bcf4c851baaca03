//! Objects: a dropped object frees its space, and a full store is an error.

use crate::cases::{Cases, Outcome, soon};
use crate::start::{hosts, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;

/// The store of each rank, bytes.
pub const STORE_BYTES: u64 = 64 << 20;

/// Eight of these fill it.
const ARRAY_BYTES: usize = 8 << 20;

/// More than a hundred stores' worth, so that a leak fills the store. If the bytes cross a network, two stores' worth
/// for each of a few ranks; if an emulated machine provides that network, a little more than a store's worth.
fn rounds() -> u64 {
    match std::env::var("MOBULA_FABRIC").as_deref() {
        Ok("verbs") => 10,
        _ if hosts() > 1 => 120,
        _ => 2_000,
    }
}

#[mobula::remote]
fn make(mark: u64) -> mobula::Result<Array<u64>> {
    let mut array = mobula::create_array::<u64>(ARRAY_BYTES / 8)?;
    let slice = array.as_mut_slice();
    slice[0] = mark;
    slice[slice.len() - 1] = mark;
    Ok(array.seal())
}

#[mobula::remote]
fn ends(array: &[u64]) -> u64 {
    array[0] + array[array.len() - 1]
}

/// Creates arrays until there is no space, and returns the error.
#[mobula::remote]
fn fill() -> mobula::Result<usize> {
    let mut arrays = Vec::new();
    while arrays.len() < 1000 {
        arrays.push(mobula::create_array::<u8>(ARRAY_BYTES)?.seal());
    }
    Ok(arrays.len())
}

#[mobula::remote]
fn grow(rank: u32, mark: u64) -> mobula::Result<u64> {
    // The outer task holds the inner task's result only briefly.
    let array = make::on(rank).remote(mark);
    Ok(array.get()?[0])
}

pub fn run(cases: &mut Cases) {
    cases.case("arrays created and dropped many times", created_and_dropped);
    cases.case("arrays created on every rank, read and dropped many times", read_and_dropped);
    cases.case("arrays created here, consumed on every rank, dropped many times", consumed_and_dropped);
    cases.case("arrays created on one rank for another", created_for_another);
    cases.case("arrays that are never read", never_read);
    cases.case("arrays inside objects, dropped many times", inside_objects);
    cases.case("an array that is held is not overwritten", held);
    cases.case("a full store is StoreFull, and has space again", full);
    cases.case("a full store of another rank is StoreFull there", full_there);
    cases.case("an array larger than the store is StoreFull", too_large);
}

/// Retries while objects that were dropped elsewhere are still being released.
fn retry_while_full<T>(mut make: impl FnMut() -> mobula::Result<T>) -> mobula::Result<T> {
    let mut result = None;
    soon("there is space again", || match make() {
        Err(Error::StoreFull { .. }) => false,
        other => {
            result = Some(other);
            true
        }
    });
    result.expect("it is set when `soon` returns")
}

/// Allocates most of a store in one piece.
#[mobula::remote]
fn make_whole() -> mobula::Result<()> {
    mobula::create_array::<u8>(7 * ARRAY_BYTES).map(drop)
}

/// Waits until every rank's store has its space again, in one piece.
fn all_free() -> mobula::Result<()> {
    for rank in ranks() {
        retry_while_full(|| make_whole::on(rank).remote().get())?;
    }
    Ok(())
}

fn created_and_dropped() -> Outcome {
    for mark in 0..rounds() {
        let array = make(mark)?;
        assert_eq!(ends(&array), 2 * mark);
        let reference = mobula::put(array)?;
        assert_eq!(reference.get()?[0], mark);
    }
    Ok(())
}

fn read_and_dropped() -> Outcome {
    let ranks = ranks();
    for mark in 0..rounds() {
        let rank = ranks[mark as usize % ranks.len()];
        let array = retry_while_full(|| make::on(rank).remote(mark).get())?;
        assert_eq!(ends(&array), 2 * mark, "created by rank {rank}");
    }
    Ok(())
}

fn consumed_and_dropped() -> Outcome {
    let ranks = ranks();
    for mark in 0..rounds() {
        let rank = ranks[mark as usize % ranks.len()];
        let array = mobula::put(retry_while_full(|| make(mark))?)?;
        assert_eq!(*ends::on(rank).remote(&array).get()?, 2 * mark, "consumed by rank {rank}");
    }
    Ok(())
}

fn created_for_another() -> Outcome {
    let (producer, consumer) = (last_rank(), last_rank() / 2);
    for mark in 0..rounds() / 4 {
        let sum = retry_while_full(|| ends::on(consumer).remote(make::on(producer).remote(mark)).get())?;
        assert_eq!(*sum, 2 * mark);
        let first = retry_while_full(|| grow::on(consumer).remote(producer, mark).get())?;
        assert_eq!(*first, mark);
    }
    Ok(())
}

fn never_read() -> Outcome {
    for rank in ranks() {
        for mark in 0..rounds() / 8 {
            drop(make::on(rank).remote(mark));
        }
    }
    all_free()?;
    Ok(())
}

fn inside_objects() -> Outcome {
    for mark in 0..rounds() / 4 {
        let array = retry_while_full(|| make(mark))?;
        let inner = mobula::put(Some((mark, array)))?;
        let outer = mobula::put(vec![inner])?;
        let inner = outer.get()?[0].clone();
        drop(outer);
        assert_eq!((*inner.get()?).as_ref().map(|(mark, array)| array[0] == *mark), Some(true));
    }
    Ok(())
}

fn held() -> Outcome {
    for rank in [0, last_rank()] {
        // Held only by an Array, only by a Ref, and only by a reference.
        let array = retry_while_full(|| make::on(rank).remote(100u64).get())?.clone();
        let value = retry_while_full(|| make::on(rank).remote(200u64).get())?;
        let reference = retry_while_full(|| {
            let reference = make::on(rank).remote(300u64);
            reference.get().map(|_| reference)
        })?;
        for mark in 0..100 {
            drop(retry_while_full(|| make::on(rank).remote(mark).get())?);
            drop(retry_while_full(|| make(mark))?);
        }
        assert_eq!((ends(&array), ends(&value), ends(&reference.get()?)), (200, 400, 600));
    }
    Ok(())
}

fn full() -> Outcome {
    all_free()?;
    let mut arrays = Vec::new();
    let error = loop {
        match make(1) {
            Ok(array) => arrays.push(array),
            Err(error) => break error,
        }
        assert!(arrays.len() <= 8, "nine arrays of 8 MiB in 64 MiB");
    };
    assert!(arrays.len() >= 6, "only {} arrays of 8 MiB fit in 64 MiB", arrays.len());
    match &error {
        Error::StoreFull { wanted_bytes, used_bytes, store_bytes, rank, .. } => {
            assert!(*wanted_bytes >= ARRAY_BYTES as u64 && *wanted_bytes < 2 * ARRAY_BYTES as u64, "{error:?}");
            assert!(*used_bytes >= (arrays.len() * ARRAY_BYTES) as u64 && used_bytes <= store_bytes, "{error:?}");
            assert!(store_bytes.abs_diff(STORE_BYTES) <= 4 << 20, "{error:?}");
            assert_eq!(*rank, 0);
        }
        other => panic!("{other:?}"),
    }
    assert!(error.to_string().contains("MOBULA_STORE_BYTES"), "{error}");
    assert!(arrays.iter().all(|array| ends(array) == 2));
    arrays.pop();
    arrays.push(make(2)?);
    drop(arrays);
    all_free()?;
    Ok(())
}

fn full_there() -> Outcome {
    for rank in ranks() {
        match fill::on(rank).remote().get() {
            Err(Error::StoreFull { rank: full, .. }) => assert_eq!(full, rank),
            other => panic!("rank {rank}: {other:?}"),
        }
        assert_eq!(retry_while_full(|| make::on(rank).remote(3u64).get())?[0], 3);
    }
    Ok(())
}

fn too_large() -> Outcome {
    let huge = mobula::create_array::<u8>(1 << 40).map(|_| ()).expect_err("a terabyte");
    assert!(matches!(huge, Error::StoreFull { .. }), "{huge:?}");
    let absurd = mobula::create_array::<u64>(usize::MAX / 2).map(|_| ()).expect_err("larger than the address space");
    assert!(matches!(absurd, Error::StoreFull { .. } | Error::Config { .. }), "{absurd:?}");
    assert_eq!(make(1)?[0], 1);
    Ok(())
}
