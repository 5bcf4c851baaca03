//! Heartbeats of the ranks of a host: each counts its beats in shared memory, and a process that was stopped does not.
//!
//! Time counts only while this rank checks: a rank that was stopped itself, perhaps with the whole job, does not count
//! that time against the others.

use crate::base::limits::NEVER;
use std::time::Duration;

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

    /// Checks every rank, `since` after the last check; returns the indices of those that have been silent for too
    /// long.
    pub fn check(&mut self, since: Duration, beats_of: impl Fn(usize) -> i64) -> Vec<usize> {
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
            if seen.silent >= self.timeout && self.timeout < NEVER {
                silent.push(index);
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn rank_that_stops_beating_is_reported_after_the_timeout() {
        let mut monitor = HeartbeatMonitor::new(2, 5 * SECOND);
        for check in 1..20 {
            let silent = monitor.check(SECOND, |index| if index == 0 { check } else { check.min(3) });
            let expected: &[usize] = if check >= 8 { &[1] } else { &[] };
            assert_eq!(silent, expected, "check {check}");
        }
        assert!(monitor.check(SECOND, |_| 100).is_empty(), "it may go on");
    }

    #[test]
    fn time_in_which_this_rank_was_stopped_counts_little() {
        let mut monitor = HeartbeatMonitor::new(1, 5 * SECOND);
        assert!(monitor.check(3600 * SECOND, |_| 0).is_empty());
        assert!(monitor.check(SECOND, |_| 0).is_empty());
        assert_eq!(monitor.check(3600 * SECOND, |_| 0), [0]);
        assert!(HeartbeatMonitor::new(1, SECOND).check(3600 * SECOND, |_| 0).is_empty(), "also with a short time-out");
    }

    #[test]
    fn endless_timeout_reports_no_rank() {
        let mut monitor = HeartbeatMonitor::new(1, NEVER);
        assert!((0..100).all(|_| monitor.check(NEVER, |_| 0).is_empty()));
        assert_eq!(monitor.interval(), SECOND);
    }
}
