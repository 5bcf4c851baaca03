//! The transport itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `poller`, one of `links`, then any of the rest, for a few instructions. Only `poller` is
//! held while an event is delivered, and a second poll returns at once: a receiver may send and read inside its event.

use super::ControlChannel;
use super::address::VerbsAddress;
use super::choice::{links_max, timeout_code};
use super::completion::CompletionQueue;
use super::connection::VerbsConnection;
use super::endpoint::VerbsEndpoint;
use super::error::VerbsError;
use super::progress::VerbsPoller;
use super::queue_pair::{PairResources, READS_UNDER_WAY, SEND_REQUESTS};
use super::receive_queue::{BUFFERS_EACH, ReceiveQueue};
use super::regions::RegionKeys;
use super::registration::RegisteredRegion;
use super::waker::Waker;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::error::{Error, Result};
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX, VERBS_LINKS_MAX};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::memory::{Block, Region, RegionNumber, STORE};
use crate::transport::{ReadError, Refusal, RegisterError, RemoteAddress, Transport, TransportEvent, Unacked};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

/// The link to one peer.
pub(super) enum VerbsLink {
    /// Never used.
    Idle,
    /// Connected, or about to be.
    Live(Box<VerbsConnection>),
    /// Failed; holds what is unacknowledged until it is taken.
    Failed(Option<Unacked>),
}

/// An event that the next poll will report.
pub(super) enum VerbsEvent {
    ReadDone { token: u64, block: std::result::Result<Block, ReadError> },
    PeerFailed { peer: Rank, reason: String },
}

/// The transport over RDMA between all ranks that have a verbs address.
pub struct VerbsTransport {
    pub(super) me: Rank,
    pub(super) parts: Arc<PairResources>,
    pub(super) addresses: Vec<Option<VerbsAddress>>,
    pub(super) control: Arc<dyn ControlChannel>,
    pub(super) peer_timeout: Duration,
    pub(super) transfer_bytes_max: u32,
    registered_bytes_max: u64,
    pub(super) links: Box<[Mutex<VerbsLink>]>,
    /// The peers that have a queue pair, by its number.
    pub(super) by_number: Mutex<FxHashMap<u32, Rank>>,
    /// Peers whose links failed and are not yet closed.
    failing: Mutex<Vec<Rank>>,
    /// The length of `failing`.
    failing_count: AtomicUsize,
    events: Mutex<VecDeque<VerbsEvent>>,
    /// The length of `events`.
    event_count: AtomicUsize,
    pub(super) checked_ns: Mutex<u64>,
    #[cfg(test)]
    links_max: u32,
    poller: Mutex<VerbsPoller>,
    waker: Waker,
    /// The regions that peers read, with their keys. After the links: peers read through their queue pairs.
    offered: Mutex<OfferedRegions>,
}

/// Regions of this rank.
#[derive(Default)]
struct OfferedRegions {
    registered: Vec<RegisteredRegion>,
    remote: Arc<[RegionKeys]>,
    store: Option<Arc<RegionKeys>>,
}

impl VerbsTransport {
    /// Starts the transport: `addresses` has each rank's, by rank. A queue pair is created when a peer is first used.
    ///
    /// A link fails if the peer or its device does not answer for `peer_timeout`.
    ///
    /// # Errors
    /// What the device refused.
    pub fn start(
        endpoint: VerbsEndpoint,
        me: Rank,
        addresses: Vec<Option<VerbsAddress>>,
        control: Arc<dyn ControlChannel>,
        peer_timeout: Duration,
    ) -> Result<VerbsTransport> {
        VerbsTransport::start_bounded(endpoint, me, addresses, control, peer_timeout, VERBS_LINKS_MAX)
    }

    /// As `start`, with at most `links_limit` queue pairs.
    pub(super) fn start_bounded(
        endpoint: VerbsEndpoint,
        me: Rank,
        addresses: Vec<Option<VerbsAddress>>,
        control: Arc<dyn ControlChannel>,
        peer_timeout: Duration,
        links_limit: u32,
    ) -> Result<VerbsTransport> {
        let VerbsEndpoint { device, limits, address, gid_index, transfer_bytes_max, registered } = endpoint;
        // Each request of a link can be in the completion queue at once: all of them are when the link fails.
        let completions_each = BUFFERS_EACH as u32 + u32::from(SEND_REQUESTS);
        let per_link = [1, BUFFERS_EACH as u32, completions_each];
        let device_has = [limits.queue_pairs, limits.receives, limits.completions];
        let links_max = links_max(addresses.len() as u32, links_limit, per_link, device_has);
        let error_here = |error: VerbsError| Error::fabric(format!("rank {me}: {error}")).caused_by(&error);
        let completions = CompletionQueue::new(&device, (links_max * completions_each).max(1)).map_err(error_here)?;
        let receives = ReceiveQueue::new(&device, links_max).map_err(error_here)?;
        let waker = Waker::new(completions.wake_fd()).map_err(|error| error_here(VerbsError::NoWaker(error)))?;
        let parts = PairResources {
            completions: Arc::new(completions),
            receives: Arc::new(receives),
            device,
            address,
            gid_index,
            timeout: timeout_code(peer_timeout),
            reads_initiated: limits.reads_initiated.clamp(1, READS_UNDER_WAY),
        };
        let links = addresses.iter().map(|_| Mutex::new(VerbsLink::Idle)).collect();
        let transport = VerbsTransport {
            me,
            parts: Arc::new(parts),
            addresses,
            control,
            peer_timeout,
            transfer_bytes_max,
            registered_bytes_max: limits.registered_bytes_max,
            links,
            by_number: Mutex::default(),
            failing: Mutex::default(),
            failing_count: AtomicUsize::new(0),
            events: Mutex::default(),
            event_count: AtomicUsize::new(0),
            checked_ns: Mutex::new(now_ns()),
            #[cfg(test)]
            links_max,
            poller: Mutex::default(),
            waker,
            offered: Mutex::new(OfferedRegions { registered: Vec::new(), remote: Arc::new([]), store: None }),
        };
        registered.into_iter().for_each(|(number, region)| transport.add_region(number, region));
        Ok(transport)
    }

    /// Lets peers that connect from now on read a region.
    fn add_region(&self, number: RegionNumber, registered: RegisteredRegion) {
        let mut offered = lock(&self.offered);
        if number == STORE {
            offered.store = Some(Arc::new(registered.local()));
        }
        offered.remote = offered.remote.iter().cloned().chain([registered.remote()]).collect();
        offered.registered.push(registered);
    }

    /// Succeeds if this transport can reach `peer` now. The first send to a peer that it cannot reach returns `Lost`.
    ///
    /// # Errors
    /// Why it cannot.
    #[cfg(test)]
    pub fn check_reachable(&self, peer: Rank) -> std::result::Result<(), VerbsError> {
        self.reachable_address(peer)?;
        let idle = matches!(*lock(&self.links[peer as usize]), VerbsLink::Idle);
        if idle && lock(&self.by_number).len() as u32 >= self.links_max {
            return Err(VerbsError::LinksTaken { links: self.links_max, device: self.device().to_string() });
        }
        Ok(())
    }

    /// Queues a failed link to be closed by a poll.
    pub(super) fn queue_failing(&self, peer: Rank) {
        let mut failing = lock(&self.failing);
        failing.push(peer);
        self.failing_count.store(failing.len(), Ordering::SeqCst);
        drop(failing);
        self.waker.notify();
    }

    pub(super) fn take_failing(&self) -> Vec<Rank> {
        let mut failing = lock(&self.failing);
        self.failing_count.store(0, Ordering::SeqCst);
        std::mem::take(&mut *failing)
    }

    /// The peer's address, if a queue pair can connect to it.
    pub(super) fn reachable_address(&self, peer: Rank) -> std::result::Result<&VerbsAddress, VerbsError> {
        let address = self.addresses.get(peer as usize).and_then(Option::as_ref);
        let address = address.ok_or(VerbsError::PeerWithoutDevice { peer })?;
        self.parts.address.check_reachable(address)?;
        Ok(address)
    }

    pub(super) fn device(&self) -> &str {
        self.parts.device.name()
    }

    pub(super) fn queue_event(&self, event: VerbsEvent) {
        let mut events = lock(&self.events);
        events.push_back(event);
        // SeqCst: pairs with the load in `pending`, as the waker requires.
        self.event_count.store(events.len(), Ordering::SeqCst);
        drop(events);
        self.waker.notify();
    }

    pub(super) fn remote_keys(&self) -> Arc<[RegionKeys]> {
        lock(&self.offered).remote.clone()
    }

    pub(super) fn store_keys(&self) -> Option<Arc<RegionKeys>> {
        lock(&self.offered).store.clone()
    }

    fn deliver_events(&self, count_max: usize, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let mut delivered = 0;
        while delivered < count_max && self.event_count.load(Ordering::Relaxed) > 0 {
            let event = {
                let mut events = lock(&self.events);
                let event = events.pop_front();
                self.event_count.store(events.len(), Ordering::Relaxed);
                event
            };
            match event {
                Some(VerbsEvent::ReadDone { token, block }) => deliver(TransportEvent::ReadDone { token, block }),
                Some(VerbsEvent::PeerFailed { peer, reason }) => deliver(TransportEvent::LinkDown { peer, reason }),
                None => break,
            }
            delivered += 1;
        }
        delivered
    }
}

/// The lock, or `None` if another thread holds it.
fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Transport for VerbsTransport {
    fn name(&self) -> &'static str {
        "verbs"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> std::result::Result<(), Refusal> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert!(bytes <= MESSAGE_BYTES_MAX, "a message of {bytes} bytes, {MESSAGE_BYTES_MAX} is the most");
        let mut link = lock(&self.links[peer as usize]);
        let connection = self.open_link(peer, &mut link)?;
        if !connection.fits(bytes) {
            return Err(Refusal::Full);
        }
        let sent = connection.send(parts);
        // A message that the device did not accept is among the unacknowledged ones.
        sent.or_else(|reason| {
            self.fail_link(peer, connection, reason);
            Ok(())
        })
    }

    fn poll(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let Some(mut poller) = try_lock(&self.poller) else { return 0 };
        let mut delivered = self.deliver_events(POLL_BATCH_MAX, deliver);
        if self.progress(&mut poller, &mut delivered, deliver) {
            self.close_failed_links();
            self.check_timeouts();
        }
        self.return_credits(&mut poller);
        delivered + self.deliver_events(POLL_BATCH_MAX.saturating_sub(delivered), deliver)
    }

    /// Polls the device's queue, which is memory. If another thread is polling, it returns true: that thread may be
    /// about to sleep too.
    fn pending(&self) -> bool {
        // SeqCst: pairs with the stores in `queue_event` and `queue_failing`.
        if self.event_count.load(Ordering::SeqCst) > 0 || self.failing_count.load(Ordering::SeqCst) > 0 {
            return true;
        }
        let Some(mut poller) = try_lock(&self.poller) else { return true };
        !poller.found.is_empty() || !matches!(self.parts.completions.take(&mut poller.found), Ok(0))
    }

    fn uses_doorbell(&self) -> bool {
        false
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.waker.descriptor())
    }

    fn arm(&self) -> bool {
        self.parts.completions.arm();
        self.waker.arm();
        !self.pending()
    }

    fn register(&self, region: &Region) -> std::result::Result<(), RegisterError> {
        let registered = RegisteredRegion::new(&self.parts.device, region, self.registered_bytes_max)?;
        self.add_region(region.number(), registered);
        Ok(())
    }

    fn read(
        &self,
        peer: Rank,
        from: RemoteAddress,
        into: Block,
        token: u64,
    ) -> std::result::Result<(), (Refusal, Block)> {
        self.begin_read(peer, from, into, token)
    }

    fn close(&self) {
        self.drain();
    }

    fn take_unacked(&self, peer: Rank) -> Option<Unacked> {
        match &mut *lock(&self.links[peer as usize]) {
            VerbsLink::Failed(unacked) => unacked.take(),
            VerbsLink::Idle | VerbsLink::Live(_) => None,
        }
    }
}
