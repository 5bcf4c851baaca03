//! What an actor with checkpoints has done and not yet released: results go out only when its owner holds a state that
//! has seen the calls they are of (output commit; Elnozahy et al., ACM Computing Surveys 34, 2002).
//!
//! ```text
//!   a call ran: state, result --> newest, unsent --commit--> sent --the owner saved it--> released, finished
//!                                                                   finished --its caller acknowledged--> dropped
//! ```
//! One commit is in flight at a time, and the next one includes everything that was done meanwhile, so that a busy
//! actor sends few. A call never waits for a later one: the state is saved after each.
//!
//! - COMMITS-1: a result is released only when the owner has a state that was saved after its call ran.
//! - COMMITS-2: a call whose result is retained never runs again, until its caller has acknowledged the result.

use crate::base::{Rank, TaskId};
use rustc_hash::FxHashMap as HashMap;

/// Calls that may have run without being released, before no further one is run. It also bounds the size of one commit.
pub const UNRELEASED_MAX: usize = 32;

/// What the owner is to save: all of it, or nothing.
#[derive(Debug, PartialEq)]
pub struct Commit<S, R> {
    /// Its number, from 1.
    pub sequence: u64,
    /// The state.
    pub state: S,
    /// The results of the calls that ran since the last commit.
    pub finished: Vec<(TaskId, R)>,
    /// By caller's rank: which results need not be retained any more, where that changed.
    pub acked: Vec<(Rank, u64)>,
}

/// Whether a call ran before.
#[derive(Debug, PartialEq)]
pub enum Seen<R> {
    /// It did not.
    Never,
    /// It did, with this result.
    Finished(R),
    /// It did, and its caller has acknowledged the result.
    Acked,
}

/// The results `R` and states `S` of one actor.
pub struct Commits<S, R> {
    sequence: u64,
    in_flight: bool,
    newest: Option<S>,
    unsent: Vec<(TaskId, R)>,
    sent: Vec<(TaskId, R)>,
    finished: HashMap<TaskId, R>,
    acked: HashMap<Rank, u64>,
    /// The entries of `acked` that the owner does not have yet.
    unsent_acks: HashMap<Rank, u64>,
}

impl<S, R: Clone> Commits<S, R> {
    /// For an actor that has these results of an earlier incarnation.
    pub fn new(finished: HashMap<TaskId, R>) -> Commits<S, R> {
        Commits {
            sequence: 0,
            in_flight: false,
            newest: None,
            unsent: Vec::new(),
            sent: Vec::new(),
            finished,
            acked: HashMap::default(),
            unsent_acks: HashMap::default(),
        }
    }

    /// A call ran, and the state was saved after it. Returns the commit to send now, and the state that this one
    /// replaces: the caller must not drop that under its lock.
    pub fn on_call_ran(&mut self, call: TaskId, result: R, state: S) -> (Option<Commit<S, R>>, Option<S>) {
        self.unsent.push((call, result));
        let replaced = self.newest.replace(state);
        (self.next_commit(), replaced)
    }

    /// The commit to send to the owner now, if any.
    pub fn next_commit(&mut self) -> Option<Commit<S, R>> {
        if self.in_flight {
            return None;
        }
        let state = self.newest.take()?;
        self.in_flight = true;
        self.sequence += 1;
        self.sent = std::mem::take(&mut self.unsent);
        Some(Commit {
            sequence: self.sequence,
            state,
            finished: self.sent.clone(),
            acked: std::mem::take(&mut self.unsent_acks).into_iter().collect(),
        })
    }

    /// The owner saved the commit of that number: returns the results that it releases (COMMITS-1).
    pub fn on_ack(&mut self, sequence: u64) -> Vec<(TaskId, R)> {
        if !self.in_flight || sequence != self.sequence {
            return Vec::new();
        }
        self.in_flight = false;
        let released = std::mem::take(&mut self.sent);
        for (call, result) in &released {
            if matches!(self.seen(*call), Seen::Never) {
                self.finished.insert(*call, result.clone());
            }
        }
        released
    }

    /// The owner is dead, and the actor continues without it: returns all results that are not released yet.
    pub fn into_unreleased(self) -> Vec<(TaskId, R)> {
        self.sent.into_iter().chain(self.unsent).collect()
    }

    /// True if a commit is sent and not yet acknowledged.
    pub fn awaits_owner(&self) -> bool {
        self.in_flight
    }

    /// True if no further call may run now.
    pub fn is_full(&self) -> bool {
        self.unsent.len() >= UNRELEASED_MAX
    }

    /// The caller rank acknowledged the results of its calls below `below`. Returns those results, which the caller of
    /// this function is to drop without holding a lock.
    #[must_use]
    pub fn on_results_ack(&mut self, rank: Rank, below: u64) -> Vec<R> {
        let known = self.acked.entry(rank).or_default();
        if *known >= below {
            return Vec::new();
        }
        *known = below;
        self.unsent_acks.insert(rank, below);
        let is_acked = |call: &TaskId| call.owner == rank && call.number < below;
        self.finished.extract_if(|call, _| is_acked(call)).map(|(_, result)| result).collect()
    }

    /// The caller rank died: its calls are not retried any more. Returns results as `on_results_ack` does.
    #[must_use]
    pub fn on_peer_failed(&mut self, rank: Rank) -> Vec<R> {
        self.on_results_ack(rank, u64::MAX)
    }

    /// Tells whether that call ran before (COMMITS-2).
    pub fn seen(&self, call: TaskId) -> Seen<R> {
        if let Some(result) = self.finished.get(&call) {
            Seen::Finished(result.clone())
        } else if self.acked.get(&call.owner).is_some_and(|below| call.number < *below) {
            Seen::Acked
        } else {
            Seen::Never
        }
    }

    /// How many results are retained because their caller may not have them.
    #[cfg(test)]
    fn retained_results(&self) -> usize {
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
    fn results_are_released_only_after_the_ack() {
        let mut commits = Commits::new(HashMap::default());
        let first = commits.on_call_ran(call(1), 'a', 10).0.expect("nothing is in flight");
        assert_eq!((first.sequence, first.state, &first.finished), (1, 10, &vec![(call(1), 'a')]));
        assert_eq!(commits.on_call_ran(call(2), 'b', 20), (None, None));
        assert_eq!(commits.on_call_ran(call(3), 'c', 30), (None, Some(20)), "the state in between is never sent");
        assert_eq!(commits.on_ack(2), [], "not sent yet");
        assert_eq!(commits.on_ack(1), [(call(1), 'a')]);
        let second = commits.next_commit().expect("two calls ran meanwhile");
        assert_eq!((second.sequence, second.state, second.finished.len()), (2, 30, 2));
        assert_eq!(commits.on_ack(1), [], "a second time");
        assert_eq!(commits.on_ack(2), [(call(2), 'b'), (call(3), 'c')]);
        assert_eq!(commits.next_commit(), None);
    }

    #[test]
    fn finished_call_is_remembered_until_its_caller_acks() {
        let mut commits = Commits::<u8, char>::new(HashMap::from_iter([(call(1), 'a'), (call(2), 'b')]));
        assert_eq!(commits.seen(call(1)), Seen::Finished('a'));
        assert_eq!(commits.on_results_ack(7, 2), ['a']);
        assert_eq!(commits.seen(call(1)), Seen::Acked);
        assert_eq!(commits.seen(call(2)), Seen::Finished('b'));
        assert_eq!(commits.seen(call(3)), Seen::Never);
        assert_eq!(commits.on_results_ack(7, 1), []);
        assert_eq!(commits.seen(call(1)), Seen::Acked, "old news");
        assert_eq!(commits.on_call_ran(call(3), 'c', 1).0.expect("idle").acked, [(7, 2)]);
        assert_eq!(commits.on_peer_failed(7), ['b']);
        assert_eq!(commits.retained_results(), 0);
    }

    #[test]
    fn actor_far_ahead_of_its_owner_is_full() {
        let mut commits = Commits::new(HashMap::default());
        for number in 0..=UNRELEASED_MAX as u64 {
            assert!(!commits.is_full());
            let _ = commits.on_call_ran(call(number), 'a', 0);
        }
        assert!(commits.is_full());
        commits.on_ack(1);
        assert!(commits.next_commit().is_some() && !commits.is_full());
        let _ = commits.on_call_ran(call(99), 'a', 0);
        assert_eq!(commits.into_unreleased().len(), UNRELEASED_MAX + 1);
    }
}
