//! The transports of a rank: which one leads to each peer now, and which peers are dead.

use crate::base::Rank;
use crate::base::spin_lock::SpinLock;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::memory::{Block, Doorbell};
use crate::protocol::LoadHeader;
use crate::runtime::router::direct::DirectSends;
use crate::runtime::router::fd_poller::{FdPoller, LocalPeer};
use crate::runtime::router::outboxes::PeerOutbox;
use crate::runtime::router::polling::Polling;
use crate::runtime::router::process_end::ProcessEnd;
use crate::transport::shm::SendRing;
use crate::transport::{Refusal, RemoteAddress, Transport};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The transports of a rank, and its state for each peer.
pub struct Router {
    /// Each transport once.
    pub(super) transports: Vec<Arc<dyn Transport>>,
    /// The different routes to peers: each holds the indices in `transports` of the transports to use, best first.
    routes: Vec<Vec<u8>>,
    /// By rank.
    pub(super) peers: Vec<PeerRoute>,
    /// Messages in all outboxes.
    pub(super) waiting: AtomicUsize,
    /// Control messages that are not sent yet.
    pub(super) control_queue: Mutex<VecDeque<(Rank, Vec<u8>)>>,
    /// When which thread polls.
    pub polling: Polling,
    /// The doorbell that peers notify.
    pub doorbell: Arc<Doorbell>,
    fd_poller: Option<FdPoller>,
}

/// The state of a rank for one peer.
pub struct PeerRoute {
    /// The index of its route in `routes`.
    route: u16,
    /// How many transports of that route have failed.
    pub(super) transport_index: AtomicU8,
    /// Declared dead; for good.
    dead: AtomicBool,
    /// The ring to it, if it is of this host.
    pub(super) ring: Option<Arc<SendRing>>,
    /// If messages may go to the ring past the outbox.
    pub(super) direct: DirectSends,
    /// The header of messages to the ring.
    pub(super) ring_header: LoadHeader,
    pub(super) outbox: SpinLock<PeerOutbox>,
}

impl Router {
    /// With these transports; watches the processes of `local_peers`. `routes_to` gives for each rank the transports to
    /// it, best first, by their indices in `transports`.
    pub fn new(
        transports: Vec<Arc<dyn Transport>>,
        routes_to: &[Vec<u8>],
        local_peers: Vec<LocalPeer>,
        doorbell: Arc<Doorbell>,
        spin: Duration,
    ) -> Router {
        let mut routes: Vec<Vec<u8>> = Vec::new();
        let peers = (0..).zip(routes_to).map(|(rank, route)| {
            let known = routes.iter().position(|known| known == route);
            let route = known.unwrap_or_else(|| {
                routes.push(route.clone());
                routes.len() - 1
            });
            let ring = routes[route].first().and_then(|first| transports[*first as usize].ring_to(rank));
            PeerRoute {
                route: route as u16,
                transport_index: AtomicU8::new(0),
                dead: AtomicBool::new(false),
                direct: DirectSends::default(),
                ring,
                ring_header: LoadHeader::default(),
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
            control_queue: Mutex::default(),
            polling: Polling::new(needs_polling, spin),
            doorbell,
            fd_poller,
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

    /// False if a poll would find nothing: no transport needs a system call to know.
    #[inline]
    pub(super) fn may_have_something(&self) -> bool {
        self.polling.needs_polling || self.pending()
    }

    pub fn pending(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 || self.transports.iter().any(|transport| transport.pending())
    }

    /// True if every sender wakes this rank when it sleeps, and no message waits here to be tried again.
    pub fn may_sleep_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
            && self.transports.iter().all(|transport| transport.uses_doorbell() || transport.wake_fd().is_some())
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

    /// The ranks of this host whose processes ended since the last call, and how.
    pub fn take_ended(&self) -> Vec<(Rank, ProcessEnd)> {
        self.fd_poller.as_ref().map_or_else(Vec::new, FdPoller::take_ended)
    }

    /// Begins to read over a transport that leads to `from`; a poll reports the end of it under that token.
    ///
    /// # Errors
    /// `Full` or `Lost`, with the block.
    pub fn read(
        &self,
        transport: usize,
        from: Rank,
        address: RemoteAddress,
        block: Block,
        token: u64,
    ) -> Result<(), (Refusal, Block)> {
        self.transports[transport].read(from, address, block, token)
    }

    /// True while a transport makes its first connection to `peer`.
    pub fn is_connecting(&self, peer: Rank) -> bool {
        self.transports.iter().any(|transport| transport.is_connecting(peer))
    }

    /// Closes all transports: the cluster ends.
    pub fn close(&self) {
        if let Some(fd_poller) = &self.fd_poller {
            fd_poller.stop();
        }
        self.transports.iter().for_each(|transport| transport.close());
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
        let mut outbox = peer.outbox.lock();
        peer.direct.forbid();
        let outbox = std::mem::take(&mut *outbox);
        self.waiting.fetch_sub(outbox.messages.len(), Ordering::Relaxed);
        true
    }
}
