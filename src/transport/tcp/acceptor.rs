//! How connections are established: incoming connections that authenticate, and peers that this rank dials.
//!
//! One connection serves a pair. Where both ends dial at once, the lower rank's dial wins, by these rules:
//! - The dialed rank sends `Welcome` or `Yield` after the proof; the dialing rank sends nothing before `Welcome`.
//! - A rank that has sent its own proof to a higher rank responds to that rank's dial with `Yield`. Any other
//!   authenticated peer that is not connected yet is welcomed, which ends the rank's own dial. The dialed rank cannot
//!   have accepted that dial: if the dialing rank is the lower one, the dialed rank has seen no proof; if it is the
//!   higher one, the dialed rank responds with `Yield`.
//!
//! So of two dials at most one is ever welcomed, and no message is on a connection that is dropped.

use super::dial::{Dial, DialStep};
use super::frame::{FrameHeader, FrameKind};
use super::peers::{Link, Peers};
use super::pending_connection::{HandshakeStatus, PendingConnection};
use super::socket::write_whole;
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::transport::epoll::{Interest, Watched};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Connections that may be in their handshake at once; more wait in the system's queue.
pub const PENDING_MAX: usize = 64;

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 16;

/// Addresses of refused peers that are remembered, so that each is logged once.
const REFUSED_ADDRESSES_MAX: usize = 1024;

/// Pause before connections are accepted again after the system had no descriptor for one.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// The result of a dial or of an incoming connection.
pub enum ConnectOutcome {
    /// The peer is authenticated, and both ends agree on this connection.
    Open {
        /// The peer.
        peer: Rank,
        /// The connection.
        socket: OwnedFd,
        /// Its other end.
        address: SocketAddr,
    },
    /// The peer cannot be reached, with the reason.
    Unreachable(Rank, String),
}

/// Connections that are being made.
pub struct Acceptor {
    listeners: Vec<OwnedFd>,
    listening: bool,
    /// No connection is accepted before this time.
    resume: Option<Instant>,
    pending: FxHashMap<u32, PendingConnection>,
    dials: FxHashMap<u32, Dial>,
    next_number: u32,
    /// Deadlines in order; an entry whose connection has ended already is ignored.
    deadlines: BinaryHeap<Reverse<(Instant, Watched)>>,
    refused_addresses: FxHashSet<IpAddr>,
    outcomes: Vec<ConnectOutcome>,
}

impl Acceptor {
    /// Begins to accept connections.
    ///
    /// # Errors
    /// An error of the system.
    pub fn open(listeners: Vec<OwnedFd>, peers: &Peers) -> std::io::Result<Acceptor> {
        for (number, listener) in (0..).zip(&listeners) {
            peers.epoll.add(listener, Watched::Listener(number), Interest::Read)?;
        }
        Ok(Acceptor {
            listeners,
            listening: true,
            resume: None,
            pending: FxHashMap::default(),
            dials: FxHashMap::default(),
            next_number: 0,
            deadlines: BinaryHeap::new(),
            refused_addresses: FxHashSet::default(),
            outcomes: Vec::new(),
        })
    }

    /// The results since the last call.
    pub fn take_outcomes(&mut self) -> Vec<ConnectOutcome> {
        std::mem::take(&mut self.outcomes)
    }

    /// True if no dial is in progress.
    pub fn is_idle(&self) -> bool {
        self.dials.is_empty()
    }

    /// Number of unauthenticated connections.
    #[cfg(test)]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Dials a peer.
    pub fn dial(&mut self, peer: Rank, peers: &Peers) {
        if self.dials.values().any(|dial| dial.peer == peer) {
            return;
        }
        let number = self.number();
        let (dial, step) = Dial::begin(number, peer, peers, Instant::now());
        self.handle_step(dial, step, peers);
    }

    /// Called when the socket of a dial is ready.
    pub fn on_dial_ready(&mut self, number: u32, peers: &Peers) {
        if let Some(mut dial) = self.dials.remove(&number) {
            let step = dial.advance(peers, Instant::now());
            self.handle_step(dial, step, peers);
        }
    }

    fn handle_step(&mut self, dial: Dial, step: DialStep, peers: &Peers) {
        match step {
            DialStep::Wait => {
                self.set_deadline(dial.due, Watched::Dial(dial.number), peers);
                self.dials.insert(dial.number, dial);
            }
            DialStep::Open(socket, address) => {
                self.outcomes.push(ConnectOutcome::Open { peer: dial.peer, socket, address });
            }
            DialStep::Failed(reason) => self.outcomes.push(ConnectOutcome::Unreachable(dial.peer, reason)),
        }
    }

    /// Ends the dial of a peer, where there is one.
    pub fn cancel_dial(&mut self, peer: Rank) {
        self.dials.retain(|_, dial| dial.peer != peer);
    }

    /// Accepts connections that wait at a listener.
    pub fn accept(&mut self, listener: u32, peers: &Peers) {
        for _ in 0..ACCEPTS_MAX {
            if self.pending.len() >= PENDING_MAX {
                self.set_listening(false, peers);
                return;
            }
            let Some(socket) = self.listeners.get(listener as usize) else { return };
            match acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    if let Some(address) = address.and_then(|address| SocketAddr::try_from(address).ok()) {
                        self.add_pending(socket, address, peers);
                    }
                }
                Err(Errno::AGAIN) => return,
                // The other end closed already, or the call was interrupted: the next connection waits behind it.
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => {}
                Err(error) => {
                    log(Level::Warn, || {
                        format!("{} cannot accept connections now: {error} (ulimit -n?)", peers.named(peers.me))
                    });
                    let resume = Instant::now() + NO_DESCRIPTOR_PAUSE;
                    self.resume = Some(resume);
                    self.set_listening(false, peers);
                    self.set_deadline(resume, Watched::Listener(listener), peers);
                    return;
                }
            }
        }
    }

    fn add_pending(&mut self, socket: OwnedFd, address: SocketAddr, peers: &Peers) {
        let number = self.number();
        // Where it cannot be watched, it is dropped, which its other end detects.
        if peers.epoll.add(&socket, Watched::Pending(number), Interest::Read).is_ok() {
            let connection = PendingConnection::new(socket, address, Instant::now());
            self.set_deadline(connection.due, Watched::Pending(number), peers);
            self.pending.insert(number, connection);
        }
    }

    /// Called when an unauthenticated connection has sent something, or was closed.
    pub fn on_pending_ready(&mut self, number: u32, peers: &Peers) {
        let Some(connection) = self.pending.get_mut(&number) else { return };
        let status = connection.advance(peers);
        if status == HandshakeStatus::Incomplete {
            return;
        }
        let Some(connection) = self.pending.remove(&number) else { return };
        match status {
            HandshakeStatus::Incomplete => {}
            HandshakeStatus::Disconnected => {
                log(Level::Debug, || format!("{} connected and disconnected", connection.address))
            }
            HandshakeStatus::Rejected(reason) => self.refuse(&connection, &reason),
            HandshakeStatus::Authenticated(peer) => self.on_authenticated(peer, connection, peers),
        }
        self.resume_listening(peers);
    }

    fn refuse(&mut self, connection: &PendingConnection, reason: &str) {
        let ip = connection.address.ip();
        if self.refused_addresses.len() < REFUSED_ADDRESSES_MAX && self.refused_addresses.insert(ip) {
            log(Level::Warn, || format!("a connection from {ip} was refused: {reason} (logged once for this address)"));
        }
    }

    /// Decides about the connection of an authenticated peer.
    fn on_authenticated(&mut self, peer: Rank, connection: PendingConnection, peers: &Peers) {
        let own_counts = peers.me < peer && self.dials.values().any(|dial| dial.peer == peer && dial.has_sent_proof());
        let response = match &*lock(&peers.links[peer as usize]) {
            Link::Closed | Link::Failed => FrameKind::Goodbye,
            Link::Active(connection) if connection.stream.is_some() => FrameKind::Yield,
            Link::Active(_) if own_counts => FrameKind::Yield,
            Link::Active(_) | Link::Unused => FrameKind::Welcome,
        };
        let sent = write_whole(&connection.socket, &FrameHeader::new(response, 0).encode());
        if response == FrameKind::Welcome && sent.is_ok() {
            self.cancel_dial(peer);
            let PendingConnection { socket, address, .. } = connection;
            self.outcomes.push(ConnectOutcome::Open { peer, socket, address });
        }
    }

    /// Handles expired deadlines.
    pub fn on_timer(&mut self, peers: &Peers) {
        let now = Instant::now();
        while let Some(Reverse((due, source))) = self.deadlines.peek().copied()
            && due <= now
        {
            self.deadlines.pop();
            match source {
                Watched::Pending(number) => {
                    if let Some(connection) = self.pending.remove(&number) {
                        self.refuse(&connection, "it did not authenticate in time");
                    }
                }
                Watched::Dial(number) => {
                    if let Some(mut dial) = self.dials.remove(&number) {
                        let step = dial.on_deadline(peers, now);
                        self.handle_step(dial, step, peers);
                    }
                }
                _ => {}
            }
        }
        if self.resume.is_some_and(|resume| resume <= now) {
            self.resume = None;
        }
        self.resume_listening(peers);
        let next = self.deadlines.peek().map(|Reverse((due, _))| due.saturating_duration_since(now));
        peers.epoll.set_timer(next);
    }

    fn resume_listening(&mut self, peers: &Peers) {
        if !self.listening && self.pending.len() < PENDING_MAX && self.resume.is_none() {
            self.set_listening(true, peers);
        }
    }

    /// Watches the listeners for waiting connections, or leaves these to the system's queue.
    fn set_listening(&mut self, listening: bool, peers: &Peers) {
        self.listening = listening;
        let interest = if listening { Interest::Read } else { Interest::None };
        for (number, listener) in (0..).zip(&self.listeners) {
            if let Err(error) = peers.epoll.change(listener, Watched::Listener(number), interest) {
                log(Level::Error, || format!("{} cannot watch its listener: {error}", peers.named(peers.me)));
            }
        }
    }

    fn set_deadline(&mut self, due: Instant, source: Watched, peers: &Peers) {
        let first = self.deadlines.peek().is_none_or(|Reverse((first, _))| due < *first);
        self.deadlines.push(Reverse((due, source)));
        if first {
            peers.epoll.set_timer(Some(due.saturating_duration_since(Instant::now())));
        }
    }

    fn number(&mut self) -> u32 {
        self.next_number = self.next_number.wrapping_add(1);
        self.next_number
    }
}
