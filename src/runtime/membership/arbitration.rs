//! Arbitration: if two ranks lose their link to each other, rank 0 decides which one is declared dead. Pure.
//!
//! A rank that finds a link failed tells rank 0 and waits. Mostly the other end is dead, and rank 0 notices that by
//! itself: then the suspicion ends. Otherwise it probes both. If both respond, both live and cannot reach each other;
//! work and references between them would wait for ever, so the higher rank is declared dead, and told so. A rank that
//! has not responded within `MOBULA_PEER_TIMEOUT_S` is declared dead for that.
//!
//! A rank that is merely silent to another one may have been stopped for a moment. If it responds, the suspicion is
//! dropped: its next message to the other rank is on its way, and one that does not come is reported as a failed link.
//!
//! - ARBITRATION-1: every suspicion ends: one of the two is declared dead, or known to be dead, or the suspicion is
//!   dropped. No rank waits for a decision for ever.
//! - ARBITRATION-2: a rank that responds is declared dead only for a lower one that responds too, and not for silence.

use crate::base::Rank;
use crate::protocol::FailureKind;
use std::time::Duration;

/// The longest time between two checks that counts: rank 0 may have been stopped itself, and have responses to read.
const CHECK_TIME_MAX: Duration = Duration::from_secs(1);

/// Two ranks of which one does not reach the other.
struct Suspicion {
    /// The lower one first.
    pair: [Rank; 2],
    /// Which of them has responded since.
    responded: [bool; 2],
    reason: String,
    /// Tells the probe from those of other suspicions.
    round: u64,
    /// True if the only reason is silence.
    silence: bool,
    waited: Duration,
}

/// The rank that is declared dead, and the reason.
pub type DeadRank = (Rank, String);

/// Suspicions on which rank 0 has not decided yet.
#[derive(Default)]
pub struct Arbitration {
    pending: Vec<Suspicion>,
    last_round: u64,
}

impl Arbitration {
    /// One of the two reports that it does not reach the other. Returns the round of the probe that is to be sent to
    /// both, unless it was sent already.
    pub fn suspect(&mut self, one: Rank, other: Rank, reason: &str, kind: FailureKind) -> Option<u64> {
        let (pair, silence) = ([one.min(other), one.max(other)], kind == FailureKind::Timeout);
        if one == other {
            return None;
        }
        if let Some(suspicion) = self.pending.iter_mut().find(|suspicion| suspicion.pair == pair) {
            suspicion.silence &= silence;
            return None;
        }
        self.last_round += 1;
        let (round, reason) = (self.last_round, reason.to_string());
        self.pending.push(Suspicion { pair, responded: [false; 2], reason, round, silence, waited: Duration::ZERO });
        Some(round)
    }

    /// A rank responded to the probe of that round.
    pub fn on_response(&mut self, rank: Rank, round: u64) -> Option<DeadRank> {
        let at = self.pending.iter().position(|suspicion| suspicion.round == round)?;
        let suspicion = &mut self.pending[at];
        let end = suspicion.pair.iter().position(|suspect| *suspect == rank)?;
        suspicion.responded[end] = true;
        if suspicion.responded != [true; 2] {
            return None;
        }
        let Suspicion { pair: [lower, higher], reason, silence, .. } = self.pending.swap_remove(at);
        if silence {
            return None;
        }
        Some((
            higher,
            format!(
                "it and rank {lower} cannot reach each other ({reason}), and the higher of the two is declared dead"
            ),
        ))
    }

    /// A rank is dead: this decides all suspicions of it.
    pub fn on_peer_failed(&mut self, rank: Rank) {
        self.pending.retain(|suspicion| !suspicion.pair.contains(&rank));
    }

    /// The ranks that have not responded for `timeout`; `since` is the time since the last call.
    pub fn overdue(&mut self, since: Duration, timeout: Duration) -> Vec<DeadRank> {
        let mut dead: Vec<DeadRank> = Vec::new();
        self.pending.retain_mut(|suspicion| {
            suspicion.waited += since.min(CHECK_TIME_MAX);
            if suspicion.waited < timeout {
                return true;
            }
            for (rank, _) in suspicion.pair.iter().zip(suspicion.responded).filter(|(_, responded)| !responded) {
                let reason =
                    format!("it has not responded to rank 0 for {} s ({})", timeout.as_secs_f64(), suspicion.reason);
                dead.push((*rank, reason));
            }
            false
        });
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// Lets so many seconds pass; returns the ranks that are declared dead.
    fn seconds(arbitration: &mut Arbitration, count: u32) -> Vec<Rank> {
        let second = |_| arbitration.overdue(Duration::from_secs(1), TIMEOUT);
        (0..count).flat_map(second).map(|(rank, _)| rank).collect()
    }

    #[test]
    fn higher_of_two_live_ranks_is_declared_dead_whichever_reports() {
        for (one, other) in [(1, 2), (2, 1)] {
            let mut arbitration = Arbitration::default();
            let round = arbitration.suspect(one, other, "reset", FailureKind::Link).expect("it is new");
            assert_eq!(arbitration.suspect(other, one, "reset", FailureKind::Link), None, "both ends report");
            assert_eq!(arbitration.on_response(one, round), None);
            assert_eq!(arbitration.on_response(one, round), None, "twice is once");
            assert_eq!(arbitration.on_response(7, round), None, "a rank that was not probed");
            let (rank, reason) = arbitration.on_response(other, round).expect("both live");
            assert!(rank == 2 && reason.contains("rank 1") && reason.contains("reset"), "{reason}");
            assert_eq!(seconds(&mut arbitration, 20), [], "it is decided");
        }
    }

    #[test]
    fn silent_rank_that_responds_is_not_declared_dead() {
        let mut arbitration = Arbitration::default();
        let round = arbitration.suspect(1, 2, "silent", FailureKind::Timeout).expect("it is new");
        assert_eq!((arbitration.on_response(1, round), arbitration.on_response(2, round)), (None, None));
        assert_eq!(seconds(&mut arbitration, 20), []);
        // While it is probed, the link fails as well.
        let round = arbitration.suspect(1, 2, "silent", FailureKind::Timeout).expect("it is new");
        assert_eq!(arbitration.suspect(2, 1, "reset", FailureKind::Link), None);
        assert_eq!(arbitration.on_response(1, round), None);
        assert!(arbitration.on_response(2, round).is_some_and(|(rank, _)| rank == 2));
    }

    #[test]
    fn death_noticed_by_rank_0_ends_the_suspicion() {
        let mut arbitration = Arbitration::default();
        let round = arbitration.suspect(3, 1, "reset", FailureKind::Link).expect("it is new");
        arbitration.on_response(3, round);
        arbitration.on_peer_failed(1);
        assert_eq!(arbitration.on_response(1, round), None, "the higher rank lives on");
        assert!(arbitration.suspect(3, 1, "again", FailureKind::Link).is_some_and(|again| again != round));
    }

    #[test]
    fn rank_that_does_not_respond_in_time_is_declared_dead() {
        for kind in [FailureKind::Link, FailureKind::Timeout] {
            let mut arbitration = Arbitration::default();
            let round = arbitration.suspect(1, 2, "reset", kind).expect("it is new");
            assert_eq!(seconds(&mut arbitration, 5), []);
            arbitration.suspect(4, 3, "reset", kind).expect("another pair");
            arbitration.on_response(2, round);
            assert_eq!(seconds(&mut arbitration, 4), []);
            assert_eq!(seconds(&mut arbitration, 1), [1]);
            assert_eq!(seconds(&mut arbitration, 10), [3, 4], "neither responded");
            assert_eq!(seconds(&mut arbitration, 90), []);
        }
    }

    #[test]
    fn time_in_which_rank_0_was_stopped_counts_little() {
        let mut arbitration = Arbitration::default();
        arbitration.suspect(1, 2, "reset", FailureKind::Link).expect("it is new");
        assert!(arbitration.overdue(Duration::from_secs(3600), TIMEOUT).is_empty());
    }
}
