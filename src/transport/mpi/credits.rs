//! Flow control: the state of each peer, that is how many messages may still be sent to it, how many it sent that were
//! delivered here, and whether it has failed.
//!
//! MPI accepts small messages before the receiver has received them, without bound. So a sender takes a credit for each
//! message, and the receiver returns credits, on messages that go the other way or, if there are none, in a message of
//! their own.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, AtomicU32, Ordering};

/// Messages that one rank may have in flight to another.
pub const WINDOW_MESSAGES: u32 = 64;

/// Deliveries after which credits are returned in a message of their own.
const RETURN_MESSAGES: u32 = WINDOW_MESSAGES / 2;

#[derive(Debug)]
struct PeerState {
    /// Messages that may still be sent to it. Taken under the outbox's lock, so a sender that sees one can take it.
    credits: AtomicU32,
    /// Messages from it that were delivered here and whose credits were not returned yet.
    owed: AtomicU32,
    failed: AtomicBool,
}

/// All peers, by rank: 12 bytes each.
#[derive(Debug)]
pub struct PeerStates(Box<[PeerState]>);

impl PeerStates {
    /// `size` ranks, with nothing in flight.
    pub fn new(size: u32) -> PeerStates {
        let peer = |_| PeerState {
            credits: AtomicU32::new(WINDOW_MESSAGES),
            owed: AtomicU32::new(0),
            failed: AtomicBool::new(false),
        };
        PeerStates((0..size).map(peer).collect())
    }

    fn at(&self, peer: Rank) -> &PeerState {
        &self.0[peer as usize]
    }

    /// True if a message may be sent to `peer`.
    pub fn has_credit(&self, peer: Rank) -> bool {
        self.at(peer).credits.load(Ordering::Relaxed) > 0
    }

    /// Takes the credit of a message to `peer`. Called by one thread at a time, after `has_credit`.
    pub fn take_credit(&self, peer: Rank) {
        let before = self.at(peer).credits.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "MPI-TRANSPORT-3: a message without a credit");
    }

    /// `peer` returned `count` credits; false if it returned more than were taken.
    pub fn on_credits(&self, peer: Rank, count: u16) -> bool {
        count == 0
            || self.at(peer).credits.fetch_add(u32::from(count), Ordering::Relaxed) + u32::from(count)
                <= WINDOW_MESSAGES
    }

    /// A message from `peer` was delivered; true if credits are due to be returned.
    pub fn on_delivered(&self, peer: Rank) -> bool {
        self.at(peer).owed.fetch_add(1, Ordering::Relaxed) + 1 == RETURN_MESSAGES
    }

    /// True if `peer` may be waiting for credits.
    pub fn owes_credits(&self, peer: Rank) -> bool {
        self.at(peer).owed.load(Ordering::Relaxed) >= RETURN_MESSAGES
    }

    /// The credits that the message being sent to `peer` returns.
    pub fn take_owed(&self, peer: Rank) -> u16 {
        let owed = &self.at(peer).owed;
        if owed.load(Ordering::Relaxed) == 0 { 0 } else { owed.swap(0, Ordering::Relaxed) as u16 }
    }

    /// True if `peer` has failed.
    pub fn has_failed(&self, peer: Rank) -> bool {
        self.at(peer).failed.load(Ordering::Relaxed)
    }

    /// Marks `peer` as failed; true the first time.
    pub fn mark_failed(&self, peer: Rank) -> bool {
        !self.at(peer).failed.swap(true, Ordering::Relaxed)
    }

    /// The number of ranks, this one included.
    pub fn size(&self) -> u32 {
        self.0.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_window_reopens_when_credits_return() {
        let (here, there) = (PeerStates::new(2), PeerStates::new(2));
        let mut sent = 0;
        while here.has_credit(1) {
            here.take_credit(1);
            sent += 1;
        }
        assert_eq!(sent, WINDOW_MESSAGES);
        let times = (0..sent).filter(|_| there.on_delivered(0)).count();
        assert_eq!(times, 1, "credits are due once a half window, not once a message");
        assert!(there.owes_credits(0));
        let back = there.take_owed(0);
        assert_eq!(u32::from(back), WINDOW_MESSAGES);
        assert!(!there.owes_credits(0) && there.take_owed(0) == 0, "credits go back once");
        assert!(here.on_credits(1, back) && here.has_credit(1));
        assert!(!here.on_credits(1, 1), "a credit that was never taken is a broken peer");
    }

    #[test]
    fn mark_failed_returns_true_once() {
        let peers = PeerStates::new(3);
        assert!(peers.mark_failed(2) && !peers.mark_failed(2));
        assert!(peers.has_failed(2) && !peers.has_failed(1));
    }
}
