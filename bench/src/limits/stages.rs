//! The cases, in this process and between two ranks.

use super::{HERE, OTHER, lists, queue, waits};
use crate::case::{Bar, Case, case};
use crate::failure::Result;
use crate::suite::{Bench, within};
use mobula::prelude::*;

/// Samples of cases that take about a second each.
const REPEAT_MAX: u32 = 5;

/// Cases of which only the first sample of a process is valid.
fn memory() -> Vec<Case> {
    vec![case("a queued task, of 1,000,000", "bytes", queue::bytes).repeat_at_most(1)]
}

/// In one process.
fn here_only() -> Vec<Case> {
    vec![
        case("1,000,000 tasks, queued", "M/s", queue::submitted).bar(Bar::AtLeast(0.3)),
        case("1,000,000 queued tasks, run", "M/s", queue::run_off),
        case("wait, all of 10,000 tasks", "ms", waits::for_all).bar(Bar::AtMost(10.0)),
        case("wait, none of 10,000 tasks", "ms", waits::for_none).bar(Bar::AtMost(10.0)),
        case("wait, 10,000 tasks one by one", "ms", waits::one_by_one),
        case("get_all, 10,000 objects", "ms", waits::get_own).bar(Bar::AtMost(100.0)),
        case("a task, 10,000 reference arguments", "ms", lists::arguments::<HERE>).bar(Bar::AtMost(100.0)),
        case("a task, 3,000 returns", "ms", lists::returns::<HERE>).bar(Bar::AtMost(100.0)),
    ]
}

/// Between two ranks.
fn remote() -> Vec<Case> {
    vec![
        case("1,000,000 tasks, queued, 2 ranks", "M/s", queue::submitted).bar(Bar::AtLeast(0.3)),
        case("1,000,000 queued tasks, run, 2 ranks", "M/s", queue::run_off),
        case("wait, 10,000 objects, remote", "ms", waits::wait_remote),
        case("get_all, 10,000 objects, remote", "ms", waits::get_remote).bar(Bar::AtMost(100.0)),
        case("a task, 10,000 reference args, remote", "ms", lists::arguments::<OTHER>).bar(Bar::AtMost(100.0)),
        case("a task, 3,000 returns, remote", "ms", lists::returns::<OTHER>).bar(Bar::AtMost(100.0)),
    ]
}

fn few_samples(cases: Vec<Case>) -> Vec<Case> {
    cases.into_iter().map(|case| Case { repeat_max: case.repeat_max.min(REPEAT_MAX), ..case }).collect()
}

/// Every case of one process.
pub fn cases_here() -> Vec<Case> {
    few_samples([memory(), here_only()].concat())
}

/// Every case between ranks.
pub fn cases_remote() -> Vec<Case> {
    few_samples([memory(), remote()].concat())
}

/// Measures this process.
///
/// # Errors
/// If the cluster does not start or stop, or a result cannot be written.
pub fn run_here(bench: &mut Bench) -> Result<()> {
    within(Config::default(), || bench.measure(&cases_here()))
}

/// Measures rank 0 with rank 1.
///
/// # Errors
/// If a result cannot be written.
pub fn run_remote(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases_remote())
}
