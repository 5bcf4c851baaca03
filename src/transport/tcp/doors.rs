//! How connections come to be: guests that prove who they are, and peers that this rank calls.
//!
//! One connection serves a pair. Where both ends call at once, the lower rank's call wins, by these rules:
//! - Who is called says `Welcome` or `Yield` after the proof; who calls sends nothing before `Welcome`.
//! - A rank that has sent its own proof to a higher rank answers that rank's call with `Yield`. Any other guest that is
//!   not connected yet is welcome, and ends the rank's own call, which its callee cannot have accepted: a lower rank's
//!   callee has seen no proof, and a higher rank's callee answers with `Yield`.
//!
//! So of two calls at most one is ever welcomed, and no message is on a connection that is dropped.

use super::dial::{Dial, Step};
use super::frame::{Header, Kind};
use super::guest::{Guest, Knock};
use super::peers::{Link, Peers};
use super::socket::write_whole;
use super::watch::{Interest, Source};
use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::base::sync::lock;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Connections that may prove themselves at once; more wait in the system's queue.
pub const GUESTS_MAX: usize = 64;

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 16;

/// Addresses of strangers that are remembered, so that each is named once.
const STRANGERS_MAX: usize = 1024;

/// Before connections are accepted again after the system had no descriptor for one.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// What became of a connection.
pub enum Outcome {
    /// The peer has proven itself, and both ends agree on this connection.
    Open {
        /// Who it is.
        peer: Rank,
        /// The connection.
        socket: OwnedFd,
        /// Its other end.
        address: SocketAddr,
    },
    /// The peer cannot be reached, and why.
    Unreachable(Rank, String),
}

/// Connections that are being made.
pub struct Doors {
    listeners: Vec<OwnedFd>,
    listening: bool,
    /// No connection is accepted before.
    resume: Option<Instant>,
    guests: FxHashMap<u32, Guest>,
    dials: FxHashMap<u32, Dial>,
    next_number: u32,
    /// What is due when; an entry of what is over already does no harm.
    deadlines: BinaryHeap<Reverse<(Instant, Source)>>,
    strangers: FxHashSet<IpAddr>,
    outcomes: Vec<Outcome>,
}

impl Doors {
    /// Begins to accept connections.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(listeners: Vec<OwnedFd>, peers: &Peers) -> std::io::Result<Doors> {
        for (number, listener) in (0..).zip(&listeners) {
            peers.watch.add(listener, Source::Listener(number), Interest::Read)?;
        }
        Ok(Doors {
            listeners,
            listening: true,
            resume: None,
            guests: FxHashMap::default(),
            dials: FxHashMap::default(),
            next_number: 0,
            deadlines: BinaryHeap::new(),
            strangers: FxHashSet::default(),
            outcomes: Vec::new(),
        })
    }

    /// What became of connections since the last call.
    pub fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    /// Whether no call is under way.
    pub fn is_calm(&self) -> bool {
        self.dials.is_empty()
    }

    /// Connections that have proven nothing yet.
    #[cfg(test)]
    pub fn guests(&self) -> usize {
        self.guests.len()
    }

    /// Calls a peer.
    pub fn dial(&mut self, peer: Rank, peers: &Peers) {
        if self.dials.values().any(|dial| dial.peer == peer) {
            return;
        }
        let number = self.number();
        let (dial, step) = Dial::begin(number, peer, peers, Instant::now());
        self.go_on(dial, step, peers);
    }

    /// A call can go on.
    pub fn dial_ready(&mut self, number: u32, peers: &Peers) {
        if let Some(mut dial) = self.dials.remove(&number) {
            let step = dial.advance(peers, Instant::now());
            self.go_on(dial, step, peers);
        }
    }

    fn go_on(&mut self, dial: Dial, step: Step, peers: &Peers) {
        match step {
            Step::Wait => {
                self.set_deadline(dial.due, Source::Dial(dial.number), peers);
                self.dials.insert(dial.number, dial);
            }
            Step::Open(socket, address) => {
                self.outcomes.push(Outcome::Open { peer: dial.peer, socket, address });
            }
            Step::Failed(reason) => self.outcomes.push(Outcome::Unreachable(dial.peer, reason)),
        }
    }

    /// Ends the call of a peer, where there is one.
    pub fn hang_up(&mut self, peer: Rank) {
        self.dials.retain(|_, dial| dial.peer != peer);
    }

    /// Takes connections that wait at a listener.
    pub fn accept(&mut self, listener: u32, peers: &Peers) {
        for _ in 0..ACCEPTS_MAX {
            if self.guests.len() >= GUESTS_MAX {
                self.listen(false, peers);
                return;
            }
            let Some(socket) = self.listeners.get(listener as usize) else { return };
            match acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    if let Some(address) = address.and_then(|address| SocketAddr::try_from(address).ok()) {
                        self.invite(socket, address, peers);
                    }
                }
                Err(Errno::AGAIN) => return,
                // The other end is gone again, or was interrupted: the next one waits behind it.
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => {}
                Err(error) => {
                    say(Level::Warn, || {
                        format!("{} cannot accept connections now: {error} (ulimit -n?)", peers.named(peers.me))
                    });
                    let resume = Instant::now() + NO_DESCRIPTOR_PAUSE;
                    self.resume = Some(resume);
                    self.listen(false, peers);
                    self.set_deadline(resume, Source::Listener(listener), peers);
                    return;
                }
            }
        }
    }

    fn invite(&mut self, socket: OwnedFd, address: SocketAddr, peers: &Peers) {
        let number = self.number();
        // Where it cannot be watched, it is dropped, and its other end sees that.
        if peers.watch.add(&socket, Source::Guest(number), Interest::Read).is_ok() {
            let guest = Guest::new(socket, address, Instant::now());
            self.set_deadline(guest.due, Source::Guest(number), peers);
            self.guests.insert(number, guest);
        }
    }

    /// A guest said something, or went.
    pub fn guest_ready(&mut self, number: u32, peers: &Peers) {
        let Some(guest) = self.guests.get_mut(&number) else { return };
        let knock = guest.advance(peers);
        if knock == Knock::Wait {
            return;
        }
        let Some(guest) = self.guests.remove(&number) else { return };
        match knock {
            Knock::Wait => {}
            Knock::Gone => say(Level::Debug, || format!("{} connected and went away", guest.address)),
            Knock::Stranger(reason) => self.turn_away(&guest, &reason),
            Knock::Proven(peer) => self.receive_call(peer, guest, peers),
        }
        self.listen_again(peers);
    }

    fn turn_away(&mut self, guest: &Guest, reason: &str) {
        let ip = guest.address.ip();
        if self.strangers.len() < STRANGERS_MAX && self.strangers.insert(ip) {
            say(Level::Warn, || format!("a connection from {ip} was refused: {reason} (said once for this address)"));
        }
    }

    /// Decides about the connection of a peer that has proven itself.
    fn receive_call(&mut self, peer: Rank, guest: Guest, peers: &Peers) {
        let own_counts = peers.me < peer && self.dials.values().any(|dial| dial.peer == peer && dial.has_proven());
        let answer = match &*lock(&peers.links[peer as usize]) {
            Link::Left | Link::Lost => Kind::Goodbye,
            Link::Talking(talk) if talk.stream.is_some() => Kind::Yield,
            Link::Talking(_) if own_counts => Kind::Yield,
            Link::Talking(_) | Link::Silent => Kind::Welcome,
        };
        let answered = write_whole(&guest.socket, &Header::new(answer, 0).encode());
        if answer == Kind::Welcome && answered.is_ok() {
            self.hang_up(peer);
            let Guest { socket, address, .. } = guest;
            self.outcomes.push(Outcome::Open { peer, socket, address });
        }
    }

    /// Does what is due.
    pub fn expire(&mut self, peers: &Peers) {
        let now = Instant::now();
        while let Some(Reverse((due, source))) = self.deadlines.peek().copied()
            && due <= now
        {
            self.deadlines.pop();
            match source {
                Source::Guest(number) => {
                    if let Some(guest) = self.guests.remove(&number) {
                        self.turn_away(&guest, "it proved nothing in time");
                    }
                }
                Source::Dial(number) => {
                    if let Some(mut dial) = self.dials.remove(&number) {
                        let step = dial.expire(peers, now);
                        self.go_on(dial, step, peers);
                    }
                }
                _ => {}
            }
        }
        if self.resume.is_some_and(|resume| resume <= now) {
            self.resume = None;
        }
        self.listen_again(peers);
        let next = self.deadlines.peek().map(|Reverse((due, _))| due.saturating_duration_since(now));
        peers.watch.set_timer(next);
    }

    fn listen_again(&mut self, peers: &Peers) {
        if !self.listening && self.guests.len() < GUESTS_MAX && self.resume.is_none() {
            self.listen(true, peers);
        }
    }

    /// Hears of connections that wait, or leaves them to the system's queue.
    fn listen(&mut self, listening: bool, peers: &Peers) {
        self.listening = listening;
        let interest = if listening { Interest::Read } else { Interest::None };
        for (number, listener) in (0..).zip(&self.listeners) {
            if let Err(error) = peers.watch.change(listener, Source::Listener(number), interest) {
                say(Level::Error, || format!("{} cannot watch its listener: {error}", peers.named(peers.me)));
            }
        }
    }

    fn set_deadline(&mut self, due: Instant, source: Source, peers: &Peers) {
        let first = self.deadlines.peek().is_none_or(|Reverse((first, _))| due < *first);
        self.deadlines.push(Reverse((due, source)));
        if first {
            peers.watch.set_timer(Some(due.saturating_duration_since(Instant::now())));
        }
    }

    fn number(&mut self) -> u32 {
        self.next_number = self.next_number.wrapping_add(1);
        self.next_number
    }
}
