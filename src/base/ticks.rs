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
        in_ticks(ns, self.now().saturating_sub(start), clock::now_ns().saturating_sub(start_ns))
    }

    /// What converts ticks of the past to nanoseconds of `clock`.
    pub fn converter(&self) -> impl Fn(u64) -> u64 + use<> {
        let ((start, start_ns), (now, now_ns)) = (self.start, (self.now(), clock::now_ns()));
        move |ticks| in_ns(ticks, (start, start_ns), (now, now_ns))
    }
}

/// The ticks of so many nanoseconds, by what passed before: ticks, and the nanoseconds in which they did.
fn in_ticks(ns: u64, ticks: u64, passed_ns: u64) -> u64 {
    (u128::from(ns) * u128::from(ticks) / u128::from(passed_ns.max(1))) as u64
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
    fn ticks_of_a_time_follow_from_those_that_passed() {
        assert_eq!((in_ticks(500, 2_000, 2_000), in_ticks(500, 6_000, 2_000)), (500, 1_500));
        assert_eq!(in_ticks(1_000_000, u64::MAX, u64::MAX), 1_000_000);
        assert_eq!(in_ticks(500, 0, 0), 0, "nothing has passed yet");
    }

    #[test]
    fn rate_follows_from_two_readings() {
        assert_eq!(in_ns(1_500, (1_000, 7), (3_000, 1_007)), 257);
        assert_eq!(in_ns(900, (1_000, 7), (3_000, 1_007)), 7, "before the start");
        assert_eq!(in_ns(1_000, (1_000, 7), (1_000, 7)), 7, "no time has passed");
    }
}
