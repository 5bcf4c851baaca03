//! The cases, in stages that share a cluster.

use super::{fans, tasks};
use crate::case::{Bar, Case, case};
use crate::failure::Result;
use crate::suite::{Bench, within};
use mobula::prelude::*;

/// With a worker a core.
fn every_worker() -> Vec<Case> {
    vec![
        case("spawn and get, one by one", "us", tasks::one_by_one).peer("plain call", tasks::plain_call),
        case("empty task, batch of 10,000", "us a task", tasks::batch)
            .peer("rayon::scope", tasks::rayon_batch)
            .bar(Bar::AtMost(0.25)),
        case("fib(30), a task a call", "us a call", tasks::fibonacci)
            .peer("rayon::join", tasks::rayon_fibonacci)
            .bar(Bar::AtMost(0.25)),
        case("fan-out and fan-in, 1,000 tasks", "us", fans::out_and_in).peer("rayon par_iter", fans::rayon_out_and_in),
        case("chain of 1,000 tasks", "us a task", fans::chain).peer("plain calls", fans::plain_chain),
        case("sum of 64 MiB, 64 tasks", "ms", fans::sum).peer("rayon par_chunks", fans::rayon_sum),
    ]
}

/// With one worker in all.
fn one_worker() -> Vec<Case> {
    vec![
        case("empty task, batch of 10,000, 1 worker", "us a task", tasks::batch)
            .peer("rayon::scope, 1 thread", tasks::rayon_batch_one_thread)
            .bar(Bar::AtMost(0.25)),
        case("fib(30), a task a call, 1 worker", "us a call", tasks::fibonacci)
            .peer("rayon::join, 1 thread", tasks::rayon_fibonacci_one_thread)
            .bar(Bar::AtMost(0.25)),
        case("fib(30), 1 worker, beside calls", "us a call", tasks::fibonacci)
            .peer("plain calls", tasks::plain_fibonacci),
    ]
}

/// Every case, by stage.
pub fn cases() -> Vec<Case> {
    [every_worker(), one_worker()].concat()
}

/// Measures all of it.
///
/// # Errors
/// If a cluster does not start or stop, or a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    within(Config::default(), || bench.measure(&every_worker()))?;
    within(Config::default().workers(1), || bench.measure(&one_worker()))
}
