//! Which of two ranks goes when the road between them broke: decided by rank 0, from what it hears of both. Pure.
//!
//! Who finds a road broken tells rank 0 and waits. Mostly the other end is dead, and rank 0 finds that out by itself: then
//! the suspicion is over. Otherwise it asks both. Where both answer, both live and cannot reach each other; work and
//! references between them would wait for ever, so the higher rank is condemned, and told so. One that has not answered
//! when the time of `MOBULA_PEER_TIMEOUT_S` is over is condemned for that.
//!
//! A rank that is merely silent to another one may have stood still for a moment. If it answers it is acquitted: its next word
//! to the other is on its way, and one that does not come is told as a broken road.
//!
//! - V1: every suspicion ends: with one of the two condemned, or known to be lost, or acquitted. Nobody waits for a verdict for
//!   ever.
//! - V2: a rank that answers is condemned only for a lower one that answers too, and not for silence.

use crate::base::Rank;
use crate::protocol::Evidence;
use std::time::Duration;

/// The longest time between two looks that counts: rank 0 may have stood still itself, and have answers to read.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Two ranks that do not reach each other.
struct Suspicion {
    /// The lower one first.
    pair: [Rank; 2],
    /// Which of them has answered since.
    answered: [bool; 2],
    reason: String,
    /// Tells the question from those of other suspicions.
    round: u64,
    /// Whether it is no more than silence.
    silence: bool,
    waited: Duration,
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
    /// One of the two does not reach the other, it says. Returns the round of the question that is to be put to both, unless
    /// it was put already.
    pub fn suspect(&mut self, one: Rank, other: Rank, reason: &str, evidence: Evidence) -> Option<u64> {
        let (pair, silence) = ([one.min(other), one.max(other)], evidence == Evidence::Silence);
        if one == other {
            return None;
        }
        if let Some(suspicion) = self.open.iter_mut().find(|suspicion| suspicion.pair == pair) {
            suspicion.silence &= silence;
            return None;
        }
        self.last_round += 1;
        let (round, reason) = (self.last_round, reason.to_string());
        self.open.push(Suspicion { pair, answered: [false; 2], reason, round, silence, waited: Duration::ZERO });
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
        let Suspicion { pair: [lower, higher], reason, silence, .. } = self.open.swap_remove(at);
        if silence {
            return None;
        }
        Some((
            higher,
            format!("it and rank {lower} cannot reach each other ({reason}), and of two the higher rank goes"),
        ))
    }

    /// A rank is gone: what was suspected of it is decided.
    pub fn lost(&mut self, rank: Rank) {
        self.open.retain(|suspicion| !suspicion.pair.contains(&rank));
    }

    /// Who has not answered for so long; `since` the last call, so much time went by.
    pub fn overdue(&mut self, since: Duration, patience: Duration) -> Vec<Sentence> {
        let mut sentences: Vec<Sentence> = Vec::new();
        self.open.retain_mut(|suspicion| {
            suspicion.waited += since.min(LOOK_MAX);
            if suspicion.waited < patience {
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

    /// So many seconds go by: who is condemned.
    fn seconds(verdicts: &mut Verdicts, count: u32) -> Vec<Rank> {
        let second = |_| verdicts.overdue(Duration::from_secs(1), PATIENCE);
        (0..count).flat_map(second).map(|(rank, _)| rank).collect()
    }

    #[test]
    fn of_two_that_live_the_higher_goes_whoever_told() {
        for (one, other) in [(1, 2), (2, 1)] {
            let mut verdicts = Verdicts::default();
            let round = verdicts.suspect(one, other, "reset", Evidence::Road).expect("it is new");
            assert_eq!(verdicts.suspect(other, one, "reset", Evidence::Road), None, "both ends tell");
            assert_eq!(verdicts.answered(one, round), None);
            assert_eq!(verdicts.answered(one, round), None, "twice is once");
            assert_eq!(verdicts.answered(7, round), None, "who was not asked");
            let (rank, reason) = verdicts.answered(other, round).expect("both live");
            assert!(rank == 2 && reason.contains("rank 1") && reason.contains("reset"), "{reason}");
            assert_eq!(seconds(&mut verdicts, 20), [], "it is decided");
        }
    }

    #[test]
    fn who_was_silent_and_answers_is_acquitted() {
        let mut verdicts = Verdicts::default();
        let round = verdicts.suspect(1, 2, "silent", Evidence::Silence).expect("it is new");
        assert_eq!((verdicts.answered(1, round), verdicts.answered(2, round)), (None, None));
        assert_eq!(seconds(&mut verdicts, 20), []);
        // While it is asked, the road breaks as well.
        let round = verdicts.suspect(1, 2, "silent", Evidence::Silence).expect("it is new");
        assert_eq!(verdicts.suspect(2, 1, "reset", Evidence::Road), None);
        assert_eq!(verdicts.answered(1, round), None);
        assert!(verdicts.answered(2, round).is_some_and(|(rank, _)| rank == 2));
    }

    #[test]
    fn a_death_that_rank_0_notices_itself_decides() {
        let mut verdicts = Verdicts::default();
        let round = verdicts.suspect(3, 1, "reset", Evidence::Road).expect("it is new");
        verdicts.answered(3, round);
        verdicts.lost(1);
        assert_eq!(verdicts.answered(1, round), None, "the higher rank lives on");
        assert!(verdicts.suspect(3, 1, "again", Evidence::Road).is_some_and(|again| again != round));
    }

    #[test]
    fn who_does_not_answer_in_time_goes() {
        for evidence in [Evidence::Road, Evidence::Silence] {
            let mut verdicts = Verdicts::default();
            let round = verdicts.suspect(1, 2, "reset", evidence).expect("it is new");
            assert_eq!(seconds(&mut verdicts, 5), []);
            verdicts.suspect(4, 3, "reset", evidence).expect("another pair");
            verdicts.answered(2, round);
            assert_eq!(seconds(&mut verdicts, 4), []);
            assert_eq!(seconds(&mut verdicts, 1), [1]);
            assert_eq!(seconds(&mut verdicts, 10), [3, 4], "neither answered");
            assert_eq!(seconds(&mut verdicts, 90), []);
        }
    }

    #[test]
    fn the_time_that_rank_0_stood_still_itself_counts_little() {
        let mut verdicts = Verdicts::default();
        verdicts.suspect(1, 2, "reset", Evidence::Road).expect("it is new");
        assert!(verdicts.overdue(Duration::from_secs(3600), PATIENCE).is_empty());
    }
}
