//! The TCP transport itself.

use super::acceptor::Acceptor;
use super::frame::ReadRange;
use super::handshake::Secret;
use super::listener::{Listener, TcpAddress};
use super::peers::{self, Connection, Link, Peers};
use super::poller::Poller;
use super::socket;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::error::{Error, Result};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::process_limits::allow_descriptors;
use crate::base::sync::{Ordering, lock, try_lock};
use crate::memory::{Block, Region};
use crate::transport::{Deliver, Refusal, RegisterError, RemoteAddress, Transport};
use std::os::fd::BorrowedFd;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time between two polls of all sockets by a rank that polls without pause: such a poll costs a system call. Meanwhile
/// it reads that of the peer that sent last.
const POLL_PAUSE_NS: u64 = 2_000;

/// A message that follows another to the same peer within this time is not written by itself.
const BURST_NS: u64 = 10_000;

/// After this long without a poll of the system, an event has probably arrived. A thread that is busy with small tasks
/// polls as often, and what it sent meanwhile is written then.
const STALE_NS: u64 = 20_000;

/// How long a closing transport tries to write what still waits.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The longest sleep while closing: another thread may complete what the closing thread waits for.
const CLOSE_POLL: Duration = Duration::from_millis(20);

/// The TCP transport to every rank of the job. Dropping it sends a goodbye to every connected peer.
pub struct TcpTransport {
    peers: Peers,
    poller: Mutex<Poller>,
}

impl TcpTransport {
    /// Begins to serve peers at `listener`, as rank `me` of `addresses.len()` ranks. The link to a peer that does not
    /// respond for `peer_timeout` fails.
    ///
    /// # Errors
    /// Where `me` is no index of `addresses`, or the system has no descriptors left.
    pub fn start(
        listener: Listener,
        me: Rank,
        addresses: Vec<TcpAddress>,
        secret: &Secret,
        peer_timeout: Duration,
    ) -> Result<TcpTransport> {
        if me as usize >= addresses.len() {
            return Err(Error::fabric(format!("rank {me} cannot serve TCP in a job of {} ranks", addresses.len())));
        }
        let host = addresses[me as usize].host.clone();
        let failed = |error| Error::fabric(format!("rank {me} on {host} cannot serve TCP: {error}")).caused_by(&error);
        allow_descriptors(addresses.len() as u64, super::acceptor::PENDING_MAX as u64).map_err(failed)?;
        let peers = Peers::new(me, addresses, secret, peer_timeout).map_err(failed)?;
        let acceptor = Acceptor::open(listener.sockets, &peers).map_err(failed)?;
        Ok(TcpTransport { peers, poller: Mutex::new(Poller::new(acceptor)) })
    }

    /// Number of unauthenticated connections, for tests.
    #[cfg(test)]
    pub(super) fn pending_connections(&self) -> usize {
        lock(&self.poller).pending_connections()
    }

    /// True if a poll would find something without a system call.
    fn is_queued(&self) -> bool {
        // Acquire: pairs with the Release of the poller at the end of its turn.
        self.peers.events.len() > 0 || self.peers.unread.load(Ordering::Acquire)
    }
}

impl Transport for TcpTransport {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let length = parts.iter().map(|part| part.len()).sum();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes");
        assert_ne!(peer, self.peers.me, "a message to itself");
        let peers = &self.peers;
        let polls_here = peers.is_polling_here();
        let mut later = polls_here;
        let taken = peers.ensure_connection(peer, |connection| {
            // A single message is written at once. Messages in quick succession are written together, by the next poll,
            // which a thread makes when it begins to wait: a system call and a packet for each would cost far more than
            // the message.
            later |= connection.marked || {
                let now = now_ns();
                now.saturating_sub(std::mem::replace(&mut connection.sent_ns, now)) < BURST_NS
            };
            let Connection { stream, send_queue, .. } = connection;
            let sent = match stream.as_ref().filter(|_| !later) {
                Some(stream) => send_queue.send(parts, length, Some(&mut |slices| socket::write(stream, slices))),
                None => send_queue.send(parts, length, None),
            };
            match sent {
                Ok(true) if later => peers.mark(peer, connection),
                // A marked queue is written soon anyway.
                Ok(true) if connection.marked => {}
                Ok(true) => peers.await_writable(peer, connection),
                Ok(false) => return Err(Refusal::Full),
                Err(error) => connection.fail(&error),
            }
            Ok(())
        })?;
        if later && !polls_here {
            peers::set_sent_later();
            // SeqCst: pairs with the store in `arm`, which then loads the marked list.
            if peers.armed.load(Ordering::SeqCst) {
                peers.epoll.wake();
            }
        }
        taken
    }

    fn is_connecting(&self, peer: Rank) -> bool {
        self.peers.with_connection(peer, |connection| connection.stream.is_none()) == Some(true)
    }

    fn poll(&self, deliver: Deliver<'_>) -> usize {
        if peers::take_sent_later() {
            // This thread may wait for the response.
            self.peers.flush_marked();
        }
        let last_poll = self.peers.last_poll_ns.load(Ordering::Relaxed);
        let now = now_ns();
        let is_due = self.is_queued() || now.saturating_sub(last_poll) >= POLL_PAUSE_NS;
        if !is_due && now >= self.peers.recent_until_ns.load(Ordering::Relaxed) {
            return 0;
        }
        let Some(mut poller) = try_lock(&self.poller) else { return 0 };
        match is_due {
            true => poller.turn(&self.peers, Duration::ZERO, deliver),
            false => poller.read_recent(&self.peers, deliver),
        }
    }

    /// True if an event is queued here, or no thread polled the system for a while; not for the latter reason while a
    /// thread sleeps on the descriptor, which would wake it.
    fn pending(&self) -> bool {
        let overdue = || now_ns().saturating_sub(self.peers.last_poll_ns.load(Ordering::Relaxed)) > STALE_NS;
        self.is_queued() || (!self.peers.armed.load(Ordering::Relaxed) && overdue())
    }

    fn uses_doorbell(&self) -> bool {
        false
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.peers.epoll.descriptor())
    }

    fn arm(&self) -> bool {
        // SeqCst: before the load of the marked list; a thread that marks loads `armed` afterwards.
        self.peers.armed.store(true, Ordering::SeqCst);
        let quiet = !self.is_queued() && !self.peers.has_marked() && self.peers.epoll.is_quiet();
        if !quiet {
            self.peers.armed.store(false, Ordering::Relaxed);
        }
        quiet
    }

    fn register(&self, region: &Region) -> Result<(), RegisterError> {
        let arena = region.on_host()?;
        // A second registration of the store is of the same store.
        let _ = self.peers.store.set(arena.clone());
        Ok(())
    }

    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        assert_ne!(peer, self.peers.me, "a read from itself");
        let (peers, mut into) = (&self.peers, Some(into));
        let begun = peers.ensure_connection(peer, |connection| {
            let Some(block) = into.take() else { return };
            let request = ReadRange { offset: from.offset, bytes: block.len() as u64 };
            match connection.reads.start(token, block) {
                Ok(slot) => connection.send_queue.request(slot, from.region, request),
                Err(block) => into = Some(block),
            }
            if peers.is_polling_here() {
                peers.mark(peer, connection);
            } else {
                peers.flush(peer, connection);
            }
        });
        match into {
            Some(block) => Err((begun.err().unwrap_or(Refusal::Full), block)),
            None => Ok(()),
        }
    }

    /// Sends a goodbye to every connected peer, and waits until it is written.
    fn close(&self) {
        let mut poller = lock(&self.poller);
        for link in &self.peers.links {
            if let Link::Active(connection) = &mut *lock(link) {
                connection.send_queue.queue_goodbye();
            }
        }
        let until = Instant::now() + CLOSE_WAIT;
        // Messages that arrive meanwhile are dropped; reading them lets the connection close without a reset, which
        // would discard the goodbye.
        let mut wait = Duration::ZERO;
        loop {
            for (peer, link) in (0..).zip(&self.peers.links) {
                if let Link::Active(connection) = &mut *lock(link) {
                    self.peers.flush(peer, connection);
                }
            }
            poller.turn(&self.peers, wait, &mut |_| {});
            if poller.is_idle(&self.peers) || Instant::now() >= until {
                break;
            }
            wait = CLOSE_POLL;
        }
        // Nothing is left to send, also where this runs again.
        self.peers.links.iter().for_each(|link| *lock(link) = Link::Closed);
    }
}

impl Drop for TcpTransport {
    fn drop(&mut self) {
        self.close();
    }
}
