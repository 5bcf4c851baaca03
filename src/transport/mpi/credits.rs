//! What this process keeps of each peer: how many messages may still go there, how many it took, whether it is gone.
//!
//! MPI takes a small message before the receiver has seen it, without bound. So a sender spends a credit a message, and
//! the receiver gives credits back, on messages that go the other way or, where none go, in one of its own.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, AtomicU32, Ordering};

/// Messages that one rank may have under way to another.
pub const WINDOW_MESSAGES: u32 = 64;

/// Deliveries after which credits go back in a message of their own.
const RETURN_MESSAGES: u32 = WINDOW_MESSAGES / 2;

#[derive(Debug)]
struct Peer {
    /// Messages that may still go to it. Taken under the outbox's lock, so a sender that sees one has it.
    credits: AtomicU32,
    /// Messages of its that were delivered here and that it does not know of.
    owed: AtomicU32,
    lost: AtomicBool,
}

/// Every peer, by rank: 12 bytes each.
#[derive(Debug)]
pub struct Peers(Box<[Peer]>);

impl Peers {
    /// `size` ranks, nothing under way.
    pub fn new(size: u32) -> Peers {
        let peer = |_| Peer {
            credits: AtomicU32::new(WINDOW_MESSAGES),
            owed: AtomicU32::new(0),
            lost: AtomicBool::new(false),
        };
        Peers((0..size).map(peer).collect())
    }

    fn at(&self, peer: Rank) -> &Peer {
        &self.0[peer as usize]
    }

    /// Whether a message may go to `peer`.
    pub fn has_credit(&self, peer: Rank) -> bool {
        self.at(peer).credits.load(Ordering::Relaxed) > 0
    }

    /// A message goes to `peer`. Called by one thread at a time, after `has_credit`.
    pub fn spend(&self, peer: Rank) {
        let before = self.at(peer).credits.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "M3: a message without a credit");
    }

    /// `peer` says that it delivered `count` messages; false where that is more than ever went.
    pub fn refund(&self, peer: Rank, count: u16) -> bool {
        count == 0
            || self.at(peer).credits.fetch_add(u32::from(count), Ordering::Relaxed) + u32::from(count)
                <= WINDOW_MESSAGES
    }

    /// A message of `peer`'s was delivered; true where it is time to tell it.
    pub fn delivered(&self, peer: Rank) -> bool {
        self.at(peer).owed.fetch_add(1, Ordering::Relaxed) + 1 == RETURN_MESSAGES
    }

    /// Whether `peer` waits to be told of its deliveries.
    pub fn owes_many(&self, peer: Rank) -> bool {
        self.at(peer).owed.load(Ordering::Relaxed) >= RETURN_MESSAGES
    }

    /// What the message that now goes to `peer` gives back.
    pub fn settle(&self, peer: Rank) -> u16 {
        let owed = &self.at(peer).owed;
        if owed.load(Ordering::Relaxed) == 0 { 0 } else { owed.swap(0, Ordering::Relaxed) as u16 }
    }

    /// Whether `peer` is gone.
    pub fn is_lost(&self, peer: Rank) -> bool {
        self.at(peer).lost.load(Ordering::Relaxed)
    }

    /// Marks `peer` as gone; true the first time.
    pub fn lose(&self, peer: Rank) -> bool {
        !self.at(peer).lost.swap(true, Ordering::Relaxed)
    }

    /// How many ranks there are, this one included.
    pub fn size(&self) -> u32 {
        self.0.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_opens_again_by_what_was_delivered() {
        let (here, there) = (Peers::new(2), Peers::new(2));
        let mut sent = 0;
        while here.has_credit(1) {
            here.spend(1);
            sent += 1;
        }
        assert_eq!(sent, WINDOW_MESSAGES);
        let times = (0..sent).filter(|_| there.delivered(0)).count();
        assert_eq!(times, 1, "it is told once a half window, not once a message");
        assert!(there.owes_many(0));
        let back = there.settle(0);
        assert_eq!(u32::from(back), WINDOW_MESSAGES);
        assert!(!there.owes_many(0) && there.settle(0) == 0, "credits go back once");
        assert!(here.refund(1, back) && here.has_credit(1));
        assert!(!here.refund(1, 1), "a credit that was never spent is a broken peer");
    }

    #[test]
    fn a_peer_is_lost_once() {
        let peers = Peers::new(3);
        assert!(peers.lose(2) && !peers.lose(2));
        assert!(peers.is_lost(2) && !peers.is_lost(1));
    }
}
