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

use super::dial::{Connected, Dial};
use super::frame::{FrameHeader, FrameKind};
use super::handshake::ConnectionPurpose;
use super::incoming::{AuthenticatedConnection, Incoming, IncomingFault, IncomingLimits, ListeningRank};
use super::peers::{Link, Peers};
use super::socket::write_whole;
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::lock;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Connections that may be in their handshake at once; more wait in the system's queue.
pub const PENDING_MAX: usize = 64;

/// How long a handshake may take; shorter in tests, which wait for connections that never prove anything.
const PROOF_WAIT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

const LIMITS: IncomingLimits =
    IncomingLimits { pending_max: PENDING_MAX, handshake: PROOF_WAIT, handshake_if_full: PROOF_WAIT };

/// Addresses of refused peers that are remembered, so that each is logged once.
const REFUSED_ADDRESSES_MAX: usize = 1024;

/// Pause before connections are accepted again after the system had no descriptor for one.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// Connections that are being made.
pub struct Acceptor {
    incoming: Incoming,
    /// By peer.
    dials: FxHashMap<Rank, Dial>,
    /// Deadlines of dials, by peer, in order; an entry whose dial has ended already is ignored.
    deadlines: BinaryHeap<Reverse<(Instant, Rank)>>,
    refused_addresses: FxHashSet<IpAddr>,
    outcomes: Vec<(Rank, Connected)>,
}

impl Acceptor {
    /// Begins to accept connections.
    ///
    /// # Errors
    /// An error of the system.
    pub fn open(listeners: Vec<OwnedFd>, peers: &Peers) -> std::io::Result<Acceptor> {
        let rank = ListeningRank { me: peers.me, purpose: ConnectionPurpose::Transport, secret: peers.secret.clone() };
        Ok(Acceptor {
            incoming: Incoming::open(listeners, rank, LIMITS, &peers.epoll)?,
            dials: FxHashMap::default(),
            deadlines: BinaryHeap::new(),
            refused_addresses: FxHashSet::default(),
            outcomes: Vec::new(),
        })
    }

    /// The peers to which dials ended since the last call, or that connected, and how: both ends agree on a connection.
    pub fn take_outcomes(&mut self) -> Vec<(Rank, Connected)> {
        std::mem::take(&mut self.outcomes)
    }

    /// True if no dial is in progress.
    pub fn is_idle(&self) -> bool {
        self.dials.is_empty()
    }

    /// Number of unauthenticated connections.
    #[cfg(test)]
    pub fn pending_count(&self) -> usize {
        self.incoming.pending_count()
    }

    /// Dials a peer.
    pub fn dial(&mut self, peer: Rank, peers: &Peers) {
        if !self.dials.contains_key(&peer) {
            let (dial, step) = Dial::begin(peer, peers, Instant::now());
            self.handle_step(dial, step, peers);
        }
    }

    /// Called when the socket of a dial is ready.
    pub fn on_dial_ready(&mut self, peer: Rank, peers: &Peers) {
        if let Some(mut dial) = self.dials.remove(&peer) {
            let step = dial.advance(peers, Instant::now());
            self.handle_step(dial, step, peers);
        }
    }

    fn handle_step(&mut self, dial: Dial, ended: Option<Connected>, peers: &Peers) {
        if let Some(connected) = ended {
            return self.outcomes.push((dial.peer, connected));
        }
        self.deadlines.push(Reverse((dial.due, dial.peer)));
        self.dials.insert(dial.peer, dial);
        self.set_timer(peers);
    }

    /// Ends the dial of a peer, where there is one.
    pub fn cancel_dial(&mut self, peer: Rank) {
        self.dials.remove(&peer);
    }

    /// Accepts connections that wait at a listener.
    pub fn accept(&mut self, listener: u32, peers: &Peers) {
        if let Err(error) = self.incoming.accept(listener, &peers.epoll) {
            log(Level::Warn, || {
                format!("{} cannot accept connections now: {error} (ulimit -n?)", peers.named(peers.me))
            });
            self.incoming.pause(Instant::now() + NO_DESCRIPTOR_PAUSE, &peers.epoll);
        }
        self.set_timer(peers);
    }

    /// Called when an unauthenticated connection has sent something, or was closed.
    pub fn on_pending_ready(&mut self, number: u32, peers: &Peers) {
        match self.incoming.on_ready(number, &peers.epoll) {
            None => {}
            Some(Ok(connection)) => self.on_authenticated(connection, peers),
            Some(Err((address, IncomingFault::Disconnected))) => {
                log(Level::Debug, || format!("{address} connected and disconnected"));
            }
            Some(Err((address, fault))) => self.log_refusal(address, &fault.to_string()),
        }
    }

    fn log_refusal(&mut self, address: SocketAddr, reason: &str) {
        let ip = address.ip();
        if self.refused_addresses.len() < REFUSED_ADDRESSES_MAX && self.refused_addresses.insert(ip) {
            log(Level::Warn, || format!("a connection from {ip} was refused: {reason} (logged once for this address)"));
        }
    }

    /// Decides about the connection of an authenticated peer.
    fn on_authenticated(&mut self, connection: AuthenticatedConnection, peers: &Peers) {
        let AuthenticatedConnection { peer, socket, address, .. } = connection;
        if peer == peers.me || peer as usize >= peers.links.len() {
            return self.log_refusal(address, &format!("it claims to be rank {peer}, which is impossible"));
        }
        let own_counts = peers.me < peer && self.dials.get(&peer).is_some_and(Dial::has_sent_proof);
        let response = match &*lock(&peers.links[peer as usize]) {
            Link::Closed | Link::Failed => FrameKind::Goodbye,
            Link::Active(connection) if connection.stream.is_some() => FrameKind::Yield,
            Link::Active(_) if own_counts => FrameKind::Yield,
            Link::Active(_) | Link::Unused => FrameKind::Welcome,
        };
        let sent = write_whole(&socket, &FrameHeader::new(response, 0).encode());
        if response == FrameKind::Welcome && sent.is_ok() {
            self.cancel_dial(peer);
            self.outcomes.push((peer, Ok((socket, address))));
        }
    }

    /// Handles expired deadlines.
    pub fn on_timer(&mut self, peers: &Peers) {
        let now = Instant::now();
        for (address, fault) in self.incoming.expire(now, &peers.epoll) {
            self.log_refusal(address, &fault.to_string());
        }
        while let Some(Reverse((due, peer))) = self.deadlines.peek().copied()
            && due <= now
        {
            self.deadlines.pop();
            if let Some(mut dial) = self.dials.remove(&peer) {
                let step = dial.on_deadline(peers, now);
                self.handle_step(dial, step, peers);
            }
        }
        self.set_timer(peers);
    }

    /// Sets the timer to the next deadline.
    fn set_timer(&self, peers: &Peers) {
        let dial = self.deadlines.peek().map(|Reverse((due, _))| *due);
        let next = [dial, self.incoming.next_deadline()].into_iter().flatten().min();
        peers.epoll.set_timer(next.map(|next| next.saturating_duration_since(Instant::now())));
    }
}
