//! The location of an actor, as a caller's rank knows it, and that rank's unfinished calls to it.
//!
//! ```text
//!                     add: sent                       add: waits               add: waits
//!   Located ------ its location dies ---------> Moving --- on_moved --> Forwarding --- no call waits ---> Located
//!      \                                          |  ^                      |
//!       \                                         |  +-- that rank dies ----+
//!        +------------------ end -----------------+---> Ended: add is refused
//! ```
//! Calls are numbered in the order made. Those below `cursor` were sent to the current location, the others wait: so
//! calls made before a death go to the new location before those made after it (SCHEDULING-3).

use crate::base::{Error, Rank};
use std::collections::BTreeMap;
use std::sync::Arc;

enum Phase {
    Located,
    Moving,
    /// The waiting calls are being sent.
    Forwarding,
    Ended(Arc<Error>),
}

/// The route of the calls `C` of one rank to one actor.
pub struct ActorRoute<C> {
    location: Rank,
    incarnation: u32,
    phase: Phase,
    calls: BTreeMap<u64, C>,
    /// The first number that was not sent to this location.
    cursor: u64,
    /// Calls that were in flight when a location died and are not retried: they fail once it is known what became of
    /// the actor.
    failed_calls: Vec<(u64, C)>,
    /// The highest number ever added.
    last: u64,
    /// How many results arrived since the location last got an acknowledgement.
    unacked: u32,
}

/// After so many results the location gets an acknowledgement of its own, if no call carried one.
const UNACKED_MAX: u32 = 64;

/// What to do with a new call.
pub enum CallDisposition {
    /// Send it to this location, for this incarnation.
    Send(Rank, u32),
    /// Nothing: it waits until the actor has a location.
    Wait,
}

impl<C> ActorRoute<C> {
    /// To the actor's first known location.
    pub fn new(location: Rank, incarnation: u32) -> ActorRoute<C> {
        ActorRoute {
            location,
            incarnation,
            phase: Phase::Located,
            calls: BTreeMap::new(),
            cursor: u64::MAX,
            failed_calls: Vec::new(),
            last: 0,
            unacked: 0,
        }
    }

    /// The current location, or the last one, and its incarnation.
    pub fn location(&self) -> (Rank, u32) {
        (self.location, self.incarnation)
    }

    /// Why the actor ended, if it did.
    pub fn end_error(&self) -> Option<Arc<Error>> {
        if let Phase::Ended(error) = &self.phase { Some(error.clone()) } else { None }
    }

    /// True while the actor's location is not known.
    pub fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Moving)
    }

    /// True if some call is unfinished, or waits to fail until it is known what became of the actor.
    pub fn has_pending_calls(&self) -> bool {
        !self.calls.is_empty() || !self.failed_calls.is_empty()
    }

    /// True if a new call would be sent rather than wait.
    pub fn is_located(&self) -> bool {
        matches!(self.phase, Phase::Located)
    }

    /// Adds a call; numbers increase. Only for an actor that has not ended.
    pub fn add(&mut self, number: u64, call: C) -> CallDisposition {
        debug_assert!(number > self.last, "calls are numbered in the order created");
        self.calls.insert(number, call);
        self.last = number;
        if self.is_located() {
            self.unacked = 0;
            CallDisposition::Send(self.location, self.incarnation)
        } else {
            CallDisposition::Wait
        }
    }

    /// A call finished. Also returns true if it is time to send the location an acknowledgement.
    pub fn finish_call(&mut self, number: u64) -> (Option<C>, bool) {
        let call = self.calls.remove(&number);
        self.unacked += u32::from(call.is_some());
        let ack_due = self.unacked >= UNACKED_MAX && self.is_located();
        if ack_due {
            self.unacked = 0;
        }
        (call, ack_due)
    }

    /// The number through which the location has not got an acknowledgement yet, if there is one.
    pub fn unacked(&self) -> Option<u64> {
        (self.unacked > 0 && self.is_located()).then(|| self.acked_below())
    }

    /// Every call below this number (exclusive) has its results.
    pub fn acked_below(&self) -> u64 {
        self.calls.first_key_value().map_or(self.last + 1, |(number, _)| *number)
    }

    /// A rank died; returns true if it was the location. `may_retry` decides for each call in flight whether it is
    /// retried.
    pub fn on_peer_failed(&mut self, rank: Rank, mut may_retry: impl FnMut(&mut C) -> bool) -> bool {
        if self.location != rank || !matches!(self.phase, Phase::Located | Phase::Forwarding) {
            return false;
        }
        let sent: Vec<u64> = self.calls.range(..self.cursor).map(|(number, _)| *number).collect();
        for number in sent {
            if !self.calls.get_mut(&number).is_some_and(&mut may_retry) {
                self.failed_calls.extend(self.calls.remove(&number).map(|call| (number, call)));
            }
        }
        (self.phase, self.cursor) = (Phase::Moving, 0);
        true
    }

    /// The actor moved to that location; `None` if that is no news. `next_waiting` then yields the waiting calls.
    /// Returns the failed calls, which the caller fails. `may_retry` is as for `on_peer_failed`: this may arrive before
    /// the news of the death.
    pub fn on_moved(
        &mut self,
        location: Rank,
        incarnation: u32,
        may_retry: impl FnMut(&mut C) -> bool,
    ) -> Option<Vec<(u64, C)>> {
        if incarnation <= self.incarnation || matches!(self.phase, Phase::Ended(_)) {
            return None;
        }
        self.on_peer_failed(self.location, may_retry);
        (self.location, self.incarnation) = (location, incarnation);
        (self.phase, self.cursor) = (Phase::Forwarding, 0);
        Some(std::mem::take(&mut self.failed_calls))
    }

    /// The next waiting call, for the new location. `None` if no call waits, or this incarnation is not the current
    /// one.
    pub fn next_waiting(&mut self, incarnation: u32) -> Option<(u64, &mut C)> {
        if self.incarnation != incarnation || !matches!(self.phase, Phase::Forwarding) {
            return None;
        }
        let Some(number) = self.calls.range(self.cursor..).next().map(|(number, _)| *number) else {
            (self.phase, self.cursor) = (Phase::Located, u64::MAX);
            return None;
        };
        self.cursor = number + 1;
        self.calls.get_mut(&number).map(|call| (number, call))
    }

    /// The actor ended for good: returns every unfinished call, to be failed.
    pub fn end(&mut self, error: Arc<Error>) -> Vec<(u64, C)> {
        if matches!(self.phase, Phase::Ended(_)) {
            return Vec::new();
        }
        self.phase = Phase::Ended(error);
        let failed_calls = std::mem::take(&mut self.failed_calls);
        failed_calls.into_iter().chain(std::mem::take(&mut self.calls)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(route: &mut ActorRoute<u32>, incarnation: u32) -> Vec<u64> {
        std::iter::from_fn(|| route.next_waiting(incarnation).map(|(number, _)| number)).collect()
    }

    fn consume_retry(retries: &mut u32) -> bool {
        let left = retries.checked_sub(1);
        *retries = left.unwrap_or(0);
        left.is_some()
    }

    #[test]
    fn earlier_calls_are_sent_first_after_a_death() {
        let mut route = ActorRoute::new(1, 0);
        for number in 1..=3 {
            assert!(matches!(route.add(number, 1), CallDisposition::Send(1, 0)));
        }
        route.finish_call(1);
        assert!(
            !route.on_peer_failed(2, consume_retry)
                && route.on_peer_failed(1, consume_retry)
                && !route.on_peer_failed(1, consume_retry)
        );
        assert!(matches!(route.add(4, 1), CallDisposition::Wait));
        assert!(route.on_moved(2, 1, consume_retry).is_some_and(|failed_calls| failed_calls.is_empty()));
        assert!(matches!(route.next_waiting(1), Some((2, _))));
        assert!(matches!(route.add(5, 1), CallDisposition::Wait), "created while others wait");
        assert_eq!(sent(&mut route, 1), [3, 4, 5]);
        assert!(matches!(route.add(6, 1), CallDisposition::Send(2, 1)));
    }

    #[test]
    fn only_calls_in_flight_consume_retries() {
        let mut route = ActorRoute::new(1, 0);
        route.add(1, 0);
        route.add(2, 2);
        assert!(route.on_peer_failed(1, consume_retry));
        route.add(3, 0);
        let failed_calls = route.on_moved(2, 1, consume_retry).expect("news");
        assert_eq!(failed_calls, [(1, 0)]);
        assert!(matches!(route.next_waiting(1), Some((2, _))));
        assert!(route.on_peer_failed(2, consume_retry), "while calls are being sent");
        assert!(route.next_waiting(1).is_none());
        assert!(
            route.on_moved(3, 2, consume_retry).is_some_and(|failed_calls| failed_calls.is_empty()),
            "3 was never sent"
        );
        assert_eq!(sent(&mut route, 2), [2, 3]);
        assert!(route.on_moved(2, 1, consume_retry).is_none(), "old news");
        assert!(route.on_peer_failed(3, consume_retry));
        assert_eq!(route.end(Arc::new(Error::config("ended"))), [(2, 0), (3, 0)]);
        assert!(route.end_error().is_some() && route.on_moved(4, 3, consume_retry).is_none());
    }

    #[test]
    fn acknowledgement_is_due_after_unacked_max_results() {
        let mut route = ActorRoute::new(1, 0);
        assert_eq!(route.acked_below(), 1);
        for number in 1..=UNACKED_MAX as u64 + 1 {
            route.add(number, 0);
        }
        for number in 2..=UNACKED_MAX as u64 {
            assert!(!route.finish_call(number).1);
            assert_eq!(route.unacked(), Some(1));
        }
        assert_eq!(route.finish_call(1), (Some(0), true));
        assert_eq!(route.unacked(), None);
        assert_eq!(route.acked_below(), UNACKED_MAX as u64 + 1);
        assert_eq!(route.finish_call(1), (None, false), "a second time");
    }
}
