//! The cases, by the transport that joins the two ranks.

use super::{OTHER, arrays, plain_tcp};
use crate::case::{Bar, Case, case};
use crate::failure::{Failure, Result};
use crate::rpc::calls;
use crate::suite::Bench;

const MIB: usize = 1 << 20;
const NINE_TENTHS: Bar = Bar::RatioAtLeast(0.9);

/// Beside a TCP stream.
fn over_tcp() -> Vec<Case> {
    vec![
        case("tcp: round trip, 8 B", "us", calls::round_trip_8_bytes).peer("TCP stream", plain_tcp::round_trip),
        case("tcp: tasks, 10,000 in flight", "M/s", calls::in_flight),
        case("tcp: get, arrays of 1 MiB", "GiB/s", arrays::get::<MIB>).peer("TCP stream", plain_tcp::stream::<MIB>),
        case("tcp: get, arrays of 4 MiB", "GiB/s", arrays::get::<{ 4 * MIB }>)
            .peer("TCP stream", plain_tcp::stream::<{ 4 * MIB }>)
            .bar(NINE_TENTHS),
        case("tcp: get, arrays of 64 MiB", "GiB/s", arrays::get::<{ 64 * MIB }>)
            .peer("TCP stream", plain_tcp::stream::<{ 64 * MIB }>)
            .bar(NINE_TENTHS),
    ]
}

/// Beside MPI messages.
#[cfg(feature = "mpi")]
fn over_mpi() -> Vec<Case> {
    use super::plain_mpi;
    vec![
        case("mpi: round trip, 8 B", "us", calls::round_trip_8_bytes).peer("MPI messages", plain_mpi::round_trip),
        case("mpi: tasks, 10,000 in flight", "M/s", calls::in_flight),
        case("mpi: get, arrays of 1 MiB", "GiB/s", arrays::get::<MIB>).peer("MPI messages", plain_mpi::messages::<MIB>),
        case("mpi: get, arrays of 4 MiB", "GiB/s", arrays::get::<{ 4 * MIB }>)
            .peer("MPI messages", plain_mpi::messages::<{ 4 * MIB }>)
            .bar(NINE_TENTHS),
        case("mpi: get, arrays of 64 MiB", "GiB/s", arrays::get::<{ 64 * MIB }>)
            .peer("MPI messages", plain_mpi::messages::<{ 64 * MIB }>)
            .bar(NINE_TENTHS),
    ]
}

#[cfg(not(feature = "mpi"))]
fn over_mpi() -> Vec<Case> {
    Vec::new()
}

/// RDMA: its peers are programs of perftest, started beside this one.
fn over_verbs() -> Vec<Case> {
    vec![
        case("verbs: round trip, 8 B", "us", calls::round_trip_8_bytes),
        case("verbs: tasks, 10,000 in flight", "M/s", calls::in_flight),
        case("verbs: get, arrays of 1 MiB", "GiB/s", arrays::get::<MIB>),
        case("verbs: get, arrays of 4 MiB", "GiB/s", arrays::get::<{ 4 * MIB }>),
    ]
}

/// Every case, by transport.
pub fn cases() -> Vec<Case> {
    [over_tcp(), over_mpi(), over_verbs()].concat()
}

/// Measures the transport between rank 0 and rank 1.
///
/// # Errors
/// If they share memory, or a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    let nodes = mobula::nodes();
    let transports: Vec<String> = nodes.iter().flat_map(|node| node.fabrics().to_vec()).collect();
    let has = |transport: &str| transports.iter().any(|known| known == transport);
    let cases = match () {
        () if has("verbs") => over_verbs(),
        () if has("mpi") => over_mpi(),
        () if has("tcp") => over_tcp(),
        () => {
            return Err(Failure::Usage(format!(
                "rank 0 and rank {OTHER} share memory: start two ranks on two hosts, or set MOBULA_FABRIC to tcp, mpi \
                 or \
                 verbs"
            )));
        }
    };
    bench.measure(&cases)
}
