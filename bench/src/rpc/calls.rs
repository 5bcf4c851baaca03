//! Calls of a function on the other rank, one by one and many at once.

use super::OTHER;
use crate::case::Run;
use crate::failure::{Result, check};
use crate::peers;
use crate::sample::{us, us_each};
use mobula::prelude::*;
use std::time::Instant;

/// Tasks that are made before the first result is asked for.
const IN_FLIGHT: u32 = 10_000;

#[mobula::remote]
fn echo(word: u64) -> u64 {
    word
}

#[mobula::remote]
fn echo_bytes(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[mobula::remote]
fn echo_array(array: Array<u8>) -> Array<u8> {
    array
}

/// Microseconds of a call with eight bytes, to its result.
pub fn round_trip_word(run: &Run) -> Result<f64> {
    let mut word = 0;
    us_each(rounds(run, size_of::<u64>()), || {
        word += 1;
        let answer = *echo::on(OTHER).remote(word).get()?;
        check(answer == word, || format!("{word} came back as {answer}"))
    })
}

/// The same with a `Vec` of this many bytes. The vectors are there before the clock starts.
pub fn round_trip<const BYTES: usize>(run: &Run) -> Result<f64> {
    let payload = vec![7u8; BYTES];
    let answer = echo_bytes::on(OTHER).remote(payload.clone()).get()?;
    check(*answer == payload, || "bytes did not come back as they went".to_string())?;
    let payloads = vec![payload; rounds(run, BYTES) as usize];
    timed(payloads, |bytes| Ok(echo_bytes::on(OTHER).remote(bytes).get()?.len()), BYTES)
}

/// The same with an array of the store.
pub fn round_trip_array<const BYTES: usize>(run: &Run) -> Result<f64> {
    let payload = mobula::put_array(&vec![7u8; BYTES])?.get()?;
    let answer = echo_array::on(OTHER).remote((*payload).clone()).get()?;
    check(*answer == *payload, || "an array did not come back as it went".to_string())?;
    let payloads = vec![(*payload).clone(); rounds(run, BYTES) as usize];
    timed(payloads, |array| Ok(echo_array::on(OTHER).remote(array).get()?.len()), BYTES)
}

/// Microseconds of a call with one of `payloads`; each call gives the length of what came back.
fn timed<T>(payloads: Vec<T>, mut call: impl FnMut(T) -> Result<usize>, bytes: usize) -> Result<f64> {
    let count = payloads.len();
    let start = Instant::now();
    for payload in payloads {
        let length = call(payload)?;
        check(length == bytes, || format!("{bytes} bytes came back as {length}"))?;
    }
    Ok(us(start.elapsed()) / count as f64)
}

/// A round trip of as many bytes in plain MPI.
pub fn mpi_round_trip<const BYTES: usize>(run: &Run) -> Result<f64> {
    peers::round_trip_us(BYTES, rounds(run, BYTES))
}

/// Millions of tasks a second on the other rank, all of a batch in flight.
pub fn in_flight(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(10), || {
        let answers: Vec<ObjectRef<u64>> = (0..u64::from(IN_FLIGHT)).map(|word| echo::on(OTHER).remote(word)).collect();
        let right = mobula::get_all(&answers)?.iter().zip(0..).all(|(answer, word)| **answer == word);
        check(right, || "an answer is not that of its question".to_string())
    })?;
    Ok(f64::from(IN_FLIGHT) / us)
}

/// The same requests and answers in plain MPI, as many at once as it is fastest with.
pub fn mpi_in_flight(run: &Run) -> Result<f64> {
    peers::requests_per_us(size_of::<u64>(), run.rounds(10) * IN_FLIGHT)
}

/// Calls of a sample: some tens of milliseconds' worth.
fn rounds(run: &Run, bytes: usize) -> u32 {
    (run.rounds(10_000) / (1 + bytes as u32 / 4096)).max(20)
}
