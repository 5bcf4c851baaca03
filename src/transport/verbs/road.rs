//! The fabric itself: which lock each call takes, and what a poll does in which order.
//!
//! Locks, in the order taken: `poller`, one of `links`, then any of the rest, for a few instructions. None but `poller`
//! is held while an event is delivered, and its second taker turns away: a receiver may send and read inside its event.

use super::SideRoad;
use super::card::VerbsCard;
use super::choice::{links_max, timeout_code};
use super::completion::CompletionQueue;
use super::connection::Connection;
use super::endpoint::VerbsEndpoint;
use super::incoming::Poller;
use super::queue_pair::{Parts, READS_UNDER_WAY, SEND_REQUESTS};
use super::receives::{BUFFERS_EACH, Receives};
use super::regions::RegionKeys;
use super::registration::RegisteredRegion;
use super::waker::Waker;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::error::{Error, Result};
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX, VERBS_LINKS_MAX};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::memory::{Block, Region, RegionNumber, STORE};
use crate::transport::{Event, Fabric, Place, Refusal, Salvage};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

/// One peer.
pub(super) enum Link {
    /// Never used.
    Idle,
    /// Joined, or about to be.
    Live(Box<Connection>),
    /// Gone; what is left of it until it is taken.
    Lost(Option<Salvage>),
}

/// What a poll will report.
pub(super) enum Notice {
    ReadDone { token: u64, block: std::result::Result<Block, String> },
    Lost { peer: Rank, reason: String },
}

/// The road over RDMA between all ranks with a card.
pub struct VerbsFabric {
    pub(super) me: Rank,
    pub(super) parts: Arc<Parts>,
    pub(super) cards: Vec<Option<VerbsCard>>,
    pub(super) side: Arc<dyn SideRoad>,
    pub(super) silence: Duration,
    pub(super) transfer_bytes_max: u32,
    registered_bytes_max: u64,
    pub(super) links: Box<[Mutex<Link>]>,
    /// The peers that have a queue pair, by its number.
    pub(super) by_number: Mutex<FxHashMap<u32, Rank>>,
    /// Links that failed and are not yet ended.
    failing: Mutex<Vec<Rank>>,
    /// How many are in `failing`.
    failing_count: AtomicUsize,
    notices: Mutex<VecDeque<Notice>>,
    /// How many are in `notices`.
    notice_count: AtomicUsize,
    pub(super) checked_ns: Mutex<u64>,
    #[cfg(test)]
    links_max: u32,
    poller: Mutex<Poller>,
    waker: Waker,
    /// What peers read, with their keys. After the links: peers read through their queue pairs.
    offered: Mutex<Offered>,
}

/// Regions of this rank.
#[derive(Default)]
struct Offered {
    registered: Vec<RegisteredRegion>,
    remote: Arc<[RegionKeys]>,
    store: Option<Arc<RegionKeys>>,
}

impl VerbsFabric {
    /// Lays the road: `cards` has each rank's, by rank. A queue pair is made when a peer is first used.
    ///
    /// A peer that does not answer, or whose device does not, for `silence` is lost.
    ///
    /// # Errors
    /// What the device did not give.
    pub fn start(
        endpoint: VerbsEndpoint,
        me: Rank,
        cards: Vec<Option<VerbsCard>>,
        side: Arc<dyn SideRoad>,
        silence: Duration,
    ) -> Result<VerbsFabric> {
        VerbsFabric::start_bounded(endpoint, me, cards, side, silence, VERBS_LINKS_MAX)
    }

    /// As `start`, with at most `links_most` queue pairs.
    pub(super) fn start_bounded(
        endpoint: VerbsEndpoint,
        me: Rank,
        cards: Vec<Option<VerbsCard>>,
        side: Arc<dyn SideRoad>,
        silence: Duration,
        links_most: u32,
    ) -> Result<VerbsFabric> {
        let VerbsEndpoint { device, abilities, card, gid_index, transfer_bytes_max, registered } = endpoint;
        // Each request of a link can be in the queue of completions at once: all of them when it breaks.
        let completions_each = BUFFERS_EACH as u32 + u32::from(SEND_REQUESTS);
        let per_link = [1, BUFFERS_EACH as u32, completions_each];
        let has = [abilities.queue_pairs, abilities.receives, abilities.completions];
        let links_max = links_max(cards.len() as u32, links_most, per_link, has);
        let at = |error: String| Error::fabric(format!("rank {me}: {error}"));
        let completions = CompletionQueue::new(&device, (links_max * completions_each).max(1)).map_err(at)?;
        let receives = Receives::new(&device, links_max).map_err(at)?;
        let waker =
            Waker::new(completions.wake_fd()).map_err(|error| at(format!("no descriptor to sleep on: {error}")))?;
        let parts = Parts {
            completions: Arc::new(completions),
            receives: Arc::new(receives),
            device,
            card,
            gid_index,
            timeout: timeout_code(silence),
            reads_asked: abilities.reads_asked.clamp(1, READS_UNDER_WAY),
        };
        let links = cards.iter().map(|_| Mutex::new(Link::Idle)).collect();
        let road = VerbsFabric {
            me,
            parts: Arc::new(parts),
            cards,
            side,
            silence,
            transfer_bytes_max,
            registered_bytes_max: abilities.registered_bytes_max,
            links,
            by_number: Mutex::default(),
            failing: Mutex::default(),
            failing_count: AtomicUsize::new(0),
            notices: Mutex::default(),
            notice_count: AtomicUsize::new(0),
            checked_ns: Mutex::new(now_ns()),
            #[cfg(test)]
            links_max,
            poller: Mutex::default(),
            waker,
            offered: Mutex::new(Offered { registered: Vec::new(), remote: Arc::new([]), store: None }),
        };
        registered.into_iter().for_each(|(number, region)| road.show(number, region));
        Ok(road)
    }

    /// Peers that are joined from now on may read it.
    fn show(&self, number: RegionNumber, registered: RegisteredRegion) {
        let mut offered = lock(&self.offered);
        if number == STORE {
            offered.store = Some(Arc::new(registered.local()));
        }
        offered.remote = offered.remote.iter().cloned().chain([registered.remote()]).collect();
        offered.registered.push(registered);
    }

    /// Whether this road can lead to `peer` now. A first message to a rank that it cannot lead to says `Lost`.
    ///
    /// # Errors
    /// Why not.
    #[cfg(test)]
    pub fn reaches(&self, peer: Rank) -> std::result::Result<(), String> {
        self.reaches_card(peer)?;
        let idle = matches!(*lock(&self.links[peer as usize]), Link::Idle);
        if idle && lock(&self.by_number).len() as u32 >= self.links_max {
            return Err(format!("all {} links of rank {} over {} are taken", self.links_max, self.me, self.device()));
        }
        Ok(())
    }

    /// The link to `peer` failed; a poll will end it.
    pub(super) fn note_failing(&self, peer: Rank) {
        let mut failing = lock(&self.failing);
        failing.push(peer);
        self.failing_count.store(failing.len(), Ordering::SeqCst);
        drop(failing);
        self.waker.ring();
    }

    pub(super) fn take_failing(&self) -> Vec<Rank> {
        let mut failing = lock(&self.failing);
        self.failing_count.store(0, Ordering::SeqCst);
        std::mem::take(&mut *failing)
    }

    /// The peer's card, where a queue pair can lead there.
    pub(super) fn reaches_card(&self, peer: Rank) -> std::result::Result<&VerbsCard, String> {
        let card = self.cards.get(peer as usize).and_then(Option::as_ref);
        let card = card.ok_or_else(|| format!("rank {peer} has no RDMA device"))?;
        self.parts.card.reaches(card)?;
        Ok(card)
    }

    pub(super) fn device(&self) -> &str {
        self.parts.device.name()
    }

    pub(super) fn notify(&self, notice: Notice) {
        let mut notices = lock(&self.notices);
        notices.push_back(notice);
        // SeqCst: pairs with the load in `pending`, as the waker asks for.
        self.notice_count.store(notices.len(), Ordering::SeqCst);
        drop(notices);
        self.waker.ring();
    }

    pub(super) fn remote_keys(&self) -> Arc<[RegionKeys]> {
        lock(&self.offered).remote.clone()
    }

    pub(super) fn store_keys(&self) -> Option<Arc<RegionKeys>> {
        lock(&self.offered).store.clone()
    }

    fn report(&self, count_max: usize, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let mut delivered = 0;
        while delivered < count_max && self.notice_count.load(Ordering::Relaxed) > 0 {
            let notice = {
                let mut notices = lock(&self.notices);
                let notice = notices.pop_front();
                self.notice_count.store(notices.len(), Ordering::Relaxed);
                notice
            };
            match notice {
                Some(Notice::ReadDone { token, block }) => deliver(Event::ReadDone { token, block }),
                Some(Notice::Lost { peer, reason }) => deliver(Event::Lost { peer, reason }),
                None => break,
            }
            delivered += 1;
        }
        delivered
    }
}

/// The lock, or nothing where another thread has it.
fn turn<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Fabric for VerbsFabric {
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
        // A message that the device did not take is among the unconfirmed.
        sent.or_else(|reason| {
            self.fail_link(peer, connection, reason);
            Ok(())
        })
    }

    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(mut poller) = turn(&self.poller) else { return 0 };
        let mut delivered = self.report(POLL_BATCH_MAX, deliver);
        if self.progress(&mut poller, &mut delivered, deliver) {
            self.end_failing();
            self.check_silence();
        }
        self.return_credits(&mut poller);
        delivered + self.report(POLL_BATCH_MAX.saturating_sub(delivered), deliver)
    }

    /// Looks into the device's queue, which is memory. Where another thread polls, it may be about to sleep as well.
    fn pending(&self) -> bool {
        // SeqCst: pairs with the stores in `notify` and `note_failing`.
        if self.notice_count.load(Ordering::SeqCst) > 0 || self.failing_count.load(Ordering::SeqCst) > 0 {
            return true;
        }
        let Some(mut poller) = turn(&self.poller) else { return true };
        !poller.found.is_empty() || !matches!(self.parts.completions.take(&mut poller.found), Ok(0))
    }

    fn rings(&self) -> bool {
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

    fn offer(&self, region: &Region) -> std::result::Result<(), String> {
        let registered = RegisteredRegion::new(&self.parts.device, region, self.registered_bytes_max)?;
        self.show(region.number(), registered);
        Ok(())
    }

    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> std::result::Result<(), (Refusal, Block)> {
        self.begin_read(peer, from, into, token)
    }

    fn close(&self) {
        self.drain();
    }

    fn salvage(&self, peer: Rank) -> Option<Salvage> {
        match &mut *lock(&self.links[peer as usize]) {
            Link::Lost(salvage) => salvage.take(),
            Link::Idle | Link::Live(_) => None,
        }
    }
}
