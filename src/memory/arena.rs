//! One rank's store memory: its blocks are written once by their producer, then read by every rank of the host.
#![allow(unsafe_code)]

use crate::base::cgroup::{memory_available_bytes, memory_total_bytes};
use crate::base::config::Pages;
use crate::base::error::{Error, Result};
use crate::base::forked::is_forked;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::memory::offsets::{ALIGNMENT, Offsets, TakenRange};
use crate::memory::pages::{HUGE_PAGE_BYTES, PageKind};
use crate::memory::segment::{Segment, SegmentHandle};
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, OnceLock};

/// Pages are populated by at least this much at a time: a few milliseconds of zeroing.
const POPULATE_STEP_BYTES: u64 = 8 << 20;

/// The memory of a rank's store, mapped from a [`Segment`] that its host's other ranks open as a `PeerArena`.
///
/// No page is touched when it is created. Blocks come from its start, and pages are populated ahead of them, once:
///
/// ```text
///   0            populated                                     bytes
///   |  block | hole | block |      |                             |
///   |<---- populated pages ------->|<---- never touched -------->|
/// ```
///
/// The thread that first needs a page populates it, so that the page is local to that thread's NUMA node.
pub struct Arena {
    segment: Segment,
    offsets: Mutex<Offsets>,
    /// Every byte below is backed by a page (MEMORY-2). Only grows, under `populating`; Release there, Acquire in
    /// `allocate`.
    populated: AtomicU64,
    populating: Mutex<()>,
    /// Called when a block is freed for which a thread waited.
    on_space: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Arena {
    /// Creates an arena of `bytes`, rounded up to huge pages.
    ///
    /// # Errors
    /// `Error::Config` where it would be larger than this process's memory, or `policy` requires huge pages that the
    /// host does not have.
    pub fn create(bytes: u64, policy: Pages) -> Result<Arc<Arena>> {
        let total = memory_total_bytes();
        if bytes > total {
            return Err(Error::config(format!(
                "a store of {bytes} bytes is larger than the {total} bytes of memory that this process may use \
                 ({} of them free now): set MOBULA_STORE_BYTES, for each rank of the host, to less",
                memory_available_bytes()
            )));
        }
        let bytes = bytes.max(1).next_multiple_of(HUGE_PAGE_BYTES as u64);
        let segment = Segment::create("mobula-store", bytes as usize, policy)?;
        Ok(Arc::new(Arena {
            segment,
            offsets: Mutex::new(Offsets::new(bytes)),
            populated: AtomicU64::new(0),
            populating: Mutex::new(()),
            on_space: OnceLock::new(),
        }))
    }

    /// Allocates a block of `bytes`, aligned to 64, with the bytes that its last use left there; `None` where no hole
    /// is large enough, or the host has no memory left. Any thread may call it.
    pub fn allocate(self: &Arc<Self>, bytes: usize) -> Option<Block> {
        if bytes == 0 {
            let start = NonNull::without_provenance(std::num::NonZero::new(ALIGNMENT as usize)?);
            return Some(Block { start, length: 0, taken: None, whole: None, arena: self.clone() });
        }
        let taken = lock(&self.offsets).take(bytes as u64)?;
        let end = taken.offset + bytes as u64;
        // Acquire: pairs with the Release in `populate`, on whose pages this block relies.
        if end > self.populated.load(Ordering::Acquire) && !self.populate(end) {
            lock(&self.offsets).give_back(&taken);
            return None;
        }
        let start = self.segment.range(taken.offset as usize, bytes).expect("a taken range lies in the arena");
        Some(Block { start, length: bytes, taken: Some(taken), whole: None, arena: self.clone() })
    }

    /// Sets the callback that runs, on any thread, when a block is freed after [`await_space`](Arena::await_space).
    /// Only the first call has an effect.
    pub fn on_space(&self, call: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_space.set(Box::new(call));
    }

    /// Requests one notification when the next block is freed. The caller then tries to allocate again: that attempt
    /// finds a block freed before this call, and a block freed later notifies, because both happen under one lock.
    pub fn await_space(&self) {
        lock(&self.offsets).notify_on_free = true;
    }

    /// The bytes that a block of `bytes` occupies after rounding; `None` where it is more than the whole arena.
    pub fn footprint(&self, bytes: usize) -> Option<u64> {
        lock(&self.offsets).rounded_bytes(bytes as u64).filter(|bytes| *bytes <= self.bytes())
    }

    fn give_back(&self, taken: &TakenRange) {
        let awaited = {
            let mut offsets = lock(&self.offsets);
            offsets.give_back(taken);
            std::mem::take(&mut offsets.notify_on_free)
        };
        if awaited && let Some(call) = self.on_space.get() {
            call();
        }
    }

    /// Populates the pages up to `end` and somewhat further; false where there is no memory for them.
    #[cold]
    fn populate(&self, end: u64) -> bool {
        let _only_one = lock(&self.populating);
        let start = self.populated.load(Ordering::Relaxed);
        if end <= start {
            return true;
        }
        // A page beyond the control group's limit kills the process instead of returning an error: check before.
        let length = (end - start).next_multiple_of(HUGE_PAGE_BYTES as u64);
        if self.page_kind() != PageKind::Hugetlb && length > memory_available_bytes() {
            return false;
        }
        let ahead = length.max(POPULATE_STEP_BYTES).min(self.bytes() - start);
        let reached =
            [ahead, length].into_iter().find(|length| self.segment.populate(start as usize, *length as usize).is_ok());
        if let Some(length) = reached {
            // Release: pairs with the Acquire in `allocate`.
            self.populated.store(start + length, Ordering::Release);
        }
        reached.is_some()
    }

    /// Populates every page, for transports that pin them; false where there is no memory for them.
    #[cfg_attr(not(feature = "verbs"), allow(dead_code))]
    pub fn populate_all(&self) -> bool {
        self.populate(self.bytes())
    }

    /// Its address in this process, for devices, which use addresses.
    #[cfg_attr(not(feature = "verbs"), allow(dead_code))]
    pub fn address(&self) -> NonNull<u8> {
        self.segment.address()
    }

    /// The bytes at `offset`; `None` where they are not all populated.
    ///
    /// For transports that serve reads. The caller knows from the rank that owns the block that the range is sealed and
    /// kept: no process writes it while the slice is in use.
    #[cfg_attr(not(feature = "mpi"), allow(dead_code))]
    pub fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let end = offset.checked_add(len as u64)?;
        if end > self.populated.load(Ordering::Acquire) {
            return None;
        }
        let start = self.segment.range(offset as usize, len)?;
        // SAFETY: inside the mapping, which lives as long as `self`, with its pages populated; no process writes
        // there meanwhile, as the caller guarantees.
        Some(unsafe { std::slice::from_raw_parts(start.as_ptr(), len) })
    }

    /// Its address in this process, to register all of it with a library or a device.
    #[cfg_attr(not(feature = "mpi"), allow(dead_code))]
    pub fn base(&self) -> *mut u8 {
        self.segment.range(0, self.segment.bytes()).map_or(std::ptr::null_mut(), NonNull::as_ptr)
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.segment.bytes() as u64
    }

    /// Bytes that blocks occupy, rounding included.
    pub fn used_bytes(&self) -> u64 {
        lock(&self.offsets).used_bytes()
    }

    /// The pages it has.
    pub fn page_kind(&self) -> PageKind {
        self.segment.page_kind()
    }

    /// What the other ranks of the host need to map it.
    pub fn handle(&self) -> SegmentHandle {
        self.segment.handle()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Arena({} of {} bytes used, {})", self.used_bytes(), self.bytes(), self.page_kind())
    }
}

/// A range of an arena with one owner; freed on drop, from any thread.
///
/// A shared block (`Arc<Block>`) can only be read.
pub struct Block {
    start: NonNull<u8>,
    length: usize,
    /// `None` for a block of no bytes, and for a piece.
    taken: Option<TakenRange>,
    /// The block of which this is a piece.
    whole: Option<Arc<Block>>,
    arena: Arc<Arena>,
}

// SAFETY: a block is exclusive memory (MEMORY-3), as a `Box<[u8]>` is; the arena it keeps is `Sync`.
unsafe impl Send for Block {}
// SAFETY: as above; `&Block` only permits reads.
unsafe impl Sync for Block {}

impl Block {
    /// Its bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `start..start + length` is in the arena's mapping, kept by `arena`, with its pages populated
        // (MEMORY-2), and exclusively ours (MEMORY-3).
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// Its bytes, writable.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`; exclusive through `&mut self`.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// Its offset in its arena; 0 for a block of no bytes.
    pub fn offset(&self) -> u64 {
        match &self.whole {
            Some(whole) => whole.offset() + (self.start.addr().get() - whole.start.addr().get()) as u64,
            None => self.taken.as_ref().map_or(0, |taken| taken.offset),
        }
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True if it has no bytes.
    #[cfg_attr(not(feature = "mpi"), allow(dead_code))]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.as_ref().filter(|_| !is_forked()) {
            self.arena.give_back(taken);
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Block({} bytes at {})", self.length, self.offset())
    }
}

mod pieces;

#[cfg(test)]
mod tests;
