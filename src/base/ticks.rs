//! Ticks: a time that is read in one instruction, and converted to nanoseconds later.
//!
//! They are the processor's time stamp counter, where the kernel itself may use that as its clock: there it runs at one
//! rate, and alike on all cores. Elsewhere they are the nanoseconds of `clock`, which take a hundred instructions.
#![allow(unsafe_code)]

use crate::base::clock;

/// The clocks that the kernel may use.
const CLOCK_SOURCES: &str = "/sys/devices/system/clocksource/clocksource0/available_clocksource";

/// A source of ticks.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    has_counter: bool,
    /// When it was made, in ticks and in nanoseconds.
    start: (u64, u64),
}

impl Ticks {
    /// The best that this machine has.
    pub fn new() -> Ticks {
        let sources = std::fs::read_to_string(CLOCK_SOURCES).unwrap_or_default();
        let has_counter = cfg!(target_arch = "x86_64") && sources.split_whitespace().any(|source| source == "tsc");
        let mut ticks = Ticks { has_counter, start: (0, 0) };
        ticks.start = (ticks.now(), clock::now_ns());
        ticks
    }

    /// The time, in ticks.
    #[inline]
    pub fn now(&self) -> u64 {
        if self.has_counter { counter() } else { clock::now_ns() }
    }

    /// About how many ticks pass in so many nanoseconds. Exact to some parts in a thousand once a millisecond has
    /// passed since the ticks began.
    pub fn count_in(&self, ns: u64) -> u64 {
        let (start, start_ns) = self.start;
        let passed = u128::from(self.now().saturating_sub(start));
        let passed_ns = u128::from(clock::now_ns().saturating_sub(start_ns)).max(1);
        (u128::from(ns) * passed / passed_ns) as u64
    }

    /// What converts ticks of the past to nanoseconds of `clock`.
    pub fn converter(&self) -> impl Fn(u64) -> u64 + use<> {
        let ((start, start_ns), (now, now_ns)) = (self.start, (self.now(), clock::now_ns()));
        move |ticks| in_ns(ticks, (start, start_ns), (now, now_ns))
    }
}

/// The straight line through two pairs of ticks and nanoseconds.
fn in_ns(ticks: u64, (start, start_ns): (u64, u64), (now, now_ns): (u64, u64)) -> u64 {
    let (passed, all) = (u128::from(ticks.saturating_sub(start)), u128::from(now.saturating_sub(start).max(1)));
    start_ns + (passed * u128::from(now_ns.saturating_sub(start_ns)) / all) as u64
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, which reads a register and nothing else.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> u64 {
    clock::now_ns()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_of_the_clock() {
        let counted = Ticks::new();
        for ticks in [counted, Ticks { has_counter: false, ..counted }] {
            let before = clock::now_ns();
            let ticks = Ticks { start: (ticks.now(), before), ..ticks };
            let seen = [ticks.now(), ticks.now()];
            let to_ns = ticks.converter();
            let [first, second] = seen.map(&to_ns);
            assert!(before <= first && first <= second && second <= clock::now_ns(), "{before} {first} {second}");
        }
    }

    #[test]
    fn ticks_of_a_time_are_those_that_pass_in_it() {
        let without_counter = Ticks { has_counter: false, start: (0, 0) };
        assert_eq!(without_counter.count_in(500), 500);
        let ticks = Ticks::new();
        let (before, before_ns) = (ticks.now(), clock::now_ns());
        while clock::now_ns() < before_ns + 2_000_000 {}
        let (passed, passed_ns) = (ticks.now() - before, clock::now_ns() - before_ns);
        // Between the two readings the thread may have had no CPU.
        assert!(ticks.count_in(passed_ns / 2) < 2 * passed && passed < 4 * ticks.count_in(passed_ns) + 1);
    }

    #[test]
    fn rate_follows_from_two_readings() {
        assert_eq!(in_ns(1_500, (1_000, 7), (3_000, 1_007)), 257);
        assert_eq!(in_ns(900, (1_000, 7), (3_000, 1_007)), 7, "before the start");
        assert_eq!(in_ns(1_000, (1_000, 7), (1_000, 7)), 7, "no time has passed");
    }
}
