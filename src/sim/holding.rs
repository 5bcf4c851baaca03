//! Blocks that packed values need, as the node keeps them: each may leave a store that is full while nobody reads it, and is
//! had again from its owner or from the simulated disk. What the node's `holdings`, `fetches` and `spill` do, without a thread
//! that could wait: who finds a block gone is told so, and is woken when it is there again.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, Keeper, Links, Waiter};
use crate::sim::memory::{PeerMemory, SimMemory, Store};
use crate::store::{Candidate, Class};
use std::any::Any;
use std::sync::{Arc, Mutex, Weak};

/// Where a block's holding is, where packed values need the block.
#[derive(Default)]
pub struct Held(Mutex<Weak<Holding>>);

impl Held {
    /// That one has it.
    pub fn is(&self, holding: Weak<Holding>) {
        *lock(&self.0) = holding;
    }

    /// What keeps `memory` for the rank of `store`.
    pub fn keeper(&self, store: &Arc<Store>, memory: Arc<dyn ArrayMemory>) -> Option<Arc<dyn Keeper>> {
        let mut held = lock(&self.0);
        if let Some(holding) = held.upgrade() {
            holding.share();
            return Some(holding);
        }
        let holding = Holding::new(store, memory);
        *held = Arc::downgrade(&holding);
        Some(holding)
    }
}

/// The holdings of a rank.
#[derive(Default)]
pub struct Holdings {
    list: Mutex<Vec<Weak<Holding>>>,
    /// The clock of their last uses.
    uses: AtomicU64,
    /// Those that somebody opened in vain since this was last asked.
    missed: Mutex<Vec<Arc<Holding>>>,
}

impl Holdings {
    /// Those that packed values need now, in the order made.
    pub fn living(&self) -> Vec<Arc<Holding>> {
        let mut list = lock(&self.list);
        list.retain(|holding| holding.strong_count() > 0);
        list.iter().filter_map(Weak::upgrade).collect()
    }

    /// Those that were opened in vain since the last time.
    pub fn missed(&self) -> Vec<Arc<Holding>> {
        std::mem::take(&mut *lock(&self.missed))
    }
}

/// A block, for as long as a packed value needs it.
pub struct Holding {
    /// Of the rank that keeps it.
    store: Arc<Store>,
    last_use: AtomicU64,
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    resident: Option<Arc<dyn ArrayMemory>>,
    /// Its bytes, and how many they stand for.
    on_disk: Option<(Arc<[u8]>, u64)>,
    source: Option<(ObjectId, Arc<dyn Links>)>,
    /// Several values need it: it is no mere copy any more.
    shared: bool,
    /// The owner was asked, and has not answered.
    asked: bool,
    /// Its last answer, where that was none.
    refusal: Option<Arc<Error>>,
    waiting: Vec<Arc<dyn Reader>>,
    myself: Weak<Holding>,
}

/// Who waits for a block.
pub trait Reader: Waiter {
    /// The block is there: it stays so while this is held.
    fn holds(&self, memory: Arc<dyn ArrayMemory>);
}

impl Holding {
    fn new(store: &Arc<Store>, memory: Arc<dyn ArrayMemory>) -> Arc<Holding> {
        let holding = Arc::new_cyclic(|myself| Holding {
            store: store.clone(),
            last_use: AtomicU64::new(0),
            place: Mutex::new(Place { resident: Some(memory), myself: myself.clone(), ..Place::default() }),
        });
        holding.touch();
        lock(&store.holdings.list).push(Arc::downgrade(&holding));
        holding
    }

    fn touch(&self) {
        self.last_use.store(self.store.holdings.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn share(&self) {
        let mut place = lock(&self.place);
        (place.shared, place.source) = (true, None);
    }

    /// What could leave the store of `home` now: nothing where somebody reads it, or it is not there.
    pub fn candidate(&self, home: Rank) -> Option<Candidate> {
        let place = lock(&self.place);
        let memory = place.resident.as_ref().filter(|memory| Arc::strong_count(memory) == 1)?;
        let bytes = bytes_in(memory, home)?;
        let class = match &place.on_disk {
            _ if place.source.is_some() => Class::Copy,
            Some(_) => Class::OnDisk,
            None => Class::Original,
        };
        Some(Candidate { bytes, last_use: self.last_use.load(Ordering::Relaxed), class })
    }

    /// Writes it to the disk.
    pub fn spill(&self) {
        let mut place = lock(&self.place);
        let Some(memory) = place.resident.clone() else { return };
        place.on_disk.get_or_insert_with(|| (memory.bytes().into(), length_of(&*memory)));
    }

    /// Gives the memory up where it can be had again and nobody reads it; what is to be dropped.
    pub fn leave(&self) -> Option<Arc<dyn ArrayMemory>> {
        let mut place = lock(&self.place);
        if place.on_disk.is_none() && place.source.is_none() {
            return None;
        }
        place.resident.take_if(|memory| Arc::strong_count(memory) == 1)
    }

    /// Wakes `reader` when the block is there again; the question that its owner is to be asked, where nobody asked it.
    pub fn await_it(&self, reader: &Arc<dyn Reader>) -> Option<(ObjectId, Arc<dyn Links>)> {
        let mut place = lock(&self.place);
        if let Some(memory) = place.resident.clone() {
            drop(place);
            reader.holds(memory);
            reader.clone().ready();
            return None;
        }
        place.waiting.push(reader.clone());
        let ask = !std::mem::replace(&mut place.asked, true);
        place.refusal = None;
        place.source.clone().filter(|_| ask)
    }

    /// The block in the store again, made by `bring` where it is on disk alone.
    pub fn bring_back(&self, bring: impl FnOnce() -> Arc<dyn ArrayMemory>) -> Arc<dyn ArrayMemory> {
        let resident = lock(&self.place).resident.clone();
        let memory = resident.unwrap_or_else(bring);
        lock(&self.place).resident.get_or_insert(memory).clone()
    }

    fn answered(&self, memory: Option<Arc<dyn ArrayMemory>>, refusal: Option<Arc<Error>>) {
        let (waiting, resident) = {
            let mut place = lock(&self.place);
            if let Some(memory) = memory {
                place.resident.get_or_insert(memory);
            }
            (place.asked, place.refusal) = (false, refusal);
            (std::mem::take(&mut place.waiting), place.resident.clone())
        };
        for reader in waiting {
            resident.iter().for_each(|memory| reader.holds(memory.clone()));
            reader.ready();
        }
    }
}

impl Keeper for Holding {
    fn open(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        self.touch();
        let place = lock(&self.place);
        if let Some(memory) = &place.resident {
            return Ok(memory.clone());
        }
        let holding = place.myself.clone();
        if let Some((bytes, length)) = place.on_disk.clone() {
            return Ok(Arc::new(DiskMemory { bytes, length, holding }));
        }
        if let Some(error) = &place.refusal {
            return Err((**error).clone());
        }
        lock(&self.store.holdings.missed).extend(holding.upgrade());
        let reason = "its copy here made room for others, and cannot be fetched where nothing can wait".to_string();
        Err(Error::ObjectLost { object: "an array".to_string(), reason })
    }
    fn closed(&self) {}
    fn is_copy(&self, object: ObjectId, links: &Arc<dyn Links>) {
        let mut place = lock(&self.place);
        if !place.shared {
            place.source = Some((object, links.clone()));
        }
    }
    fn refill(&self, memory: Arc<dyn ArrayMemory>) {
        self.touch();
        // Not under the lock: who asks a block for its holding takes the two the other way round.
        let myself = lock(&self.place).myself.clone();
        if let Some(own) = memory.as_any().downcast_ref::<SimMemory>() {
            own.held_by(myself);
        }
        self.answered(Some(memory), None);
    }
    fn refuse(&self, error: &Arc<Error>) {
        self.answered(None, Some(error.clone()));
    }
}

/// The bytes that a block takes of the store of `home`; `None` where it lies elsewhere.
fn bytes_in(memory: &Arc<dyn ArrayMemory>, home: Rank) -> Option<u64> {
    let any = memory.as_any();
    let place = match any.downcast_ref::<PeerMemory>() {
        Some(peer) => (peer.place().block.owner, peer.place().bytes),
        None => any.downcast_ref::<SimMemory>().map(|own| (own.rank(), own.length()))?,
    };
    (place.0 == home).then_some(place.1)
}

/// How many bytes a block stands for.
fn length_of(memory: &dyn ArrayMemory) -> u64 {
    let any = memory.as_any();
    let peer = any.downcast_ref::<PeerMemory>().map(|peer| peer.place().bytes);
    let own = || any.downcast_ref::<SimMemory>().map(SimMemory::length);
    peer.or_else(own).unwrap_or(memory.bytes().len() as u64)
}

/// A block of which the bytes are read from disk.
pub struct DiskMemory {
    bytes: Arc<[u8]>,
    /// How many bytes it stands for.
    pub length: u64,
    /// What packed values have of it.
    pub holding: Weak<Holding>,
}

impl ArrayMemory for DiskMemory {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn keeper(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Keeper>> {
        let holding = self.holding.upgrade()?;
        holding.share();
        Some(holding)
    }
}
