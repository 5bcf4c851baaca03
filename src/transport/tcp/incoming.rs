//! Incoming connections until they are authenticated: accepts them, answers their handshakes, and bounds their number
//! and their time, so that unknown peers use little and keep no rank out. The caller decides what an authenticated
//! connection is for.
//!
//! While all places are taken, more connections wait in the system's queue, and the connection that has waited longest
//! loses its place once it has waited for [`IncomingLimits::handshake_if_full`].

use super::handshake::{ConnectionPurpose, HELLO_BYTES, HandshakeError, PROOF_BYTES, Secret, Server};
use super::socket::{FixedRead, write_whole};
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::transport::epoll::{EpollSet, Interest, Watched};
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Connections accepted by one call.
const ACCEPTS_MAX: usize = 16;

/// The bounds of what unauthenticated connections use.
#[derive(Clone, Copy, Debug)]
pub struct IncomingLimits {
    /// Connections that may be in their handshake at once.
    pub pending_max: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How long it may take while `pending_max` connections are in theirs.
    pub handshake_if_full: Duration,
}

/// What this rank listens as.
pub struct ListeningRank {
    /// The rank.
    pub me: Rank,
    /// What the connections are for.
    pub purpose: ConnectionPurpose,
    /// What the other end must hold.
    pub secret: Secret,
}

/// Why a connection ended before it was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncomingFault {
    /// The other end disconnected.
    #[error("it disconnected before it proved that it holds this job's secret")]
    Disconnected,
    /// The other end is no rank of the job.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The handshake took longer than it may.
    #[error("it did not authenticate within {0:.1?}")]
    Late(Duration),
}

/// A connection whose other end has proven that it is a rank of the job. The epoll still watches it, as
/// [`Watched::Pending`] with the number under which it was accepted.
pub struct AuthenticatedConnection {
    /// The rank that it claims to be, which may not exist.
    pub peer: Rank,
    /// The connection.
    pub socket: OwnedFd,
    /// Its other end.
    pub address: SocketAddr,
    /// When it was accepted.
    pub since: Instant,
}

/// A connection that was refused.
pub type RefusedConnection = (SocketAddr, IncomingFault);

enum HandshakeStage {
    Hello(FixedRead<HELLO_BYTES>),
    Proof(Box<Server>, FixedRead<PROOF_BYTES>),
}

/// An unauthenticated connection.
struct PendingConnection {
    socket: OwnedFd,
    /// Its other end.
    address: SocketAddr,
    /// When it was accepted.
    since: Instant,
    stage: HandshakeStage,
}

impl PendingConnection {
    /// Continues the handshake with the bytes that have arrived; `None` while more are needed. Returns the rank that
    /// the other end has proven to be.
    ///
    /// # Errors
    /// Why the other end is refused.
    fn advance(&mut self, rank: &ListeningRank) -> Result<Option<Rank>, IncomingFault> {
        let disconnected = |_: io::Error| IncomingFault::Disconnected;
        if let HandshakeStage::Hello(gather) = &mut self.stage {
            let Some(hello) = gather.read(&self.socket).map_err(disconnected)? else { return Ok(None) };
            match Server::new(&rank.secret, rank.purpose, rank.me, &hello) {
                Ok(server) => {
                    write_whole(&self.socket, server.response()).map_err(disconnected)?;
                    self.stage = HandshakeStage::Proof(Box::new(server), FixedRead::new());
                }
                Err((error, response)) => {
                    if let Some(response) = response {
                        // The connection is closed, whether the response arrives or not.
                        let _ = write_whole(&self.socket, &response);
                    }
                    return Err(error.into());
                }
            }
        }
        let HandshakeStage::Proof(server, gather) = &mut self.stage else { return Ok(None) };
        let Some(proof) = gather.read(&self.socket).map_err(disconnected)? else { return Ok(None) };
        Ok(Some(server.verify_proof(&proof)?.client))
    }
}

/// The listeners and the unauthenticated connections.
pub struct Incoming {
    rank: ListeningRank,
    limits: IncomingLimits,
    listeners: Vec<OwnedFd>,
    /// True if the listeners are watched.
    listening: bool,
    /// No connection is accepted before this time.
    paused_until: Option<Instant>,
    /// Numbers grow, so the lowest has waited longest.
    pending: BTreeMap<u32, PendingConnection>,
    next_number: u32,
}

impl Incoming {
    /// Begins to watch non-blocking listeners.
    ///
    /// # Errors
    /// An error of the system.
    pub fn open(
        listeners: Vec<OwnedFd>,
        rank: ListeningRank,
        limits: IncomingLimits,
        epoll: &EpollSet,
    ) -> io::Result<Incoming> {
        for (number, listener) in (0..).zip(&listeners) {
            epoll.add(listener, Watched::Listener(number), Interest::Read)?;
        }
        let pending = BTreeMap::new();
        Ok(Incoming { rank, limits, listeners, listening: true, paused_until: None, pending, next_number: 0 })
    }

    /// Number of unauthenticated connections.
    #[cfg(test)]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Accepts connections that wait at a listener.
    ///
    /// # Errors
    /// Where the system cannot accept any now, such as for lack of a descriptor.
    pub fn accept(&mut self, listener: u32, epoll: &EpollSet) -> io::Result<()> {
        for _ in 0..ACCEPTS_MAX {
            if self.is_full() {
                self.set_listening(false, epoll);
                break;
            }
            let Some(socket) = self.listeners.get(listener as usize) else { break };
            match acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    if let Some(address) = address.and_then(|address| SocketAddr::try_from(address).ok()) {
                        self.add_pending(socket, address, epoll);
                    }
                }
                Err(Errno::AGAIN) => break,
                // The other end closed already, or the call was interrupted: the next connection waits behind it.
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn add_pending(&mut self, socket: OwnedFd, address: SocketAddr, epoll: &EpollSet) {
        self.next_number = self.next_number.wrapping_add(1);
        // Where it cannot be watched, it is dropped, which its other end detects.
        if epoll.add(&socket, Watched::Pending(self.next_number), Interest::Read).is_ok() {
            let (since, stage) = (Instant::now(), HandshakeStage::Hello(FixedRead::new()));
            self.pending.insert(self.next_number, PendingConnection { socket, address, since, stage });
        }
    }

    /// Accepts no connection before `until`; `expire` then continues.
    pub fn pause(&mut self, until: Instant, epoll: &EpollSet) {
        self.paused_until = Some(until);
        self.set_listening(false, epoll);
    }

    /// Called when an unauthenticated connection has sent something, or was closed; returns it when its handshake ends.
    pub fn on_ready(
        &mut self,
        number: u32,
        epoll: &EpollSet,
    ) -> Option<Result<AuthenticatedConnection, RefusedConnection>> {
        let end = self.pending.get_mut(&number)?.advance(&self.rank).transpose()?;
        let PendingConnection { socket, address, since, .. } = self.pending.remove(&number)?;
        self.resume_listening(epoll);
        Some(match end {
            Ok(peer) => Ok(AuthenticatedConnection { peer, socket, address, since }),
            Err(fault) => Err((address, fault)),
        })
    }

    /// When `expire` is to be called next, at the latest.
    pub fn next_deadline(&self) -> Option<Instant> {
        let oldest = self.pending.values().next().map(|oldest| oldest.since + self.handshake_limit());
        [oldest, self.paused_until].into_iter().flatten().min()
    }

    /// Refuses the connections whose handshakes take too long.
    pub fn expire(&mut self, now: Instant, epoll: &EpollSet) -> Vec<RefusedConnection> {
        let mut refused = Vec::new();
        while let Some((number, oldest)) = self.pending.first_key_value() {
            let waited = now.saturating_duration_since(oldest.since);
            if waited < self.handshake_limit() {
                break;
            }
            refused.push((oldest.address, IncomingFault::Late(waited)));
            let number = *number;
            self.pending.remove(&number);
        }
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.resume_listening(epoll);
        refused
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= self.limits.pending_max
    }

    fn handshake_limit(&self) -> Duration {
        if self.is_full() { self.limits.handshake_if_full } else { self.limits.handshake }
    }

    fn resume_listening(&mut self, epoll: &EpollSet) {
        if !self.listening && !self.is_full() && self.paused_until.is_none() {
            self.set_listening(true, epoll);
        }
    }

    /// Watches the listeners for waiting connections, or leaves these to the system's queue.
    fn set_listening(&mut self, listening: bool, epoll: &EpollSet) {
        self.listening = listening;
        let interest = if listening { Interest::Read } else { Interest::None };
        for (number, listener) in (0..).zip(&self.listeners) {
            if let Err(error) = epoll.change(listener, Watched::Listener(number), interest) {
                log(Level::Error, || format!("rank {} cannot watch its listener: {error}", self.rank.me));
            }
        }
    }
}
