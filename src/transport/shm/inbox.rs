//! Set-up: the segment that holds what other ranks of the host send to one rank.

use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::error::{Error, Result};
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::base::sync::Ordering;
use crate::memory::{Access, Bell, Consumer, Producer, RING_SEGMENT_BYTES, Segment, SegmentCard};
use std::sync::Arc;

/// Where the numbers of the senders begin: one cell a ring, rank + 1 of who writes there, 0 past the last.
const SENDERS_OFFSET: usize = Bell::BYTES;
const SENDERS_CELL: usize = SENDERS_OFFSET / size_of::<i64>();
const RINGS_OFFSET: usize = SENDERS_OFFSET + RANKS_PER_HOST_MAX * size_of::<i64>();

const _: () = assert!(RINGS_OFFSET.is_multiple_of(128) && RING_SEGMENT_BYTES.is_multiple_of(128));

fn ring_offset(slot: usize) -> usize {
    RINGS_OFFSET + slot * RING_SEGMENT_BYTES
}

/// The receiving half of a rank: its bell, and a ring from each other rank of its host.
pub struct Inbox {
    pub(super) me: Rank,
    pub(super) bell: Arc<Bell>,
    pub(super) incoming: Vec<(Rank, Consumer)>,
    pub(super) segment: Arc<Segment>,
}

impl Inbox {
    /// Makes the inbox of rank `me` for the other ranks in `host_ranks`.
    ///
    /// # Errors
    /// `Error::Config` where the host has more ranks than `limits::RANKS_PER_HOST_MAX`, or no memory.
    pub fn create(me: Rank, host_ranks: &[Rank]) -> Result<Inbox> {
        if host_ranks.len() > RANKS_PER_HOST_MAX {
            return Err(Error::config(format!(
                "{} ranks on the host of rank {me} are more than the {RANKS_PER_HOST_MAX} that share memory: start \
                 fewer ranks a host, with more workers each (MOBULA_WORKERS)",
                host_ranks.len()
            )));
        }
        let senders: Vec<Rank> = host_ranks.iter().copied().filter(|rank| *rank != me).collect();
        let segment = Arc::new(Segment::create("mobula-inbox", ring_offset(senders.len()), Pages::Plain)?);
        let mut incoming = Vec::with_capacity(senders.len());
        for (slot, sender) in senders.into_iter().enumerate() {
            // Relaxed: others map the segment only after its card has reached them.
            segment.cells()[SENDERS_CELL + slot].store(i64::from(sender) + 1, Ordering::Relaxed);
            let consumer = Consumer::claim(segment.clone(), ring_offset(slot)).expect("a new ring is free and empty");
            incoming.push((sender, consumer));
        }
        Ok(Inbox { me, bell: Arc::new(Bell::shared(segment.clone(), 0)), incoming, segment })
    }

    /// What the other ranks of the host need to send here.
    pub fn card(&self) -> SegmentCard {
        self.segment.card()
    }

    /// What senders ring when this rank sleeps.
    pub fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }
}

/// The sending half towards `peer`: the ring that is rank `me`'s in the peer's inbox, and the peer's bell.
pub(super) fn open_ring_to(peer: Rank, card: &SegmentCard, me: Rank) -> Result<(Producer, Bell)> {
    let segment = Arc::new(Segment::open(card, Access::Write)?);
    let broken = |what: &str| {
        Error::fabric(format!("the inbox of rank {peer} (process {}) {what}: do all ranks run one binary?", card.pid))
    };
    if segment.bytes() < RINGS_OFFSET {
        return Err(broken("is too short"));
    }
    let senders = &segment.cells()[SENDERS_CELL..SENDERS_CELL + RANKS_PER_HOST_MAX];
    let slot = senders
        .iter()
        .position(|sender| sender.load(Ordering::Relaxed) == i64::from(me) + 1)
        .ok_or_else(|| broken(&format!("has no ring for rank {me}")))?;
    if segment.bytes() < ring_offset(slot + 1) {
        return Err(broken("is too short"));
    }
    let producer = Producer::claim(segment.clone(), ring_offset(slot))
        .ok_or_else(|| broken(&format!("has a ring for rank {me} that somebody writes already")))?;
    Ok((producer, Bell::shared(segment, 0)))
}
