//! Stores of simulated ranks: blocks that know where they lie, and are missed when they are read too late.

use crate::base::sync::{AtomicBool, AtomicU64, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::object::{ArrayMemory, Links};
use crate::protocol::WirePlace;
use rustc_hash::FxHashMap;
use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock};

/// The store of a rank.
pub struct Store {
    rank: Rank,
    blocks: Mutex<Blocks>,
    /// The process is gone, and with it whoever could free a block: those that map it read on.
    abandoned: AtomicBool,
    /// Reads of blocks that were free by then.
    late_reads: AtomicU64,
    /// Who is told which blocks with a number were freed.
    freed: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
}

#[derive(Default)]
struct Blocks {
    /// By offset.
    contents: FxHashMap<u64, Arc<Contents>>,
    next_offset: u64,
}

struct Contents {
    bytes: Box<[u8]>,
    /// How many bytes it stands for: the simulation need not have all of a large array.
    length: u64,
    freed: AtomicBool,
}

impl Store {
    /// Of that rank, empty.
    pub fn new(rank: Rank) -> Arc<Store> {
        let (abandoned, late_reads) = (AtomicBool::new(false), AtomicU64::new(0));
        Arc::new(Store { rank, blocks: Mutex::default(), abandoned, late_reads, freed: OnceLock::new() })
    }

    /// Says who is told which blocks with a number were freed: once.
    pub fn told_of_the_freed(&self, tell: impl Fn(u64) + Send + Sync + 'static) {
        let _ = self.freed.set(Box::new(tell));
    }

    /// A block with these bytes, which stands for `length`.
    pub fn block(self: &Arc<Self>, bytes: Vec<u8>, length: u64) -> Arc<SimMemory> {
        let contents = Arc::new(Contents { bytes: bytes.into(), length, freed: AtomicBool::new(false) });
        let mut blocks = lock(&self.blocks);
        // Offsets are never used twice: so a block that was freed is not mistaken for its successor.
        let offset = blocks.next_offset;
        blocks.next_offset += length.max(1).next_multiple_of(64);
        blocks.contents.insert(offset, contents.clone());
        Arc::new(SimMemory { store: self.clone(), offset, number: AtomicU64::new(0), contents })
    }

    /// A block of this store as another rank of the host sees it; `None` where it was freed.
    pub fn mapped(self: &Arc<Self>, place: WirePlace, links: Arc<dyn Links>) -> Option<Arc<PeerMemory>> {
        let contents = lock(&self.blocks).contents.get(&place.offset).cloned()?;
        Some(Arc::new(PeerMemory { store: self.clone(), place, contents, links }))
    }

    /// The bytes of a block, and how many it stands for; `None` where it was freed.
    pub fn read(&self, offset: u64) -> Option<(Vec<u8>, u64)> {
        lock(&self.blocks).contents.get(&offset).map(|contents| (contents.bytes.to_vec(), contents.length))
    }

    /// The process is gone.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        lock(&self.blocks).contents.len()
    }

    /// How often a block was read that was free by then.
    pub fn late_reads(&self) -> u64 {
        self.late_reads.load(Ordering::Relaxed)
    }
}

/// A block of this rank's own store.
pub struct SimMemory {
    store: Arc<Store>,
    offset: u64,
    number: AtomicU64,
    contents: Arc<Contents>,
}

impl SimMemory {
    /// Where it lies; `fresh` makes its number where it has none.
    pub fn place(&self, fresh: &dyn Fn() -> u64) -> WirePlace {
        if self.number.load(Ordering::Relaxed) == 0 {
            self.number.store(fresh(), Ordering::Relaxed);
        }
        let block = ObjectId { owner: self.store.rank, number: self.number.load(Ordering::Relaxed) };
        WirePlace { block, offset: self.offset, bytes: self.contents.length }
    }
}

impl Drop for SimMemory {
    fn drop(&mut self) {
        if !self.store.abandoned.load(Ordering::Relaxed) {
            self.contents.freed.store(true, Ordering::Relaxed);
            lock(&self.store.blocks).contents.remove(&self.offset);
            let number = self.number.load(Ordering::Relaxed);
            if number != 0
                && let Some(tell) = self.store.freed.get()
            {
                // Other hosts may have copies of what had a number.
                tell(number);
            }
        }
    }
}

impl ArrayMemory for SimMemory {
    fn bytes(&self) -> &[u8] {
        &self.contents.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A block of the store of another rank of the host.
pub struct PeerMemory {
    store: Arc<Store>,
    place: WirePlace,
    contents: Arc<Contents>,
    links: Arc<dyn Links>,
}

impl PeerMemory {
    /// Where it lies.
    pub fn place(&self) -> WirePlace {
        self.place
    }
}

impl Drop for PeerMemory {
    fn drop(&mut self) {
        self.links.released(self.place.block, std::ptr::from_ref(self).addr());
    }
}

impl ArrayMemory for PeerMemory {
    fn bytes(&self) -> &[u8] {
        if self.contents.freed.load(Ordering::Relaxed) {
            self.store.late_reads.fetch_add(1, Ordering::Relaxed);
        }
        &self.contents.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
