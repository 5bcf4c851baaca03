//! Which of two ranks goes when the road between them broke: decided by rank 0, from what it hears of both. Pure.
//!
//! Who finds a road broken tells rank 0 and waits. Mostly the other end is dead, and rank 0 finds that out by itself: then
//! the suspicion is over. Otherwise it asks both. Where both answer, both live and cannot reach each other; work and
//! references between them would wait for ever, so the higher rank is condemned, and told so. One that has not answered
//! when the time of `MOBULA_PEER_TIMEOUT_S` is over is condemned for that.
//!
//! - V1: every suspicion ends with one of the two condemned, or known to be lost: nobody waits for a verdict for ever.
//! - V2: a rank that answers is condemned only for a lower one that answers too.

use crate::base::Rank;
use std::time::{Duration, Instant};

/// Two ranks that do not reach each other.
struct Suspicion {
    /// The lower one first.
    pair: [Rank; 2],
    /// Which of them has answered since.
    answered: [bool; 2],
    reason: String,
    /// Tells the question from those of other suspicions.
    round: u64,
    since: Instant,
}

/// Who is condemned, and why.
pub type Sentence = (Rank, String);

/// What rank 0 has not decided yet.
#[derive(Default)]
pub struct Verdicts {
    open: Vec<Suspicion>,
    last_round: u64,
}

impl Verdicts {
    /// The road between the two broke, says one of them. Returns the round of the question that is to be put to both, unless
    /// it was put already.
    pub fn suspect(&mut self, one: Rank, other: Rank, reason: &str, now: Instant) -> Option<u64> {
        let pair = [one.min(other), one.max(other)];
        if one == other || self.open.iter().any(|suspicion| suspicion.pair == pair) {
            return None;
        }
        self.last_round += 1;
        let (round, reason) = (self.last_round, reason.to_string());
        self.open.push(Suspicion { pair, answered: [false; 2], reason, round, since: now });
        Some(round)
    }

    /// A rank answered the question of that round.
    pub fn answered(&mut self, rank: Rank, round: u64) -> Option<Sentence> {
        let at = self.open.iter().position(|suspicion| suspicion.round == round)?;
        let suspicion = &mut self.open[at];
        let end = suspicion.pair.iter().position(|suspect| *suspect == rank)?;
        suspicion.answered[end] = true;
        if suspicion.answered != [true; 2] {
            return None;
        }
        let Suspicion { pair: [lower, higher], reason, .. } = self.open.swap_remove(at);
        Some((
            higher,
            format!("it and rank {lower} cannot reach each other ({reason}), and of two the higher rank goes"),
        ))
    }

    /// A rank is gone: what was suspected of it is decided.
    pub fn lost(&mut self, rank: Rank) {
        self.open.retain(|suspicion| !suspicion.pair.contains(&rank));
    }

    /// Who has not answered for so long.
    pub fn overdue(&mut self, now: Instant, patience: Duration) -> Vec<Sentence> {
        let mut sentences: Vec<Sentence> = Vec::new();
        self.open.retain(|suspicion| {
            if now.saturating_duration_since(suspicion.since) < patience {
                return true;
            }
            for (rank, _) in suspicion.pair.iter().zip(suspicion.answered).filter(|(_, answered)| !answered) {
                let reason =
                    format!("it has not answered rank 0 for {} s ({})", patience.as_secs_f64(), suspicion.reason);
                sentences.push((*rank, reason));
            }
            false
        });
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn of_two_that_live_the_higher_goes_whoever_told() {
        for (one, other) in [(1, 2), (2, 1)] {
            let (mut verdicts, now) = (Verdicts::default(), Instant::now());
            let round = verdicts.suspect(one, other, "reset", now).expect("it is new");
            assert_eq!(verdicts.suspect(other, one, "reset", now), None, "both ends tell");
            assert_eq!(verdicts.answered(one, round), None);
            assert_eq!(verdicts.answered(one, round), None, "twice is once");
            assert_eq!(verdicts.answered(7, round), None, "who was not asked");
            let (rank, reason) = verdicts.answered(other, round).expect("both live");
            assert!(rank == 2 && reason.contains("rank 1") && reason.contains("reset"), "{reason}");
            assert!(verdicts.overdue(now + 2 * PATIENCE, PATIENCE).is_empty(), "it is decided");
        }
    }

    #[test]
    fn a_death_that_rank_0_notices_itself_decides() {
        let (mut verdicts, now) = (Verdicts::default(), Instant::now());
        let round = verdicts.suspect(3, 1, "reset", now).expect("it is new");
        verdicts.answered(3, round);
        verdicts.lost(1);
        assert_eq!(verdicts.answered(1, round), None, "the higher rank lives on");
        assert!(verdicts.suspect(3, 1, "again", now).is_some_and(|again| again != round));
    }

    #[test]
    fn who_does_not_answer_in_time_goes() {
        let (mut verdicts, now) = (Verdicts::default(), Instant::now());
        let round = verdicts.suspect(1, 2, "reset", now).expect("it is new");
        verdicts.suspect(4, 3, "reset", now + PATIENCE / 2).expect("another pair");
        verdicts.answered(2, round);
        assert!(verdicts.overdue(now + PATIENCE / 2, PATIENCE).is_empty());
        let ranks = |sentences: Vec<Sentence>| sentences.into_iter().map(|(rank, _)| rank).collect::<Vec<_>>();
        assert_eq!(ranks(verdicts.overdue(now + PATIENCE, PATIENCE)), [1]);
        assert_eq!(ranks(verdicts.overdue(now + 2 * PATIENCE, PATIENCE)), [3, 4], "neither answered");
        assert!(verdicts.overdue(now + 9 * PATIENCE, PATIENCE).is_empty());
    }
}
