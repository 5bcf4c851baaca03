//! Blocks that packed values need, as the runtime manages them: each may leave a full store while no task reads it, and
//! is fetched again from its owner or from the simulated disk. Does what the runtime's `resident_blocks`, `fetches` and
//! `spill` do, without a thread that could wait: a reader that finds a block missing gets an error, and is woken when
//! the block is there again.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, Links, Pin, Waiter};
use crate::sim::memory::{SimMemory, SimPeerMemory, Store};
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
    last_use: AtomicU64,
    state: Mutex<ResidentState>,
}

#[derive(Default)]
struct ResidentState {
    resident: Option<Arc<dyn ArrayMemory>>,
    /// Its bytes, and how many they stand for.
    on_disk: Option<(Arc<[u8]>, u64)>,
    source: Option<(ObjectId, Arc<dyn Links>)>,
    /// Several values need it: it is no longer a mere copy.
    shared: bool,
    /// It was requested from its owner, which has not responded.
    requested: bool,
    /// The owner's last response, if that was an error.
    refusal: Option<Arc<Error>>,
    waiting: Vec<Arc<dyn Reader>>,
    weak_self: Weak<SimResidentBlock>,
}

/// A job that waits for a block.
pub trait Reader: Waiter {
    /// The block is there: it stays so while the reader has this pin.
    fn pin(&self, memory: Arc<dyn ArrayMemory>);
}

impl SimResidentBlock {
    fn new(store: &Arc<Store>, memory: Arc<dyn ArrayMemory>) -> Arc<SimResidentBlock> {
        let block = Arc::new_cyclic(|weak_self| SimResidentBlock {
            store: store.clone(),
            last_use: AtomicU64::new(0),
            state: Mutex::new(ResidentState {
                resident: Some(memory),
                weak_self: weak_self.clone(),
                ..ResidentState::default()
            }),
        });
        block.touch();
        lock(&store.resident_blocks.list).push(Arc::downgrade(&block));
        block
    }

    fn touch(&self) {
        self.last_use.store(self.store.resident_blocks.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn mark_shared(&self) {
        let mut state = lock(&self.state);
        (state.shared, state.source) = (true, None);
    }

    /// What could leave the store of `owner` now: `None` if a task reads the block, or it is not there.
    pub fn candidate(&self, owner: Rank) -> Option<EvictionCandidate> {
        let state = lock(&self.state);
        let memory = state.resident.as_ref().filter(|memory| Arc::strong_count(memory) == 1)?;
        let bytes = bytes_in(memory, owner)?;
        let class = match &state.on_disk {
            _ if state.source.is_some() => EvictionClass::Copy,
            Some(_) => EvictionClass::OnDisk,
            None => EvictionClass::Original,
        };
        Some(EvictionCandidate { bytes, last_use: self.last_use.load(Ordering::Relaxed), class })
    }

    /// Writes it to the disk.
    pub fn spill(&self) {
        let mut state = lock(&self.state);
        let Some(memory) = state.resident.clone() else { return };
        state.on_disk.get_or_insert_with(|| (memory.bytes().into(), length_of(&*memory)));
    }

    /// Removes the memory if it can be had again and no task reads it; the caller drops it.
    pub fn evict(&self) -> Option<Arc<dyn ArrayMemory>> {
        let mut state = lock(&self.state);
        if state.on_disk.is_none() && state.source.is_none() {
            return None;
        }
        state.resident.take_if(|memory| Arc::strong_count(memory) == 1)
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
        let first_request = !std::mem::replace(&mut state.requested, true);
        state.refusal = None;
        state.source.clone().filter(|_| first_request)
    }

    /// The block in the store again, made by `read_back` if it is only on disk.
    pub fn restore(&self, read_back: impl FnOnce() -> Arc<dyn ArrayMemory>) -> Arc<dyn ArrayMemory> {
        let resident = lock(&self.state).resident.clone();
        let memory = resident.unwrap_or_else(read_back);
        lock(&self.state).resident.get_or_insert(memory).clone()
    }

    fn on_response(&self, memory: Option<Arc<dyn ArrayMemory>>, refusal: Option<Arc<Error>>) {
        let (waiting, resident) = {
            let mut state = lock(&self.state);
            if let Some(memory) = memory {
                state.resident.get_or_insert(memory);
            }
            (state.requested, state.refusal) = (false, refusal);
            (std::mem::take(&mut state.waiting), state.resident.clone())
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
        let block = state.weak_self.clone();
        if let Some((bytes, length)) = state.on_disk.clone() {
            return Ok(Arc::new(DiskMemory { bytes, length, block }));
        }
        if let Some(error) = &state.refusal {
            return Err((**error).clone());
        }
        lock(&self.store.resident_blocks.misses).extend(block.upgrade());
        let reason = "its copy here was evicted, and cannot be fetched where nothing can wait".to_string();
        Err(Error::ObjectLost { object: "an array".to_string(), reason })
    }
    fn unpin(&self) {}
    fn set_copy_of(&self, object: ObjectId, links: &Arc<dyn Links>) {
        let mut state = lock(&self.state);
        if !state.shared {
            state.source = Some((object, links.clone()));
        }
    }
    fn refill(&self, memory: Arc<dyn ArrayMemory>) {
        self.touch();
        // Not under the lock: a thread that asks memory for its resident block takes the two in the other order.
        let weak_self = lock(&self.state).weak_self.clone();
        if let Some(own) = memory.as_any().downcast_ref::<SimMemory>() {
            own.set_resident(weak_self);
        }
        self.on_response(Some(memory), None);
    }
    fn refill_failed(&self, error: &Arc<Error>) {
        self.on_response(None, Some(error.clone()));
    }
}

/// The bytes that a block takes of the store of `owner`; `None` if it is in another store.
fn bytes_in(memory: &Arc<dyn ArrayMemory>, owner: Rank) -> Option<u64> {
    let any = memory.as_any();
    let state = match any.downcast_ref::<SimPeerMemory>() {
        Some(peer) => (peer.address().block.owner, peer.address().bytes),
        None => any.downcast_ref::<SimMemory>().map(|own| (own.rank(), own.length()))?,
    };
    (state.0 == owner).then_some(state.1)
}

/// How many bytes a block stands for.
fn length_of(memory: &dyn ArrayMemory) -> u64 {
    let any = memory.as_any();
    let peer = any.downcast_ref::<SimPeerMemory>().map(|peer| peer.address().bytes);
    let own = || any.downcast_ref::<SimMemory>().map(SimMemory::length);
    peer.or_else(own).unwrap_or(memory.bytes().len() as u64)
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
