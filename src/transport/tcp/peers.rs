//! What every thread may touch: the state of each peer, each under its own lock, and who is told that something waits.
//!
//! Locks, in the order taken: the poller's turn, a peer's link, the lists. No call waits while it holds one.

use super::frame::Request;
use super::handshake::Secret;
use super::listener::TcpCard;
use super::outbox::Outbox;
use super::reads::Reads;
use super::socket;
use super::watch::{Interest, Source, Watch};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::{AtomicBool, AtomicU64, Ordering, lock};
use crate::memory::{Arena, Block};
use crate::transport::{Place, Refusal};
use rustix::net::Shutdown;
use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Written to one peer before others have their turn.
const FLUSH_BYTES: usize = 4 << 20;

/// What a poll hands over besides messages.
pub enum Ending {
    /// A read is over.
    Read {
        /// As given by who started it.
        token: u64,
        /// The block, or why it was not filled.
        block: Result<Block, String>,
    },
    /// A peer is gone.
    Lost {
        /// Who.
        peer: Rank,
        /// How it was noticed.
        reason: String,
    },
}

/// What this rank has to do with a peer. It never goes back up in this list.
pub enum Link {
    /// Nothing was sent yet, in either direction.
    Silent,
    /// There is a connection, or one is being made.
    Talking(Box<Talk>),
    /// The peer said goodbye.
    Left,
    /// The peer is gone, and was reported.
    Lost,
}

/// What there is to say to a peer.
#[derive(Default)]
pub struct Talk {
    /// `None` while the connection is being made.
    pub stream: Option<Arc<OwnedFd>>,
    /// What waits to be written.
    pub outbox: Outbox,
    /// Reads under way from the peer.
    pub reads: Reads,
    /// Why nothing can be written any more; the poller finds the connection's end and reports it.
    pub broken: Option<String>,
    /// Whether the poller is told when there is room to write.
    waits: bool,
    /// Whether the poller flushes at the end of its turn.
    marked: bool,
    /// When a message was last taken, in nanoseconds of the clock.
    sent_ns: u64,
}

/// A message that follows another to the same peer so soon is not written by itself.
const BURST_NS: u64 = 10_000;

thread_local! {
    /// Which fabric this thread polls just now, by address; 0 for none.
    static POLLING: Cell<usize> = const { Cell::new(0) };
}

/// Marks the calling thread as the one that polls, until dropped: what it sends meanwhile is written when its turn ends.
pub struct Polling {
    before: usize,
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLING.set(self.before);
    }
}

/// The peers of a rank.
pub struct Peers {
    /// This rank.
    pub me: Rank,
    /// By rank.
    pub cards: Vec<TcpCard>,
    /// The job's.
    pub secret: Secret,
    /// How long a peer may not answer.
    pub silence: Duration,
    /// Everything that can be waited for.
    pub watch: Watch,
    /// What peers may read.
    pub store: OnceLock<Arc<Arena>>,
    /// By rank.
    pub links: Vec<Mutex<Link>>,
    /// Peers to which a connection is wanted.
    pub wanted: Mutex<Vec<Rank>>,
    /// Peers whose outbox is written at the end of the turn.
    marked: Mutex<Vec<Rank>>,
    /// Found outside of a turn.
    pub late: Mutex<Vec<Ending>>,
    /// Whether a poll would find something without looking at the system.
    pub queued: AtomicBool,
    /// When a poll last looked at the system, in nanoseconds of the clock.
    pub looked: AtomicU64,
    /// Whether somebody sleeps on the descriptor, and nobody polled since.
    pub armed: AtomicBool,
}

impl Peers {
    /// Of a rank that has talked to nobody.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn new(me: Rank, cards: Vec<TcpCard>, secret: &Secret, silence: Duration) -> io::Result<Peers> {
        Ok(Peers {
            me,
            links: cards.iter().map(|_| Mutex::new(Link::Silent)).collect(),
            cards,
            secret: secret.clone(),
            silence,
            watch: Watch::new()?,
            store: OnceLock::new(),
            wanted: Mutex::default(),
            marked: Mutex::default(),
            late: Mutex::default(),
            queued: AtomicBool::new(false),
            looked: AtomicU64::new(0),
            armed: AtomicBool::new(false),
        })
    }

    /// A rank, for people.
    pub fn named(&self, rank: Rank) -> String {
        format!("rank {rank} on {}", self.cards[rank as usize].host)
    }

    /// The bytes of this rank's store, where they are inside.
    pub fn bytes(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.store.get()?.slice(offset, length)
    }

    /// Marks the calling thread as the one that polls.
    pub fn begin_polling(&self) -> Polling {
        Polling { before: POLLING.replace(std::ptr::from_ref(self).addr()) }
    }

    fn polls_here(&self) -> bool {
        POLLING.get() == std::ptr::from_ref(self).addr()
    }

    /// Does something with what there is to say to a peer, where it is not gone.
    pub fn with_talk<T>(&self, peer: Rank, act: impl FnOnce(&mut Talk) -> T) -> Option<T> {
        match &mut *lock(&self.links[peer as usize]) {
            Link::Talking(talk) => Some(act(talk)),
            Link::Silent | Link::Left | Link::Lost => None,
        }
    }

    /// As `with_talk`, for who wants to say something: the first time, a connection is wanted.
    fn begin_talk<T>(&self, peer: Rank, act: impl FnOnce(&mut Talk) -> T) -> Result<T, Refusal> {
        let mut link = lock(&self.links[peer as usize]);
        if let Link::Silent = *link {
            *link = Link::Talking(Box::default());
            lock(&self.wanted).push(peer);
            self.watch.nudge();
        }
        match &mut *link {
            Link::Talking(talk) if talk.broken.is_some() => Err(Refusal::Lost),
            Link::Talking(talk) => Ok(act(talk)),
            Link::Left => {
                *link = Link::Lost;
                let reason = format!("{} left in order, and was sent something afterwards", self.named(peer));
                lock(&self.late).push(Ending::Lost { peer, reason });
                // Release: pairs with the Acquire of who asks whether something is queued.
                self.queued.store(true, Ordering::Release);
                self.watch.nudge();
                Err(Refusal::Lost)
            }
            Link::Silent | Link::Lost => Err(Refusal::Lost),
        }
    }

    /// Takes a message for `peer`.
    pub fn send(&self, peer: Rank, parts: &[&[u8]], length: usize) -> Result<(), Refusal> {
        let polls_here = self.polls_here();
        let mut later = polls_here;
        let taken = self.begin_talk(peer, |talk| {
            // One message alone is written at once. Those that come in quick succession are written together, by the next
            // poll: a system call and a packet for each would cost far more than the message.
            let now = now_ns();
            later |= now.saturating_sub(std::mem::replace(&mut talk.sent_ns, now)) < BURST_NS;
            let Talk { stream, outbox, .. } = talk;
            let sent = match stream.as_ref().filter(|_| !later) {
                Some(stream) => outbox.send(parts, length, Some(&mut |slices| socket::write(stream, slices))),
                None => outbox.send(parts, length, None),
            };
            match sent {
                Ok(true) if later => self.mark(peer, talk),
                // What is marked is written soon anyway.
                Ok(true) if talk.marked => {}
                Ok(true) => self.await_room(peer, talk),
                Ok(false) => return Err(Refusal::Full),
                Err(error) => talk.fail(&error),
            }
            Ok(())
        })?;
        // SeqCst: pairs with the store in `TcpFabric::arm`, which then looks at what is marked.
        if later && !polls_here && self.armed.load(Ordering::SeqCst) {
            self.watch.nudge();
        }
        taken
    }

    /// Whether something waits for the end of a turn.
    pub fn has_marked(&self) -> bool {
        !lock(&self.marked).is_empty()
    }

    /// Asks `peer` for bytes of a region of its.
    pub fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut into = Some(into);
        let begun = self.begin_talk(peer, |talk| {
            let Some(block) = into.take() else { return };
            let request = Request { offset: from.offset, bytes: block.len() as u64 };
            match talk.reads.start(token, block) {
                Ok(slot) => talk.outbox.request(slot, from.region, request),
                Err(block) => into = Some(block),
            }
            if self.polls_here() {
                self.mark(peer, talk);
            } else {
                self.flush(peer, talk);
            }
        });
        match (begun, into) {
            (Err(refusal), Some(block)) => Err((refusal, block)),
            (Ok(()), Some(block)) => Err((Refusal::Full, block)),
            (_, None) => Ok(()),
        }
    }

    /// Sees to it that the peer's outbox is written when the poller's turn ends.
    pub fn mark(&self, peer: Rank, talk: &mut Talk) {
        if !std::mem::replace(&mut talk.marked, true) {
            lock(&self.marked).push(peer);
        }
    }

    /// Writes the outboxes that were marked.
    pub fn flush_marked(&self) {
        let marked = std::mem::take(&mut *lock(&self.marked));
        for peer in &marked {
            self.with_talk(*peer, |talk| {
                talk.marked = false;
                self.flush(*peer, talk);
            });
        }
        // The list's memory is used again.
        let mut list = lock(&self.marked);
        if list.is_empty() {
            *list = marked;
            list.clear();
        }
    }

    /// Writes what the connection takes now, where there is one; the poller goes on with the rest.
    pub fn flush(&self, peer: Rank, talk: &mut Talk) {
        let Talk { stream: Some(stream), outbox, broken: None, .. } = talk else { return };
        let write = &mut |slices: &[io::IoSlice<'_>]| socket::write(stream, slices);
        match outbox.flush(&|offset, length| self.bytes(offset, length), FLUSH_BYTES, write) {
            Ok(_) => self.await_room(peer, talk),
            Err(error) => talk.fail(&error),
        }
    }

    /// Has the poller told of room to write, where something waits for it, and not otherwise.
    fn await_room(&self, peer: Rank, talk: &mut Talk) {
        let waits = !talk.outbox.is_empty();
        if let Some(stream) = talk.stream.as_ref().filter(|_| waits != talk.waits) {
            let interest = if waits { Interest::Both } else { Interest::Read };
            match self.watch.change(stream, Source::Peer(peer), interest) {
                Ok(()) => talk.waits = waits,
                Err(error) => talk.fail(&error),
            }
        }
    }
}

impl Talk {
    /// Nothing can be written any more. What came before the failure is still read.
    fn fail(&mut self, error: &io::Error) {
        if let Some(stream) = &self.stream {
            // From now on the poller finds an end there, whatever the failure was.
            let _ = rustix::net::shutdown(stream, Shutdown::Both);
        }
        self.broken.get_or_insert(error.to_string());
    }
}
