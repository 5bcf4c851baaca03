//! One look at everything that can have happened, by whoever has the turn.

use super::doors::{Doors, Outcome};
use super::inbox::Spares;
use super::incoming::{End, Incoming, Turn};
use super::peers::{Ending, Link, Peers, Talk};
use super::socket::set_up;
use super::watch::{FOUND_MAX, Found, Interest, Source};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::{Ordering, lock};
use crate::transport::Event;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// What only the poller touches.
pub struct Poller {
    doors: Doors,
    incoming: FxHashMap<Rank, Box<Incoming>>,
    /// Peers of whom frames came that no turn has handled yet.
    unread: VecDeque<Rank>,
    endings: VecDeque<Ending>,
    spares: Spares,
    found: Box<[Option<Found>; FOUND_MAX]>,
    /// Whether the next turn begins with the sockets, so that a peer who sends without end keeps nobody waiting.
    sockets_first: bool,
}

impl Poller {
    /// Nobody is connected.
    pub fn new(doors: Doors) -> Poller {
        Poller {
            doors,
            incoming: FxHashMap::default(),
            unread: VecDeque::new(),
            endings: VecDeque::new(),
            spares: Spares::default(),
            found: Box::new([None; FOUND_MAX]),
            sockets_first: false,
        }
    }

    /// Hands over what came, having waited for it at most so long; writes what is to be written. Returns how many events.
    pub fn turn(&mut self, peers: &Peers, wait: Duration, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let polling = peers.begin_polling();
        peers.armed.store(false, Ordering::Relaxed);
        let mut turn = Turn { deliver, events: 0, endings: std::mem::take(&mut self.endings) };
        turn.endings.extend(lock(&peers.late).drain(..));
        turn.hand_over_endings();
        self.sockets_first = !self.sockets_first;
        if self.sockets_first {
            self.look(peers, wait, &mut turn);
            self.go_on_reading(peers, &mut turn);
        } else {
            self.go_on_reading(peers, &mut turn);
            self.look(peers, wait, &mut turn);
        }
        turn.hand_over_endings();
        let Turn { events, endings, .. } = turn;
        self.endings = endings;
        drop(polling);
        peers.flush_marked();
        // Release: pairs with the Acquire of who asks; who adds to `late` stores after it added.
        peers.queued.store(!self.unread.is_empty() || !self.endings.is_empty(), Ordering::Release);
        if !lock(&peers.late).is_empty() {
            peers.queued.store(true, Ordering::Release);
        }
        events
    }

    /// Whether nothing waits to be written, and no connection is being made.
    pub fn is_calm(&self, peers: &Peers) -> bool {
        let idle = |link: &std::sync::Mutex<Link>| match &*lock(link) {
            Link::Talking(talk) => talk.broken.is_some() || talk.outbox.is_empty(),
            Link::Silent | Link::Left | Link::Lost => true,
        };
        self.doors.is_calm() && peers.links.iter().all(idle)
    }

    /// Connections that have proven nothing yet.
    #[cfg(test)]
    pub fn guests(&self) -> usize {
        self.doors.guests()
    }

    fn go_on_reading(&mut self, peers: &Peers, turn: &mut Turn<'_>) {
        for _ in 0..self.unread.len() {
            if turn.is_over() {
                return;
            }
            let Some(peer) = self.unread.pop_front() else { return };
            if let Some(incoming) = self.incoming.get_mut(&peer) {
                incoming.listed = false;
            }
            self.receive(peer, peers, turn);
        }
    }

    fn look(&mut self, peers: &Peers, wait: Duration, turn: &mut Turn<'_>) {
        if turn.is_over() {
            return;
        }
        let count = peers.watch.look(&mut self.found, wait);
        peers.looked.store(now_ns(), Ordering::Relaxed);
        for place in 0..count {
            let Some(found) = self.found[place].take() else { continue };
            match found.source {
                Source::Peer(peer) => {
                    if found.writes {
                        peers.with_talk(peer, |talk| peers.flush(peer, talk));
                    }
                    // What is not read now is found again by the next look.
                    if found.reads && !turn.is_over() {
                        self.receive(peer, peers, turn);
                    }
                }
                Source::Nudge => self.call_wanted(peers),
                Source::Timer => self.doors.expire(peers),
                Source::Listener(number) => self.doors.accept(number, peers),
                Source::Guest(number) => self.doors.guest_ready(number, peers),
                Source::Dial(number) => self.doors.dial_ready(number, peers),
            }
            for outcome in self.doors.take_outcomes() {
                match outcome {
                    Outcome::Open { peer, socket, address } => self.open(peer, socket, address, peers, turn),
                    Outcome::Unreachable(peer, reason) => self.end(peer, End::Lost(reason), peers, turn),
                }
            }
        }
    }

    fn call_wanted(&mut self, peers: &Peers) {
        peers.watch.calm();
        let wanted = std::mem::take(&mut *lock(&peers.wanted));
        for peer in wanted {
            if peers.with_talk(peer, |talk| talk.stream.is_none()) == Some(true) {
                self.doors.dial(peer, peers);
            }
        }
    }

    fn open(&mut self, peer: Rank, socket: OwnedFd, address: SocketAddr, peers: &Peers, turn: &mut Turn<'_>) {
        let ready = set_up(&socket, peers.silence)
            .and_then(|()| peers.watch.change(&socket, Source::Peer(peer), Interest::Read));
        if let Err(error) = ready {
            let reason = format!("the connection to {} at {address} cannot be set up: {error}", peers.named(peer));
            return self.end(peer, End::Lost(reason), peers, turn);
        }
        let stream = Arc::new(socket);
        let mut link = lock(&peers.links[peer as usize]);
        if let Link::Silent = *link {
            *link = Link::Talking(Box::default());
        }
        let Link::Talking(talk) = &mut *link else { return };
        talk.stream = Some(stream.clone());
        peers.flush(peer, talk);
        self.incoming.insert(peer, Box::new(Incoming::new(stream, peer, address)));
    }

    fn receive(&mut self, peer: Rank, peers: &Peers, turn: &mut Turn<'_>) {
        let Some(incoming) = self.incoming.get_mut(&peer) else { return };
        match incoming.receive(peers, &mut self.spares, turn) {
            Ok(false) => {}
            Ok(true) => {
                if !std::mem::replace(&mut incoming.listed, true) {
                    self.unread.push_back(peer);
                }
            }
            Err(end) => self.end(peer, end, peers, turn),
        }
    }

    /// Nothing comes from the peer any more, and nothing reaches it.
    fn end(&mut self, peer: Rank, end: End, peers: &Peers, turn: &mut Turn<'_>) {
        self.doors.hang_up(peer);
        let filling = self.incoming.remove(&peer).and_then(|incoming| incoming.give_up());
        let mut link = lock(&peers.links[peer as usize]);
        let talk = match std::mem::replace(&mut *link, Link::Lost) {
            Link::Talking(talk) => *talk,
            Link::Silent => Talk::default(),
            before @ (Link::Left | Link::Lost) => {
                *link = before;
                return;
            }
        };
        let reason = match end {
            End::Left if filling.is_none() && talk.reads.is_empty() && !talk.outbox.has_unread() => {
                *link = Link::Left;
                return;
            }
            End::Left => format!("{} left before it had or gave all that was asked for", peers.named(peer)),
            End::Lost(reason) => match talk.broken {
                // Writing failed first; reading then found an end and no more.
                Some(error) => format!("{}: writing to it failed: {error}", peers.named(peer)),
                None => reason,
            },
        };
        drop(link);
        for reading in filling.into_iter().chain(talk.reads.give_up()) {
            turn.endings.push_back(Ending::Read { token: reading.token, block: Err(reason.clone()) });
        }
        turn.endings.push_back(Ending::Lost { peer, reason });
    }
}
