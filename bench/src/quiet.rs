//! Whether anything else uses the CPUs: a time that was measured beside other work is no figure.

use crate::cpus;
use std::fs;
use std::thread;
use std::time::Duration;

/// How long one looks.
const LOOK: Duration = Duration::from_millis(500);

/// The most that others may use on a quiet machine, in CPUs: what its kernel and its daemons do.
const BUSY_CPUS_MAX: f64 = 0.2;

/// How busy the CPUs of this command were while it did nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Idle {
    /// The part of their time in which they had nothing to do.
    pub share: f64,
    /// How many they are.
    pub cpus: usize,
}

impl Idle {
    /// Looks at them for a while; the caller does nothing meanwhile. `None` where the system does not say.
    pub fn now() -> Option<Idle> {
        let times = || times(&fs::read_to_string("/proc/stat").ok()?, cpus::may_use);
        let before = times()?;
        thread::sleep(LOOK);
        Idle::between(before, times()?, cpus::count())
    }

    fn between(before: Times, after: Times, cpus: usize) -> Option<Idle> {
        let all = after.all.checked_sub(before.all).filter(|all| *all > 0)?;
        let idle = after.idle.saturating_sub(before.idle);
        Some(Idle { share: (idle as f64 / all as f64).min(1.0), cpus })
    }

    /// True if hardly anything else ran.
    pub fn is_quiet(&self) -> bool {
        (1.0 - self.share) * self.cpus as f64 <= BUSY_CPUS_MAX
    }
}

/// Ticks of CPUs since the host started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    idle: u64,
    all: u64,
}

/// Sums the lines of `/proc/stat` of those CPUs. Waiting for disks counts as idle, and time that the host of a virtual
/// machine took as busy.
fn times(stat: &str, counts: impl Fn(usize) -> bool) -> Option<Times> {
    let mut sum = Times { idle: 0, all: 0 };
    for line in stat.lines() {
        let mut fields = line.split_whitespace();
        let Some(number) = fields.next().and_then(|name| name.strip_prefix("cpu")?.parse().ok()) else { continue };
        if !counts(number) {
            continue;
        }
        // User, nice, system, idle, waiting, two kinds of interrupts, stolen; what guests take is in the first two.
        let ticks: Vec<u64> = fields.take(8).map_while(|field| field.parse().ok()).collect();
        sum.idle += ticks.iter().skip(3).take(2).sum::<u64>();
        sum.all += ticks.iter().sum::<u64>();
    }
    (sum.all > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  300 0 0 700 0 0 0 0 0 0\ncpu0 100 1 2 30 40 5 6 7 50 0\ncpu1 200 0 0 600 0 0 0 0 0 0\n\
                        intr 12 13\nctxt 5\n";

    #[test]
    fn the_lines_of_the_cpus_are_added_up() {
        assert_eq!(times(STAT, |_| true), Some(Times { idle: 670, all: 991 }));
        assert_eq!(times(STAT, |number| number == 0), Some(Times { idle: 70, all: 191 }));
        assert_eq!(times("intr 12\n", |_| true), None);
    }

    #[test]
    fn a_fifth_of_a_cpu_is_quiet_and_more_is_not() {
        let between = |idle: u64| Idle::between(Times { idle: 5, all: 10 }, Times { idle: 5 + idle, all: 110 }, 2);
        assert_eq!(between(91).unwrap(), Idle { share: 0.91, cpus: 2 });
        assert!(between(91).unwrap().is_quiet() && between(100).unwrap().is_quiet());
        assert!(!between(89).unwrap().is_quiet() && !between(0).unwrap().is_quiet());
        assert_eq!(Idle::between(Times { idle: 5, all: 10 }, Times { idle: 5, all: 10 }, 2), None);
    }

    #[test]
    fn this_machine_says_how_idle_it_is() {
        cpus::remember();
        let idle = Idle::now().unwrap();
        assert!((0.0..=1.0).contains(&idle.share) && idle.cpus > 0, "{idle:?}");
    }
}
