//! Objects: what is dropped makes room, and a full store says so.

use crate::cases::{Cases, Outcome, soon};
use crate::start::{hosts, last_rank, ranks};
use mobula::Error;
use mobula::prelude::*;

/// The store of each rank, bytes.
pub const STORE_BYTES: u64 = 64 << 20;

/// Eight of these fill it.
const ARRAY_BYTES: usize = 8 << 20;

/// A hundred stores' worth and more: what is not given back is soon missed. Where the bytes cross a network, two stores'
/// worth for each of a few ranks; where a machine that is interpreted makes that network, a little more than a store's worth.
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

/// Makes arrays until there is no room, and gives the failure.
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
    // The result of the inner task is the outer's only for a moment.
    let array = make::on(rank).remote(mark);
    Ok(array.get()?[0])
}

pub fn run(cases: &mut Cases) {
    cases.case("arrays made and dropped for ever", made_and_dropped);
    cases.case("arrays made on every rank, got and dropped for ever", got_and_dropped);
    cases.case("arrays made here, taken on every rank, dropped for ever", taken_and_dropped);
    cases.case("arrays made on one rank for another", made_for_another);
    cases.case("arrays that nobody ever gets", never_got);
    cases.case("arrays inside objects, dropped for ever", inside_objects);
    cases.case("an array that is held is not overwritten", held);
    cases.case("a full store is StoreFull, and has room again", full);
    cases.case("a full store of another rank is StoreFull there", full_there);
    cases.case("an array larger than the store is StoreFull", too_large);
}

/// Tries again while what was dropped elsewhere is on its way back.
fn patiently<T>(mut make: impl FnMut() -> mobula::Result<T>) -> mobula::Result<T> {
    let mut made = None;
    soon("there is room again", || match make() {
        Err(Error::StoreFull { .. }) => false,
        other => {
            made = Some(other);
            true
        }
    });
    made.expect("soon returns when it holds")
}

/// Most of a store, in one piece.
#[mobula::remote]
fn make_whole() -> mobula::Result<()> {
    mobula::create_array::<u8>(7 * ARRAY_BYTES).map(drop)
}

/// Returns when every rank's store has its room again, in one piece.
fn all_free() -> mobula::Result<()> {
    for rank in ranks() {
        patiently(|| make_whole::on(rank).remote().get())?;
    }
    Ok(())
}

fn made_and_dropped() -> Outcome {
    for mark in 0..rounds() {
        let array = make(mark)?;
        assert_eq!(ends(&array), 2 * mark);
        let reference = mobula::put(array)?;
        assert_eq!(reference.get()?[0], mark);
    }
    Ok(())
}

fn got_and_dropped() -> Outcome {
    let ranks = ranks();
    for mark in 0..rounds() {
        let rank = ranks[mark as usize % ranks.len()];
        let array = patiently(|| make::on(rank).remote(mark).get())?;
        assert_eq!(ends(&array), 2 * mark, "made by rank {rank}");
    }
    Ok(())
}

fn taken_and_dropped() -> Outcome {
    let ranks = ranks();
    for mark in 0..rounds() {
        let rank = ranks[mark as usize % ranks.len()];
        let array = mobula::put(patiently(|| make(mark))?)?;
        assert_eq!(*ends::on(rank).remote(&array).get()?, 2 * mark, "taken by rank {rank}");
    }
    Ok(())
}

fn made_for_another() -> Outcome {
    let (maker, taker) = (last_rank(), last_rank() / 2);
    for mark in 0..rounds() / 4 {
        let sum = patiently(|| ends::on(taker).remote(make::on(maker).remote(mark)).get())?;
        assert_eq!(*sum, 2 * mark);
        let first = patiently(|| grow::on(taker).remote(maker, mark).get())?;
        assert_eq!(*first, mark);
    }
    Ok(())
}

fn never_got() -> Outcome {
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
        let array = patiently(|| make(mark))?;
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
        // Held by an Array, a Ref, and a reference, each alone.
        let array = patiently(|| make::on(rank).remote(100u64).get())?.clone();
        let value = patiently(|| make::on(rank).remote(200u64).get())?;
        let reference = patiently(|| {
            let reference = make::on(rank).remote(300u64);
            reference.get().map(|_| reference)
        })?;
        for mark in 0..100 {
            drop(patiently(|| make::on(rank).remote(mark).get())?);
            drop(patiently(|| make(mark))?);
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
            Err(Error::StoreFull { rank: whose, .. }) => assert_eq!(whose, rank),
            other => panic!("rank {rank}: {other:?}"),
        }
        assert_eq!(patiently(|| make::on(rank).remote(3u64).get())?[0], 3);
    }
    Ok(())
}

fn too_large() -> Outcome {
    let huge = mobula::create_array::<u8>(1 << 40).map(|_| ()).expect_err("a terabyte");
    assert!(matches!(huge, Error::StoreFull { .. }), "{huge:?}");
    let absurd = mobula::create_array::<u64>(usize::MAX / 2).map(|_| ()).expect_err("more than there are addresses");
    assert!(matches!(absurd, Error::StoreFull { .. } | Error::Config { .. }), "{absurd:?}");
    assert_eq!(make(1)?[0], 1);
    Ok(())
}
