//! Heartbeats of the ranks of a host: each counts its beats in shared memory, and a process that was stopped does not.
//!
//! Time counts only while this rank checks: a rank that was stopped itself, perhaps with the whole job, does not count
//! that time against the others. A process that is not stopped, as the kernel says, may only wait for a CPU of an
//! overloaded host: it has more time.

use crate::base::limits::NEVER;
use crate::base::process_stat::ProcessStat;
use std::time::Duration;

/// How many times the time-out a process that is not stopped may be silent.
const TIMES_WITHOUT_CPU: u32 = 5;

/// A rank that has been silent for too long, by its index on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// A signal or a debugger stopped its process.
    Stopped(usize),
    /// Its process runs, as the kernel says, and got no CPU, or its progress thread waits in the kernel.
    WithoutCpu(usize),
}

/// What was observed of a rank.
#[derive(Clone, Copy, Default)]
struct PeerBeats {
    beats: i64,
    silent: Duration,
}

/// What one rank has observed of the others, by their indices on the host.
pub struct HeartbeatMonitor {
    seen: Vec<PeerBeats>,
    /// How long a rank may be silent before it is suspected.
    timeout: Duration,
}

impl HeartbeatMonitor {
    /// For `ranks` ranks, of which nothing was observed yet.
    pub fn new(ranks: usize, timeout: Duration) -> HeartbeatMonitor {
        HeartbeatMonitor { seen: vec![PeerBeats::default(); ranks], timeout }
    }

    /// How often ranks beat and check: once a second, and several times within a shorter time-out.
    pub fn interval(&self) -> Duration {
        (self.timeout / 5).clamp(Duration::from_millis(200), Duration::from_secs(1))
    }

    /// Checks every rank, `since` after the last check; returns those that have been silent for too long.
    pub fn check(
        &mut self,
        since: Duration,
        beats_of: impl Fn(usize) -> i64,
        is_stopped: impl Fn(usize) -> bool,
    ) -> Vec<Silent> {
        // Of a longer time, in which this rank did not check, no more is counted against a rank that has not beaten
        // since.
        let since = since.min(2 * self.interval());
        let mut silent = Vec::new();
        for (index, seen) in self.seen.iter_mut().enumerate() {
            let beats = beats_of(index);
            if beats != seen.beats {
                *seen = PeerBeats { beats, silent: Duration::ZERO };
                continue;
            }
            seen.silent = seen.silent.saturating_add(since);
            if seen.silent < self.timeout || self.timeout >= NEVER {
                continue;
            }
            if is_stopped(index) {
                silent.push(Silent::Stopped(index));
            } else if seen.silent >= TIMES_WITHOUT_CPU * self.timeout {
                silent.push(Silent::WithoutCpu(index));
            }
        }
        silent
    }
}

/// True if the process is stopped by a signal or a debugger, or if the kernel does not tell.
pub fn is_stopped(pid: u32) -> bool {
    ProcessStat::of_process(pid).is_none_or(|stat| matches!(stat.state(), 'T' | 't'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The ranks that a check reports, all of them stopped.
    fn check(monitor: &mut HeartbeatMonitor, since: Duration, beats_of: impl Fn(usize) -> i64) -> Vec<Silent> {
        monitor.check(since, beats_of, |_| true)
    }

    #[test]
    fn rank_that_stops_beating_is_reported_after_the_timeout() {
        let mut monitor = HeartbeatMonitor::new(2, 5 * SECOND);
        for number in 1..20 {
            let beats_of = |index| if index == 0 { number } else { number.min(3) };
            let expected: &[Silent] = if number >= 8 { &[Silent::Stopped(1)] } else { &[] };
            assert_eq!(check(&mut monitor, SECOND, beats_of), expected, "check {number}");
        }
        assert!(check(&mut monitor, SECOND, |_| 100).is_empty(), "it may go on");
    }

    #[test]
    fn rank_that_is_not_stopped_has_five_times_as_long() {
        let mut monitor = HeartbeatMonitor::new(1, 5 * SECOND);
        for number in 1..25 {
            assert!(monitor.check(SECOND, |_| 0, |_| false).is_empty(), "check {number}");
        }
        assert_eq!(monitor.check(SECOND, |_| 0, |_| false), [Silent::WithoutCpu(0)]);
        assert_eq!(monitor.check(SECOND, |_| 0, |_| true), [Silent::Stopped(0)]);
    }

    #[test]
    fn only_a_stopped_process_is_stopped() {
        assert!(!is_stopped(std::process::id()));
        assert!(is_stopped(u32::MAX), "nothing is known of it");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let signal = |signal| rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        signal(rustix::process::Signal::STOP);
        while !is_stopped(child.id()) {
            std::thread::yield_now();
        }
        signal(rustix::process::Signal::CONT);
        while is_stopped(child.id()) {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn time_in_which_this_rank_was_stopped_counts_little() {
        let mut monitor = HeartbeatMonitor::new(1, 5 * SECOND);
        assert!(check(&mut monitor, 3600 * SECOND, |_| 0).is_empty());
        assert!(check(&mut monitor, SECOND, |_| 0).is_empty());
        assert_eq!(check(&mut monitor, 3600 * SECOND, |_| 0), [Silent::Stopped(0)]);
        let mut short = HeartbeatMonitor::new(1, SECOND);
        assert!(check(&mut short, 3600 * SECOND, |_| 0).is_empty(), "also with a short time-out");
    }

    #[test]
    fn endless_timeout_reports_no_rank() {
        let mut monitor = HeartbeatMonitor::new(1, NEVER);
        assert!((0..100).all(|_| check(&mut monitor, NEVER, |_| 0).is_empty()));
        assert_eq!(monitor.interval(), SECOND);
    }
}
