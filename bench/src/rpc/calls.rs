//! Calls of a function on the other rank, one by one and many at once.

use super::OTHER;
use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::{us, us_each};
use crate::suite::ranks;
use mobula::prelude::*;
use std::time::Instant;

/// Tasks that are started before the first result is read: a batch, also of the peers of `bench/peers` that take some.
const IN_FLIGHT: u32 = 10_000;

/// Batches of a sample.
pub const BATCHES: u32 = 10;

#[mobula::remote]
fn echo(number: u64) -> u64 {
    number
}

#[mobula::remote]
fn echo_bytes(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[mobula::remote]
fn echo_array(array: Array<u8>) -> Array<u8> {
    array
}

#[mobula::remote]
fn echo_nothing() {}

/// Microseconds of a call without argument or result.
pub fn round_trip_nothing(run: &Run) -> Result<f64> {
    us_each(rounds(run, 0), || Ok(echo_nothing::on(OTHER).remote().get()?))
}

/// Microseconds of a call with eight bytes, to its result.
pub fn round_trip_8_bytes(run: &Run) -> Result<f64> {
    let mut number = 0;
    us_each(rounds(run, size_of::<u64>()), || {
        number += 1;
        let answer = *echo::on(OTHER).remote(number).get()?;
        check(answer == number, || format!("{number} came back as {answer}"))
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

/// Microseconds of a call with one of `payloads`; each call returns the length of the bytes that came back.
fn timed<T>(payloads: Vec<T>, mut call: impl FnMut(T) -> Result<usize>, bytes: usize) -> Result<f64> {
    let count = payloads.len();
    let start = Instant::now();
    for payload in payloads {
        let length = call(payload)?;
        check(length == bytes, || format!("{bytes} bytes came back as {length}"))?;
    }
    Ok(us(start.elapsed()) / count as f64)
}

/// Millions of tasks a second on the other rank, all of a batch in flight.
pub fn in_flight(run: &Run) -> Result<f64> {
    let us = us_each(run.rounds(BATCHES), || {
        let answers: Vec<ObjectRef<u64>> =
            (0..u64::from(IN_FLIGHT)).map(|number| echo::on(OTHER).remote(number)).collect();
        let right = mobula::get_all(&answers)?.iter().zip(0..).all(|(answer, number)| **answer == number);
        check(right, || "a result is not that of its call".to_string())
    })?;
    Ok(f64::from(IN_FLIGHT) / us)
}

/// Millions of calls a second with a `Vec` of this many bytes, there and back, many in flight.
pub fn bytes_in_flight<const BYTES: usize>(run: &Run) -> Result<f64> {
    let calls = (IN_FLIGHT / (1 + BYTES as u32 / 1024)).max(100);
    let payload = vec![7u8; BYTES];
    let us = us_each(run.rounds(10), || {
        let answers: Vec<ObjectRef<Vec<u8>>> =
            (0..calls).map(|_| echo_bytes::on(OTHER).remote(payload.clone())).collect();
        let right = mobula::get_all(&answers)?.iter().all(|answer| answer.len() == BYTES);
        check(right, || "bytes did not come back as they went".to_string())
    })?;
    Ok(f64::from(calls) / us)
}

/// Calls that a rank has in flight to each other one.
const IN_FLIGHT_A_PAIR: u64 = 1_000;

/// Calls every other rank, in so many rounds; returns how many results were right.
#[mobula::remote(num_cpus = 0)]
fn call_others(ranks: u32, rounds: u32) -> mobula::Result<u64> {
    let own = mobula::context().rank();
    let mut right = 0;
    for _ in 0..rounds {
        let calls = (0..IN_FLIGHT_A_PAIR)
            .flat_map(|number| (0..ranks).filter(|rank| *rank != own).map(move |rank| (rank, number)));
        let (numbers, answers): (Vec<u64>, Vec<ObjectRef<u64>>) =
            calls.map(|(rank, number)| (number, echo::on(rank).remote(number))).unzip();
        right += mobula::get_all(&answers)?.iter().zip(numbers).filter(|(answer, number)| ***answer == *number).count()
            as u64;
    }
    Ok(right)
}

/// Millions of calls a second of all ranks together, every rank calling every other one.
pub fn all_to_all(run: &Run) -> Result<f64> {
    let ranks = ranks();
    let rounds = run.rounds(100);
    let calls = u64::from(ranks) * u64::from(ranks - 1) * u64::from(rounds) * IN_FLIGHT_A_PAIR;
    let start = Instant::now();
    let callers: Vec<ObjectRef<u64>> = (0..ranks).map(|rank| call_others::on(rank).remote(ranks, rounds)).collect();
    let right: u64 = mobula::get_all(&callers)?.iter().map(|right| **right).sum();
    let time = us(start.elapsed());
    check(right == calls, || format!("{right} of {calls} answers are right"))?;
    Ok(calls as f64 / time)
}

/// Calls of a sample: some tens of milliseconds' worth.
pub fn rounds(run: &Run, bytes: usize) -> u32 {
    (run.rounds(10_000) / (1 + bytes as u32 / 4096)).max(20)
}
