//! When and where a task ran, by the clock of its host, and how many ran at once.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Start and end of a task, ns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Span {
    began_ns: u64,
    ended_ns: u64,
    /// The GPUs that were assigned to it.
    pub gpus: Vec<u32>,
    host: String,
}

impl Span {
    /// The span of a short sleep, long enough that tasks that may overlap do so.
    pub fn of_a_nap() -> Span {
        let began_ns = now_ns();
        std::thread::sleep(Duration::from_millis(20));
        let context = mobula::context();
        Span { began_ns, ended_ns: now_ns(), gpus: context.gpus().to_vec(), host: context.host().to_string() }
    }
}

/// The clock that all processes of a host share.
fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, and this is one.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    assert_eq!(result, 0, "Linux has CLOCK_MONOTONIC");
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The most that ran at any time on one host. The maximum is reached at the start of one of them.
pub fn most_at_once<'a>(spans: impl Iterator<Item = &'a Span> + Clone) -> usize {
    let running = |one: &Span| {
        let overlaps = |span: &&Span| span.host == one.host && (span.began_ns..span.ended_ns).contains(&one.began_ns);
        spans.clone().filter(overlaps).count()
    };
    spans.clone().map(running).max().unwrap_or(0)
}
