//! When a task ran, on the one clock of the host, and how many ran at once.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// From when to when, ns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Span {
    began_ns: u64,
    ended_ns: u64,
    /// The GPUs that it had.
    pub gpus: Vec<u32>,
}

impl Span {
    /// Takes up a little time, and says when.
    pub fn of_a_nap() -> Span {
        let began_ns = now_ns();
        std::thread::sleep(Duration::from_millis(20));
        Span { began_ns, ended_ns: now_ns(), gpus: mobula::context().gpus().to_vec() }
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

/// The most that ran at any time: at the beginning of one of them.
pub fn most_at_once<'a>(spans: impl Iterator<Item = &'a Span> + Clone) -> usize {
    let running = |moment: u64| spans.clone().filter(|span| (span.began_ns..span.ended_ns).contains(&moment)).count();
    spans.clone().map(|span| running(span.began_ns)).max().unwrap_or(0)
}
