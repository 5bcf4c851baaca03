//! Actors: calls of one by one, of several by one, and of several by several; waited for one by one or all at once.
//!
//! Owns: the cases. Never: starts ranks, or measures on a rank other than 0.
//!
//! - BENCH-ACTORS-1: an actor counts its calls, and every case compares its count.

mod crowds;
mod here;

use crate::case::{Bar, Case, case};
use crate::failure::Result;
use crate::peers::mpi;
use crate::suite::{Bench, ranks};

/// Every case.
pub fn cases() -> Vec<Case> {
    vec![
        case("1:1, one by one, here", "us", here::one_by_one::<0>)
            .peer("std::sync::mpsc", here::channel_one_by_one)
            .bar(Bar::AtMost(2.0)),
        case("1:1, 10,000 in flight, here", "M/s", here::in_flight::<0>)
            .peer("std::sync::mpsc", here::channel_in_flight)
            .bar(Bar::AtLeast(2.0)),
        case("1:1, one by one, other rank", "us", here::one_by_one::<1>)
            .peer("MPI round trip", |run| mpi::round_trip_us(8, run.rounds(10_000)))
            .bar(Bar::AtMost(2.0)),
        case("1:1, 10,000 in flight, other rank", "M/s", here::in_flight::<1>)
            .peer("MPI, 64 in flight", |run| mpi::requests_a_us(8, run.rounds(100_000)))
            .bar(Bar::AtLeast(2.0)),
        case("1:1, async method, one by one, here", "us", crowds::async_one_by_one),
        case("1:1, async method, in flight, here", "M/s", crowds::async_in_flight),
        case("1:n, an actor a rank", "M/s", crowds::one_to_many),
        case("n:n, a caller and an actor a rank", "M/s", crowds::many_to_many)
            .peer("MPI, all to all", |run| mpi::all_to_all_a_us(ranks(), 8, run.rounds(100_000))),
        case("n:n, the argument is a reference", "M/s", crowds::many_to_many_by_reference),
    ]
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}
