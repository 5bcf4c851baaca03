//! The cases of Ray's published microbenchmark (`ray microbenchmark`), on both systems on this machine.
//!
//! Owns: our side of every case, and Ray's Python process. Never: installs anything outside of its own environment.
//!
//! - BENCH-RAY-1: a case does as much of the same thing on both sides: as many tasks, calls, bytes; in a quick run, a
//!   tenth of what is counted in thousands.
//! - BENCH-RAY-2: Ray's process ends with the suite, even if that fails.
//!
//! A feature that Ray has and mobula does not is compared with the nearest that a mobula user would write: actors that
//! run several calls at once with actors that run one, its network client with a driver in the job.

mod calls;
mod clock;
mod crowds;
mod python;
mod stored;

use crate::case::{Bar, Case, Run, case};
use crate::failure::Result;
use crate::suite::{Bench, within};
use mobula::Config;

/// Every case, by Ray's names.
pub fn cases() -> Vec<Case> {
    [own_driver(), client()].concat()
}

fn own_driver() -> Vec<Case> {
    let a_second = |name, ours: fn(&Run) -> Result<f64>| beside(name, "1/s", ours);
    vec![
        a_second("single client get calls", stored::get),
        a_second("single client put calls", stored::put),
        a_second("multi client put calls", stored::put_by_many),
        beside("single client put gigabytes", "GB/s", stored::put_gigabytes),
        a_second("single client tasks and get batch", calls::batch),
        beside("multi client put gigabytes", "GB/s", stored::put_gigabytes_by_many),
        a_second("single client get object containing 10k refs", stored::get_with_references),
        a_second("out-of-scope callback registration", stored::register_drop),
        a_second("out-of-scope callback fire 1k batch", stored::fire_drops),
        a_second("single client wait 1k refs", calls::wait_one_by_one),
        a_second("single client tasks sync", calls::tasks_sync),
        a_second("single client tasks async", calls::tasks_async),
        a_second("multi client tasks async", crowds::tasks_by_actors),
        a_second("1:1 actor calls sync", calls::actor_sync),
        a_second("1:1 actor calls async", calls::actor_async),
        a_second("1:1 actor calls concurrent", calls::actor_async),
        a_second("1:n actor calls async", crowds::one_to_many),
        a_second("n:n actor calls async", crowds::many_to_many),
        a_second("n:n actor calls with arg async", crowds::many_to_many_by_reference),
        a_second("1:1 async-actor calls sync", calls::async_actor_sync),
        a_second("1:1 async-actor calls async", calls::async_actor_async),
        a_second("1:1 async-actor calls with args async", calls::async_actor_with_arguments),
        a_second("1:n async-actor calls async", crowds::one_to_many_async),
        a_second("n:n async-actor calls async", crowds::many_to_many_async),
        a_second("placement group create/removal", stored::groups),
    ]
}

fn client() -> Vec<Case> {
    let a_second = |name, ours: fn(&Run) -> Result<f64>| beside(name, "1/s", ours);
    vec![
        a_second("client: get calls", stored::get),
        a_second("client: put calls", stored::put),
        a_second("client: remote put calls", stored::put_by_many),
        a_second("client: 1:1 actor calls sync", calls::actor_sync),
        a_second("client: 1:1 actor calls async", calls::actor_async),
        a_second("client: 1:1 actor calls concurrent", calls::actor_async),
    ]
}

/// A sample of Ray's takes up to half a minute.
fn beside(name: &'static str, unit: &'static str, ours: fn(&Run) -> Result<f64>) -> Case {
    case(name, unit, ours)
        .peer("Ray", move |run| python::sample(name, run))
        .bar(Bar::RatioAtLeast(100.0))
        .repeat_at_most(3)
}

/// Measures all of it.
///
/// # Errors
/// If the cluster does not start or stop, or a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    let outcome = within(Config::default().resource("custom", 100.0), || bench.measure(&cases()));
    python::stop();
    outcome
}
