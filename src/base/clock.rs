//! Clocks of the system, in nanoseconds. The C library reads them without a system call, and in a third of the
//! instructions of the standard library's.
#![allow(unsafe_code)]

use crate::base::sync::Ordering;
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;

/// Nanoseconds since the first call in this process; monotonic.
#[inline]
pub fn now_ns() -> u64 {
    static START: AtomicU64 = AtomicU64::new(0);
    // Since the machine started: never 0.
    let now = read(libc::CLOCK_MONOTONIC);
    match START.load(Ordering::Relaxed) {
        // Where several threads call first, one of them sets the start.
        0 => {
            let set = START.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
            now.saturating_sub(set.err().unwrap_or(now))
        }
        start => now.saturating_sub(start),
    }
}

/// Nanoseconds that all threads of this process together have run.
pub fn process_cpu_ns() -> u64 {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: it writes all of `time`, and nothing else. Every Linux has both clocks, so it does not fail.
    let time = unsafe {
        libc::clock_gettime(clock, time.as_mut_ptr());
        time.assume_init()
    };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
