//! Another rank's arena, as this process sees it: readable where it lies, never writable.
#![allow(unsafe_code)]

use crate::base::error::Result;
use crate::memory::segment::{Access, Segment, SegmentCard};
use std::fmt;
use std::sync::Arc;

/// The arena of another rank of this host, mapped for reading. It stays readable when that rank is gone.
pub struct PeerArena {
    segment: Segment,
}

impl PeerArena {
    /// Maps the arena that `card` leads to.
    ///
    /// # Errors
    /// `Error::Fabric` where its process is out of sight or the card does not match.
    pub fn open(card: &SegmentCard) -> Result<Arc<PeerArena>> {
        Ok(Arc::new(PeerArena { segment: Segment::open(card, Access::Read)? }))
    }

    /// The bytes at `offset`; `None` outside the arena.
    ///
    /// The caller knows, because the block's maker told it, that the range lies in a sealed block that is kept until
    /// the slice is no longer used: then its pages are there and nobody writes them.
    pub fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = self.segment.range(usize::try_from(offset).ok()?, len)?;
        // SAFETY: inside the mapping, which lives as long as `self`; nobody writes there meanwhile, which the caller
        // knows.
        Some(unsafe { std::slice::from_raw_parts(start.as_ptr(), len) })
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.segment.bytes() as u64
    }
}

impl fmt::Debug for PeerArena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PeerArena({:?})", self.segment.card())
    }
}
