//! The cases, in this process and between two ranks.

use super::{HERE, OTHER, lists, queue, waits};
use crate::case::{Bar, Case, case};
use crate::failure::{Failure, Result};
use crate::peers;
use crate::setting::Setting;
use crate::suite::{self, Bench};
use mobula::prelude::*;
use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

/// Options of `mobula-bench limits`.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    #[command(flatten)]
    suite: suite::Options,
    /// Started by itself: fewer than two ranks are an error
    #[arg(long, hide = true)]
    launched: bool,
}

/// What only the first sample of a process tells.
const MEMORY: &[Case] = &[case("a queued task, of 1,000,000", "bytes", queue::bytes)];

/// In one process.
const HERE_ONLY: &[Case] = &[
    case("1,000,000 tasks, queued", "M/s", queue::submitted).bar(Bar::AtLeast(0.3)),
    case("1,000,000 queued tasks, run", "M/s", queue::run_off),
    case("wait, all of 10,000 tasks", "ms", waits::for_all).bar(Bar::AtMost(10.0)),
    case("wait, none of 10,000 tasks", "ms", waits::for_none).bar(Bar::AtMost(10.0)),
    case("wait, 10,000 tasks one by one", "ms", waits::one_by_one),
    case("get_all, 10,000 objects", "ms", waits::get_own).bar(Bar::AtMost(100.0)),
    case("a task, 10,000 reference arguments", "ms", lists::arguments::<HERE>).bar(Bar::AtMost(100.0)),
    case("a task, 3,000 returns", "ms", lists::returns::<HERE>).bar(Bar::AtMost(100.0)),
];

/// Between two ranks.
const FAR: &[Case] = &[
    case("1,000,000 tasks, queued, 2 ranks", "M/s", queue::submitted).bar(Bar::AtLeast(0.3)),
    case("1,000,000 queued tasks, run, 2 ranks", "M/s", queue::run_off),
    case("wait, 10,000 objects, far", "ms", waits::wait_far),
    case("get_all, 10,000 objects, far", "ms", waits::get_far).bar(Bar::AtMost(100.0)),
    case("a task, 10,000 reference args, far", "ms", lists::arguments::<OTHER>).bar(Bar::AtMost(100.0)),
    case("a task, 3,000 returns, far", "ms", lists::returns::<OTHER>).bar(Bar::AtMost(100.0)),
];

/// Samples of cases that take about a second each.
const REPEAT_MAX: u32 = 5;

/// Every case, by stage.
pub const STAGES: &[&[Case]] = &[MEMORY, HERE_ONLY, FAR];

/// Measures this process, and then two ranks that it starts; on the ranks that there are, only what is between ranks.
///
/// # Errors
/// Where the ranks do not start, find each other or stop, or a result cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let cluster = mobula::init(Config::default())?;
    if cluster.size() > 1 {
        return suite::on_rank_0(cluster, |ranks| between_ranks(options, ranks));
    }
    if options.launched {
        let message = "its two ranks did not find each other: was it built without the feature `mpi`, or with another \
                       MPI than that of MPIRUN?";
        return Err(Failure::Usage(message.to_string()));
    }
    let all_ran = suite::on_rank_0(cluster, |_| in_one_process(options))? == ExitCode::SUCCESS;
    if all_ran { launch() } else { Ok(ExitCode::FAILURE) }
}

fn in_one_process(options: &Options) -> Result<ExitCode> {
    let mut bench = Bench::start(&options.suite, Setting::of("limits", 1, 1))?;
    bench.measure_at_most(1, MEMORY)?;
    bench.measure_at_most(REPEAT_MAX, HERE_ONLY)?;
    Ok(bench.finish())
}

fn between_ranks(options: &Options, ranks: u32) -> Result<ExitCode> {
    let mut bench = Bench::start(&options.suite, Setting::of("limits", ranks, mobula::nodes().len()))?;
    bench.measure_at_most(1, MEMORY)?;
    bench.measure_at_most(REPEAT_MAX, FAR)?;
    Ok(bench.finish())
}

/// Becomes the launcher of this very command as two ranks.
fn launch() -> Result<ExitCode> {
    let fail = |error: std::io::Error| peers::not_started(&error);
    let mut command = peers::two_ranks();
    command.arg(env::current_exe().map_err(fail)?).args(env::args_os().skip(1)).arg("--launched");
    // In place of this process, so that a signal meant for it reaches the launcher. It returns only where that is not there.
    Err(fail(command.exec()))
}
