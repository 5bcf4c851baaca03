//! Set-up: the segment into which the other ranks of the host send to one rank.

use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::error::{Error, Result};
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::base::sync::Ordering;
use crate::memory::{Access, Consumer, Doorbell, RING_SEGMENT_BYTES, RingProducer, Segment, SegmentHandle};
use std::sync::Arc;

/// Where the numbers of the senders begin: one cell a ring, which holds the writing rank + 1, and 0 past the last ring.
const SENDERS_OFFSET: usize = Doorbell::BYTES;
const SENDERS_CELL: usize = SENDERS_OFFSET / size_of::<i64>();
const RINGS_OFFSET: usize = SENDERS_OFFSET + RANKS_PER_HOST_MAX * size_of::<i64>();

const _: () = assert!(RINGS_OFFSET.is_multiple_of(128) && RING_SEGMENT_BYTES.is_multiple_of(128));

fn ring_offset(slot: usize) -> usize {
    RINGS_OFFSET + slot * RING_SEGMENT_BYTES
}

/// The receiving half of a rank: its doorbell, and a ring from each other rank of its host.
pub struct Inbox {
    pub(super) me: Rank,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) incoming: Vec<(Rank, Consumer)>,
    pub(super) segment: Arc<Segment>,
}

impl Inbox {
    /// Creates the inbox of rank `me` for the other ranks in `host_ranks`.
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
            // Relaxed: others map the segment only after its handle has reached them.
            segment.cells()[SENDERS_CELL + slot].store(i64::from(sender) + 1, Ordering::Relaxed);
            let consumer = Consumer::claim(segment.clone(), ring_offset(slot)).expect("a new ring is free and empty");
            incoming.push((sender, consumer));
        }
        Ok(Inbox { me, doorbell: Arc::new(Doorbell::shared(segment.clone(), 0)), incoming, segment })
    }

    /// What the other ranks of the host need to send here.
    pub fn handle(&self) -> SegmentHandle {
        self.segment.handle()
    }

    /// The doorbell that senders notify when this rank sleeps.
    pub fn doorbell(&self) -> Arc<Doorbell> {
        self.doorbell.clone()
    }
}

/// The sending half towards `peer`: rank `me`'s ring in the peer's inbox, and the peer's doorbell.
pub(super) fn open_ring_to(peer: Rank, handle: &SegmentHandle, me: Rank) -> Result<(RingProducer, Doorbell)> {
    let segment = Arc::new(Segment::open(handle, Access::Write)?);
    let broken = |what: &str| {
        Error::fabric(format!("the inbox of rank {peer} (process {}) {what}: do all ranks run one binary?", handle.pid))
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
    let producer = RingProducer::claim(segment.clone(), ring_offset(slot))
        .ok_or_else(|| broken(&format!("has a ring for rank {me} that another thread or process writes already")))?;
    Ok((producer, Doorbell::shared(segment, 0)))
}
