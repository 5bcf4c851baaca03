//! The fabric itself.

use super::doors::Doors;
use super::handshake::Secret;
use super::listener::{Listener, TcpCard};
use super::peers::{Link, Peers};
use super::poller::Poller;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::error::{Error, Result};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::{Ordering, lock};
use crate::memory::{Block, Region};
use crate::transport::{Event, Fabric, Place, Refusal};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

/// Between two looks at the system by who polls without pause: a look costs a system call.
const LOOK_PAUSE_NS: u64 = 2_000;

/// After so long without a look, something may well have come.
const STALE_NS: u64 = 10_000;

/// How long who leaves tries to write what still waits.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The longest sleep while leaving: what is waited for may be in another thread's hands.
const CLOSE_LOOK: Duration = Duration::from_millis(20);

/// The road over TCP to every rank of the job. Dropping it says goodbye to who it talked to.
pub struct TcpFabric {
    peers: Peers,
    poller: Mutex<Poller>,
}

impl TcpFabric {
    /// Begins to serve peers at `listener`, as rank `me` of as many as there are `cards`. A peer that does not answer for
    /// `silence` is lost.
    ///
    /// # Errors
    /// Where this rank is none of them, or the system has no descriptors left.
    pub fn start(
        listener: Listener,
        me: Rank,
        cards: Vec<TcpCard>,
        secret: &Secret,
        silence: Duration,
    ) -> Result<TcpFabric> {
        if me as usize >= cards.len() {
            return Err(Error::fabric(format!("rank {me} cannot serve TCP in a job of {} ranks", cards.len())));
        }
        let host = cards[me as usize].host.clone();
        let failed = |error| Error::fabric(format!("rank {me} on {host} cannot serve TCP: {error} (ulimit -n?)"));
        let peers = Peers::new(me, cards, secret, silence).map_err(failed)?;
        let doors = Doors::open(listener.sockets, &peers).map_err(failed)?;
        Ok(TcpFabric { peers, poller: Mutex::new(Poller::new(doors)) })
    }

    /// Connections that have proven nothing yet, for tests.
    #[cfg(test)]
    pub(super) fn guests(&self) -> usize {
        lock(&self.poller).guests()
    }

    fn is_stale(&self) -> bool {
        now_ns().saturating_sub(self.peers.looked.load(Ordering::Relaxed)) > STALE_NS
    }

    fn is_queued(&self) -> bool {
        // Acquire: pairs with the Release of who queued.
        self.peers.queued.load(Ordering::Acquire)
    }
}

impl Fabric for TcpFabric {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let length = parts.iter().map(|part| part.len()).sum();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes");
        assert_ne!(peer, self.peers.me, "a message to itself");
        self.peers.send(peer, parts, length)
    }

    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let looked = self.peers.looked.load(Ordering::Relaxed);
        if !self.is_queued() && now_ns().saturating_sub(looked) < LOOK_PAUSE_NS {
            return 0;
        }
        let mut poller = match self.poller.try_lock() {
            Ok(poller) => poller,
            Err(TryLockError::WouldBlock) => return 0,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        };
        poller.turn(&self.peers, Duration::ZERO, deliver)
    }

    /// Something is queued here, or nobody looked for a while; not the latter while somebody sleeps on the descriptor, who
    /// would be woken.
    fn pending(&self) -> bool {
        self.is_queued() || (!self.peers.armed.load(Ordering::Relaxed) && self.is_stale())
    }

    fn rings(&self) -> bool {
        false
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.peers.watch.descriptor())
    }

    fn arm(&self) -> bool {
        // SeqCst: before the look at what is marked; who marks looks at this afterwards.
        self.peers.armed.store(true, Ordering::SeqCst);
        let quiet = !self.is_queued() && !self.peers.has_marked() && self.peers.watch.is_quiet();
        if !quiet {
            self.peers.armed.store(false, Ordering::Relaxed);
        }
        quiet
    }

    fn offer(&self, region: &Region) -> Result<(), String> {
        let arena = region.on_host()?;
        // A second offer of the store is the same store.
        let _ = self.peers.store.set(arena.clone());
        Ok(())
    }

    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        assert_ne!(peer, self.peers.me, "a read from itself");
        self.peers.read(peer, from, into, token)
    }

    fn close(&self) {
        let mut poller = lock(&self.poller);
        self.leave(&mut poller);
    }
}

impl TcpFabric {
    /// Says goodbye to who it talked to, and waits for it to be on its way.
    fn leave(&self, poller: &mut Poller) {
        for link in &self.peers.links {
            if let Link::Talking(talk) = &mut *lock(link) {
                talk.outbox.say_goodbye();
            }
        }
        let until = Instant::now() + CLOSE_WAIT;
        // What peers send meanwhile is for nobody; reading it lets the connection close without a reset, which would take
        // the goodbye with it.
        let mut wait = Duration::ZERO;
        loop {
            for (peer, link) in (0..).zip(&self.peers.links) {
                if let Link::Talking(talk) = &mut *lock(link) {
                    self.peers.flush(peer, talk);
                }
            }
            poller.turn(&self.peers, wait, &mut |_| {});
            if poller.is_calm(&self.peers) || Instant::now() >= until {
                break;
            }
            wait = CLOSE_LOOK;
        }
        // Nothing is left to be said, also where this runs again.
        self.peers.links.iter().for_each(|link| *lock(link) = Link::Left);
    }
}

impl Drop for TcpFabric {
    fn drop(&mut self) {
        let mut poller = lock(&self.poller);
        self.leave(&mut poller);
    }
}
