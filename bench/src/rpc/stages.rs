//! The cases.

use super::{OTHER, calls, floor, idle};
use crate::case::{Bar, Case, case};
use crate::failure::Result;
use crate::peers::{charm, lci, mpi, tools};
use crate::suite::{Bench, ranks};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// One call at a time.
fn one_by_one() -> Vec<Case> {
    let beside_mpi = |case: Case, bytes: usize| {
        case.peer("MPI round trip", move |run| mpi::round_trip_us(bytes, calls::rounds(run, bytes)))
    };
    let eight_bytes = || case("round trip, 8 B", "us", calls::round_trip_8_bytes);
    let named = |name: &str| Case { name: name.to_string(), ..eight_bytes() };
    vec![
        case("cache line, there and back", "us", floor::cache_line),
        beside_mpi(case("round trip, 0 B", "us", calls::round_trip_nothing), 0),
        beside_mpi(eight_bytes(), 8).bar(Bar::RatioAtMost(1.5)),
        named("round trip, 8 B, beside UCX")
            .peer("ucx_perftest", |run| tools::ucx_round_trip_us(8, calls::rounds(run, 8))),
        named("round trip, 8 B, beside verbs")
            .peer("ib_send_lat", |run| tools::rdma_round_trip_us(8, calls::rounds(run, 8))),
        named("round trip, 8 B, beside LCI").peer("LCI", |run| lci::round_trip_us(calls::rounds(run, 8))),
        named("round trip, 8 B, beside Converse")
            .peer("Converse", |run| charm::CONVERSE.round_trip_us(calls::rounds(run, 8))),
        named("round trip, 8 B, beside Charm++ entry methods")
            .peer("Charm++ entry methods", |run| charm::ENTRY_METHODS.round_trip_us(calls::rounds(run, 8))),
        beside_mpi(case("round trip, 64 B", "us", calls::round_trip::<64>), 64),
        beside_mpi(case("round trip, 1 KiB", "us", calls::round_trip::<KIB>), KIB),
        beside_mpi(case("round trip, 32 KiB", "us", calls::round_trip::<{ 32 * KIB }>), 32 * KIB),
        beside_mpi(case("round trip, 1 MiB", "us", calls::round_trip::<MIB>), MIB),
        beside_mpi(case("round trip, array of 1 MiB", "us", calls::round_trip_array::<MIB>), MIB),
    ]
}

/// Many calls at once.
fn in_flight() -> Vec<Case> {
    let beside_mpi = |case: Case, bytes: usize| {
        case.peer("MPI, 64 in flight", move |run| mpi::requests_a_us(bytes, 10 * calls::rounds(run, bytes)))
    };
    vec![
        beside_mpi(case("tasks, 10,000 in flight", "M/s", calls::in_flight).bar(Bar::AtLeast(2.0)), 8),
        case("tasks in flight, beside UCX", "M/s", calls::in_flight)
            .peer("ucx_perftest", |run| tools::ucx_messages_a_us(8, 10 * calls::rounds(run, 8))),
        case("calls in flight, beside LCI", "M/s", calls::in_flight)
            .peer("LCI", |run| lci::requests_a_us(run.rounds(calls::BATCHES))),
        case("calls in flight, beside Converse", "M/s", calls::in_flight)
            .peer("Converse", |run| charm::CONVERSE.requests_a_us(run.rounds(calls::BATCHES))),
        case("calls in flight, beside Charm++ entry methods", "M/s", calls::in_flight)
            .peer("Charm++ entry methods", |run| charm::ENTRY_METHODS.requests_a_us(run.rounds(calls::BATCHES))),
        beside_mpi(case("calls in flight, 1 KiB", "M/s", calls::bytes_in_flight::<KIB>), KIB),
        beside_mpi(case("calls in flight, 32 KiB", "M/s", calls::bytes_in_flight::<{ 32 * KIB }>), 32 * KIB),
        case("all to all, 1,000 in flight a pair", "M/s", calls::all_to_all)
            .peer("MPI, all to all", |run| mpi::all_to_all_a_us(ranks(), 8, 10 * calls::rounds(run, 8))),
    ]
}

/// Samples of the idle cases: each takes seconds.
const IDLE_REPEAT_MAX: u32 = 3;

/// The cost of a cluster without requests.
fn idle() -> Vec<Case> {
    vec![
        case("idle, rank 0", "% CPU", idle::percent::<0>).bar(Bar::AtMost(1.0)).repeat_at_most(IDLE_REPEAT_MAX),
        case("idle, rank 1", "% CPU", idle::percent::<OTHER>).bar(Bar::AtMost(1.0)).repeat_at_most(IDLE_REPEAT_MAX),
    ]
}

/// Every case.
pub fn cases() -> Vec<Case> {
    [one_by_one(), in_flight(), idle()].concat()
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}
