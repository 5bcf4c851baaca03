//! Blocks of stores as the memory of arrays: this rank's own blocks, and those of the host's other ranks.

use crate::base::ObjectId;
use crate::base::forked::is_forked;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::memory::{Block, PeerArena};
use crate::objects::{ArrayDraft, ArrayMemory, Pin};
use crate::runtime::Runtime;
use crate::runtime::memory::allocation_tags::{AllocationTag, QuotaUse};
use crate::runtime::memory::resident_blocks::ResidentBlock;
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// The one `ResidentBlock` of a block of memory, if packed values need it.
#[derive(Default)]
struct PinCell(Mutex<Weak<ResidentBlock>>);

impl PinCell {
    fn pin(&self, runtime: &'static Runtime, memory: Arc<dyn ArrayMemory>, kind: &'static str) -> Option<Arc<dyn Pin>> {
        if runtime.lifecycle.has_ended() || memory.bytes().is_empty() {
            return None;
        }
        let mut pin = lock(&self.0);
        let block = match pin.upgrade() {
            Some(block) => {
                block.share();
                block
            }
            None => ResidentBlock::new(runtime, memory, kind),
        };
        *pin = Arc::downgrade(&block);
        Some(block)
    }
}

/// A sealed block of this rank's store.
pub struct OwnMemory {
    // Declared, and so dropped, before the block, which is then allocated again.
    _attribution: Attribution,
    runtime: &'static Runtime,
    block: Block,
    /// Its number among this rank's objects, 0 until it is first exported.
    number: AtomicU64,
    pin_cell: PinCell,
}

/// The tag of a block and the quota that it counts against, for as long as the block exists.
pub type Attribution = (Option<AllocationTag>, Option<QuotaUse>);

impl OwnMemory {
    /// A block that will not be written any more.
    pub fn new(runtime: &'static Runtime, block: Block) -> OwnMemory {
        OwnMemory::with_attribution(runtime, block, (None, None))
    }

    /// As `new`, with an attribution.
    pub fn with_attribution(runtime: &'static Runtime, block: Block, attribution: Attribution) -> OwnMemory {
        OwnMemory { runtime, block, number: AtomicU64::new(0), pin_cell: PinCell::default(), _attribution: attribution }
    }

    /// Sets the `ResidentBlock` that already has this memory.
    pub fn set_pin(&self, block: Weak<ResidentBlock>) {
        *lock(&self.pin_cell.0) = block;
    }

    /// True if it is of that cluster, and no earlier one of this process.
    pub fn is_of(&self, runtime: &'static Runtime) -> bool {
        std::ptr::eq(self.runtime, runtime)
    }

    /// Its offset in the store, and its length.
    pub fn span(&self) -> (u64, u64) {
        (self.block.offset(), self.block.len() as u64)
    }

    /// Its number; assigned from `fresh` if it has none yet.
    pub fn number_or(&self, fresh: impl FnOnce() -> u64) -> u64 {
        match self.number.load(Ordering::Acquire) {
            0 => {
                let fresh = fresh();
                self.number
                    .compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire)
                    .map_or_else(|now| now, |_| fresh)
            }
            number => number,
        }
    }
}

impl Drop for OwnMemory {
    fn drop(&mut self) {
        // Other hosts may have copies of a block with a number.
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 && !self.runtime.lifecycle.has_ended() && !is_forked() {
            self.runtime.protocol.objects.copies.on_block_freed(&self.runtime, number);
        }
    }
}

impl ArrayMemory for OwnMemory {
    fn bytes(&self) -> &[u8] {
        self.block.as_slice()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, kind: &'static str) -> Option<Arc<dyn Pin>> {
        self.pin_cell.pin(self.runtime, self.clone(), kind)
    }
}

/// Of a cluster that has ended: its memory is still readable here, but no rank of this cluster knows it.
pub fn is_of_other_cluster(memory: &dyn ArrayMemory, runtime: &'static Runtime) -> bool {
    match memory.as_any().downcast_ref::<OwnMemory>() {
        Some(own) => !own.is_of(runtime),
        None => memory.as_any().downcast_ref::<PeerMemory>().is_some_and(|peer| !peer.is_of(runtime)),
    }
}

/// A block that is being written.
pub struct OwnDraft {
    /// The rank whose store it lies in.
    pub runtime: &'static Runtime,
    /// Its attribution.
    pub attribution: Attribution,
    /// The memory to write.
    pub block: Block,
}

impl ArrayDraft for OwnDraft {
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.block.as_mut_slice()
    }
    fn seal(self: Box<Self>) -> Arc<dyn ArrayMemory> {
        Arc::new(OwnMemory::with_attribution(self.runtime, self.block, self.attribution))
    }
}

/// A sealed block in the store of another rank of this host.
pub struct PeerMemory {
    /// Its id; the rank whose store it lies in owns it.
    pub id: ObjectId,
    runtime: &'static Runtime,
    arena: Arc<PeerArena>,
    /// Bytes from the start of that store.
    pub offset: u64,
    /// Its length.
    pub length: u64,
    pin_cell: PinCell,
}

impl PeerMemory {
    /// The block at that offset; `None` if it is not within the store.
    pub fn new(
        runtime: &'static Runtime,
        id: ObjectId,
        arena: Arc<PeerArena>,
        offset: u64,
        length: u64,
    ) -> Option<PeerMemory> {
        arena.slice(offset, length as usize)?;
        Some(PeerMemory { runtime, id, arena, offset, length, pin_cell: PinCell::default() })
    }

    /// As of `OwnMemory`.
    pub fn is_of(&self, runtime: &'static Runtime) -> bool {
        std::ptr::eq(self.runtime, runtime)
    }
}

impl ArrayMemory for PeerMemory {
    fn bytes(&self) -> &[u8] {
        self.arena.slice(self.offset, self.length as usize).unwrap_or_default()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, kind: &'static str) -> Option<Arc<dyn Pin>> {
        self.pin_cell.pin(self.runtime, self.clone(), kind)
    }
}

impl Drop for PeerMemory {
    fn drop(&mut self) {
        self.runtime.links().on_dropped(self.id, std::ptr::from_ref(self).addr());
    }
}
