//! References that this rank sent and received: drives the pure counts, and keeps alive what they say must live.

use crate::base::sync::{AtomicU64, Ordering};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{AnySlot, ArrayMemory, ReceivedReference};
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::environment::{BlockStore, Liveness, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::fetch::unfetched::UnfetchedBlock;
use crate::protocol::{BlockAddress, Message};
use crate::store::{CountAction, CountMessage, Counts};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::{Arc, Mutex, Weak};

mod actors;
mod awaited_ranks;
mod block_reads;
mod exported;
mod leak_check;
#[cfg(test)]
mod tests;

pub use leak_check::UncountedReference;

/// Keeps something alive because another rank may request it.
#[derive(Clone)]
pub(in crate::protocol::objects) enum ExportPin {
    Slot(Arc<dyn AnySlot>),
    Memory(Arc<dyn ArrayMemory>),
    Actor(Arc<ActorRef>),
    Reference(#[allow(dead_code)] Arc<ReceivedReference>),
    Unfetched(#[allow(dead_code)] Arc<UnfetchedBlock>),
}

/// What represents an object of another rank here.
enum Imported {
    Slot(Weak<dyn AnySlot>),
    Memory(Weak<dyn ArrayMemory>),
    Actor(Weak<ActorRef>),
    Unfetched(Weak<UnfetchedBlock>),
}

#[derive(Default)]
pub(in crate::protocol::objects) struct Tables {
    pub(in crate::protocol::objects) counts: Counts,
    /// This rank's objects that others hold, by number.
    pub(in crate::protocol::objects) exported: HashMap<u64, ExportPin>,
    /// Blocks whose holder was asked to release them and has not replied.
    pub(in crate::protocol::objects) reclaim_requested: HashSet<u64>,
    /// Blocks whose holder refused to release them.
    pub(in crate::protocol::objects) reclaim_refused: HashSet<u64>,
    /// Objects whose references are in flight between two other ranks.
    pinned: HashMap<ObjectId, ExportPin>,
    /// Objects of other ranks, with the address of what represents them.
    imported: HashMap<ObjectId, (usize, Imported)>,
    /// References that arrived in a message that is still being decoded: until it is, their grants are not returned.
    arriving: HashMap<ObjectId, u64>,
}

impl Tables {
    /// Forgets what is not needed any more, under the lock under which the counts decided so: otherwise a reference
    /// that is sent or received in between would be forgotten too. Returns what is to be dropped after the lock.
    fn forget(&mut self, actions: &[CountAction]) -> Vec<ExportPin> {
        let forgotten = actions.iter().filter_map(|action| match action {
            CountAction::Free(number) => {
                self.reclaim_requested.remove(number);
                self.reclaim_refused.remove(number);
                self.exported.remove(number)
            }
            CountAction::Unpin(id) => self.pinned.remove(id),
            CountAction::Send(..) => None,
        });
        forgotten.collect()
    }

    /// What represents a received block here, and whether its grants are needed.
    fn represent_memory(
        &mut self,
        env: &impl BlockStore,
        address: BlockAddress,
        fetched: &FetchedBlocks,
    ) -> (Result<Arc<dyn ArrayMemory>, Error>, bool) {
        let id = address.block;
        if let Some(outcome) = fetched.get(&id) {
            // The bytes are here: the block itself is not needed any more.
            return (outcome.clone(), self.imported.contains_key(&id) || self.arriving.contains_key(&id));
        }
        if let Some((_, Imported::Memory(memory))) = self.imported.get(&id)
            && let Some(memory) = memory.upgrade()
        {
            return (Ok(memory), true);
        }
        match env.map_block(address) {
            Ok(memory) => {
                let pointer = Arc::as_ptr(&memory).cast::<()>().addr();
                self.imported.insert(id, (pointer, Imported::Memory(Arc::downgrade(&memory))));
                (Ok(memory), true)
            }
            Err(reason) => (Err(object_lost(&id.to_string(), reason)), false),
        }
    }
}

/// Sends what the counts decided. The lock under which they did so is released: these messages need no order
/// (`store::counts`).
fn send_counts(env: &impl Messenger, actions: impl IntoIterator<Item = CountAction>) {
    for action in actions {
        if let CountAction::Send(to, message) = action {
            env.send(to, &Message::Count(message));
        }
    }
}

/// The references of a rank.
pub struct References {
    rank: Rank,
    next_number: AtomicU64,
    pub(in crate::protocol::objects) tables: Mutex<Tables>,
}

impl References {
    /// The references of rank `rank`.
    pub fn new(rank: Rank) -> References {
        References {
            rank,
            next_number: AtomicU64::new(1),
            tables: Mutex::new(Tables { counts: Counts::new(rank), ..Tables::default() }),
        }
    }

    /// The numbers of this rank, which has used none yet, begin there.
    pub fn number_from(&self, first: u64) {
        self.next_number.store(first, Ordering::Relaxed);
    }

    /// A number that this rank has not used yet.
    #[inline]
    pub fn fresh_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets everything at shutdown.
    pub fn clear(&self) {
        let tables = std::mem::take(&mut *lock(&self.tables));
        drop(tables);
    }

    /// This rank's object of that number, if another rank holds it.
    pub fn own_slot(&self, number: u64) -> Option<Arc<dyn AnySlot>> {
        match lock(&self.tables).exported.get(&number) {
            Some(ExportPin::Slot(slot)) => Some(slot.clone()),
            _ => None,
        }
    }

    /// The address of a block, for `to`; counted.
    pub fn export_memory(
        &self,
        env: &(impl Liveness + BlockStore),
        memory: &Arc<dyn ArrayMemory>,
        to: Rank,
    ) -> Result<BlockAddress, Error> {
        let address_of = |memory: &Arc<dyn ArrayMemory>| {
            let address = env.address_of(&**memory, &|| self.fresh_number());
            address.ok_or_else(|| object_lost("an array", "it lies outside of the store of this cluster; put it first"))
        };
        let (mut address, mut memory) = (address_of(memory)?, memory.clone());
        if env.is_dead(address.block.owner) && !env.host_ranks().contains(&to) {
            // The store of a dead rank is mapped on its host, and cannot be read on any other.
            memory = env.store_block(memory.bytes())?;
            address = address_of(&memory)?;
        }
        self.on_sent(env, address.block, to, || ExportPin::Memory(memory));
        Ok(address)
    }

    /// Counts a reference that goes into a message to `to`. True if it is to an object of this rank to which that rank
    /// has no other reference, as far as is known here.
    pub(in crate::protocol::objects) fn on_sent(
        &self,
        env: &impl Liveness,
        id: ObjectId,
        to: Rank,
        pin: impl FnOnce() -> ExportPin,
    ) -> bool {
        let mut tables = lock(&self.tables);
        let is_first = id.owner == self.rank && !tables.counts.has_grants(id.number, to);
        // Checked under the lock, which `on_peer_failed` takes after the flag was set: no reference to or of a dead
        // rank is counted.
        if env.is_dead(to) || env.is_dead(id.owner) || !tables.counts.sent(id, to) {
            return false;
        }
        if id.owner == self.rank {
            tables.exported.entry(id.number).or_insert_with(pin);
        } else {
            tables.pinned.entry(id).or_insert_with(pin);
        }
        is_first
    }

    /// A reference named in a message from `from`. Returns the object if it is one of this rank's and another rank
    /// holds it.
    pub(in crate::protocol::objects) fn import_reference(
        &self,
        env: &impl Messenger,
        id: ObjectId,
        from: Rank,
    ) -> Option<Arc<dyn AnySlot>> {
        if id.owner == self.rank
            && let Some(slot) = self.own_slot(id.number)
        {
            return Some(slot);
        }
        let borrow = {
            let mut tables = lock(&self.tables);
            if id.owner != self.rank {
                *tables.arriving.entry(id).or_default() += 1;
            }
            tables.counts.received(id, from)
        };
        send_counts(env, borrow);
        None
    }

    /// The memory of a block named in a message from `from`.
    pub fn import_memory(
        &self,
        env: &(impl Messenger + BlockStore),
        address: BlockAddress,
        from: Rank,
        fetched: &FetchedBlocks,
    ) -> Result<Arc<dyn ArrayMemory>, Error> {
        let id = address.block;
        if id.owner == self.rank {
            return match lock(&self.tables).exported.get(&id.number) {
                Some(ExportPin::Memory(memory)) => Ok(memory.clone()),
                _ => Err(object_lost(&id.to_string(), "its owner does not know it any more")),
            };
        }
        let (borrow, release, outcome) = {
            let mut tables = lock(&self.tables);
            let borrow = tables.counts.received(id, from);
            let (outcome, is_needed) = tables.represent_memory(env, address, fetched);
            let release = if is_needed { None } else { tables.counts.dropped(id) };
            (borrow, release, outcome)
        };
        send_counts(env, borrow.into_iter().chain(release));
        outcome
    }

    /// What represented `id` here, at `pointer`, was dropped.
    pub fn on_released(&self, env: &impl Messenger, id: ObjectId, pointer: usize) {
        let mut tables = lock(&self.tables);
        if tables.imported.get(&id).is_none_or(|(known, _)| *known != pointer) {
            // It is represented by something else by now, which will return the grants.
            return;
        }
        tables.imported.remove(&id);
        // A reference in a message that is still being decoded needs the grants: they are returned by what comes to
        // represent it, or by `on_decoded`.
        let release = if tables.arriving.contains_key(&id) { None } else { tables.counts.dropped(id) };
        drop(tables);
        send_counts(env, release);
    }

    /// A message that contained a reference to `id` has been decoded.
    pub fn on_decoded(&self, env: &impl Messenger, id: ObjectId) {
        let mut tables = lock(&self.tables);
        let Some(arriving) = tables.arriving.get_mut(&id) else { return };
        *arriving -= 1;
        if *arriving > 0 {
            return;
        }
        tables.arriving.remove(&id);
        // It was not used (it did not decode), or has been dropped already.
        let release = if tables.imported.contains_key(&id) { None } else { tables.counts.dropped(id) };
        drop(tables);
        send_counts(env, release);
    }

    /// A message about reference counts.
    pub fn handle(&self, env: &(impl Messenger + Liveness), from: Rank, message: CountMessage) {
        let mut tables = lock(&self.tables);
        if env.is_dead(from) {
            // It died while this message was in flight: its grants have been released.
            return;
        }
        let actions = tables.counts.handle(from, message, live_ranks(env));
        // Dropped after the lock is released: dropping it may release other objects.
        let forgotten = tables.forget(&actions);
        drop(tables);
        send_counts(env, actions);
        drop(forgotten);
    }

    /// A rank died: releases what it held of this rank's.
    pub fn on_peer_failed(&self, env: &(impl Messenger + Liveness), rank: Rank, error: &Error) {
        let mut tables = lock(&self.tables);
        let slots = tables.imported.iter().filter(|(id, _)| id.owner == rank);
        let mut slots: Vec<_> = slots
            .filter_map(
                |(id, (_, imported))| {
                    if let Imported::Slot(slot) = imported { Some((*id, slot.upgrade()?)) } else { None }
                },
            )
            .collect();
        slots.sort_unstable_by_key(|(id, _)| *id);
        let actions = tables.counts.on_rank_failed(rank, live_ranks(env));
        let forgotten = tables.forget(&actions);
        drop(tables);
        send_counts(env, actions);
        drop(forgotten);
        // The values that it owned and had not sent will never arrive. A completed promise stays complete.
        slots.iter().for_each(|(_, slot)| slot.fail(Arc::new(error.clone())));
    }

    /// The object `id`, as it is represented here.
    pub fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>> {
        if id.owner == self.rank {
            return self.own_slot(id.number);
        }
        match lock(&self.tables).imported.get(&id) {
            Some((_, Imported::Slot(slot))) => slot.upgrade(),
            _ => None,
        }
    }

    /// Makes `slot` represent `id` here; returns it, or what another thread interned first.
    pub fn intern(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        let mut tables = lock(&self.tables);
        if let Some((_, Imported::Slot(other))) = tables.imported.get(&id)
            && let Some(other) = other.upgrade()
        {
            return other;
        }
        tables.imported.insert(id, (slot.address(), Imported::Slot(Arc::downgrade(&slot))));
        slot
    }
}

/// The ranks that are alive.
fn live_ranks<D: Messenger + Liveness>(env: &D) -> impl Iterator<Item = Rank> {
    (0..env.size()).filter(|rank| !env.is_dead(*rank))
}

pub(in crate::protocol::objects) fn object_lost(object: &str, reason: &str) -> Error {
    Error::ObjectLost { object: object.to_string(), reason: reason.to_string() }
}
