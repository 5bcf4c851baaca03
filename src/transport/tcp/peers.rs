//! State that every thread may use: that of each peer, under its own lock, and the lists through which threads notify
//! the poller.
//!
//! Locks, in the order taken: the poller's turn, a peer's link, the lists. No call waits while it holds one.

use super::handshake::Secret;
use super::listener::TcpAddress;
use super::reads::Reads;
use super::send_queue::SendQueue;
use super::socket;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::{AtomicBool, AtomicU64, lock};
use crate::memory::Arena;
use crate::transport::epoll::{EpollSet, Interest, Watched};
use crate::transport::events::TransportEvents;
use crate::transport::{Refusal, TransportEvent};
use rustix::net::Shutdown;
use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Written to one peer before others have their turn.
const FLUSH_BYTES: usize = 4 << 20;

/// The state of the link to a peer. It never goes back up in this list.
pub enum Link {
    /// Nothing was sent yet, in either direction.
    Unused,
    /// There is a connection, or one is being made.
    Active(Box<Connection>),
    /// The peer sent a goodbye.
    Closed,
    /// The link failed, and that was reported.
    Failed,
}

/// The sending side of a connection to a peer.
#[derive(Default)]
pub struct Connection {
    /// `None` while the connection is being made.
    pub stream: Option<Arc<OwnedFd>>,
    /// Output that waits to be written.
    pub send_queue: SendQueue,
    /// Reads in flight from the peer.
    pub reads: Reads,
    /// Why writing failed; the poller then finds the connection's end and reports it.
    pub broken: Option<String>,
    /// True if the poller is woken when the socket becomes writable.
    awaits_writable: bool,
    /// True if the poller flushes the queue at the end of its turn.
    pub marked: bool,
    /// When the last message was taken that did not join others, or they were written, in nanoseconds of the clock.
    pub sent_ns: u64,
}

thread_local! {
    /// The `Peers` that this thread is polling, by address; 0 for none.
    static POLLING: Cell<usize> = const { Cell::new(0) };
    /// A message of this thread waits in a marked queue, and this thread has not polled since.
    static SENT_LATER: Cell<bool> = const { Cell::new(false) };
}

/// This thread's message waits for a poll.
pub fn set_sent_later() {
    SENT_LATER.set(true);
}

/// True if a message of this thread waits for its next poll: called by that poll.
pub fn take_sent_later() -> bool {
    SENT_LATER.take()
}

/// Marks the calling thread as the polling one, until dropped: what it sends meanwhile is written when its turn ends.
pub struct PollingGuard {
    before: usize,
}

impl Drop for PollingGuard {
    fn drop(&mut self) {
        POLLING.set(self.before);
    }
}

/// The peers of a rank.
pub struct Peers {
    /// This rank.
    pub me: Rank,
    /// By rank.
    pub addresses: Vec<TcpAddress>,
    /// The job's secret.
    pub secret: Secret,
    /// How long a peer may be unresponsive.
    pub peer_timeout: Duration,
    /// All descriptors with their events.
    pub epoll: EpollSet,
    /// The memory that peers may read.
    pub store: OnceLock<Arc<Arena>>,
    /// By rank.
    pub links: Vec<Mutex<Link>>,
    /// Peers to which a connection is requested.
    pub to_dial: Mutex<Vec<Rank>>,
    /// Peers whose queue is flushed at the end of the turn.
    marked: Mutex<Vec<Rank>>,
    /// Ended reads and failed links.
    pub events: TransportEvents,
    /// True if frames have arrived that no turn has handled yet.
    pub unread: AtomicBool,
    /// Until when the poller reads the socket of the peer that sent last by itself, in nanoseconds of the clock.
    pub recent_until_ns: AtomicU64,
    /// When a poll last called the system, in nanoseconds of the clock.
    pub last_poll_ns: AtomicU64,
    /// True if a thread sleeps on the descriptor, and no thread polled since.
    pub armed: AtomicBool,
}

impl Peers {
    /// The peers of a rank with no connection yet.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn new(me: Rank, addresses: Vec<TcpAddress>, secret: &Secret, peer_timeout: Duration) -> io::Result<Peers> {
        Ok(Peers {
            me,
            links: addresses.iter().map(|_| Mutex::new(Link::Unused)).collect(),
            addresses,
            secret: secret.clone(),
            peer_timeout,
            epoll: EpollSet::new()?,
            store: OnceLock::new(),
            to_dial: Mutex::default(),
            marked: Mutex::default(),
            events: TransportEvents::default(),
            unread: AtomicBool::new(false),
            recent_until_ns: AtomicU64::new(0),
            last_poll_ns: AtomicU64::new(0),
            armed: AtomicBool::new(false),
        })
    }

    /// A rank and its host, for messages.
    pub fn named(&self, rank: Rank) -> String {
        format!("rank {rank} on {}", self.addresses[rank as usize].host)
    }

    /// The bytes of this rank's store; `None` where they are not inside.
    pub fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.store.get()?.slice(offset, length)
    }

    /// Marks the calling thread as the polling one.
    pub fn begin_polling(&self) -> PollingGuard {
        PollingGuard { before: POLLING.replace(std::ptr::from_ref(self).addr()) }
    }

    /// True if the calling thread is the polling one.
    pub fn is_polling_here(&self) -> bool {
        POLLING.get() == std::ptr::from_ref(self).addr()
    }

    /// Calls `act` with the peer's connection; `None` where there is none.
    pub fn with_connection<T>(&self, peer: Rank, act: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        match &mut *lock(&self.links[peer as usize]) {
            Link::Active(connection) => Some(act(connection)),
            Link::Unused | Link::Closed | Link::Failed => None,
        }
    }

    /// Like `with_connection`, for a thread that sends; the first call requests a connection to the peer.
    pub fn ensure_connection<T>(&self, peer: Rank, act: impl FnOnce(&mut Connection) -> T) -> Result<T, Refusal> {
        let mut link = lock(&self.links[peer as usize]);
        if let Link::Unused = *link {
            *link = Link::Active(Box::default());
            lock(&self.to_dial).push(peer);
            self.epoll.wake();
        }
        match &mut *link {
            Link::Active(connection) if connection.broken.is_some() => Err(Refusal::Lost),
            Link::Active(connection) => Ok(act(connection)),
            Link::Closed => {
                *link = Link::Failed;
                let reason =
                    format!("{} closed its connection in order, and was sent a message afterwards", self.named(peer));
                self.events.push(TransportEvent::LinkDown { peer, reason });
                self.epoll.wake();
                Err(Refusal::Lost)
            }
            Link::Unused | Link::Failed => Err(Refusal::Lost),
        }
    }

    /// True if a peer's queue waits for the end of a turn.
    pub fn has_marked(&self) -> bool {
        !lock(&self.marked).is_empty()
    }

    /// Marks the peer's queue to be written when the poller's turn ends.
    pub fn mark(&self, peer: Rank, connection: &mut Connection) {
        if !std::mem::replace(&mut connection.marked, true) {
            lock(&self.marked).push(peer);
        }
    }

    /// Writes the queues of the marked peers.
    pub fn flush_marked(&self) {
        let marked = std::mem::take(&mut *lock(&self.marked));
        if marked.is_empty() {
            return;
        }
        let now = now_ns();
        for peer in &marked {
            self.with_connection(*peer, |connection| {
                (connection.marked, connection.sent_ns) = (false, now);
                self.flush(*peer, connection);
            });
        }
        // The list's memory is reused.
        let mut list = lock(&self.marked);
        if list.is_empty() {
            *list = marked;
            list.clear();
        }
    }

    /// Writes what the connection takes now, where there is one; the poller continues with the rest.
    pub fn flush(&self, peer: Rank, connection: &mut Connection) {
        let Connection { stream: Some(stream), send_queue, broken: None, .. } = connection else { return };
        let write = &mut |slices: &[io::IoSlice<'_>]| socket::write(stream, slices);
        match send_queue.flush(&|offset, length| self.bytes(offset, length), FLUSH_BYTES, write) {
            Ok(_) => self.await_writable(peer, connection),
            Err(error) => connection.fail(&error),
        }
    }

    /// Registers the socket for writability if output waits for it, and unregisters it otherwise.
    pub fn await_writable(&self, peer: Rank, connection: &mut Connection) {
        let waits = !connection.send_queue.is_empty();
        if let Some(stream) = connection.stream.as_ref().filter(|_| waits != connection.awaits_writable) {
            let interest = if waits { Interest::Both } else { Interest::Read };
            match self.epoll.change(stream, Watched::Peer(peer), interest) {
                Ok(()) => connection.awaits_writable = waits,
                Err(error) => connection.fail(&error),
            }
        }
    }
}

impl Connection {
    /// Called when writing failed. Data that arrived before is still read.
    pub fn fail(&mut self, error: &io::Error) {
        if let Some(stream) = &self.stream {
            // From now on the poller finds the end of the stream there, whatever the failure was.
            let _ = rustix::net::shutdown(stream, Shutdown::Both);
        }
        self.broken.get_or_insert(error.to_string());
    }
}
