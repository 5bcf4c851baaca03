//! What leaves this rank by name and what is here by name: drives the pure counts, and keeps what they say must live.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{AnySlot, ArrayMemory, Arrival, Attachment};
use crate::protocol::blocks::Pulled;
use crate::protocol::driver::Driver;
use crate::protocol::far::FarBlock;
use crate::protocol::handles::ActorRef;
use crate::protocol::{Message, WireAttachment, WirePlace};
use crate::store::{Action, CountMessage, Counts};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::{Arc, Mutex, Weak};

mod actors;
mod awaited;
mod census;
mod exported;
mod reads;

pub use exported::Lent;

/// Something that must live because another rank may ask for it.
#[derive(Clone)]
enum Keep {
    Slot(Arc<dyn AnySlot>),
    Memory(Arc<dyn ArrayMemory>),
    Actor(Arc<ActorRef>),
    Arrival(#[allow(dead_code)] Arc<Arrival>),
    Far(#[allow(dead_code)] Arc<FarBlock>),
}

/// What stands here for something of another rank.
enum Live {
    Slot(Weak<dyn AnySlot>),
    Memory(Weak<dyn ArrayMemory>),
    Actor(Weak<ActorRef>),
    Far(Weak<FarBlock>),
}

#[derive(Default)]
struct Tables {
    counts: Counts,
    /// By number: this rank's objects that others hold.
    exported: HashMap<u64, Keep>,
    /// Those that who holds them was asked to let go of, and has not answered.
    asked: HashSet<u64>,
    /// Those that are not let go of.
    refused: HashSet<u64>,
    /// References under way between two other ranks.
    pinned: HashMap<ObjectId, Keep>,
    /// Objects of others, with the address of what stands for them.
    live: HashMap<ObjectId, (usize, Live)>,
    /// References that came and whose message is still being decoded: until it is, no grants are returned.
    arriving: HashMap<ObjectId, u64>,
}

/// The references of a rank.
pub struct References {
    me: Rank,
    next_number: AtomicU64,
    tables: Mutex<Tables>,
}

impl References {
    /// Of rank `me`.
    pub fn new(me: Rank) -> References {
        References {
            me,
            next_number: AtomicU64::new(1),
            tables: Mutex::new(Tables { counts: Counts::new(me), ..Tables::default() }),
        }
    }

    /// A number that this rank has not used yet.
    pub fn fresh_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets everything: the end.
    pub fn clear(&self) {
        let tables = std::mem::take(&mut *lock(&self.tables));
        drop(tables);
    }

    /// This rank's object of that number, where another rank holds it.
    pub fn own_slot(&self, number: u64) -> Option<Arc<dyn AnySlot>> {
        match lock(&self.tables).exported.get(&number) {
            Some(Keep::Slot(slot)) => Some(slot.clone()),
            _ => None,
        }
    }

    /// What travels beside a value to `to`, in wire form; each reference is counted (C1).
    pub fn export(
        &self,
        driver: &impl Driver,
        attachments: &[Attachment],
        to: Rank,
    ) -> Result<Vec<WireAttachment>, Error> {
        attachments.iter().map(|attachment| self.export_one(driver, attachment, to)).collect()
    }

    fn export_one(&self, driver: &impl Driver, attachment: &Attachment, to: Rank) -> Result<WireAttachment, Error> {
        match attachment {
            Attachment::Slot(slot) => {
                let id = slot.remote_id().unwrap_or_else(|| ObjectId {
                    owner: self.me,
                    number: match slot.core().number() {
                        0 => slot.core().set_number(self.fresh_number()),
                        number => number,
                    },
                });
                self.sent(driver, id, to, || Keep::Slot(slot.clone()));
                Ok(WireAttachment::Reference(id))
            }
            Attachment::Array(memory) => self.export_memory(driver, memory, to).map(WireAttachment::Array),
            Attachment::Handle(handle) => match handle.clone().downcast::<ActorRef>() {
                Ok(actor) => {
                    self.sent(driver, actor.id, to, || Keep::Actor(actor.clone()));
                    Ok(WireAttachment::Actor(actor.wire()))
                }
                Err(_) => Err(lost("a handle", "it is of a kind that does not travel")),
            },
            // It is passed on as it came: this rank keeps it for another, and does not know its type.
            Attachment::Remote(arrival) if arrival.id.owner == self.me => match self.own_slot(arrival.id.number) {
                Some(slot) => self.export_one(driver, &Attachment::Slot(slot), to),
                None => Err(lost(&arrival.id.to_string(), "its owner does not know it any more")),
            },
            Attachment::Remote(arrival) => {
                self.sent(driver, arrival.id, to, || Keep::Arrival(arrival.clone()));
                Ok(WireAttachment::Reference(arrival.id))
            }
        }
    }

    /// A block in wire form, counted.
    pub fn export_memory(
        &self,
        driver: &impl Driver,
        memory: &Arc<dyn ArrayMemory>,
        to: Rank,
    ) -> Result<WirePlace, Error> {
        let place_of = |memory: &Arc<dyn ArrayMemory>| {
            let place = driver.place_of(&**memory, &|| self.fresh_number());
            place.ok_or_else(|| lost("an array", "it lies outside of the store; put it first"))
        };
        let (mut place, mut memory) = (place_of(memory)?, memory.clone());
        if driver.is_dead(place.block.owner) && !driver.host_ranks().contains(&to) {
            // The store of a rank that is gone is mapped on its host, and can be read nowhere else.
            memory = driver.store(memory.bytes())?;
            place = place_of(&memory)?;
        }
        self.sent(driver, place.block, to, || Keep::Memory(memory));
        Ok(place)
    }

    fn sent(&self, driver: &impl Driver, id: ObjectId, to: Rank, keep: impl FnOnce() -> Keep) {
        let mut tables = lock(&self.tables);
        // Looked at under the lock, which `lost` takes after the flag was set: nothing is counted for the dead, nor of theirs.
        if driver.is_dead(to) || driver.is_dead(id.owner) || !tables.counts.sent(id, to) {
            return;
        }
        if id.owner == self.me {
            tables.exported.entry(id.number).or_insert_with(keep);
        } else {
            tables.pinned.entry(id).or_insert_with(keep);
        }
    }

    /// What came beside a value from `from`, as this process uses it. Every reference is counted as received, also
    /// where an error is returned.
    pub fn import(
        &self,
        driver: &impl Driver,
        wires: &[WireAttachment],
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Vec<Attachment>, Error> {
        let attachments: Vec<_> = wires.iter().map(|wire| self.import_one(driver, wire, from, pulled)).collect();
        attachments.into_iter().collect()
    }

    fn import_one(
        &self,
        driver: &impl Driver,
        wire: &WireAttachment,
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Attachment, Error> {
        match wire {
            WireAttachment::Reference(id) => {
                if id.owner == self.me
                    && let Some(slot) = self.own_slot(id.number)
                {
                    // It may be decoded later, when nobody else holds it any more.
                    return Ok(Attachment::Slot(slot));
                }
                let mut tables = lock(&self.tables);
                if id.owner != self.me {
                    *tables.arriving.entry(*id).or_default() += 1;
                }
                Self::received(&mut tables, driver, *id, from);
                Ok(Attachment::Remote(Arc::new(Arrival { id: *id, links: driver.links() })))
            }
            WireAttachment::Array(place) => self.import_memory(driver, *place, from, pulled).map(Attachment::Array),
            WireAttachment::Actor(actor) => {
                Ok(Attachment::Handle(driver.protocol().import_actor(driver, actor, from)?))
            }
        }
    }

    /// The memory of a block named in a message from `from`.
    pub fn import_memory(
        &self,
        driver: &impl Driver,
        place: WirePlace,
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Arc<dyn ArrayMemory>, Error> {
        let id = place.block;
        if id.owner == self.me {
            return match lock(&self.tables).exported.get(&id.number) {
                Some(Keep::Memory(memory)) => Ok(memory.clone()),
                _ => Err(lost(&id.to_string(), "its owner does not know it any more")),
            };
        }
        let mut tables = lock(&self.tables);
        Self::received(&mut tables, driver, id, from);
        if let Some(outcome) = pulled.get(&id) {
            // The bytes are here: the block itself is not needed any more.
            if !tables.live.contains_key(&id) && !tables.arriving.contains_key(&id) {
                Self::dropped(&mut tables, driver, id);
            }
            return outcome.clone();
        }
        if let Some((_, Live::Memory(memory))) = tables.live.get(&id)
            && let Some(memory) = memory.upgrade()
        {
            return Ok(memory);
        }
        match driver.map(place) {
            Ok(memory) => {
                let address = Arc::as_ptr(&memory).cast::<()>().addr();
                tables.live.insert(id, (address, Live::Memory(Arc::downgrade(&memory))));
                Ok(memory)
            }
            Err(reason) => {
                Self::dropped(&mut tables, driver, id);
                Err(lost(&id.to_string(), reason))
            }
        }
    }

    /// A block named in a message from `from` that is left where it lies.
    pub fn import_far(&self, driver: &impl Driver, place: WirePlace, from: Rank) -> Arc<FarBlock> {
        let mut tables = lock(&self.tables);
        Self::received(&mut tables, driver, place.block, from);
        if let Some((_, Live::Far(block))) = tables.live.get(&place.block)
            && let Some(block) = block.upgrade()
        {
            return block;
        }
        let block = Arc::new(FarBlock::new(place, driver.links()));
        tables.live.insert(place.block, (Arc::as_ptr(&block).addr(), Live::Far(Arc::downgrade(&block))));
        block
    }

    /// Such a block, passed on to `to`: counted.
    pub fn export_far(&self, driver: &impl Driver, block: &Arc<FarBlock>, to: Rank) -> WirePlace {
        self.sent(driver, block.place.block, to, || Keep::Far(block.clone()));
        block.place
    }

    fn received(tables: &mut Tables, driver: &impl Driver, id: ObjectId, from: Rank) {
        let action = tables.counts.received(id, from);
        Self::act(tables, driver, action);
    }

    fn dropped(tables: &mut Tables, driver: &impl Driver, id: ObjectId) {
        let action = tables.counts.dropped(id);
        Self::act(tables, driver, action);
    }

    /// What stood for `id` at `address` is gone.
    pub fn released(&self, driver: &impl Driver, id: ObjectId, address: usize) {
        let mut tables = lock(&self.tables);
        if tables.live.get(&id).is_none_or(|(known, _)| *known != address) {
            // Something else stands for it by now, and will return the grants.
            return;
        }
        tables.live.remove(&id);
        // A reference that is still arriving needs them: what comes to stand for it, or `settled`, returns them.
        if !tables.arriving.contains_key(&id) {
            Self::dropped(&mut tables, driver, id);
        }
    }

    /// A message that brought a reference to `id` has been decoded.
    pub fn settled(&self, driver: &impl Driver, id: ObjectId) {
        let mut tables = lock(&self.tables);
        let Some(arriving) = tables.arriving.get_mut(&id) else { return };
        *arriving -= 1;
        if *arriving > 0 {
            return;
        }
        tables.arriving.remove(&id);
        // Nobody took it up (it did not decode), or who did is gone already.
        if !tables.live.contains_key(&id) {
            Self::dropped(&mut tables, driver, id);
        }
    }

    /// A message about counts.
    pub fn handle(&self, driver: &impl Driver, from: Rank, message: CountMessage) {
        let mut tables = lock(&self.tables);
        if driver.is_dead(from) {
            // It was found dead while this was on its way here: its grants have been settled.
            return;
        }
        let actions = tables.counts.handle(from, message, living(driver));
        // What is forgotten is dropped after the lock: dropping it may release other things.
        let forgotten: Vec<_> =
            actions.into_iter().map(|action| Self::act(&mut tables, driver, Some(action))).collect();
        drop(tables);
        drop(forgotten);
    }

    /// A rank is gone, and with it what it held of this one's.
    pub fn lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let mut tables = lock(&self.tables);
        let slots = tables.live.iter().filter(|(id, _)| id.owner == rank);
        let mut slots: Vec<_> = slots
            .filter_map(|(id, (_, live))| if let Live::Slot(slot) = live { Some((*id, slot.upgrade()?)) } else { None })
            .collect();
        slots.sort_unstable_by_key(|(id, _)| *id);
        let actions = tables.counts.lost(rank, living(driver));
        let forgotten: Vec<_> =
            actions.into_iter().map(|action| Self::act(&mut tables, driver, Some(action))).collect();
        drop(tables);
        drop(forgotten);
        // What it owned and had not told yet, nobody will tell. A slot that is complete stays so.
        slots.iter().for_each(|(_, slot)| slot.fail(Arc::new(error.clone())));
    }

    /// Does what the counts decided, under the lock that they were decided under: otherwise a reference that is sent or comes
    /// in between would be forgotten, and messages of two threads would go in another order than they were decided.
    /// Returns what is to be dropped after the lock.
    fn act(tables: &mut Tables, driver: &impl Driver, action: Option<Action>) -> Option<Keep> {
        match action {
            Some(Action::Send(to, message)) => {
                driver.send(to, &Message::Count(message));
                None
            }
            Some(Action::Free(number)) => {
                tables.asked.remove(&number);
                tables.refused.remove(&number);
                tables.exported.remove(&number)
            }
            Some(Action::Unpin(id)) => tables.pinned.remove(&id),
            None => None,
        }
    }

    /// What stands here for `id`.
    pub fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>> {
        if id.owner == self.me {
            return self.own_slot(id.number);
        }
        match lock(&self.tables).live.get(&id) {
            Some((_, Live::Slot(slot))) => slot.upgrade(),
            _ => None,
        }
    }

    /// What stands here for `id` from now on: `slot`, or what another thread made in the meantime.
    pub fn adopt(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        let mut tables = lock(&self.tables);
        if let Some((_, Live::Slot(other))) = tables.live.get(&id)
            && let Some(other) = other.upgrade()
        {
            return other;
        }
        tables.live.insert(id, (slot.address(), Live::Slot(Arc::downgrade(&slot))));
        slot
    }
}

/// All ranks that live.
fn living<D: Driver>(driver: &D) -> impl Iterator<Item = Rank> {
    (0..driver.size()).filter(|rank| !driver.is_dead(*rank))
}

fn lost(object: &str, reason: &str) -> Error {
    Error::ObjectLost { object: object.to_string(), reason: reason.to_string() }
}
