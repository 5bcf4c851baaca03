//! The state of each peer: the credits in both directions, and whether it has failed.
//!
//! MPI accepts small messages before the receiver has received them, without bound: hence the credits.

use super::comm::MpiFailure;
use crate::base::Rank;
use crate::base::spin_lock::{SpinLock, SpinLockGuard};
use crate::base::sync::{AtomicBool, Ordering};
use crate::transport::TransportEvent;
use crate::transport::credits::{OwedCredits, SendCredits};
use crate::transport::events::TransportEvents;
use std::fmt::Display;

/// Messages that one rank may have in flight to another; a batch counts as one.
pub const WINDOW_MESSAGES: u32 = 64;

/// The credits of one pair, in messages.
#[derive(Default)]
pub struct PeerCredits {
    /// Of messages to the peer.
    pub sent: SendCredits<WINDOW_MESSAGES>,
    /// Of messages from the peer.
    pub owed: OwedCredits<{ WINDOW_MESSAGES / 2 }>,
}

#[derive(Default)]
struct PeerState {
    credits: SpinLock<PeerCredits>,
    failed: AtomicBool,
}

/// All peers, and the events of the transport that the next poll delivers.
pub struct MpiPeers {
    me: Rank,
    states: Box<[PeerState]>,
    /// Ended reads and failed links.
    pub events: TransportEvents,
}

impl MpiPeers {
    /// `size` ranks, of which this is `me`, with nothing in flight.
    pub fn new(me: Rank, size: u32) -> MpiPeers {
        let states = (0..size).map(|_| PeerState::default()).collect();
        MpiPeers { me, states, events: TransportEvents::default() }
    }

    /// The credits of this rank and `peer`.
    pub fn credits(&self, peer: Rank) -> SpinLockGuard<'_, PeerCredits> {
        self.states[peer as usize].credits.lock()
    }

    /// True if `peer` has failed.
    pub fn has_failed(&self, peer: Rank) -> bool {
        self.states[peer as usize].failed.load(Ordering::Relaxed)
    }

    /// True if no peer has failed.
    pub fn all_live(&self) -> bool {
        self.states.iter().all(|state| !state.failed.load(Ordering::Relaxed))
    }

    /// Marks `peer` as failed, and reports it the first time.
    pub fn fail(&self, peer: Rank, reason: impl Display) {
        if !self.states[peer as usize].failed.swap(true, Ordering::Relaxed) {
            self.events.push(TransportEvent::LinkDown { peer, reason: reason.to_string() });
        }
    }

    /// MPI failed in a way that names no peer: nothing more can be received over this transport.
    pub fn fail_all(&self, failure: MpiFailure) {
        for peer in (0..self.states.len() as Rank).filter(|peer| *peer != self.me) {
            self.fail(peer, format!("this rank cannot receive over MPI any more: {failure}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_peer_is_reported_once() {
        let peers = MpiPeers::new(0, 3);
        assert!(peers.all_live());
        peers.fail(2, "first");
        peers.fail(2, "second");
        assert!(peers.has_failed(2) && !peers.has_failed(1) && !peers.all_live());
        assert_eq!(peers.events.len(), 1);
        peers.fail_all(MpiFailure::CANCELLED);
        assert_eq!(peers.events.len(), 2, "rank 1, and not this rank");
    }
}
