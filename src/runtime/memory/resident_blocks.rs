//! The blocks that packed values need: where each is, and how blocks without readers are evicted from a full store.
//!
//! ```text
//!   memory:   the block, in this store or in that of another rank of the host    readers share it
//!   on disk:  a copy of it                                                       kept once written: it never changes
//!   source:   the object that it is a copy of, whose owner has it too            see `refetch`
//! ```
//! At least one of the three exists. Evicting a block is dropping the reference to its memory: that frees its space if
//! there is no other reference, and disturbs no reader if there is one (OBJECTS-5). So the exact set of readers is not
//! needed.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, Links, Pin};
use crate::protocol::ReclaimableBlock;
use crate::runtime::Runtime;
use crate::runtime::memory::blocks::{OwnMemory, PeerMemory};
use crate::runtime::memory::refetch::FetchSource;
use crate::runtime::memory::spill::{OnDisk, SpilledMemory};
use crate::store::{Eviction, EvictionCandidate, EvictionClass, choose_evictions};
use std::sync::{Arc, Mutex, Weak};

/// A block, for as long as a packed value needs it.
pub struct ResidentBlock {
    pub runtime: &'static Runtime,
    /// The type of the first value that needed the block.
    pub kind: &'static str,
    last_use: AtomicU64,
    pub state: Mutex<BlockState>,
}

pub struct BlockState {
    pub memory: Option<Arc<dyn ArrayMemory>>,
    on_disk: Option<Arc<OnDisk>>,
    mapped: Weak<SpilledMemory>,
    pub source: FetchSource,
    pub weak_self: Weak<ResidentBlock>,
}

impl ResidentBlock {
    /// Keeps `memory` for packed values, the first of which is of type `kind`.
    pub fn new(runtime: &'static Runtime, memory: Arc<dyn ArrayMemory>, kind: &'static str) -> Arc<ResidentBlock> {
        let block = Arc::new_cyclic(|myself| ResidentBlock {
            runtime,
            kind,
            last_use: AtomicU64::new(runtime.memory.resident_blocks.now()),
            state: Mutex::new(BlockState {
                memory: Some(memory),
                on_disk: None,
                mapped: Weak::new(),
                source: FetchSource::default(),
                weak_self: myself.clone(),
            }),
        });
        runtime.memory.resident_blocks.add(&block);
        runtime.memory.space_waiters.on_space_maybe_freed();
        block
    }

    /// The block as a candidate for eviction from the store of `store_rank`: `None` if it has a reader, or is not
    /// there.
    fn candidate(&self, store_rank: Rank) -> Option<EvictionCandidate> {
        let state = lock(&self.state);
        let memory = state.memory.as_ref().filter(|memory| Arc::strong_count(memory) == 1)?;
        let bytes = bytes_in(memory, self.runtime.cluster.rank, store_rank)?;
        let class = match &state.on_disk {
            _ if state.source.is_known() => EvictionClass::Copy,
            Some(_) => EvictionClass::OnDisk,
            None => EvictionClass::Original,
        };
        Some(EvictionCandidate { bytes, last_use: self.last_use.load(Ordering::Relaxed), class })
    }

    /// Takes the memory out if it can be had again and has no reader; the caller drops it.
    fn try_evict(&self) -> Option<Arc<dyn ArrayMemory>> {
        let mut state = lock(&self.state);
        let can_be_had = state.on_disk.is_some() || state.source.is_known();
        state.memory.take_if(|memory| can_be_had && Arc::strong_count(memory) == 1)
    }

    fn memory_now(&self) -> Option<Arc<dyn ArrayMemory>> {
        lock(&self.state).memory.clone()
    }

    /// The block, if it is in memory, and true if it has readers.
    pub fn memory_and_readers(&self) -> Option<(Arc<dyn ArrayMemory>, bool)> {
        let memory = lock(&self.state).memory.clone()?;
        let has_readers = Arc::strong_count(&memory) > 2;
        Some((memory, has_readers))
    }

    /// Puts the block into memory again; if it is not there, `load` allocates and fills it.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn restore(
        &self,
        load: impl FnOnce() -> Result<Arc<dyn ArrayMemory>, Error>,
    ) -> Result<Arc<dyn ArrayMemory>, Error> {
        if let Some(memory) = self.memory_now() {
            return Ok(memory);
        }
        // Not under the lock: it may wait for free space.
        let memory = load()?;
        Ok(lock(&self.state).memory.get_or_insert(memory).clone())
    }

    /// Another value needs the block: it must survive the object that it is a copy of.
    pub fn share(&self) {
        lock(&self.state).source.share();
    }

    /// The block from memory or disk; `None` if it must be fetched.
    pub fn try_local(&self) -> Result<Option<Arc<dyn ArrayMemory>>, Error> {
        let mut state = lock(&self.state);
        if let Some(memory) = &state.memory {
            return Ok(Some(memory.clone()));
        }
        if let Some(mapped) = state.mapped.upgrade() {
            return Ok(Some(mapped));
        }
        let Some(on_disk) = &state.on_disk else { return Ok(None) };
        let mapped = on_disk.open(&state.weak_self).map_err(|error| self.object_lost(&error.to_string()))?;
        state.mapped = Arc::downgrade(&mapped);
        Ok(Some(mapped))
    }

    pub fn object_lost(&self, reason: &str) -> Error {
        Error::ObjectLost { object: self.kind.to_string(), reason: reason.to_string() }
    }

    fn touch(&self) {
        self.last_use.store(self.runtime.memory.resident_blocks.now(), Ordering::Relaxed);
    }
}

impl Pin for ResidentBlock {
    fn pin(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        self.touch();
        match self.try_local()? {
            Some(memory) => Ok(memory),
            None => self.fetch(),
        }
    }
    fn pin_here(&self) -> Option<Arc<dyn ArrayMemory>> {
        self.memory_now()
    }
    fn unpin(&self) {
        self.runtime.memory.space_waiters.on_space_maybe_freed();
    }
    fn set_copy_of(&self, object: ObjectId, links: &Arc<dyn Links>) {
        lock(&self.state).source.set_object(object, links);
    }
    fn refill(&self, memory: Arc<dyn ArrayMemory>) {
        self.touch();
        self.on_fetched(memory);
    }
    fn refill_failed(&self, error: &Arc<Error>) {
        self.on_refused(error);
    }
}

/// The bytes that a block takes of the store of `store_rank`; `None` if it is elsewhere.
fn bytes_in(memory: &Arc<dyn ArrayMemory>, rank: Rank, store_rank: Rank) -> Option<u64> {
    let any = memory.as_any();
    match any.downcast_ref::<PeerMemory>() {
        Some(peer) => (peer.id.owner == store_rank).then_some(peer.length),
        None => (rank == store_rank && any.is::<OwnMemory>()).then(|| memory.bytes().len() as u64),
    }
}

/// The blocks that the packed values of a rank need.
#[derive(Default)]
pub struct ResidentBlocks {
    list: Mutex<BlockList>,
    /// Counts the blocks added: the clock of their last uses.
    added: AtomicU64,
    /// Held by the thread that chooses what to evict.
    choosing: Mutex<()>,
}

#[derive(Default)]
struct BlockList {
    blocks: Vec<Weak<ResidentBlock>>,
    /// Length at which dropped blocks are removed: twice the number that lived at the last removal.
    full_at: usize,
}

/// Bytes evicted at once, if less is needed: disks are good at large writes, and many small requests for space should
/// not search all blocks each time. No more than this part of the store.
const SPILL_BYTES: u64 = 64 << 20;
const SPILLS_A_STORE: u64 = 32;

/// Length of the list before the first removal of dropped blocks.
const LIST_MIN: usize = 256;

impl ResidentBlocks {
    fn now(&self) -> u64 {
        self.added.load(Ordering::Relaxed)
    }

    fn add(&self, block: &Arc<ResidentBlock>) {
        let mut list = lock(&self.list);
        if list.blocks.len() >= list.full_at {
            list.blocks.retain(|block| block.strong_count() > 0);
            list.full_at = (2 * list.blocks.len()).max(LIST_MIN);
        }
        list.blocks.push(Arc::downgrade(block));
        // Under the lock: no other thread counts.
        self.added.store(self.now() + 1, Ordering::Relaxed);
    }

    pub fn living(&self) -> Vec<Arc<ResidentBlock>> {
        lock(&self.list).blocks.iter().filter_map(Weak::upgrade).collect()
    }
}

/// What was evicted from a store, or is about to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evicted {
    /// Bytes that are free now.
    pub freed: u64,
    /// Bytes that other ranks were asked to release.
    pub requested: u64,
}

/// Evicts blocks without readers that only this rank holds from the store of `store_rank`, until about
/// `needed_bytes` are free; it may be fewer. From this rank's own store, also blocks that other ranks hold and can
/// have produced again.
pub fn evict(runtime: &'static Runtime, store_rank: Rank, needed_bytes: u64) -> Evicted {
    let _one_at_a_time = lock(&runtime.memory.resident_blocks.choosing);
    runtime.memory.spill.warn_of_disk();
    let all = runtime.memory.resident_blocks.living();
    let (blocks, mut candidates): (Vec<_>, Vec<_>) =
        all.iter().filter_map(|block| Some((block, block.candidate(store_rank)?))).unzip();
    let reclaimable =
        if store_rank == runtime.cluster.rank { runtime.protocol.objects.reclaimable(&runtime) } else { Vec::new() };
    candidates.extend(reclaimable.iter().map(|(_, candidate)| *candidate));
    let at_once = runtime.memory.arena().map_or(0, |arena| arena.bytes() / SPILLS_A_STORE).min(SPILL_BYTES);
    let chosen = choose_evictions(&candidates, needed_bytes.max(at_once), runtime.memory.spill.is_on());
    let requested: Vec<ReclaimableBlock> = chosen
        .iter()
        .filter_map(|(index, _)| reclaimable.get(index.checked_sub(blocks.len())?))
        .map(|one| one.0)
        .collect();
    runtime.protocol.objects.reclaim(&runtime, &requested);
    let to_write: Vec<_> =
        chosen.iter().filter(|(_, exit)| *exit == Eviction::Spill).map(|(index, _)| blocks[*index]).collect();
    write_out(runtime, &to_write);
    let evicted = chosen.iter().filter_map(|(index, _)| blocks.get(*index)?.try_evict());
    let freed = evicted.map(|memory| memory.bytes().len() as u64).sum();
    Evicted { freed, requested: requested.iter().map(|reclaimable| reclaimable.bytes).sum() }
}

/// Returns true if any block could be evicted from this store now.
pub fn can_evict(runtime: &'static Runtime) -> bool {
    let may_write = runtime.memory.spill.can_write();
    let can = |candidate: EvictionCandidate| may_write || candidate.class != EvictionClass::Original;
    runtime.memory.resident_blocks.living().iter().any(|block| block.candidate(runtime.cluster.rank).is_some_and(can))
        || !runtime.protocol.objects.reclaimable(&runtime).is_empty()
}

fn write_out(runtime: &Runtime, blocks: &[&Arc<ResidentBlock>]) {
    // A block stays in memory while it is written, and can be read.
    let (blocks, memories): (Vec<&Arc<ResidentBlock>>, Vec<_>) =
        blocks.iter().filter_map(|block| Some((*block, block.memory_now()?))).unzip();
    if blocks.is_empty() {
        return;
    }
    for (block, on_disk) in blocks.iter().zip(runtime.memory.spill.write(&memories).unwrap_or_default()) {
        lock(&block.state).on_disk.get_or_insert(on_disk);
    }
}
