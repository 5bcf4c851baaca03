//! Objects: the store has each array once, and every process of the host reads it there.

use crate::cases::{Cases, Outcome};
use crate::start::{host_of, hosts, last_rank, ranks};
use bytemuck::{Pod, Zeroable};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;

/// Bytes of the shared array; two do not fit in one rank's store.
const LARGE_BYTES: usize = 256 << 20;

pub fn config() -> Config {
    Config::default().num_cpus(10.0).store_bytes(LARGE_BYTES as u64 + (64 << 20))
}

/// An optional array, and any number of others.
type Part = (Option<Array<f64>>, Vec<Array<u8>>);

/// A value with arrays deep inside.
#[derive(Clone, Serialize, Deserialize)]
struct Field {
    name: String,
    parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Particle {
    position: [f32; 3],
    charge: i32,
}

fn numbers(count: usize, scale: f64) -> Vec<f64> {
    (0..count).map(|index| scale * index as f64).collect()
}

#[mobula::remote]
fn make(count: usize, scale: f64) -> mobula::Result<Array<f64>> {
    let mut array = mobula::create_array::<f64>(count)?;
    array.as_mut_slice().copy_from_slice(&numbers(count, scale));
    Ok(array.seal())
}

/// A large array of equal bytes, and its address in the process that made it.
#[mobula::remote(num_returns = 2)]
fn make_large(mark: u8) -> mobula::Result<(Array<u8>, usize)> {
    let mut array = mobula::create_array::<u8>(LARGE_BYTES)?;
    array.as_mut_slice().fill(mark);
    let array = array.seal();
    let address = array.as_ptr().addr();
    Ok((array, address))
}

/// Vectors of numbers by value, by reference and in a tuple.
#[mobula::remote]
fn stir(bytes: Vec<u8>, indices: &Vec<i64>, named: (String, Vec<f32>)) -> (Vec<u8>, Vec<i64>, Vec<f32>) {
    (bytes.into_iter().rev().collect(), indices.iter().map(|index| -index).collect(), named.1)
}

#[mobula::remote]
fn halved(values: Vec<f64>) -> Vec<f64> {
    values.iter().map(|value| value / 2.0).collect()
}

#[mobula::remote(num_returns = "many")]
fn rows(count: usize) -> Vec<Vec<u16>> {
    (0..count as u16).map(|row| vec![row; row as usize]).collect()
}

#[mobula::remote]
fn address(bytes: &[u8]) -> usize {
    bytes.as_ptr().addr()
}

#[mobula::remote]
fn total(values: &[f64]) -> f64 {
    values.iter().sum()
}

#[mobula::remote]
fn pass_on(array: Array<f64>) -> Array<f64> {
    array
}

#[mobula::remote]
fn make_field(count: usize) -> mobula::Result<Field> {
    let array = mobula::put_array(&numbers(count, 1.0))?.get()?.clone();
    let bytes = mobula::put_array(&[1u8, 2, 3])?.get()?.clone();
    let parts = BTreeMap::from([(1, (Some(array), vec![bytes.clone(), bytes])), (2, (None, Vec::new()))]);
    Ok(Field { name: "field".to_string(), parts })
}

#[mobula::remote]
fn sum_field(field: &Field) -> f64 {
    let parts = field.parts.values();
    parts
        .map(|(array, bytes)| {
            array.iter().flat_map(|array| array.iter()).sum::<f64>()
                + bytes.iter().flat_map(|bytes| bytes.iter()).map(|byte| f64::from(*byte)).sum::<f64>()
        })
        .sum()
}

pub fn run(cases: &mut Cases) {
    cases.case("vectors of numbers return unchanged", vectors);
    cases.case("put_array, create_array, seal", created);
    cases.case("arrays of many types, aligned", types);
    cases.case("empty arrays", empty);
    cases.case("put and return of an array copy nothing", same_pointer);
    cases.case("an array deep inside a struct is not copied", deep_inside);
    cases.case("arrays go between all ranks", between_ranks);
    cases.case("an array is passed on from rank to rank", passed_on);
    cases.case("an array of another rank is read in place", read_in_place);
}

fn created() -> Outcome {
    let reference: ObjectRef<Array<f64>> = mobula::put_array(&numbers(1000, 2.0))?;
    assert_eq!(reference.get()?.as_slice(), numbers(1000, 2.0));
    let mut writer = mobula::create_array::<f64>(1 << 20)?;
    assert_eq!(writer.as_mut_slice().len(), 1 << 20);
    writer.as_mut_slice().fill(1.0);
    writer.as_mut_slice()[7] = 8.0;
    let array: Array<f64> = writer.seal();
    assert_eq!(array.len(), 1 << 20);
    assert_eq!(array.iter().sum::<f64>(), f64::from(1 << 20) + 7.0);
    let again = array.clone();
    assert_eq!(again.as_ptr(), array.as_ptr(), "a clone is a handle");
    Ok(())
}

fn types() -> Outcome {
    fn stored<T: Pod + Send + Sync + PartialEq + std::fmt::Debug>(values: &[T]) -> Outcome {
        let array = mobula::put_array(values)?.get()?;
        assert_eq!(array.as_slice(), values);
        assert!(array.as_ptr().addr().is_multiple_of(64), "vector units need an alignment of 64 bytes");
        Ok(())
    }
    stored(&[1u8, 2, 3])?;
    stored(&[-1i16, 2])?;
    stored(&[1.5f32; 17])?;
    stored(&[u64::MAX, 0])?;
    stored(&[u128::MAX])?;
    stored(&[[1.0f64, 2.0], [3.0, 4.0]])?;
    stored(&[Particle { position: [1.0, 2.0, 3.0], charge: -1 }; 5])
}

fn empty() -> Outcome {
    let nothing = mobula::put_array::<f64>(&[])?;
    assert!(nothing.get()?.is_empty());
    assert_eq!(*total::on(last_rank()).remote(&nothing).get()?, 0.0);
    assert!(mobula::create_array::<u64>(0)?.seal().is_empty());
    assert!(make::on(last_rank()).remote(0usize, 1.0).get()?.is_empty());
    Ok(())
}

fn same_pointer() -> Outcome {
    let mut writer = mobula::create_array::<u8>(1 << 20)?;
    writer.as_mut_slice().fill(1);
    let written = writer.as_mut_slice().as_ptr();
    let array = writer.seal();
    assert_eq!(array.as_ptr(), written, "seal moved the bytes");
    let reference = mobula::put(array)?;
    assert_eq!(reference.get()?.as_ptr(), written, "put moved the bytes");
    assert_eq!(*address::on(0).remote(&reference).get()?, written.addr(), "a task of this process got a copy");
    let (array, address) = make_large::on(0).remote(2u8);
    assert_eq!(array.get()?.as_ptr().addr(), *address.get()?, "returning it moved the bytes");
    Ok(())
}

fn deep_inside() -> Outcome {
    let array = mobula::put_array(&numbers(100, 1.0))?.get()?.clone();
    let pointer = array.as_ptr();
    let parts = BTreeMap::from([(9, (Some(array), Vec::new()))]);
    let reference = mobula::put(Field { name: "here".to_string(), parts })?;
    let inside = |field: &Field| field.parts[&9].0.as_ref().expect("it was put").as_ptr();
    assert_eq!(inside(&*reference.get()?), pointer);
    assert_eq!(*sum_field::on(0).remote(&reference).get()?, 4950.0);
    for maker in ranks() {
        let field = make_field::on(maker).remote(100usize);
        assert_eq!(field.get()?.name, "field");
        for reader in ranks() {
            assert_eq!(*sum_field::on(reader).remote(&field).get()?, 4950.0 + 12.0);
            assert_eq!(*sum_field::on(reader).remote((*field.get()?).clone()).get()?, 4950.0 + 12.0);
        }
    }
    Ok(())
}

fn between_ranks() -> Outcome {
    for maker in ranks() {
        for count in [1, 1000, 1 << 18] {
            let array = make::on(maker).remote(count, 2.0);
            let expected = (count * (count - 1)) as f64;
            for reader in ranks() {
                assert_eq!(*total::on(reader).remote(&array).get()?, expected, "{maker} to {reader}, {count}");
            }
            assert_eq!(array.get()?.as_slice(), numbers(count, 2.0));
        }
    }
    Ok(())
}

fn passed_on() -> Outcome {
    let mut array = make::on(last_rank()).remote(10_000usize, 3.0);
    for _ in 0..3 {
        for rank in ranks() {
            array = pass_on::on(rank).remote(&array);
        }
    }
    assert_eq!(array.get()?.as_slice(), numbers(10_000, 3.0));
    Ok(())
}

fn read_in_place() -> Outcome {
    // Only if another rank of this host shares memory.
    if ranks().len() == hosts()
        || std::env::var("MOBULA_FABRIC").is_ok_and(|fabric| !matches!(&*fabric, "auto" | "shm"))
    {
        println!("left out: there is no other rank with shared memory");
        return Ok(());
    }
    let other = *ranks().iter().rfind(|rank| host_of(**rank) == host_of(0)).expect("rank 0 at least");
    // Beside this one, the store has no space for a copy of the large one.
    let own = mobula::put_array(&vec![1u8; LARGE_BYTES / 2])?;
    let (array, _) = make_large::on(other).remote(77u8);
    mobula::wait(std::slice::from_ref(&array), 1, None)?;
    let (resident, private) = (resident_bytes()?, private_bytes()?);
    let here = array.get()?;
    let grown = resident_bytes()?.saturating_sub(resident);
    assert!(grown < LARGE_BYTES / 2, "get of {LARGE_BYTES} bytes took {grown} bytes of memory");
    assert_eq!(here.len(), LARGE_BYTES);
    assert!(here.iter().all(|byte| *byte == 77));
    let grown = private_bytes()?.saturating_sub(private);
    assert!(grown < LARGE_BYTES / 2, "reading {LARGE_BYTES} bytes took {grown} bytes of memory of this process's own");
    let rights = rights_at(here.as_ptr().addr())?;
    assert_eq!(rights, "r--s", "a peer's store is mapped shared, and read-only");
    assert_eq!(own.get()?[0], 1);
    Ok(())
}

/// The resident bytes of this process, shared ones included.
fn resident_bytes() -> Result<usize, Box<dyn std::error::Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split_whitespace().nth(1).ok_or("no second number")?.parse::<usize>()? * 4096)
}

/// The resident bytes of this process that are shared neither with others nor with a file.
fn private_bytes() -> Result<usize, Box<dyn std::error::Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<usize>()? << 10)
}

/// The permissions of the mapping that contains an address: `r--s` is read-only and shared.
fn rights_at(address: usize) -> Result<String, Box<dyn std::error::Error>> {
    for line in fs::read_to_string("/proc/self/maps")?.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().ok_or("no range")?, words.next().ok_or("no rights")?);
        let (begin, end) = range.split_once('-').ok_or("no range")?;
        if (usize::from_str_radix(begin, 16)?..usize::from_str_radix(end, 16)?).contains(&address) {
            return Ok(rights.to_string());
        }
    }
    Err("mapped nowhere".into())
}

fn vectors() -> Outcome {
    // Lengths that fit into a message, and one that does not.
    for count in [0, 3, 1 << 20] {
        let values = numbers(count, 3.0);
        let halves = halved::on(last_rank()).remote(values.clone());
        let quarters = halved::on(0).remote(halved::on(last_rank()).remote(&mobula::put(values.clone())?));
        assert!(
            halves.get()?.iter().zip(&values).all(|(half, whole)| half * 2.0 == *whole) && halves.get()?.len() == count
        );
        assert!(quarters.get()?.iter().zip(&values).all(|(part, whole)| part * 4.0 == *whole));
        let indices = mobula::put((0..count as i64).collect::<Vec<i64>>())?;
        let stirred = stir::on(last_rank()).remote(vec![7u8; count], &indices, ("a".to_string(), vec![0.5f32; count]));
        let (bytes, indices, floats) = &*stirred.get()?;
        assert!(*bytes == vec![7u8; count] && *floats == vec![0.5f32; count] && indices.len() == count);
        assert!(indices.iter().enumerate().all(|(position, index)| *index == -(position as i64)));
    }
    let rows = rows::on(last_rank()).num_returns(4).remote(4);
    for (row, found) in rows.iter().enumerate() {
        assert_eq!(*found.get()?, vec![row as u16; row]);
    }
    Ok(())
}
