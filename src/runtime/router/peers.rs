//! Sends messages to other ranks over the transports, and receives theirs.

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::spin_lock::SpinLock;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, lock};
use crate::base::{Rank, clock};
use crate::memory::Doorbell;
use crate::protocol::{MESSAGE_HEADER_BYTES, Message, SendSequence, UNNUMBERED_HEADER};
use crate::runtime::Runtime;
use crate::runtime::memory::{in_callback, Pulls};
use crate::runtime::router::failover::Failover;
use crate::runtime::router::fd_poller::{FdPoller, LocalPeer};
use crate::scheduling::StealState;
use crate::transport::verbs::VerbsTransport;
use crate::transport::{Refusal, Transport, TransportEvent};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Messages that may wait for one peer before threads that submit tasks to it have to wait too.
const OUTBOX_MESSAGES_MAX: usize = 4096;

/// How often a rank that is busy with tasks polls transports that only a system call can check.
const POLL_INTERVAL_NS: u64 = 20_000;

/// The transports of a rank, and its state for each peer.
pub struct Router {
    /// Each transport once.
    pub transports: Vec<Arc<dyn Transport>>,
    /// The different routes to peers: each holds the indices in `transports` of the transports to use, best first.
    routes: Vec<Vec<u8>>,
    /// By rank.
    pub peers: Vec<PeerRoute>,
    /// Messages in all outboxes.
    pub waiting: AtomicUsize,
    pub pulls: Pulls,
    /// The transport that sets its links up over the control channel.
    verbs: Option<Arc<VerbsTransport>>,
    /// Control messages that are not sent yet.
    control_queue: Mutex<VecDeque<(Rank, Vec<u8>)>>,
    /// Counts polls by threads other than the progress thread.
    pub polls: AtomicU64,
    /// The time of the last poll, if there are transports that only a system call can check.
    polled_ns: AtomicU64,
    /// True if there are such transports.
    needs_polling: bool,
    /// The doorbell that peers notify.
    pub doorbell: Arc<Doorbell>,
    pub fd_poller: Option<FdPoller>,
    pub spin: Duration,
}

/// The state of a rank for one peer.
pub struct PeerRoute {
    /// The index of its route in `routes`.
    route: u16,
    /// How many transports of that route have failed.
    pub transport_index: AtomicU8,
    /// Declared dead; for good.
    dead: AtomicBool,
    pub outbox: SpinLock<PeerOutbox>,
}

/// Messages that no transport accepted yet, oldest first.
#[derive(Default)]
pub struct PeerOutbox {
    send_sequence: SendSequence,
    pub messages: VecDeque<Vec<u8>>,
    /// While the two ranks agree from which message on they continue over another transport.
    pub failover: Option<Failover>,
    /// If the peer left a transport that this rank still uses: how many messages the peer received over it.
    pub early_delivered: Option<u64>,
}

/// Submissions to other ranks between two polls of the transports.
const SUBMITS_PER_POLL: u32 = 16;

thread_local! {
    static SUBMITTED: Cell<u32> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Router {
    /// With these transports; watches the processes of `local_peers`. `routes_to` gives for each rank the transports to
    /// it, best first, by their indices in `transports`.
    pub fn new(
        transports: Vec<Arc<dyn Transport>>,
        verbs: Option<Arc<VerbsTransport>>,
        routes_to: &[Vec<u8>],
        local_peers: Vec<LocalPeer>,
        doorbell: Arc<Doorbell>,
        spin: Duration,
    ) -> Router {
        let mut routes: Vec<Vec<u8>> = Vec::new();
        let peers = routes_to.iter().map(|route| {
            let known = routes.iter().position(|known| known == route);
            let route = known.unwrap_or_else(|| {
                routes.push(route.clone());
                routes.len() - 1
            });
            PeerRoute {
                route: route as u16,
                transport_index: AtomicU8::new(0),
                dead: AtomicBool::new(false),
                outbox: SpinLock::default(),
            }
        });
        let peers = peers.collect();
        let needs_polling = transports.iter().any(|transport| !transport.uses_doorbell());
        let fd_poller = FdPoller::start(&transports, local_peers, &doorbell);
        Router {
            transports,
            routes,
            peers,
            waiting: AtomicUsize::new(0),
            pulls: Pulls::default(),
            verbs,
            control_queue: Mutex::default(),
            polls: AtomicU64::new(0),
            polled_ns: AtomicU64::new(0),
            needs_polling,
            doorbell,
            fd_poller,
            spin,
        }
    }

    /// The transport to `rank` in use now, as its index in `transports`.
    pub fn transport_to(&self, rank: Rank) -> Option<usize> {
        let peer = self.peers.get(rank as usize)?;
        if peer.dead.load(Ordering::Relaxed) {
            return None;
        }
        self.route_to(rank)
            .get(peer.transport_index.load(Ordering::Relaxed) as usize)
            .map(|transport| *transport as usize)
    }

    /// All transports to `rank`, best first.
    pub fn route_to(&self, rank: Rank) -> &[u8] {
        &self.routes[self.peers[rank as usize].route as usize]
    }

    /// True if there is any transport.
    pub fn has_transports(&self) -> bool {
        !self.transports.is_empty()
    }

    pub fn pending(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 || self.transports.iter().any(|transport| transport.pending())
    }

    /// True if every sender wakes this rank when it sleeps, and no send or read waits here to be tried again.
    pub fn may_sleep_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
            && self.transports.iter().all(|transport| transport.uses_doorbell() || transport.wake_fd().is_some())
            && !self.pulls.any_waiting()
    }

    /// The rank is about to sleep: from now on messages over transports with a descriptor wake it. False if some came.
    pub fn arm(&self) -> bool {
        let Some(fd_poller) = &self.fd_poller else { return true };
        if !self.transports.iter().all(|transport| transport.arm()) {
            return false;
        }
        fd_poller.arm();
        true
    }

    /// True if transports that only a system call can check are to be polled again.
    fn poll_is_due(&self) -> bool {
        self.needs_polling && clock::now_ns().saturating_sub(self.polled_ns.load(Ordering::Relaxed)) > POLL_INTERVAL_NS
    }

    pub fn is_dead(&self, rank: Rank) -> bool {
        self.peers.get(rank as usize).is_some_and(|peer| peer.dead.load(Ordering::Acquire))
    }

    /// Declares a rank dead; true the first time. Drops the messages that waited for it.
    pub fn mark_dead(&self, rank: Rank) -> bool {
        let peer = &self.peers[rank as usize];
        if peer.dead.swap(true, Ordering::AcqRel) {
            return false;
        }
        let outbox = std::mem::take(&mut *peer.outbox.lock());
        self.waiting.fetch_sub(outbox.messages.len(), Ordering::Relaxed);
        true
    }

    /// Sends a final message to a rank that was declared dead, over the transport last used to it: it may only have
    /// been stopped. If the transport refuses the message, it is dropped: the rank's next message gets the same
    /// response.
    pub fn send_to_dead(&self, rank: Rank, message: &Message<'_>) {
        let transport_index = self.peers[rank as usize].transport_index.load(Ordering::Relaxed);
        if let Some(transport) = self.route_to(rank).get(transport_index as usize) {
            let _ = self.transports[*transport as usize].send(rank, &[&message.encode(UNNUMBERED_HEADER.to_vec())]);
        }
    }

    /// Sends over the transport in use now, or queues the message. True if it is the only one queued.
    pub fn send_or_queue(&self, to: Rank, bytes: &[u8], unnumbered: bool, load: impl FnOnce() -> u8) -> bool {
        let peer = &self.peers[to as usize];
        let mut outbox = peer.outbox.lock();
        // Under the lock, which `mark_dead` and a failover take as well.
        let Some(transport) = self.transport_to(to) else { return false };
        let header = if unnumbered { UNNUMBERED_HEADER } else { outbox.send_sequence.next(load) };
        let direct = outbox.messages.is_empty() && outbox.failover.is_none();
        if direct && self.transports[transport].send(to, &[&header, bytes]).is_ok() {
            return false;
        }
        // A lost link is reported by a poll; then the message takes another transport, or is dropped.
        outbox.messages.push_back([&header, bytes].concat());
        self.waiting.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Sends queued messages, as far as the transports accept them.
    fn flush(&self) {
        self.flush_control();
        for (rank, peer) in self.peers.iter().enumerate() {
            let Some(mut outbox) = peer.outbox.try_lock() else { continue };
            if outbox.messages.is_empty() && outbox.failover.is_none() {
                continue;
            }
            let Some(transport) = self.transport_to(rank as Rank) else { continue };
            self.flush_one(&mut outbox, rank as Rank, transport);
        }
    }

    /// Sends a control message to `peer` over the transport that comes after the one whose links it is about. Called
    /// under locks of that transport: a message that cannot be sent now is sent by the next poll.
    pub fn send_control(&self, peer: Rank, bytes: &[u8]) {
        let message = Message::Control { bytes }.encode(UNNUMBERED_HEADER.to_vec());
        lock(&self.control_queue).push_back((peer, message));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.flush_control();
    }

    /// Handles a peer's control message about the links between the two.
    pub fn on_control(&self, peer: Rank, bytes: &[u8]) {
        if let Some(verbs) = &self.verbs {
            verbs.on_control_message(peer, bytes);
        }
    }

    fn flush_control(&self) {
        let mut control_queue = lock(&self.control_queue);
        while let Some((peer, message)) = control_queue.front() {
            // After the transport that is set up there is one more in the route of both ranks.
            let transport = self.route_to(*peer).last().map(|transport| *transport as usize);
            if transport
                .is_some_and(|transport| self.transports[transport].send(*peer, &[message]) == Err(Refusal::Full))
            {
                break;
            }
            control_queue.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub fn flush_one(&self, outbox: &mut PeerOutbox, rank: Rank, transport: usize) {
        if let Some(failover) = &mut outbox.failover {
            failover.send_resume(|bytes| self.transports[transport].send(rank, &[bytes]).is_ok());
            return;
        }
        while let Some(message) = outbox.messages.front() {
            if self.transports[transport].send(rank, &[message]).is_err() {
                break;
            }
            outbox.messages.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Runtime {
    /// Sends a message; one to this rank itself is handled at once. Never blocks: messages that the transport refuses
    /// are queued.
    pub fn send(&'static self, to: Rank, message: &Message<'_>) {
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes = message.encode(bytes);
        let length = MESSAGE_HEADER_BYTES + bytes.len();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes was not spilled: {message:?}");
        if to == self.rank {
            self.protocol.handle(&self, to, &bytes);
        } else if self
            .router
            .send_or_queue(to, &bytes, message.is_link_control(), || StealState::load_class(self.surplus_tasks()))
        {
            self.router.doorbell.notify_always();
        }
        BUFFER.set(bytes);
    }

    /// Blocks a submitting thread while too many messages wait for `to`. Now and then the thread also receives:
    /// otherwise each response would wake the progress thread.
    pub fn throttle(&'static self, to: Rank) {
        let submitted = SUBMITTED.get().wrapping_add(1);
        SUBMITTED.set(submitted);
        if submitted.is_multiple_of(SUBMITS_PER_POLL) {
            self.router.doorbell.set_awake();
            self.try_poll();
        }
        // The count of messages for all peers is read without a lock, and is nearly always 0.
        let full = || {
            self.router.waiting.load(Ordering::Relaxed) > OUTBOX_MESSAGES_MAX
                && self.router.peers[to as usize].outbox.lock().messages.len() > OUTBOX_MESSAGES_MAX
        };
        while full() && !self.stopping() {
            if self.poll() == 0 {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }

    /// Receives messages and sends queued ones; returns the number of events. Any thread may call it.
    pub fn poll(&'static self) -> usize {
        // Other threads may poll at the same time: it only matters that the number changes.
        self.router.polls.store(self.router.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        self.receive_and_flush()
    }

    /// Polls if a message came, or a poll is due.
    #[inline]
    pub fn try_poll(&'static self) {
        if self.router.has_transports() {
            if self.router.pending() || self.router.poll_is_due() {
                self.poll();
            } else {
                self.router.polls.store(self.router.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            }
        }
    }

    pub fn receive_and_flush(&'static self) -> usize {
        let mut events = 0;
        for (index, transport) in self.router.transports.iter().enumerate() {
            events += transport.poll(&mut |event| {
                in_callback(|| match event {
                    TransportEvent::Message { from, bytes } => self.protocol.receive(&self, from, bytes),
                    TransportEvent::ReadDone { token, block } => self.on_read_done(token, block),
                    TransportEvent::LinkDown { peer, reason } => self.on_link_down(index, peer, &reason),
                });
            });
        }
        if self.router.needs_polling {
            self.router.polled_ns.store(clock::now_ns(), Ordering::Relaxed);
        }
        if self.router.waiting.load(Ordering::Relaxed) > 0 {
            self.router.flush();
        }
        if self.router.pulls.any_waiting() {
            self.start_pulls();
        }
        events
    }

    /// True if messages wait here to be sent.
    pub fn has_queued_messages(&self) -> bool {
        self.router.waiting.load(Ordering::Relaxed) > 0
    }
}
