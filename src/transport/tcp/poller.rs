//! One poll of all sockets, by the thread that holds the poller's lock: its turn.

use super::acceptor::Acceptor;
use super::frame_buffer::FreeBuffers;
use super::peers::{Connection, Link, Peers};
use super::reads::ReadInFlight;
use super::receiver::{LinkEnd, Receiver, Turn};
use super::socket::configure;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::{Ordering, lock};
use crate::transport::epoll::{Interest, Ready, Watched};
use crate::transport::{Deliver, ReadError, TransportEvent};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// What only the poller touches.
pub struct Poller {
    acceptor: Acceptor,
    receivers: FxHashMap<Rank, Box<Receiver>>,
    /// Peers with frames that arrived and that no turn has handled yet.
    unread: VecDeque<Rank>,
    free_buffers: FreeBuffers,
    found: Vec<Ready>,
    /// True if this turn began with the sockets; turns alternate, so that a peer that sends without pause starves no
    /// other.
    sockets_first: bool,
    /// The peer whose message came last.
    recent: Option<Rank>,
}

/// For so long the socket of the peer whose message came last is read by itself. What takes longer is large, and costs
/// less in large pieces; or nothing comes.
const RECENT_NS: u64 = 300_000;

impl Poller {
    /// With no peer connected.
    pub fn new(acceptor: Acceptor) -> Poller {
        Poller {
            acceptor,
            receivers: FxHashMap::default(),
            unread: VecDeque::new(),
            free_buffers: FreeBuffers::default(),
            found: Vec::new(),
            sockets_first: false,
            recent: None,
        }
    }

    /// Waits at most `wait` for events and delivers them, then writes the marked queues. Returns the number of events.
    pub fn turn(&mut self, peers: &Peers, wait: Duration, deliver: Deliver<'_>) -> usize {
        let polling = peers.begin_polling();
        peers.armed.store(false, Ordering::Relaxed);
        let mut turn = Turn { deliver, events: 0 };
        turn.deliver_queued(peers);
        self.sockets_first = !self.sockets_first;
        if self.sockets_first {
            self.poll_sockets(peers, wait, &mut turn);
            self.continue_reading(peers, &mut turn);
        } else {
            self.continue_reading(peers, &mut turn);
            self.poll_sockets(peers, wait, &mut turn);
        }
        turn.deliver_queued(peers);
        drop(polling);
        self.end_turn(peers);
        turn.events
    }

    /// Reads the socket of the peer whose message came last, from which a waiting thread probably gets its response:
    /// one system call, where a whole turn takes two. Returns the number of events.
    pub fn read_recent(&mut self, peers: &Peers, deliver: Deliver<'_>) -> usize {
        let Some(peer) = self.recent else { return 0 };
        let polling = peers.begin_polling();
        let mut turn = Turn { deliver, events: 0 };
        self.receive(peer, peers, &mut turn);
        turn.deliver_queued(peers);
        drop(polling);
        self.end_turn(peers);
        turn.events
    }

    fn end_turn(&mut self, peers: &Peers) {
        peers.flush_marked();
        // Release: pairs with the Acquire in `TcpTransport::is_queued`.
        peers.unread.store(!self.unread.is_empty(), Ordering::Release);
    }

    /// True if nothing waits to be written, and no connection is being made.
    pub fn is_idle(&self, peers: &Peers) -> bool {
        let idle = |link: &std::sync::Mutex<Link>| match &*lock(link) {
            Link::Active(connection) => connection.broken.is_some() || connection.send_queue.is_empty(),
            Link::Unused | Link::Closed | Link::Failed => true,
        };
        self.acceptor.is_idle() && peers.links.iter().all(idle)
    }

    /// Number of unauthenticated connections.
    #[cfg(test)]
    pub fn pending_connections(&self) -> usize {
        self.acceptor.pending_count()
    }

    fn continue_reading(&mut self, peers: &Peers, turn: &mut Turn<'_>) {
        for _ in 0..self.unread.len() {
            if turn.is_over() {
                return;
            }
            let Some(peer) = self.unread.pop_front() else { return };
            if let Some(receiver) = self.receivers.get_mut(&peer) {
                receiver.listed = false;
            }
            self.receive(peer, peers, turn);
        }
    }

    fn poll_sockets(&mut self, peers: &Peers, wait: Duration, turn: &mut Turn<'_>) {
        if turn.is_over() {
            return;
        }
        let mut ready = std::mem::take(&mut self.found);
        peers.epoll.wait(&mut ready, Some(wait));
        peers.last_poll_ns.store(now_ns(), Ordering::Relaxed);
        for found in ready.drain(..) {
            match found.source {
                Watched::Peer(peer) => {
                    if found.writes {
                        peers.with_connection(peer, |connection| peers.flush(peer, connection));
                    }
                    // What is not read now is found again by the next poll.
                    if found.reads && !turn.is_over() {
                        self.receive(peer, peers, turn);
                    }
                }
                Watched::Wake => self.dial_requested(peers),
                Watched::Timer => self.acceptor.on_timer(peers),
                Watched::Listener(number) => self.acceptor.accept(number, peers),
                Watched::Pending(number) => self.acceptor.on_pending_ready(number, peers),
                Watched::Dial(peer) => self.acceptor.on_dial_ready(peer, peers),
                Watched::Device => {}
            }
            for (peer, connected) in self.acceptor.take_outcomes() {
                match connected {
                    Ok((socket, address)) => self.on_connected(peer, socket, address, peers),
                    Err(reason) => self.on_link_end(peer, LinkEnd::Failed(reason), peers),
                }
            }
        }
        // The list's memory is reused.
        self.found = ready;
    }

    fn dial_requested(&mut self, peers: &Peers) {
        peers.epoll.clear_wake();
        let requested = std::mem::take(&mut *lock(&peers.to_dial));
        for peer in requested {
            if peers.with_connection(peer, |connection| connection.stream.is_none()) == Some(true) {
                self.acceptor.dial(peer, peers);
            }
        }
    }

    fn on_connected(&mut self, peer: Rank, socket: OwnedFd, address: SocketAddr, peers: &Peers) {
        let ready = configure(&socket, peers.peer_timeout)
            .and_then(|()| peers.epoll.change(&socket, Watched::Peer(peer), Interest::Read));
        if let Err(error) = ready {
            let reason = format!("the connection to {} at {address} cannot be set up: {error}", peers.named(peer));
            return self.on_link_end(peer, LinkEnd::Failed(reason), peers);
        }
        let stream = Arc::new(socket);
        let mut link = lock(&peers.links[peer as usize]);
        if let Link::Unused = *link {
            *link = Link::Active(Box::default());
        }
        let Link::Active(connection) = &mut *link else { return };
        connection.stream = Some(stream.clone());
        peers.flush(peer, connection);
        self.receivers.insert(peer, Box::new(Receiver::new(stream, peer, address)));
    }

    fn receive(&mut self, peer: Rank, peers: &Peers, turn: &mut Turn<'_>) {
        let Some(receiver) = self.receivers.get_mut(&peer) else { return };
        let events_before = turn.events;
        let end = match receiver.receive(peers, &mut self.free_buffers, turn) {
            Ok(more) => {
                if more && !std::mem::replace(&mut receiver.listed, true) {
                    self.unread.push_back(peer);
                }
                if turn.events > events_before {
                    self.recent = Some(peer);
                    peers.recent_until_ns.store(now_ns() + RECENT_NS, Ordering::Relaxed);
                }
                return;
            }
            Err(LinkEnd::Failed(how)) => {
                LinkEnd::Failed(format!("{} at {}: {how}", peers.named(peer), receiver.address))
            }
            Err(LinkEnd::Closed) => LinkEnd::Closed,
        };
        self.on_link_end(peer, end, peers);
    }

    /// Called when the connection ended: nothing arrives from the peer any more, and nothing reaches it.
    fn on_link_end(&mut self, peer: Rank, end: LinkEnd, peers: &Peers) {
        self.acceptor.cancel_dial(peer);
        if self.recent == Some(peer) {
            self.recent = None;
            peers.recent_until_ns.store(0, Ordering::Relaxed);
        }
        let filling = self.receivers.remove(&peer).and_then(|receiver| receiver.into_read());
        let mut link = lock(&peers.links[peer as usize]);
        let connection = match std::mem::replace(&mut *link, Link::Failed) {
            Link::Active(connection) => *connection,
            Link::Unused => Connection::default(),
            before @ (Link::Closed | Link::Failed) => {
                *link = before;
                return;
            }
        };
        let reason = match end {
            LinkEnd::Closed
                if filling.is_none() && connection.reads.is_empty() && !connection.send_queue.has_unread() =>
            {
                *link = Link::Closed;
                return;
            }
            LinkEnd::Closed => {
                format!("{} closed the connection before all requested data was transferred", peers.named(peer))
            }
            LinkEnd::Failed(reason) => match connection.broken {
                // Writing failed first; reading then found the end of the stream.
                Some(error) => format!("{}: writing to it failed: {error}", peers.named(peer)),
                None => reason,
            },
        };
        drop(link);
        let shared: Arc<str> = reason.as_str().into();
        for ReadInFlight { token, .. } in filling.into_iter().chain(connection.reads.into_reads()) {
            let block = Err(ReadError::LinkFailed(shared.clone()));
            peers.events.push(TransportEvent::ReadDone { token, block });
        }
        peers.events.push(TransportEvent::LinkDown { peer, reason });
    }
}
