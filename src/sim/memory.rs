//! Stores of simulated ranks: blocks that know where they lie, and are missed when they are read too late.

use crate::base::sync::{AtomicBool, AtomicU64, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::objects::{ArrayMemory, Keeper, Links};
use crate::protocol::WirePlace;
use crate::sim::holding::{Held, Holding, Holdings};
use rustc_hash::FxHashMap;
use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// The store of a rank.
pub struct Store {
    /// Whose it is.
    pub rank: Rank,
    /// What its blocks should take together, bytes.
    pub limit_bytes: u64,
    /// What its rank keeps for packed values.
    pub holdings: Holdings,
    blocks: Mutex<Blocks>,
    /// The process is gone, and with it whoever could free a block: those that map it read on.
    abandoned: AtomicBool,
    /// Who read blocks that were free by then.
    late_readers: Mutex<Vec<Rank>>,
    /// Who is told which blocks with a number were freed.
    freed: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
}

#[derive(Default)]
struct Blocks {
    /// By offset.
    contents: FxHashMap<u64, Arc<Contents>>,
    next_offset: u64,
    /// What they take, and what is to come into blocks that are being filled.
    used_bytes: u64,
}

struct Contents {
    bytes: Box<[u8]>,
    /// How many bytes it stands for: the simulation need not have all of a large array.
    length: u64,
    freed: AtomicBool,
}

impl Store {
    /// Of that rank, empty.
    pub fn new(rank: Rank, limit_bytes: u64) -> Arc<Store> {
        let (abandoned, late_readers) = (AtomicBool::new(false), Mutex::default());
        let (holdings, blocks, freed) = (Holdings::default(), Mutex::default(), OnceLock::new());
        Arc::new(Store { rank, limit_bytes, holdings, blocks, abandoned, late_readers, freed })
    }

    /// Bytes that would be above the limit with a block of so many more.
    pub fn excess(&self, bytes: u64) -> u64 {
        (lock(&self.blocks).used_bytes + bytes).saturating_sub(self.limit_bytes)
    }

    /// A block is being filled: it takes its room already.
    pub fn reserve(&self, bytes: u64) {
        lock(&self.blocks).used_bytes += bytes;
    }

    /// It is full, or will never be.
    pub fn unreserve(&self, bytes: u64) {
        lock(&self.blocks).used_bytes -= bytes;
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
        blocks.used_bytes += length;
        blocks.contents.insert(offset, contents.clone());
        let (number, held) = (AtomicU64::new(0), Held::default());
        Arc::new(SimMemory { store: self.clone(), offset, number, contents, held })
    }

    /// A block of this store as another rank of the host, `reader`, sees it; `None` where it was freed.
    pub fn mapped(
        self: &Arc<Self>,
        place: WirePlace,
        links: Arc<dyn Links>,
        reader: &Arc<Store>,
    ) -> Option<Arc<PeerMemory>> {
        let contents = lock(&self.blocks).contents.get(&place.offset).cloned()?;
        let (store, reader, held) = (self.clone(), reader.clone(), Held::default());
        Some(Arc::new(PeerMemory { store, reader, place, contents, links, held }))
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

    /// Who read a block that was free by then.
    pub fn late_readers(&self) -> Vec<Rank> {
        lock(&self.late_readers).clone()
    }
}

/// A block of this rank's own store.
pub struct SimMemory {
    store: Arc<Store>,
    offset: u64,
    number: AtomicU64,
    contents: Arc<Contents>,
    held: Held,
}

impl SimMemory {
    /// A holding has it already.
    pub fn held_by(&self, holding: Weak<Holding>) {
        self.held.is(holding);
    }

    /// Whose store it is in.
    pub fn rank(&self) -> Rank {
        self.store.rank
    }

    /// The bytes that it takes.
    pub fn length(&self) -> u64 {
        self.contents.length
    }

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
            let mut blocks = lock(&self.store.blocks);
            blocks.contents.remove(&self.offset);
            blocks.used_bytes -= self.contents.length;
            drop(blocks);
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
    fn keeper(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Keeper>> {
        self.held.keeper(&self.store, self.clone())
    }
}

/// A block of the store of another rank of the host.
pub struct PeerMemory {
    store: Arc<Store>,
    /// The store of the rank that maps it.
    reader: Arc<Store>,
    place: WirePlace,
    contents: Arc<Contents>,
    links: Arc<dyn Links>,
    held: Held,
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
            lock(&self.store.late_readers).push(self.reader.rank);
        }
        &self.contents.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn keeper(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Keeper>> {
        self.held.keeper(&self.reader, self.clone())
    }
}
