//! Another rank's arena, mapped into this process: readable in place, never writable.
#![allow(unsafe_code)]

use crate::base::error::Result;
use crate::memory::segment::{Access, Segment, SegmentHandle};
use std::fmt;
use std::sync::Arc;

/// The arena of another rank of this host, mapped for reading. It stays readable after that rank dies.
pub struct PeerArena {
    segment: Segment,
}

impl PeerArena {
    /// Maps the arena of `handle`.
    ///
    /// # Errors
    /// `Error::Fabric` where its process is not visible or the handle does not match.
    pub fn open(handle: &SegmentHandle) -> Result<Arc<PeerArena>> {
        Ok(Arc::new(PeerArena { segment: Segment::open(handle, Access::Read)? }))
    }

    /// The bytes at `offset`; `None` outside the arena.
    ///
    /// The caller knows from the rank that owns the block that the range lies in a sealed block, which is kept until
    /// the slice is no longer used: so its pages are populated and no process writes them.
    pub fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = self.segment.range(usize::try_from(offset).ok()?, len)?;
        // SAFETY: inside the mapping, which lives as long as `self`; no process writes there meanwhile, as the caller
        // guarantees.
        Some(unsafe { std::slice::from_raw_parts(start.as_ptr(), len) })
    }

    /// Its size.
    #[cfg(test)]
    pub fn bytes(&self) -> u64 {
        self.segment.bytes() as u64
    }
}

impl fmt::Debug for PeerArena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PeerArena({:?})", self.segment.handle())
    }
}
