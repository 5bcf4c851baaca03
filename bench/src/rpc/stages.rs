//! The cases, and the ranks that they need.

use super::{OTHER, arrays, calls, floor, idle};
use crate::case::{Bar, Case, case};
use crate::failure::{Failure, Result};
use crate::setting::Setting;
use crate::suite::{self, Bench};
use crate::{actors, peers};
use mobula::prelude::*;
use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

/// Options of `mobula-bench rpc`.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    #[command(flatten)]
    suite: suite::Options,
    /// Started by itself: fewer than two ranks are an error
    #[arg(long, hide = true)]
    launched: bool,
}

/// Calls and arrays.
const MESSAGES: &[Case] = &[
    case("cache line, there and back", "us", floor::cache_line),
    case("round trip, 8 B", "us", calls::round_trip_word)
        .peer("MPI round trip", calls::mpi_round_trip::<8>)
        .bar(Bar::RatioAtMost(2.0)),
    case("round trip, 1 KiB", "us", calls::round_trip::<1024>).peer("MPI round trip", calls::mpi_round_trip::<1024>),
    case("round trip, 32 KiB", "us", calls::round_trip::<32_768>)
        .peer("MPI round trip", calls::mpi_round_trip::<32_768>),
    case("round trip, 1 MiB", "us", calls::round_trip::<1_048_576>)
        .peer("MPI round trip", calls::mpi_round_trip::<1_048_576>),
    case("round trip, array of 1 MiB", "us", calls::round_trip_array::<1_048_576>)
        .peer("MPI round trip", calls::mpi_round_trip::<1_048_576>),
    case("tasks, 10,000 in flight", "M/s", calls::in_flight)
        .peer("MPI, 64 in flight", calls::mpi_in_flight)
        .bar(Bar::AtLeast(1.0)),
    case("get, array of 8 B", "us", arrays::get::<8>).bar(Bar::AtMost(2.0)),
    case("get, array of 1 MiB", "us", arrays::get::<{ 1 << 20 }>).bar(Bar::AtMost(2.0)),
    case("get, array of 1 GiB", "us", arrays::get::<{ 1 << 30 }>).bar(Bar::AtMost(2.0)),
    case("actor call, one by one", "us", actors::one_by_one::<OTHER>)
        .peer("MPI round trip", calls::mpi_round_trip::<8>),
    case("actor calls, 10,000 in flight", "M/s", actors::in_flight::<OTHER>)
        .peer("MPI, 64 in flight", calls::mpi_in_flight),
];

/// What the cluster costs while nobody asks anything of it.
const IDLE: &[Case] = &[
    case("idle, rank 0", "% CPU", idle::percent::<0>).bar(Bar::AtMost(1.0)),
    case("idle, rank 1", "% CPU", idle::percent::<OTHER>).bar(Bar::AtMost(1.0)),
];

/// Samples of the idle cases: each takes seconds.
const IDLE_REPEAT_MAX: u32 = 3;

/// Every case, by stage.
pub const STAGES: &[&[Case]] = &[MESSAGES, IDLE];

/// Measures all of it, on the ranks that there are, or on two that it starts.
///
/// # Errors
/// Where the ranks do not start, find each other or stop, or a result cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let cluster = mobula::init(Config::default())?;
    if cluster.size() == 1 {
        cluster.shutdown()?;
        return launch(options);
    }
    suite::on_rank_0(cluster, |ranks| measure(options, ranks))
}

fn measure(options: &Options, ranks: u32) -> Result<ExitCode> {
    let nodes = mobula::nodes();
    if nodes.iter().all(|node| !(node.ranks().contains(&0) && node.ranks().contains(&OTHER))) {
        println!("ranks 0 and {OTHER} are on different hosts: peers and bars are those of one host");
    }
    let mut bench = Bench::start(&options.suite, Setting::of("rpc", ranks, nodes.len()))?;
    bench.measure(MESSAGES)?;
    bench.measure_at_most(IDLE_REPEAT_MAX, IDLE)?;
    Ok(bench.finish())
}

/// Becomes the launcher of this very command as two ranks.
fn launch(options: &Options) -> Result<ExitCode> {
    if options.launched {
        let message = "its two ranks did not find each other: was it built without the feature `mpi`, or with another \
                       MPI than that of MPIRUN?";
        return Err(Failure::Usage(message.to_string()));
    }
    let fail = |error: std::io::Error| peers::not_started(&error);
    let mut command = peers::two_ranks();
    command.arg(env::current_exe().map_err(fail)?).args(env::args_os().skip(1)).arg("--launched");
    // In place of this process, so that a signal meant for it reaches the launcher. It returns only where that is not there.
    Err(fail(command.exec()))
}
