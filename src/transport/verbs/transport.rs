//! The transport itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `poller`, one of `links`, then any of the rest, for a few instructions. Only `poller` is
//! held while an event is delivered, and a second poll returns at once: a receiver may send and read inside its event.

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
use super::{ControlChannel, VerbsPeers};
use crate::base::clock::now_ns;
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX};
use crate::base::sync::{lock, try_lock};
use crate::base::{self, Error, Rank};
use crate::memory::{Block, Region, RegionNumber, STORE};
use crate::transport::events::{PollerQueue, TransportEvents};
use crate::transport::{Deliver, ReadError, Refusal, RegisterError, RemoteAddress, Transport, TransportEvent, Unacked};
use rustc_hash::FxHashMap;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
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
    pub(super) failing: PollerQueue<Rank>,
    events: TransportEvents,
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
    /// As [`super::OpenPort::start`], with at most `links_limit` queue pairs.
    ///
    /// # Errors
    /// What the device refused.
    pub fn start(endpoint: VerbsEndpoint, peers: VerbsPeers, links_limit: u32) -> base::Result<VerbsTransport> {
        let VerbsPeers { me, addresses, control, peer_timeout } = peers;
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
            failing: PollerQueue::default(),
            events: TransportEvents::default(),
            checked_ns: Mutex::new(now_ns()),
            #[cfg(test)]
            links_max,
            poller: Mutex::default(),
            waker,
            offered: Mutex::default(),
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
    pub fn check_reachable(&self, peer: Rank) -> Result<(), VerbsError> {
        self.reachable_address(peer)?;
        let idle = matches!(*lock(&self.links[peer as usize]), VerbsLink::Idle);
        if idle && lock(&self.by_number).len() as u32 >= self.links_max {
            return Err(VerbsError::LinksTaken { links: self.links_max, device: self.device().to_string() });
        }
        Ok(())
    }

    /// Queues a failed link to be closed by a poll.
    pub(super) fn queue_failing(&self, peer: Rank) {
        self.failing.push(peer);
        self.waker.notify();
    }

    /// The peer's address, if a queue pair can connect to it.
    pub(super) fn reachable_address(&self, peer: Rank) -> Result<&VerbsAddress, VerbsError> {
        let address = self.addresses.get(peer as usize).and_then(Option::as_ref);
        let address = address.ok_or(VerbsError::PeerWithoutDevice { peer })?;
        self.parts.address.check_reachable(address)?;
        Ok(address)
    }

    pub(super) fn device(&self) -> &str {
        self.parts.device.name()
    }

    pub(super) fn queue_event(&self, event: TransportEvent<'static>) {
        self.events.push(event);
        self.waker.notify();
    }

    pub(super) fn remote_keys(&self) -> Arc<[RegionKeys]> {
        lock(&self.offered).remote.clone()
    }

    pub(super) fn store_keys(&self) -> Option<Arc<RegionKeys>> {
        lock(&self.offered).store.clone()
    }
}

impl Transport for VerbsTransport {
    fn name(&self) -> &'static str {
        "verbs"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
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

    fn poll(&self, deliver: Deliver<'_>) -> usize {
        let Some(mut poller) = try_lock(&self.poller) else { return 0 };
        let mut delivered = self.events.deliver(POLL_BATCH_MAX, deliver);
        if self.progress(&mut poller, &mut delivered, deliver) {
            self.close_failed_links();
            self.check_timeouts();
        }
        self.return_credits(&mut poller);
        delivered + self.events.deliver(POLL_BATCH_MAX.saturating_sub(delivered), deliver)
    }

    /// Polls the device's queue, which is memory. If another thread is polling, it returns true: that thread may be
    /// about to sleep too.
    fn pending(&self) -> bool {
        if self.events.len() > 0 || self.failing.len() > 0 {
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

    fn register(&self, region: &Region) -> Result<(), RegisterError> {
        let registered = RegisteredRegion::new(&self.parts.device, region, self.registered_bytes_max)?;
        self.add_region(region.number(), registered);
        Ok(())
    }

    /// A read that finishes or fails at once is reported by the next poll.
    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let connection = match self.open_link(peer, &mut link) {
            Ok(connection) => connection,
            Err(refusal) => return Err((refusal, into)),
        };
        let end = |block| {
            self.queue_event(TransportEvent::ReadDone { token, block });
            Ok(())
        };
        let Some(keys) = connection.regions.iter().find(|keys| keys.number == from.region) else {
            return end(Err(ReadError::NoRegion { peer, region: from.region, over: self.device().to_string() }));
        };
        if !keys.contains(from.offset, into.len() as u64) {
            return end(Err(ReadError::outside(peer, from, into.len())));
        }
        if into.is_empty() {
            return end(Ok(into));
        }
        let not_registered = || ReadError::NotRegistered { rank: self.me, device: self.device().to_string() };
        let Some(store) = self.store_keys() else { return end(Err(not_registered())) };
        if !connection.reads.has_capacity() {
            return Err((Refusal::Full, into));
        }
        if !connection.awaits_completions() {
            connection.last_progress_ns = now_ns();
        }
        let VerbsConnection { reads, pair, regions, .. } = &mut *connection;
        if reads.start(into, token, (from.region, from.offset), &store).is_err() {
            return end(Err(not_registered()));
        }
        if let Err(reason) = reads.advance(pair, regions, &store) {
            self.fail_link(peer, connection, reason);
        }
        Ok(())
    }

    fn close(&self) {
        self.drain();
    }

    fn on_control_message(&self, from: Rank, bytes: &[u8]) {
        self.on_control(from, bytes);
    }

    fn take_unacked(&self, peer: Rank) -> Option<Unacked> {
        match &mut *lock(&self.links[peer as usize]) {
            VerbsLink::Failed(unacked) => unacked.take(),
            VerbsLink::Idle | VerbsLink::Live(_) => None,
        }
    }
}
