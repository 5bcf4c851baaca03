//! The data path: no system call but to wake a sleeping peer, no allocation, one uncontended lock a message.

use crate::base::Rank;
use crate::base::error::Result;
use crate::base::latch::Latch;
use crate::base::limits::POLL_BATCH_MAX;
use crate::base::sync::{AtomicBool, Ordering};
use crate::memory::{Bell, Block, Consumer, PeerArena, Popped, Producer, Segment, SegmentCard, Watch};
use crate::transport::shm::inbox::{Inbox, open_ring_to};
use crate::transport::shm::reads::Reads;
use crate::transport::{Event, Fabric, Place, Refusal};
use crossbeam_utils::CachePadded;
use std::sync::Arc;

/// Messages taken from one peer before the next has its turn.
const TURN_MAX: usize = 16;

/// Towards one peer.
struct Outgoing {
    peer: Rank,
    producer: Latch<Producer>,
    bell: Arc<Bell>,
}

/// From one peer.
struct Incoming {
    peer: Rank,
    /// `None` once the peer is lost.
    consumer: Option<Consumer>,
}

/// What may be seen of a peer without a lock.
struct Glance {
    watch: Watch,
    lost: AtomicBool,
}

/// What the one polling thread has in hand.
struct Polling {
    incoming: Vec<Incoming>,
    /// Whose turn it is.
    next: usize,
}

/// The road between this rank and the others of its host.
pub struct ShmFabric {
    me: Rank,
    bell: Arc<Bell>,
    /// By rank, ascending; `glances` and `Polling::incoming` in the same order.
    outgoing: Box<[CachePadded<Outgoing>]>,
    glances: Box<[Glance]>,
    polling: Latch<Polling>,
    reads: Reads,
    /// Peers open this rank's inbox through its file, also after this rank has joined theirs.
    _inbox: Arc<Segment>,
}

impl ShmFabric {
    /// Joins the inboxes of the host's other ranks; `peers` has one card for each of them.
    ///
    /// # Errors
    /// `Error::Fabric` where a peer's inbox cannot be mapped or has no ring for this rank.
    pub fn join(inbox: Inbox, peers: &[(Rank, SegmentCard)]) -> Result<ShmFabric> {
        let Inbox { me, bell, mut incoming, segment } = inbox;
        incoming.sort_by_key(|(peer, _)| *peer);
        let mut outgoing = Vec::with_capacity(incoming.len());
        for (peer, _) in &incoming {
            let card = peers.iter().find(|(rank, _)| rank == peer).map(|(_, card)| card);
            let card = card.unwrap_or_else(|| panic!("rank {me} was given no card of rank {peer}'s inbox"));
            let (producer, bell) = open_ring_to(*peer, card, me)?;
            outgoing.push(CachePadded::new(Outgoing {
                peer: *peer,
                producer: Latch::new(producer),
                bell: Arc::new(bell),
            }));
        }
        let glances =
            incoming.iter().map(|(_, from)| Glance { watch: from.watch(), lost: AtomicBool::new(false) }).collect();
        let incoming = incoming.into_iter().map(|(peer, from)| Incoming { peer, consumer: Some(from) }).collect();
        Ok(ShmFabric {
            me,
            bell,
            outgoing: outgoing.into(),
            glances,
            polling: Latch::new(Polling { incoming, next: 0 }),
            reads: Reads::default(),
            _inbox: segment,
        })
    }

    /// The arenas that bulk reads are served from. Until then every read is refused as `Lost`.
    ///
    /// # Panics
    /// When called twice.
    pub fn set_arenas(&self, arenas: Vec<(Rank, Arc<PeerArena>)>) {
        self.reads.set_arenas(arenas);
    }

    /// What wakes a peer that sleeps.
    pub fn bell_of(&self, peer: Rank) -> Arc<Bell> {
        self.outgoing[self.slot(peer)].bell.clone()
    }

    /// The peer's place in all lists. Panics for a rank of another host: whoever routes there is wrong.
    fn slot(&self, peer: Rank) -> usize {
        self.outgoing
            .binary_search_by_key(&peer, |outgoing| outgoing.peer)
            .unwrap_or_else(|_| panic!("rank {peer} is not a peer of rank {} on its host", self.me))
    }

    /// One peer's turn; returns how many events were delivered.
    fn take_turn(&self, slot: usize, from: &mut Incoming, most: usize, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let peer = from.peer;
        let Some(consumer) = &mut from.consumer else { return 0 };
        for done in 0..most {
            match consumer.pop(&mut |bytes| deliver(Event::Message { from: peer, bytes })) {
                Popped::Message => {}
                Popped::Empty => return done,
                Popped::Corrupt => {
                    from.consumer = None;
                    // Relaxed: a send that misses it goes to a ring that nobody relies on any more.
                    self.glances[slot].lost.store(true, Ordering::Relaxed);
                    let reason = "its ring in shared memory holds bytes that no rank writes".to_string();
                    deliver(Event::Lost { peer, reason });
                    return done + 1;
                }
            }
        }
        most
    }
}

impl Fabric for ShmFabric {
    fn name(&self) -> &'static str {
        "shm"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let slot = self.slot(peer);
        if self.glances[slot].lost.load(Ordering::Relaxed) {
            return Err(Refusal::Lost);
        }
        let outgoing = &self.outgoing[slot];
        if !outgoing.producer.lock().push(parts) {
            return Err(Refusal::Full);
        }
        outgoing.bell.notify();
        Ok(())
    }

    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(mut polling) = self.polling.try_lock() else { return 0 };
        let mut events = 0;
        while events < POLL_BATCH_MAX && self.reads.deliver_one(deliver) {
            events += 1;
        }
        let peers = polling.incoming.len();
        for _ in 0..peers {
            if events == POLL_BATCH_MAX {
                break;
            }
            let slot = polling.next;
            polling.next = if slot + 1 == peers { 0 } else { slot + 1 };
            let most = TURN_MAX.min(POLL_BATCH_MAX - events);
            events += self.take_turn(slot, &mut polling.incoming[slot], most, deliver);
        }
        events
    }

    /// Needs no lock: a thread about to sleep must not be told "nothing" because another looks at the same time.
    fn pending(&self) -> bool {
        self.reads.waiting() != 0
            || self.glances.iter().any(|glance| !glance.watch.is_empty() && !glance.lost.load(Ordering::Relaxed))
    }

    fn rings(&self) -> bool {
        true
    }

    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        self.reads.start(peer, from, into, token)?;
        self.bell.notify();
        Ok(())
    }
}
