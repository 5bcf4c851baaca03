//! What an actor with checkpoints has done and not shown yet: results go out only when its owner holds a state that has seen
//! the calls they are of (output commit; Elnozahy et al., ACM Computing Surveys 34, 2002).
//!
//! ```text
//!   a call ran: state + result --> newest, unsent --commit--> sent --the owner has it--> shown, finished --heard--> forgotten
//! ```
//! One commit is under way at a time, and takes along all that was done while the one before was: so a busy actor makes few.
//! A call never waits for a later one: the state is saved after each.
//!
//! - K1: a result is shown only when the owner has a state that was saved after its call ran.
//! - K2: a call whose result is kept is never run again, until its caller has heard the result.

use crate::base::{Rank, TaskId};
use rustc_hash::FxHashMap as HashMap;

/// Calls that may have run and not be shown, before no further one is run. It also bounds what one commit takes along.
pub const UNSHOWN_MAX: usize = 32;

/// What the owner is to keep: all of it, or nothing.
#[derive(Debug, PartialEq)]
pub struct Commit<S, R> {
    /// Its number, from 1.
    pub sequence: u64,
    /// The state.
    pub state: S,
    /// The results of the calls that ran since the last commit.
    pub finished: Vec<(TaskId, R)>,
    /// By caller's rank: which results need not be kept any more, where that changed.
    pub heard: Vec<(Rank, u64)>,
}

/// Whether a call ran before.
#[derive(Debug, PartialEq)]
pub enum Seen<R> {
    /// It did not.
    Never,
    /// It did; its result.
    Finished(R),
    /// It did, and its caller knows.
    Heard,
}

/// The results `R` and states `S` of one actor.
pub struct Commits<S, R> {
    sequence: u64,
    under_way: bool,
    newest: Option<S>,
    unsent: Vec<(TaskId, R)>,
    sent: Vec<(TaskId, R)>,
    finished: HashMap<TaskId, R>,
    heard: HashMap<Rank, u64>,
    /// The entries of `heard` that the owner does not know.
    news: HashMap<Rank, u64>,
}

impl<S, R: Clone> Commits<S, R> {
    /// Of an actor that has these results of an earlier life.
    pub fn new(finished: HashMap<TaskId, R>) -> Commits<S, R> {
        Commits {
            sequence: 0,
            under_way: false,
            newest: None,
            unsent: Vec::new(),
            sent: Vec::new(),
            finished,
            heard: HashMap::default(),
            news: HashMap::default(),
        }
    }

    /// A call ran, and the state was saved after it. With what is to be sent now, the state that this one takes the place of:
    /// it may hold what the caller must not drop under its lock.
    pub fn ran(&mut self, call: TaskId, result: R, state: S) -> (Option<Commit<S, R>>, Option<S>) {
        self.unsent.push((call, result));
        let replaced = self.newest.replace(state);
        (self.next(), replaced)
    }

    /// What is to be sent to the owner now.
    pub fn next(&mut self) -> Option<Commit<S, R>> {
        if self.under_way {
            return None;
        }
        let state = self.newest.take()?;
        self.under_way = true;
        self.sequence += 1;
        self.sent = std::mem::take(&mut self.unsent);
        Some(Commit {
            sequence: self.sequence,
            state,
            finished: self.sent.clone(),
            heard: std::mem::take(&mut self.news).into_iter().collect(),
        })
    }

    /// The owner has the commit of that number: the results that may be shown (K1).
    pub fn kept(&mut self, sequence: u64) -> Vec<(TaskId, R)> {
        if !self.under_way || sequence != self.sequence {
            return Vec::new();
        }
        self.under_way = false;
        let shown = std::mem::take(&mut self.sent);
        for (call, result) in &shown {
            if matches!(self.seen(*call), Seen::Never) {
                self.finished.insert(*call, result.clone());
            }
        }
        shown
    }

    /// The owner is gone, and the actor goes on without: everything may be shown.
    pub fn give_up(self) -> Vec<(TaskId, R)> {
        self.sent.into_iter().chain(self.unsent).collect()
    }

    /// Whether the owner has a commit and has not said so.
    pub fn awaits_owner(&self) -> bool {
        self.under_way
    }

    /// Whether no further call may be run now.
    pub fn is_full(&self) -> bool {
        self.unsent.len() >= UNSHOWN_MAX
    }

    /// The calls of that rank below this number have been answered. Returns their results, which the caller drops where it
    /// holds no lock.
    #[must_use]
    pub fn heard(&mut self, rank: Rank, below: u64) -> Vec<R> {
        let known = self.heard.entry(rank).or_default();
        if *known >= below {
            return Vec::new();
        }
        *known = below;
        self.news.insert(rank, below);
        let is_heard = |call: &TaskId| call.owner == rank && call.number < below;
        self.finished.extract_if(|call, _| is_heard(call)).map(|(_, result)| result).collect()
    }

    /// That rank is gone: nobody asks for its calls any more. As `heard`.
    #[must_use]
    pub fn lost(&mut self, rank: Rank) -> Vec<R> {
        self.heard(rank, u64::MAX)
    }

    /// Whether that call ran before (K2).
    pub fn seen(&self, call: TaskId) -> Seen<R> {
        if let Some(result) = self.finished.get(&call) {
            Seen::Finished(result.clone())
        } else if self.heard.get(&call.owner).is_some_and(|below| call.number < *below) {
            Seen::Heard
        } else {
            Seen::Never
        }
    }

    /// Results that are kept because somebody may not have heard them.
    #[cfg(test)]
    fn kept_results(&self) -> usize {
        self.finished.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn call(number: u64) -> TaskId {
        TaskId { owner: 7, number }
    }

    #[test]
    fn nothing_is_shown_before_it_is_kept() {
        let mut commits = Commits::new(HashMap::default());
        let first = commits.ran(call(1), 'a', 10).0.expect("nothing is under way");
        assert_eq!((first.sequence, first.state, &first.finished), (1, 10, &vec![(call(1), 'a')]));
        assert_eq!(commits.ran(call(2), 'b', 20), (None, None));
        assert_eq!(commits.ran(call(3), 'c', 30), (None, Some(20)), "nobody sends the state between");
        assert_eq!(commits.kept(2), [], "nobody sent that");
        assert_eq!(commits.kept(1), [(call(1), 'a')]);
        let second = commits.next().expect("two calls ran meanwhile");
        assert_eq!((second.sequence, second.state, second.finished.len()), (2, 30, 2));
        assert_eq!(commits.kept(1), [], "told twice");
        assert_eq!(commits.kept(2), [(call(2), 'b'), (call(3), 'c')]);
        assert_eq!(commits.next(), None);
    }

    #[test]
    fn what_ran_is_given_again_until_it_is_heard() {
        let mut commits = Commits::<u8, char>::new(HashMap::from_iter([(call(1), 'a'), (call(2), 'b')]));
        assert_eq!(commits.seen(call(1)), Seen::Finished('a'));
        assert_eq!(commits.heard(7, 2), ['a']);
        assert_eq!(commits.seen(call(1)), Seen::Heard);
        assert_eq!(commits.seen(call(2)), Seen::Finished('b'));
        assert_eq!(commits.seen(call(3)), Seen::Never);
        assert_eq!(commits.heard(7, 1), []);
        assert_eq!(commits.seen(call(1)), Seen::Heard, "old news");
        assert_eq!(commits.ran(call(3), 'c', 1).0.expect("idle").heard, [(7, 2)]);
        assert_eq!(commits.lost(7), ['b']);
        assert_eq!(commits.kept_results(), 0);
    }

    #[test]
    fn an_actor_that_is_ahead_of_its_owner_rests() {
        let mut commits = Commits::new(HashMap::default());
        for number in 0..=UNSHOWN_MAX as u64 {
            assert!(!commits.is_full());
            let _ = commits.ran(call(number), 'a', 0);
        }
        assert!(commits.is_full());
        commits.kept(1);
        assert!(commits.next().is_some() && !commits.is_full());
        let _ = commits.ran(call(99), 'a', 0);
        assert_eq!(commits.give_up().len(), UNSHOWN_MAX + 1);
    }
}
