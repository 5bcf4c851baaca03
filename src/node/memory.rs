//! Blocks of stores as the memory of arrays: this rank's own, and those of the host's other ranks.

use crate::base::ObjectId;
use crate::base::sync::{AtomicU64, Ordering};
use crate::mem::{Block, PeerArena};
use crate::node::Node;
use crate::object::{ArrayMemory, Draft, Links};
use std::any::Any;
use std::sync::Arc;

/// A sealed block of this rank's store.
pub struct OwnMemory {
    block: Block,
    /// Its number among this rank's objects, 0 while it never left.
    number: AtomicU64,
}

impl OwnMemory {
    /// A block that nobody will write any more.
    pub fn new(block: Block) -> OwnMemory {
        OwnMemory { block, number: AtomicU64::new(0) }
    }

    /// Where it lies in the store, and its length.
    pub fn place(&self) -> (u64, u64) {
        (self.block.offset(), self.block.len() as u64)
    }

    /// Its number; `fresh` becomes it where it has none yet.
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
        // Other hosts may have copies of what had a number.
        let number = self.number.load(Ordering::Relaxed);
        if number != 0
            && let Some(node) = Node::current()
        {
            node.protocol.freed(&node, number);
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
}

/// A block that is being written.
pub struct OwnDraft(pub Block);

impl Draft for OwnDraft {
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.as_mut_slice()
    }
    fn seal(self: Box<Self>) -> Arc<dyn ArrayMemory> {
        Arc::new(OwnMemory::new(self.0))
    }
}

/// A sealed block in the store of another rank of this host.
pub struct PeerMemory {
    /// Its name; the rank whose store it lies in owns it.
    pub id: ObjectId,
    arena: Arc<PeerArena>,
    /// Bytes from the start of that store.
    pub offset: u64,
    /// Its length.
    pub length: u64,
    links: Arc<dyn Links>,
}

impl PeerMemory {
    /// The block at that place; `None` where the store does not reach so far.
    pub fn new(
        id: ObjectId,
        arena: Arc<PeerArena>,
        offset: u64,
        length: u64,
        links: Arc<dyn Links>,
    ) -> Option<PeerMemory> {
        arena.slice(offset, length as usize)?;
        Some(PeerMemory { id, arena, offset, length, links })
    }
}

impl ArrayMemory for PeerMemory {
    fn bytes(&self) -> &[u8] {
        self.arena.slice(self.offset, self.length as usize).unwrap_or_default()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for PeerMemory {
    fn drop(&mut self) {
        self.links.released(self.id, std::ptr::from_ref(self).addr());
    }
}
