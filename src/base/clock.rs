//! Time since the first call in this process, in nanoseconds.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds since the first call in this process; monotonic.
pub fn now_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
