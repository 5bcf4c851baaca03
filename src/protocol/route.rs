//! Where an actor lives, as a caller's rank knows it, and that rank's calls of it that have no answer yet.
//!
//! ```text
//!                     add: sent                       add: waits               add: waits
//!   Settled ------ its home's rank dies ------> Moving ---- settle ----> Settling ---- no call waits ----> Settled
//!      \                                          |  ^                      |
//!       \                                         |  +-- that rank dies ----+
//!        +------------------ end -----------------+---> Gone: add is refused
//! ```
//! Calls are numbered in the order made. Those below `cursor` were sent to the home of now, the others wait; so what was
//! made before a death goes to the new home before what was made after it (D3).

use crate::base::{Error, Rank};
use std::collections::BTreeMap;
use std::sync::Arc;

enum Phase {
    Settled,
    Moving,
    /// The calls that wait are being sent.
    Settling,
    Gone(Arc<Error>),
}

/// The calls `C` of one rank to one actor, and where they go.
pub struct Route<C> {
    home: Rank,
    incarnation: u32,
    phase: Phase,
    calls: BTreeMap<u64, C>,
    /// The first number that was not sent to this home.
    cursor: u64,
    /// Calls that were under way when a home died and are not made again: they fail once it is known what became of the actor.
    doomed: Vec<(u64, C)>,
    /// The highest number ever added.
    last: u64,
    /// Answers since the home was told what was heard.
    untold: u32,
}

/// Answers after which a home is told which results nobody needs any more, where no call tells it.
const UNTOLD_MAX: u32 = 64;

/// What becomes of a new call.
pub enum Onward {
    /// It is to be sent to this home.
    Send(Rank, u32),
    /// It waits until the actor has a home.
    Waits,
}

impl<C> Route<C> {
    /// To the actor's first known home.
    pub fn new(home: Rank, incarnation: u32) -> Route<C> {
        Route {
            home,
            incarnation,
            phase: Phase::Settled,
            calls: BTreeMap::new(),
            cursor: u64::MAX,
            doomed: Vec::new(),
            last: 0,
            untold: 0,
        }
    }

    /// The home of now, or the last one.
    pub fn home(&self) -> (Rank, u32) {
        (self.home, self.incarnation)
    }

    /// Why the actor is gone, where it is.
    pub fn end(&self) -> Option<Arc<Error>> {
        if let Phase::Gone(error) = &self.phase { Some(error.clone()) } else { None }
    }

    /// Whether nobody knows where the actor lives.
    pub fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Moving)
    }

    /// Whether some call has no answer yet, or waits to fail until it is known what became of the actor.
    pub fn awaits(&self) -> bool {
        !self.calls.is_empty() || !self.doomed.is_empty()
    }

    /// Whether a new call would be sent, rather than wait.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Settled)
    }

    /// A call was made; numbers grow. Only where the actor is not gone.
    pub fn add(&mut self, number: u64, call: C) -> Onward {
        debug_assert!(number > self.last, "calls are numbered in the order made");
        self.calls.insert(number, call);
        self.last = number;
        if self.is_settled() {
            self.untold = 0;
            Onward::Send(self.home, self.incarnation)
        } else {
            Onward::Waits
        }
    }

    /// A call is over. Says whether it is time to tell the home what was heard.
    pub fn over(&mut self, number: u64) -> (Option<C>, bool) {
        let call = self.calls.remove(&number);
        self.untold += u32::from(call.is_some());
        let tell = self.untold >= UNTOLD_MAX && self.is_settled();
        if tell {
            self.untold = 0;
        }
        (call, tell)
    }

    /// What the home was not told yet of the answers that came.
    pub fn untold(&self) -> Option<u64> {
        (self.untold > 0 && self.is_settled()).then(|| self.heard_below())
    }

    /// Every call below this number has its answer.
    pub fn heard_below(&self) -> u64 {
        self.calls.first_key_value().map_or(self.last + 1, |(number, _)| *number)
    }

    /// A rank is gone; true where it was the home. `again` says of each call that was under way whether it may be made again.
    pub fn lost(&mut self, rank: Rank, mut again: impl FnMut(&mut C) -> bool) -> bool {
        if self.home != rank || !matches!(self.phase, Phase::Settled | Phase::Settling) {
            return false;
        }
        let sent: Vec<u64> = self.calls.range(..self.cursor).map(|(number, _)| *number).collect();
        for number in sent {
            if !self.calls.get_mut(&number).is_some_and(&mut again) {
                self.doomed.extend(self.calls.remove(&number).map(|call| (number, call)));
            }
        }
        (self.phase, self.cursor) = (Phase::Moving, 0);
        true
    }

    /// The actor lives there now; false where that is no news. The calls that wait are had from `next`. The doomed ones are
    /// handed out: they fail. `again` as for `lost`: the news may come before that of the death.
    pub fn settle(&mut self, home: Rank, incarnation: u32, again: impl FnMut(&mut C) -> bool) -> Option<Vec<(u64, C)>> {
        if incarnation <= self.incarnation || matches!(self.phase, Phase::Gone(_)) {
            return None;
        }
        self.lost(self.home, again);
        (self.home, self.incarnation) = (home, incarnation);
        (self.phase, self.cursor) = (Phase::Settling, 0);
        Some(std::mem::take(&mut self.doomed))
    }

    /// The next call that waits, to be sent to the new home; `None` where this incarnation is settled, or is the home no more.
    pub fn next(&mut self, incarnation: u32) -> Option<(u64, &mut C)> {
        if self.incarnation != incarnation || !matches!(self.phase, Phase::Settling) {
            return None;
        }
        let Some(number) = self.calls.range(self.cursor..).next().map(|(number, _)| *number) else {
            (self.phase, self.cursor) = (Phase::Settled, u64::MAX);
            return None;
        };
        self.cursor = number + 1;
        self.calls.get_mut(&number).map(|call| (number, call))
    }

    /// The actor is gone for good: every call that has no answer, to be failed.
    pub fn finish(&mut self, error: Arc<Error>) -> Vec<(u64, C)> {
        if matches!(self.phase, Phase::Gone(_)) {
            return Vec::new();
        }
        self.phase = Phase::Gone(error);
        let doomed = std::mem::take(&mut self.doomed);
        doomed.into_iter().chain(std::mem::take(&mut self.calls)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(route: &mut Route<u32>, incarnation: u32) -> Vec<u64> {
        std::iter::from_fn(|| route.next(incarnation).map(|(number, _)| number)).collect()
    }

    fn spend(retries: &mut u32) -> bool {
        let left = retries.checked_sub(1);
        *retries = left.unwrap_or(0);
        left.is_some()
    }

    #[test]
    fn calls_of_before_a_death_go_before_those_of_after_it() {
        let mut route = Route::new(1, 0);
        for number in 1..=3 {
            assert!(matches!(route.add(number, 1), Onward::Send(1, 0)));
        }
        route.over(1);
        assert!(!route.lost(2, spend) && route.lost(1, spend) && !route.lost(1, spend));
        assert!(matches!(route.add(4, 1), Onward::Waits));
        assert!(route.settle(2, 1, spend).is_some_and(|doomed| doomed.is_empty()));
        assert!(matches!(route.next(1), Some((2, _))));
        assert!(matches!(route.add(5, 1), Onward::Waits), "made while others wait");
        assert_eq!(sent(&mut route, 1), [3, 4, 5]);
        assert!(matches!(route.add(6, 1), Onward::Send(2, 1)));
    }

    #[test]
    fn only_what_was_under_way_spends_its_retries() {
        let mut route = Route::new(1, 0);
        route.add(1, 0);
        route.add(2, 2);
        assert!(route.lost(1, spend));
        route.add(3, 0);
        let doomed = route.settle(2, 1, spend).expect("news");
        assert_eq!(doomed, [(1, 0)]);
        assert!(matches!(route.next(1), Some((2, _))));
        assert!(route.lost(2, spend), "while calls are being sent");
        assert!(route.next(1).is_none());
        assert!(route.settle(3, 2, spend).is_some_and(|doomed| doomed.is_empty()), "3 was never sent");
        assert_eq!(sent(&mut route, 2), [2, 3]);
        assert!(route.settle(2, 1, spend).is_none(), "old news");
        assert!(route.lost(3, spend));
        assert_eq!(route.finish(Arc::new(Error::config("gone"))), [(2, 0), (3, 0)]);
        assert!(route.end().is_some() && route.settle(4, 3, spend).is_none());
    }

    #[test]
    fn what_was_heard_is_told_now_and_then() {
        let mut route = Route::new(1, 0);
        assert_eq!(route.heard_below(), 1);
        for number in 1..=UNTOLD_MAX as u64 + 1 {
            route.add(number, 0);
        }
        for number in 2..=UNTOLD_MAX as u64 {
            assert!(!route.over(number).1);
            assert_eq!(route.untold(), Some(1));
        }
        assert_eq!(route.over(1), (Some(0), true));
        assert_eq!(route.untold(), None);
        assert_eq!(route.heard_below(), UNTOLD_MAX as u64 + 1);
        assert_eq!(route.over(1), (None, false), "told twice");
    }
}
