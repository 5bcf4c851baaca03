//! Which ranks say nothing though something is awaited of them: they are asked, and suspected where they do not answer.
//!
//! ```text
//!   something is awaited --- silent for half of the time ---> asked --- for all of it ---> suspected --- three times it ---> cut off
//!          ^                                                    |                              |
//!          +----------------------- a word of it ---------------+------------------------------+
//! ```
//! Of whom nothing is awaited, nothing is asked: so an idle cluster is silent. Who is suspected may still answer others
//! (`verdicts`); one that others hear and this rank does not is cut off from it, as if the road had broken.
//!
//! Time counts only while this rank looks, as in `pulse`: one that was stopped itself, perhaps with the whole job, holds that
//! against nobody, and asks again whom it had asked before.

use crate::base::Rank;
use crate::base::limits::NEVER;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Times the patience after which a rank that is suspected in vain is cut off.
const CUT_OFF: u32 = 3;

/// What is to be done about a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is to be asked whether it is there.
    Ask(Rank),
    /// It has not answered in time.
    Suspect(Rank),
    /// It lives, say others, and nothing comes from it.
    CutOff(Rank),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Awaited,
    Asked,
    Suspected,
}

/// What was heard of a rank.
struct Heard {
    count: u32,
    silent: Duration,
    stage: Stage,
}

/// What one rank hears of those of which it awaits something. It takes as much memory as they are many.
pub struct Silence {
    heard: BTreeMap<Rank, Heard>,
    /// How long a rank may be silent.
    patience: Duration,
}

impl Silence {
    /// Nothing heard yet.
    pub fn new(patience: Duration) -> Silence {
        Silence { heard: BTreeMap::new(), patience }
    }

    /// How often to look: several times within the half of the patience, and not so often that it costs.
    pub fn interval(&self) -> Duration {
        (self.patience / 8).clamp(Duration::from_millis(100), Duration::from_secs(4))
    }

    /// Whether nobody is ever given up for standing still.
    pub fn is_endless(&self) -> bool {
        self.patience >= NEVER
    }

    /// Looks at the ranks of which something is awaited, so long after the look before; `count_of` is another number whenever
    /// a rank has said something more.
    pub fn look(&mut self, since: Duration, awaited: &BTreeSet<Rank>, count_of: impl Fn(Rank) -> u32) -> Vec<Step> {
        self.heard.retain(|rank, _| awaited.contains(rank));
        let stood_still = since >= self.patience / 2;
        let since = if stood_still { Duration::ZERO } else { since.min(2 * self.interval()) };
        let mut steps = Vec::new();
        for rank in awaited.iter().copied() {
            let count = count_of(rank);
            let fresh = Heard { count, silent: Duration::ZERO, stage: Stage::Awaited };
            let Some(heard) = self.heard.get_mut(&rank).filter(|heard| heard.count == count) else {
                self.heard.insert(rank, fresh);
                continue;
            };
            if stood_still && heard.stage == Stage::Asked {
                (heard.stage, heard.silent) = (Stage::Awaited, self.patience / 2);
            }
            heard.silent += since;
            match heard.stage {
                Stage::Awaited if heard.silent >= self.patience / 2 => {
                    heard.stage = Stage::Asked;
                    steps.push(Step::Ask(rank));
                }
                Stage::Asked if heard.silent >= self.patience => {
                    heard.stage = Stage::Suspected;
                    steps.push(Step::Suspect(rank));
                }
                Stage::Suspected if heard.silent >= CUT_OFF * self.patience => {
                    // Said again after as long a time, where nobody decided.
                    heard.silent = self.patience;
                    steps.push(Step::CutOff(rank));
                }
                _ => {}
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::Step::{Ask, CutOff, Suspect};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks every second: what was to be done, and at which look.
    fn steps(
        silence: &mut Silence,
        looks: u32,
        awaited: &[Rank],
        count_of: impl Fn(u32, Rank) -> u32,
    ) -> Vec<(u32, Step)> {
        let awaited = BTreeSet::from_iter(awaited.iter().copied());
        let look = |look| {
            silence.look(SECOND, &awaited, |rank| count_of(look, rank)).into_iter().map(move |step| (look, step))
        };
        (0..looks).flat_map(look).collect()
    }

    #[test]
    fn who_says_nothing_is_asked_then_suspected_then_cut_off() {
        let mut silence = Silence::new(8 * SECOND);
        let taken = steps(&mut silence, 26, &[5], |_, _| 7);
        assert_eq!(taken, [(4, Ask(5)), (8, Suspect(5)), (24, CutOff(5))]);
    }

    #[test]
    fn who_answers_is_asked_again_when_it_is_silent_again() {
        let mut silence = Silence::new(8 * SECOND);
        // It answers one look after it was asked.
        let taken = steps(&mut silence, 15, &[5], |look, _| u32::from(look >= 5) + u32::from(look >= 10));
        assert_eq!(taken, [(4, Ask(5)), (9, Ask(5)), (14, Ask(5))]);
    }

    #[test]
    fn who_speaks_by_itself_is_not_asked_nor_is_one_of_whom_nothing_is_awaited() {
        let mut silence = Silence::new(8 * SECOND);
        assert_eq!(steps(&mut silence, 50, &[5], |look, _| look / 2), []);
        for _ in 0..10 {
            // What is awaited comes, and something else is awaited later: the time between does not count.
            assert_eq!(steps(&mut silence, 4, &[5], |_, _| 7), []);
            assert_eq!(steps(&mut silence, 1, &[], |_, _| 7), []);
        }
    }

    #[test]
    fn the_time_that_this_rank_stood_still_itself_does_not_count() {
        let mut silence = Silence::new(8 * SECOND);
        let awaited = BTreeSet::from([1]);
        let mut look = |since| silence.look(since, &awaited, |_| 0);
        assert!((0..4).all(|_| look(SECOND).is_empty()));
        assert_eq!(look(3600 * SECOND), [], "the whole job was stopped for an hour");
        assert_eq!(look(SECOND), [Ask(1)]);
        assert!((0..3).all(|_| look(SECOND).is_empty()));
        assert_eq!(look(3600 * SECOND), [Ask(1)], "who goes on later than this rank has its time to answer");
        assert!((0..3).all(|_| look(SECOND).is_empty()));
        assert_eq!(look(SECOND), [Suspect(1)]);
    }

    #[test]
    fn never_is_never() {
        assert!(Silence::new(NEVER).is_endless());
        assert_eq!(Silence::new(NEVER).interval(), 4 * SECOND);
        assert_eq!(Silence::new(2 * SECOND).interval(), SECOND / 4);
    }
}
