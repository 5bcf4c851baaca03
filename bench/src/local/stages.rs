//! The cases, in stages that share a cluster.

use super::{objects, startup, tasks};
use crate::actors;
use crate::case::{Bar, Case, case};
use crate::failure::{Failure, Result};
use crate::setting::Setting;
use crate::suite::{Bench, Options};
use mobula::prelude::*;
use std::process::ExitCode;

/// With a worker a core.
const EVERY_WORKER: &[Case] = &[
    case("empty task, batch of 10,000", "us a task", tasks::batch)
        .peer("rayon::scope", tasks::rayon_batch)
        .bar(Bar::AtMost(0.3)),
    case("fib(27), a task a call", "us a call", tasks::fibonacci)
        .peer("rayon::join", tasks::rayon_fibonacci)
        .bar(Bar::AtMost(0.4)),
    case("get, ready", "us", objects::get_ready).peer("Arc::clone", objects::clone_arc),
    case("put, 8 B", "us", objects::put).peer("Arc::new", objects::new_arc),
    case("create_array + seal, 1 KiB", "us", objects::create_and_seal).bar(Bar::AtMost(1.0)),
    case("put_array, 64 MiB", "GB/s", objects::put_array)
        .peer("memcpy, warm", objects::copy_warm)
        .bar(Bar::RatioAtLeast(0.8)),
    case("actor call, one by one", "us", actors::one_by_one::<0>).peer("std::sync::mpsc", actors::channel_one_by_one),
    case("actor calls, 10,000 in flight", "M/s", actors::in_flight::<0>)
        .peer("std::sync::mpsc", actors::channel_in_flight),
];

/// With one worker in all.
const ONE_WORKER: &[Case] = &[
    case("empty task, batch of 10,000, 1 worker", "us a task", tasks::batch)
        .peer("rayon::scope, 1 thread", tasks::rayon_batch_one_thread)
        .bar(Bar::AtMost(0.3)),
    case("fib(27), a task a call, 1 worker", "us a call", tasks::fibonacci)
        .peer("rayon::join, 1 thread", tasks::rayon_fibonacci_one_thread)
        .bar(Bar::AtMost(0.4)),
];

/// Without a cluster around them.
const STOPPED: &[Case] = &[
    case("start and stop, again", "ms", startup::again).bar(Bar::AtMost(50.0)),
    case("start and stop, a process", "ms", startup::process)
        .peer("a process that ends", startup::empty_process)
        .bar(Bar::AtMost(50.0)),
];

/// Every case, by stage.
pub const STAGES: &[&[Case]] = &[EVERY_WORKER, ONE_WORKER, STOPPED];

/// Measures all of it.
///
/// # Errors
/// Where a cluster does not start or stop, or a result cannot be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let mut bench = Bench::start(options, Setting::of("local", 1, 1))?;
    within(Config::default(), || bench.measure(EVERY_WORKER))?;
    within(Config::default().workers(1), || bench.measure(ONE_WORKER))?;
    bench.measure(STOPPED)?;
    Ok(bench.finish())
}

/// Runs `body` in a cluster of this process, which is stopped whatever the body says (L1).
fn within(config: Config, body: impl FnOnce() -> Result<()>) -> Result<()> {
    let cluster = mobula::init(config)?;
    if cluster.size() != 1 {
        let message = "local measures one process: start it without mpirun or srun".to_string();
        return Err(Failure::Usage(message));
    }
    let outcome = body();
    let stopped = cluster.shutdown();
    outcome?;
    Ok(stopped?)
}
