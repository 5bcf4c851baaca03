//! Blocks of stores as the memory of arrays: this rank's own, and those of the host's other ranks.

use crate::base::ObjectId;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::memory::{Block, PeerArena};
use crate::objects::{ArrayMemory, Draft, Keeper, Links};
use crate::runtime::Runtime;
use crate::runtime::holdings::Holding;
use crate::runtime::notes::{Charge, Note};
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// The one holding of a block, where packed values need it.
#[derive(Default)]
struct Held(Mutex<Weak<Holding>>);

impl Held {
    fn keeper(&self, memory: Arc<dyn ArrayMemory>, kind: &'static str) -> Option<Arc<dyn Keeper>> {
        let runtime = Runtime::current().filter(|_| !memory.bytes().is_empty())?;
        let mut held = lock(&self.0);
        let holding = match held.upgrade() {
            Some(holding) => {
                holding.share();
                holding
            }
            None => Holding::new(runtime, memory, kind),
        };
        *held = Arc::downgrade(&holding);
        Some(holding)
    }
}

/// A sealed block of this rank's store.
pub struct OwnMemory {
    // Crossed out before the block is another's.
    _said: Said,
    block: Block,
    /// Its number among this rank's objects, 0 while it never left.
    number: AtomicU64,
    held: Held,
}

/// What is said of a block for as long as it is there.
pub type Said = (Option<Note>, Option<Charge>);

impl OwnMemory {
    /// A block that nobody will write any more.
    pub fn new(block: Block) -> OwnMemory {
        OwnMemory::of_maker(block, (None, None))
    }

    /// As `new`, with what is said of it.
    pub fn of_maker(block: Block, said: Said) -> OwnMemory {
        OwnMemory { block, number: AtomicU64::new(0), held: Held::default(), _said: said }
    }

    /// A holding has it already.
    pub(super) fn held_by(&self, holding: Weak<Holding>) {
        *lock(&self.held.0) = holding;
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
            && let Some(runtime) = Runtime::current()
        {
            runtime.protocol.freed(&runtime, number);
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
    fn keeper(self: Arc<Self>, kind: &'static str) -> Option<Arc<dyn Keeper>> {
        self.held.keeper(self.clone(), kind)
    }
}

/// A block that is being written.
pub struct OwnDraft {
    /// What is said of it.
    pub said: Said,
    /// Where it is written.
    pub block: Block,
}

impl Draft for OwnDraft {
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.block.as_mut_slice()
    }
    fn seal(self: Box<Self>) -> Arc<dyn ArrayMemory> {
        Arc::new(OwnMemory::of_maker(self.block, self.said))
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
    held: Held,
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
        Some(PeerMemory { id, arena, offset, length, links, held: Held::default() })
    }
}

impl ArrayMemory for PeerMemory {
    fn bytes(&self) -> &[u8] {
        self.arena.slice(self.offset, self.length as usize).unwrap_or_default()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn keeper(self: Arc<Self>, kind: &'static str) -> Option<Arc<dyn Keeper>> {
        self.held.keeper(self.clone(), kind)
    }
}

impl Drop for PeerMemory {
    fn drop(&mut self) {
        self.links.released(self.id, std::ptr::from_ref(self).addr());
    }
}
