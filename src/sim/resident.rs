//! Blocks that packed values need, as the runtime manages them: each may leave a full store while no task reads it, and
//! is fetched again from its owner or from the simulated disk. Does what the runtime's `resident_blocks`, `fetches` and
//! `spill` do, without a thread that could wait: a reader that finds a block missing gets an error, and is woken when
//! the block is there again.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, Links, Pin, Waiter};
use crate::sim::memory::{SimMemory, Store};
use crate::store::{EvictionCandidate, EvictionClass};
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// The resident block of a block of memory, while packed values need it.
#[derive(Default)]
pub struct ResidentRef(Mutex<Weak<SimResidentBlock>>);

impl ResidentRef {
    /// Sets it.
    pub fn set(&self, block: Weak<SimResidentBlock>) {
        *lock(&self.0) = block;
    }

    /// The pin of `memory` for the rank of `store`.
    pub fn pin(&self, store: &Arc<Store>, memory: Arc<dyn ArrayMemory>) -> Option<Arc<dyn Pin>> {
        let mut current = lock(&self.0);
        if let Some(block) = current.upgrade() {
            block.mark_shared();
            return Some(block);
        }
        let block = SimResidentBlock::new(store, memory);
        *current = Arc::downgrade(&block);
        Some(block)
    }
}

/// The resident blocks of a rank.
#[derive(Default)]
pub struct SimResidentBlocks {
    list: Mutex<Vec<Weak<SimResidentBlock>>>,
    /// The clock of their last uses.
    uses: AtomicU64,
    /// Blocks that a reader opened in vain since the last `take_misses`.
    misses: Mutex<Vec<Arc<SimResidentBlock>>>,
}

impl SimResidentBlocks {
    /// Those that packed values need now, in the order made.
    pub fn live(&self) -> Vec<Arc<SimResidentBlock>> {
        let mut list = lock(&self.list);
        list.retain(|block| block.strong_count() > 0);
        list.iter().filter_map(Weak::upgrade).collect()
    }

    /// Takes those that were opened in vain since the last time.
    pub fn take_misses(&self) -> Vec<Arc<SimResidentBlock>> {
        std::mem::take(&mut *lock(&self.misses))
    }
}

/// A block, for as long as a packed value needs it.
pub struct SimResidentBlock {
    /// The store of the rank that needs it.
    store: Arc<Store>,
    weak_self: Weak<SimResidentBlock>,
    last_use: AtomicU64,
    state: Mutex<ResidentState>,
}

#[derive(Default)]
struct ResidentState {
    resident: Option<Arc<dyn ArrayMemory>>,
    /// Its bytes, and how many they stand for.
    on_disk: Option<(Arc<[u8]>, u64)>,
    source: Source,
    fetch: Fetch,
    waiting: Vec<Arc<dyn Reader>>,
}

/// The object that a block is a copy of.
#[derive(Default)]
enum Source {
    #[default]
    Unknown,
    CopyOf(ObjectId, Arc<dyn Links>),
    /// Several values need the block: it is no longer a mere copy.
    Shared,
}

/// Whether a block was requested from its owner.
#[derive(Default)]
enum Fetch {
    #[default]
    Idle,
    /// The owner has not responded.
    Requested,
    /// The owner's last response.
    Refused(Arc<Error>),
}

/// A job that waits for a block.
pub trait Reader: Waiter {
    /// The block is there: it stays so while the reader has this pin.
    fn pin(&self, memory: Arc<dyn ArrayMemory>);
}

impl SimResidentBlock {
    fn new(store: &Arc<Store>, memory: Arc<dyn ArrayMemory>) -> Arc<SimResidentBlock> {
        let state = ResidentState { resident: Some(memory), ..ResidentState::default() };
        let block = Arc::new_cyclic(|weak_self| SimResidentBlock {
            store: store.clone(),
            weak_self: weak_self.clone(),
            last_use: AtomicU64::new(0),
            state: Mutex::new(state),
        });
        block.touch();
        lock(&store.resident_blocks.list).push(Arc::downgrade(&block));
        block
    }

    fn touch(&self) {
        self.last_use.store(self.store.resident_blocks.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn mark_shared(&self) {
        lock(&self.state).source = Source::Shared;
    }

    /// What could leave the store of `owner` now: `None` if a task reads the block, or it is not there.
    pub fn candidate(&self, owner: Rank) -> Option<EvictionCandidate> {
        let state = lock(&self.state);
        let memory = state.resident.as_ref().filter(|memory| Arc::strong_count(memory) == 1)?;
        let bytes = memory.as_any().downcast_ref::<SimMemory>().filter(|memory| memory.rank() == owner)?.length();
        let class = match &state.on_disk {
            _ if matches!(state.source, Source::CopyOf(..)) => EvictionClass::Copy,
            Some(_) => EvictionClass::OnDisk,
            None => EvictionClass::Original,
        };
        Some(EvictionCandidate { bytes, last_use: self.last_use.load(Ordering::Relaxed), class })
    }

    /// Writes it to the disk.
    pub fn spill(&self) {
        let mut state = lock(&self.state);
        let Some(memory) = state.resident.clone() else { return };
        let length = || memory.as_any().downcast_ref().map_or(memory.bytes().len() as u64, SimMemory::length);
        state.on_disk.get_or_insert_with(|| (memory.bytes().into(), length()));
    }

    /// Removes the memory if it can be had again and no task reads it; the caller drops it.
    pub fn evict(&self) -> Option<Arc<dyn ArrayMemory>> {
        let mut state = lock(&self.state);
        let can_be_had = state.on_disk.is_some() || matches!(state.source, Source::CopyOf(..));
        state.resident.take_if(|memory| can_be_had && Arc::strong_count(memory) == 1)
    }

    /// Wakes `reader` when the block is there again; returns the request to send to its owner, if none is pending.
    pub fn wait_for_block(&self, reader: &Arc<dyn Reader>) -> Option<(ObjectId, Arc<dyn Links>)> {
        let mut state = lock(&self.state);
        if let Some(memory) = state.resident.clone() {
            drop(state);
            reader.pin(memory);
            reader.clone().notify();
            return None;
        }
        state.waiting.push(reader.clone());
        match (std::mem::replace(&mut state.fetch, Fetch::Requested), &state.source) {
            (Fetch::Idle | Fetch::Refused(_), Source::CopyOf(object, links)) => Some((*object, links.clone())),
            _ => None,
        }
    }

    /// The block in the store again, made by `read_back` if it is only on disk.
    pub fn restore(&self, read_back: impl FnOnce() -> Arc<dyn ArrayMemory>) -> Arc<dyn ArrayMemory> {
        let resident = lock(&self.state).resident.clone();
        let memory = resident.unwrap_or_else(read_back);
        lock(&self.state).resident.get_or_insert(memory).clone()
    }

    /// The owner responded: the readers go on, with the block if it is there.
    fn on_response(&self, memory: Option<Arc<dyn ArrayMemory>>, fetch: Fetch) {
        let (waiting, resident) = {
            let mut state = lock(&self.state);
            state.fetch = fetch;
            let resident = state.resident.take().or(memory);
            state.resident.clone_from(&resident);
            (std::mem::take(&mut state.waiting), resident)
        };
        for reader in waiting {
            resident.iter().for_each(|memory| reader.pin(memory.clone()));
            reader.notify();
        }
    }
}

impl Pin for SimResidentBlock {
    fn pin(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        self.touch();
        let state = lock(&self.state);
        if let Some(memory) = &state.resident {
            return Ok(memory.clone());
        }
        if let Some((bytes, length)) = state.on_disk.clone() {
            return Ok(Arc::new(DiskMemory { bytes, length, block: self.weak_self.clone() }));
        }
        if let Fetch::Refused(error) = &state.fetch {
            return Err((**error).clone());
        }
        lock(&self.store.resident_blocks.misses).extend(self.weak_self.upgrade());
        let reason = "its copy here was evicted, and cannot be fetched where nothing can wait".to_string();
        Err(Error::ObjectLost { object: "an array".to_string(), reason })
    }
    fn unpin(&self) {}
    fn set_copy_of(&self, object: ObjectId, links: &Arc<dyn Links>) {
        let mut state = lock(&self.state);
        if !matches!(state.source, Source::Shared) {
            state.source = Source::CopyOf(object, links.clone());
        }
    }
    fn refill(&self, memory: Arc<dyn ArrayMemory>) {
        self.touch();
        // Not under the lock: a thread that asks memory for its resident block takes the two in the other order.
        if let Some(memory) = memory.as_any().downcast_ref::<SimMemory>() {
            memory.set_resident(&self.weak_self);
        }
        self.on_response(Some(memory), Fetch::Idle);
    }
    fn refill_failed(&self, error: &Arc<Error>) {
        self.on_response(None, Fetch::Refused(error.clone()));
    }
}

/// A block whose bytes are read from disk.
pub struct DiskMemory {
    bytes: Arc<[u8]>,
    /// How many bytes it stands for.
    pub length: u64,
    /// The resident block of the packed values that need it.
    pub block: Weak<SimResidentBlock>,
}

impl ArrayMemory for DiskMemory {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Pin>> {
        let block = self.block.upgrade()?;
        block.mark_shared();
        Some(block)
    }
}
