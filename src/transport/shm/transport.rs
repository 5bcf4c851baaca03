//! The data path: no system call except to wake a sleeping peer, no allocation, one uncontended lock a message.

use crate::base::Rank;
use crate::base::error::Result;
use crate::base::limits::POLL_BATCH_MAX;
use crate::base::spin_lock::SpinLock;
use crate::memory::{Block, Consumer, Doorbell, PeerArena, Popped, RingView, STORE, Segment, SegmentHandle};
use crate::transport::events::TransportEvents;
use crate::transport::shm::inbox::{Inbox, open_ring_to};
use crate::transport::shm::send_ring::SendRing;
use crate::transport::{Deliver, ReadError, Refusal, RemoteAddress, Transport, TransportEvent};
use std::sync::{Arc, OnceLock};

/// Messages taken from one peer before the next has its turn.
const TURN_MAX: usize = 16;

/// Completed reads that are not yet delivered, at most.
const DONE_MAX: usize = 1024;

/// The receiving side from one peer.
struct ReceiveRing {
    peer: Rank,
    /// `None` once the link to the peer failed.
    consumer: Option<Consumer>,
}

/// What only the one polling thread uses.
struct PollState {
    incoming: Vec<ReceiveRing>,
    /// The peer whose turn it is.
    next: usize,
}

/// The transport between this rank and the others of its host.
pub struct ShmTransport {
    me: Rank,
    doorbell: Arc<Doorbell>,
    /// By rank, ascending; `views` and `PollState::incoming` have the same order.
    outgoing: Box<[(Rank, Arc<SendRing>)]>,
    /// What comes from each peer, readable without a lock.
    views: Box<[RingView]>,
    polling: SpinLock<PollState>,
    arenas: OnceLock<Vec<(Rank, Arc<PeerArena>)>>,
    /// Reads that are completed and not yet delivered.
    done: TransportEvents,
    /// Peers open this rank's inbox through its file, also after this rank has joined theirs.
    _inbox: Arc<Segment>,
}

impl ShmTransport {
    /// Opens the inboxes of the host's other ranks; `peers` has one handle for each of them.
    ///
    /// # Errors
    /// `Error::Fabric` where a peer's inbox cannot be mapped or has no ring for this rank.
    pub fn join(inbox: Inbox, peers: &[(Rank, SegmentHandle)]) -> Result<ShmTransport> {
        let Inbox { me, doorbell, mut incoming, segment } = inbox;
        incoming.sort_by_key(|(peer, _)| *peer);
        let mut outgoing = Vec::with_capacity(incoming.len());
        for (peer, _) in &incoming {
            let handle = peers.iter().find(|(rank, _)| rank == peer).map(|(_, handle)| handle);
            let handle = handle.unwrap_or_else(|| panic!("rank {me} was given no handle of rank {peer}'s inbox"));
            let (producer, doorbell) = open_ring_to(*peer, handle, me)?;
            outgoing.push((*peer, Arc::new(SendRing::new(producer, doorbell))));
        }
        let views = incoming.iter().map(|(_, from)| from.view()).collect();
        let incoming = incoming.into_iter().map(|(peer, from)| ReceiveRing { peer, consumer: Some(from) }).collect();
        Ok(ShmTransport {
            me,
            doorbell,
            outgoing: outgoing.into(),
            views,
            polling: SpinLock::new(PollState { incoming, next: 0 }),
            arenas: OnceLock::new(),
            done: TransportEvents::default(),
            _inbox: segment,
        })
    }

    /// Sets the arenas that bulk reads copy from. Until then every read is refused as `Lost`.
    ///
    /// # Panics
    /// When called twice.
    pub fn set_arenas(&self, arenas: Vec<(Rank, Arc<PeerArena>)>) {
        assert!(self.arenas.set(arenas).is_ok(), "the arenas of a host's ranks are set once");
    }

    /// The doorbell that wakes a sleeping peer.
    pub fn doorbell_of(&self, peer: Rank) -> Arc<Doorbell> {
        self.ring_of(peer).doorbell().clone()
    }

    /// The ring to a peer. Panics for a rank of another host: such a route is a bug.
    fn ring_of(&self, peer: Rank) -> &Arc<SendRing> {
        let index = self.outgoing.binary_search_by_key(&peer, |(rank, _)| *rank);
        let index = index.unwrap_or_else(|_| panic!("rank {peer} is not a peer of rank {} on its host", self.me));
        &self.outgoing[index].1
    }
}

impl Transport for ShmTransport {
    fn name(&self) -> &'static str {
        "shm"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        self.ring_of(peer).push(|producer| producer.push(parts))
    }

    fn ring_to(&self, peer: Rank) -> Option<Arc<SendRing>> {
        Some(self.ring_of(peer).clone())
    }

    fn poll(&self, deliver: Deliver<'_>) -> usize {
        let Some(mut polling) = self.polling.try_lock() else { return 0 };
        let mut events = self.done.deliver(POLL_BATCH_MAX, deliver);
        let peers = polling.incoming.len();
        for _ in 0..peers {
            if events == POLL_BATCH_MAX {
                break;
            }
            let index = polling.next;
            polling.next = if index + 1 == peers { 0 } else { index + 1 };
            let most = POLL_BATCH_MAX.min(events + TURN_MAX);
            let ReceiveRing { peer, consumer } = &mut polling.incoming[index];
            let from = *peer;
            while events < most
                && let Some(ring) = consumer
            {
                match ring.pop(|bytes| deliver(TransportEvent::Message { from, bytes })) {
                    Popped::Message => events += 1,
                    Popped::Empty => break,
                    Popped::Corrupt => {
                        *consumer = None;
                        self.outgoing[index].1.fail();
                        let reason = "its ring in shared memory holds bytes that no rank writes".to_string();
                        deliver(TransportEvent::LinkDown { peer: from, reason });
                        events += 1;
                    }
                }
            }
        }
        events
    }

    /// Takes no lock: a thread about to sleep must not get "nothing" because another thread polls at the same time.
    fn pending(&self) -> bool {
        self.done.len() > 0
            || self.views.iter().zip(&self.outgoing).any(|(view, (_, ring))| !view.is_empty() && !ring.has_failed())
    }

    fn uses_doorbell(&self) -> bool {
        true
    }

    /// Copies the bytes out of the peer's mapped arena; a later poll delivers the block.
    fn read(&self, peer: Rank, from: RemoteAddress, mut into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let arenas = self.arenas.get().map_or(&[][..], Vec::as_slice);
        let Some((_, arena)) = arenas.iter().find(|(rank, _)| *rank == peer) else { return Err((Refusal::Lost, into)) };
        if self.done.len() >= DONE_MAX {
            return Err((Refusal::Full, into));
        }
        let block = match arena.slice(from.offset, into.len()).filter(|_| from.region == STORE) {
            Some(bytes) => {
                into.as_mut_slice().copy_from_slice(bytes);
                Ok(into)
            }
            None => Err(ReadError::outside(peer, from, into.len())),
        };
        self.done.push(TransportEvent::ReadDone { token, block });
        self.doorbell.notify();
        Ok(())
    }
}
