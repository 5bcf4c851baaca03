//! Stores of simulated ranks. Blocks know their address, and reads of a block after it was freed are recorded.

use crate::base::sync::{AtomicBool, AtomicU64, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::objects::{ArrayMemory, Links, Pin};
use crate::protocol::BlockAddress;
use crate::sim::resident::{ResidentRef, SimResidentBlock, SimResidentBlocks};
use rustc_hash::FxHashMap;
use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// The store of a rank.
pub struct Store {
    /// The rank.
    pub rank: Rank,
    /// The limit of what its blocks take together, bytes.
    pub limit_bytes: u64,
    /// The blocks that packed values of its rank need.
    pub resident_blocks: SimResidentBlocks,
    blocks: Mutex<Blocks>,
    /// The process has died, and with it every thread that could free a block: ranks that map a block read on.
    abandoned: AtomicBool,
    /// Ranks that read blocks after they were freed.
    late_readers: Mutex<Vec<Rank>>,
    /// Called for each freed block that has a number.
    on_freed: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
}

#[derive(Default)]
struct Blocks {
    /// By offset.
    contents: FxHashMap<u64, Arc<Contents>>,
    next_offset: u64,
    /// Bytes of all blocks, and those reserved for blocks that are being filled.
    used_bytes: u64,
}

struct Contents {
    bytes: Box<[u8]>,
    /// How many bytes it stands for: the simulation need not have all of a large array.
    length: u64,
    freed: AtomicBool,
}

impl Store {
    /// The empty store of that rank.
    pub fn new(rank: Rank, limit_bytes: u64) -> Arc<Store> {
        let (abandoned, late_readers) = (AtomicBool::new(false), Mutex::default());
        let (resident_blocks, blocks, on_freed) = (SimResidentBlocks::default(), Mutex::default(), OnceLock::new());
        Arc::new(Store { rank, limit_bytes, resident_blocks, blocks, abandoned, late_readers, on_freed })
    }

    /// Bytes above the limit with a block of so many more.
    pub fn excess(&self, bytes: u64) -> u64 {
        (lock(&self.blocks).used_bytes + bytes).saturating_sub(self.limit_bytes)
    }

    /// A block is being filled: reserves its space.
    pub fn reserve(&self, bytes: u64) {
        lock(&self.blocks).used_bytes += bytes;
    }

    /// The block is full, or will never be.
    pub fn unreserve(&self, bytes: u64) {
        lock(&self.blocks).used_bytes -= bytes;
    }

    /// Sets the function that is called for each freed block that has a number: once.
    pub fn set_on_freed(&self, notify: impl Fn(u64) + Send + Sync + 'static) {
        let _ = self.on_freed.set(Box::new(notify));
    }

    /// A block with these bytes, which stands for `length` bytes.
    pub fn block(self: &Arc<Self>, bytes: Vec<u8>, length: u64) -> Arc<SimMemory> {
        let contents = Arc::new(Contents { bytes: bytes.into(), length, freed: AtomicBool::new(false) });
        let mut blocks = lock(&self.blocks);
        // Offsets are never reused, so that a freed block is not mistaken for its successor.
        let offset = blocks.next_offset;
        blocks.next_offset += length.max(1).next_multiple_of(64);
        blocks.used_bytes += length;
        blocks.contents.insert(offset, contents.clone());
        let (number, resident) = (AtomicU64::new(0), ResidentRef::default());
        Arc::new(SimMemory { store: self.clone(), offset, number, contents, resident })
    }

    /// A block of this store as another rank of the host, `reader`, maps it; `None` if it was freed.
    pub fn mapped(
        self: &Arc<Self>,
        address: BlockAddress,
        links: Arc<dyn Links>,
        reader: &Arc<Store>,
    ) -> Option<Arc<SimPeerMemory>> {
        let contents = lock(&self.blocks).contents.get(&address.offset).cloned()?;
        let (store, reader, resident) = (self.clone(), reader.clone(), ResidentRef::default());
        Some(Arc::new(SimPeerMemory { store, reader, address, contents, links, resident }))
    }

    /// The bytes of a block, and how many it stands for; `None` if it was freed.
    pub fn read(&self, offset: u64) -> Option<(Vec<u8>, u64)> {
        lock(&self.blocks).contents.get(&offset).map(|contents| (contents.bytes.to_vec(), contents.length))
    }

    /// The process has died.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        lock(&self.blocks).contents.len()
    }

    /// Ranks that read a block after it was freed.
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
    resident: ResidentRef,
}

impl SimMemory {
    /// Records that the block is already resident.
    pub fn set_resident(&self, block: Weak<SimResidentBlock>) {
        self.resident.set(block);
    }

    /// The rank of its store.
    pub fn rank(&self) -> Rank {
        self.store.rank
    }

    /// The bytes that it takes.
    pub fn length(&self) -> u64 {
        self.contents.length
    }

    /// Its address; `fresh` makes its number if it has none.
    pub fn address(&self, fresh: &dyn Fn() -> u64) -> BlockAddress {
        if self.number.load(Ordering::Relaxed) == 0 {
            self.number.store(fresh(), Ordering::Relaxed);
        }
        let block = ObjectId { owner: self.store.rank, number: self.number.load(Ordering::Relaxed) };
        BlockAddress { block, offset: self.offset, bytes: self.contents.length }
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
                && let Some(notify) = self.store.on_freed.get()
            {
                // Other hosts may have copies of a block that has a number.
                notify(number);
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
    fn into_pin(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Pin>> {
        self.resident.pin(&self.store, self.clone())
    }
}

/// A block of the store of another rank of the host.
pub struct SimPeerMemory {
    store: Arc<Store>,
    /// The store of the rank that maps it.
    reader: Arc<Store>,
    address: BlockAddress,
    contents: Arc<Contents>,
    links: Arc<dyn Links>,
    resident: ResidentRef,
}

impl SimPeerMemory {
    /// Its address.
    pub fn address(&self) -> BlockAddress {
        self.address
    }
}

impl Drop for SimPeerMemory {
    fn drop(&mut self) {
        self.links.on_dropped(self.address.block, std::ptr::from_ref(self).addr());
    }
}

impl ArrayMemory for SimPeerMemory {
    fn bytes(&self) -> &[u8] {
        if self.contents.freed.load(Ordering::Relaxed) {
            lock(&self.store.late_readers).push(self.reader.rank);
        }
        &self.contents.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Pin>> {
        self.resident.pin(&self.reader, self.clone())
    }
}
