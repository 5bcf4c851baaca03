//! Silent ranks of which something is awaited: they are probed, and suspected if they do not respond in time.
//!
//! ```text
//!   awaited --- silent for half the time-out ---> probed --- all of it ---> suspected --- three times it ---> cut off
//!      ^                                            |                           |
//!      +------------------ a message from it -------+---------------------------+
//! ```
//! A rank of which nothing is awaited is not probed: so an idle cluster is silent. Neither is one to which a transport
//! still connects: the transport reports in the same time that it cannot, and why. A suspected rank may still respond
//! to others (`arbitration`); if other ranks receive from it and this one does not, it is cut off, as if the link had
//! failed.
//!
//! Time counts only while this rank checks, as in `heartbeat`: a rank that was stopped itself, perhaps with the whole
//! job, does not count that time against the others, and repeats the probes that it had sent before.

use crate::base::Rank;
use crate::base::limits::NEVER;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many times the time-out a suspected rank is silent before it is cut off.
const CUT_OFF: u32 = 3;

/// What is to be done about a silent rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspicionStep {
    /// It is to be probed.
    Probe(Rank),
    /// It has not responded in time.
    Suspect(Rank),
    /// It lives, other ranks report, but nothing comes from it.
    Disconnect(Rank),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SuspicionStage {
    Awaited,
    Probed,
    Suspected,
}

/// What was received from a rank.
struct PeerSilence {
    count: u32,
    silent: Duration,
    stage: SuspicionStage,
}

/// The state of one rank for the ranks of which it awaits something. Its memory is proportional to their number.
pub struct SuspicionTimers {
    peers: BTreeMap<Rank, PeerSilence>,
    /// How long a rank may be silent before it is suspected.
    timeout: Duration,
}

impl SuspicionTimers {
    /// Without any awaited rank.
    pub fn new(timeout: Duration) -> SuspicionTimers {
        SuspicionTimers { peers: BTreeMap::new(), timeout }
    }

    /// How often to check: several times within half of the time-out, and not so often that it costs.
    pub fn interval(&self) -> Duration {
        (self.timeout / 8).clamp(Duration::from_millis(100), Duration::from_secs(4))
    }

    /// True if silence is never suspected.
    pub fn is_endless(&self) -> bool {
        self.timeout >= NEVER
    }

    /// Checks the ranks of which something is awaited, `since` after the last check; `count_of` is another number
    /// whenever a rank has sent something more.
    pub fn check(
        &mut self,
        since: Duration,
        awaited: &BTreeSet<Rank>,
        count_of: impl Fn(Rank) -> u32,
    ) -> Vec<SuspicionStep> {
        self.peers.retain(|rank, _| awaited.contains(rank));
        let was_stopped = since >= self.timeout / 2;
        let since = if was_stopped { Duration::ZERO } else { since.min(2 * self.interval()) };
        let mut steps = Vec::new();
        for rank in awaited.iter().copied() {
            let count = count_of(rank);
            let fresh = PeerSilence { count, silent: Duration::ZERO, stage: SuspicionStage::Awaited };
            let Some(peer) = self.peers.get_mut(&rank).filter(|peer| peer.count == count) else {
                self.peers.insert(rank, fresh);
                continue;
            };
            if was_stopped && peer.stage == SuspicionStage::Probed {
                (peer.stage, peer.silent) = (SuspicionStage::Awaited, self.timeout / 2);
            }
            peer.silent += since;
            match peer.stage {
                SuspicionStage::Awaited if peer.silent >= self.timeout / 2 => {
                    peer.stage = SuspicionStage::Probed;
                    steps.push(SuspicionStep::Probe(rank));
                }
                SuspicionStage::Probed if peer.silent >= self.timeout => {
                    peer.stage = SuspicionStage::Suspected;
                    steps.push(SuspicionStep::Suspect(rank));
                }
                SuspicionStage::Suspected if peer.silent >= CUT_OFF * self.timeout => {
                    // Returned again after as long a time, if no decision came.
                    peer.silent = self.timeout;
                    steps.push(SuspicionStep::Disconnect(rank));
                }
                _ => {}
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::SuspicionStep::{Disconnect, Probe, Suspect};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Checks every second: what was to be done, and at which check.
    fn steps(
        timers: &mut SuspicionTimers,
        checks: u32,
        awaited: &[Rank],
        count_of: impl Fn(u32, Rank) -> u32,
    ) -> Vec<(u32, SuspicionStep)> {
        let awaited = BTreeSet::from_iter(awaited.iter().copied());
        let check = |check| {
            timers.check(SECOND, &awaited, |rank| count_of(check, rank)).into_iter().map(move |step| (check, step))
        };
        (0..checks).flat_map(check).collect()
    }

    #[test]
    fn silent_rank_is_probed_then_suspected_then_cut_off() {
        let mut timers = SuspicionTimers::new(8 * SECOND);
        let taken = steps(&mut timers, 26, &[5], |_, _| 7);
        assert_eq!(taken, [(4, Probe(5)), (8, Suspect(5)), (24, Disconnect(5))]);
    }

    #[test]
    fn rank_that_responds_is_probed_again_at_next_silence() {
        let mut timers = SuspicionTimers::new(8 * SECOND);
        // It responds one check after it was probed.
        let taken = steps(&mut timers, 15, &[5], |check, _| u32::from(check >= 5) + u32::from(check >= 10));
        assert_eq!(taken, [(4, Probe(5)), (9, Probe(5)), (14, Probe(5))]);
    }

    #[test]
    fn rank_that_sends_or_is_not_awaited_is_not_probed() {
        let mut timers = SuspicionTimers::new(8 * SECOND);
        assert_eq!(steps(&mut timers, 50, &[5], |check, _| check / 2), []);
        for _ in 0..10 {
            // The awaited message comes, and another one is awaited later: the time between does not count.
            assert_eq!(steps(&mut timers, 4, &[5], |_, _| 7), []);
            assert_eq!(steps(&mut timers, 1, &[], |_, _| 7), []);
        }
    }

    #[test]
    fn time_in_which_this_rank_was_stopped_does_not_count() {
        let mut timers = SuspicionTimers::new(8 * SECOND);
        let awaited = BTreeSet::from([1]);
        let mut check = |since| timers.check(since, &awaited, |_| 0);
        assert!((0..4).all(|_| check(SECOND).is_empty()));
        assert_eq!(check(3600 * SECOND), [], "the whole job was stopped for an hour");
        assert_eq!(check(SECOND), [Probe(1)]);
        assert!((0..3).all(|_| check(SECOND).is_empty()));
        assert_eq!(
            check(3600 * SECOND),
            [Probe(1)],
            "a rank that continues later than this one has its time to respond"
        );
        assert!((0..3).all(|_| check(SECOND).is_empty()));
        assert_eq!(check(SECOND), [Suspect(1)]);
    }

    #[test]
    fn endless_timeout_is_recognised_and_interval_is_bounded() {
        assert!(SuspicionTimers::new(NEVER).is_endless());
        assert_eq!(SuspicionTimers::new(NEVER).interval(), 4 * SECOND);
        assert_eq!(SuspicionTimers::new(2 * SECOND).interval(), SECOND / 4);
    }
}
