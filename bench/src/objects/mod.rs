//! Objects: putting, getting on the rank and from another one, broadcasting; beside memcpy and MPI's one-sided reads.
//!
//! Owns: the cases. Never: starts ranks, or measures on a rank other than 0.
//!
//! - BENCH-OBJECTS-1: the peer's bytes arrive in memory that was touched before, as ours do.
//! - BENCH-OBJECTS-2: every case checks its answers.

mod here;
mod remote;

use crate::case::{Bar, Case, case};
use crate::failure::Result;
use crate::peers::{mpi, tools};
use crate::suite::{Bench, ranks};

/// The rank that creates the objects.
const OTHER: u32 = 1;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Every case.
pub fn cases() -> Vec<Case> {
    [here_cases(), remote_cases()].concat()
}

fn here_cases() -> Vec<Case> {
    vec![
        case("get, ready", "us", here::get_ready).peer("Arc::clone", here::clone_arc),
        case("put, 8 B", "us", here::put).peer("Arc::new", here::new_arc),
        case("create_array + seal, 1 KiB", "us", here::create_and_seal).bar(Bar::AtMost(1.0)),
        case("put_array, 4 KiB", "GB/s", here::put_array::<{ 4 * KIB }>)
            .peer("memcpy, warm", here::copy_warm::<{ 4 * KIB }>),
        case("put_array, 64 KiB", "GB/s", here::put_array::<{ 64 * KIB }>)
            .peer("memcpy, warm", here::copy_warm::<{ 64 * KIB }>),
        case("put_array, 1 MiB", "GB/s", here::put_array::<MIB>).peer("memcpy, warm", here::copy_warm::<MIB>),
        case("put_array, 64 MiB", "GB/s", here::put_array::<{ 64 * MIB }>)
            .peer("memcpy, warm", here::copy_warm::<{ 64 * MIB }>)
            .bar(Bar::RatioAtLeast(0.9)),
    ]
}

fn remote_cases() -> Vec<Case> {
    let get = |case: Case, bytes: usize| {
        case.peer("MPI_Get", move |run| mpi::get_us(bytes, run.rounds(((256 * MIB) / bytes).clamp(3, 5_000) as u32)))
    };
    let broadcast = |case: Case, bytes: usize| {
        let rounds = ((64 * MIB) / bytes).clamp(3, 1000) as u32;
        case.peer("MPI_Bcast", move |run| mpi::broadcast_us(ranks(), bytes, run.rounds(rounds)))
    };
    vec![
        get(case("get, array of 8 B", "us", remote::get::<8>).bar(Bar::AtMost(2.0)), 8),
        get(case("get, array of 4 KiB", "us", remote::get::<{ 4 * KIB }>), 4 * KIB),
        get(case("get, array of 64 KiB", "us", remote::get::<{ 64 * KIB }>), 64 * KIB),
        get(case("get, array of 1 MiB", "us", remote::get::<MIB>).bar(Bar::AtMost(2.0)), MIB),
        get(case("get, array of 64 MiB", "us", remote::get::<{ 64 * MIB }>), 64 * MIB),
        case("get, array of 1 GiB", "us", remote::get::<{ 1 << 30 }>).bar(Bar::AtMost(2.0)).repeat_at_most(3),
        case("get, array of 1 MiB, beside verbs", "us", remote::get::<MIB>)
            .peer("ib_read_bw", |run| tools::rdma_read_us(MIB, run.rounds(1_000))),
        case("get_all, 10,000 objects of 8 B", "M/s", remote::get_small)
            .peer("MPI requests", |run| mpi::requests_a_us(8, run.rounds(100_000))),
        broadcast(case("broadcast, 1 KiB", "us", remote::broadcast::<KIB>), KIB),
        broadcast(case("broadcast, 1 MiB", "us", remote::broadcast::<MIB>), MIB),
        broadcast(case("broadcast, 64 MiB", "us", remote::broadcast::<{ 64 * MIB }>), 64 * MIB),
        broadcast(case("broadcast to 3 and more, 1 MiB", "us", remote::broadcast::<MIB>).ranks(4), MIB),
    ]
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}
