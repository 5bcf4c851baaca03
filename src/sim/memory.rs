//! Stores of simulated ranks. Blocks know their address, and reads of a block after it was freed are recorded.

use crate::base::sync::{AtomicU64, Ordering, lock};
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
    /// The process has died, and with it every thread that could free a block: ranks that map a block read on.
    abandoned: bool,
    /// Ranks that read blocks after they were freed.
    late_readers: Vec<Rank>,
}

struct Contents {
    bytes: Box<[u8]>,
    /// How many bytes it stands for: the simulation need not have all of a large array.
    length: u64,
}

impl Store {
    /// The empty store of that rank.
    pub fn new(rank: Rank, limit_bytes: u64) -> Arc<Store> {
        let (resident_blocks, blocks, on_freed) = (SimResidentBlocks::default(), Mutex::default(), OnceLock::new());
        Arc::new(Store { rank, limit_bytes, resident_blocks, blocks, on_freed })
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
        let contents = Arc::new(Contents { bytes: bytes.into(), length });
        let mut blocks = lock(&self.blocks);
        // Offsets are never reused, so that a freed block is not mistaken for its successor.
        let offset = blocks.next_offset;
        blocks.next_offset += length.max(1).next_multiple_of(64);
        blocks.used_bytes += length;
        blocks.contents.insert(offset, contents.clone());
        drop(blocks);
        self.memory(contents, offset, 0, (self, None))
    }

    /// A block of this store as another rank of the host, `reader`, maps it; `None` if it was freed.
    pub fn mapped(
        self: &Arc<Self>,
        BlockAddress { block, offset, .. }: BlockAddress,
        links: Arc<dyn Links>,
        reader: &Arc<Store>,
    ) -> Option<Arc<SimMemory>> {
        let contents = lock(&self.blocks).contents.get(&offset).cloned()?;
        Some(self.memory(contents, offset, block.number, (reader, Some(links))))
    }

    fn memory(
        self: &Arc<Self>,
        contents: Arc<Contents>,
        offset: u64,
        number: u64,
        (reader, links): (&Arc<Store>, Option<Arc<dyn Links>>),
    ) -> Arc<SimMemory> {
        let (store, reader, number) = (self.clone(), reader.clone(), AtomicU64::new(number));
        Arc::new(SimMemory { store, reader, offset, number, contents, links, resident: ResidentRef::default() })
    }

    /// The bytes of a block, and how many it stands for; `None` if it was freed.
    pub fn read(&self, offset: u64) -> Option<(Vec<u8>, u64)> {
        lock(&self.blocks).contents.get(&offset).map(|contents| (contents.bytes.to_vec(), contents.length))
    }

    /// The process has died.
    pub fn abandon(&self) {
        lock(&self.blocks).abandoned = true;
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        lock(&self.blocks).contents.len()
    }

    /// Ranks that read a block after it was freed.
    pub fn late_readers(&self) -> Vec<Rank> {
        lock(&self.blocks).late_readers.clone()
    }

    fn free(&self, offset: u64, number: u64, length: u64) {
        let mut blocks = lock(&self.blocks);
        if blocks.abandoned {
            return;
        }
        blocks.contents.remove(&offset);
        blocks.used_bytes -= length;
        drop(blocks);
        // Other hosts may have copies of a block that has a number.
        if let (1.., Some(notify)) = (number, self.on_freed.get()) {
            notify(number);
        }
    }
}

/// A block of this rank's own store, or of the store of another rank of the host.
pub struct SimMemory {
    store: Arc<Store>,
    /// The store of the rank that reads it.
    reader: Arc<Store>,
    offset: u64,
    /// 0 until it is first exported.
    number: AtomicU64,
    contents: Arc<Contents>,
    /// For a block of another rank: the links that are told of its end.
    links: Option<Arc<dyn Links>>,
    resident: ResidentRef,
}

impl SimMemory {
    /// Records that a block of the own store is already resident.
    pub fn set_resident(&self, block: &Weak<SimResidentBlock>) {
        if self.links.is_none() {
            self.resident.set(block.clone());
        }
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
        let number = self.number.load(Ordering::Relaxed);
        match &self.links {
            None => self.store.free(self.offset, number, self.contents.length),
            Some(links) => {
                let block = ObjectId { owner: self.store.rank, number };
                links.on_dropped(block, std::ptr::from_ref(self).addr());
            }
        }
    }
}

impl ArrayMemory for SimMemory {
    fn bytes(&self) -> &[u8] {
        let mut blocks = lock(&self.store.blocks);
        if !blocks.contents.contains_key(&self.offset) {
            blocks.late_readers.push(self.reader.rank);
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
