//! What leaves this rank by name and what is here by name: drives the pure counts, and keeps what they say must live.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::mem::PeerArena;
use crate::node::Node;
use crate::node::actors::ActorRef;
use crate::node::memory::{OwnMemory, PeerMemory};
use crate::object::{AnySlot, ArrayMemory, Arrival, Attachment, Links};
use crate::protocol::{Message, WireAttachment, WirePlace};
use crate::store::{Action, CountMessage, Counts};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex, Weak};

mod exported;

/// Something that must live because another rank may ask for it.
#[derive(Clone)]
enum Keep {
    Slot(Arc<dyn AnySlot>),
    Memory(Arc<dyn ArrayMemory>),
    Actor(Arc<ActorRef>),
}

/// What stands here for something of another rank.
enum Live {
    Slot(Weak<dyn AnySlot>),
    Memory(Weak<PeerMemory>),
    Actor(Weak<ActorRef>),
}

#[derive(Default)]
struct Tables {
    counts: Counts,
    /// By number: this rank's objects that others hold.
    exported: HashMap<u64, Keep>,
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
    /// By rank: the stores of this host's other ranks.
    arenas: Mutex<Vec<Option<Arc<PeerArena>>>>,
}

/// Blocks that were brought here from other hosts for one message, or why they were not.
pub type Pulled = HashMap<ObjectId, Result<Arc<dyn ArrayMemory>, Error>>;

impl References {
    /// Of rank `me`, which maps the stores in `arenas`.
    pub fn new(me: Rank, arenas: Vec<Option<Arc<PeerArena>>>) -> References {
        References {
            me,
            next_number: AtomicU64::new(1),
            tables: Mutex::new(Tables { counts: Counts::new(me), ..Tables::default() }),
            arenas: Mutex::new(arenas),
        }
    }

    /// A number that this rank has not used yet.
    pub fn fresh_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// The store of `rank`, where it is mapped here.
    pub fn arena_of(&self, rank: Rank) -> Option<Arc<PeerArena>> {
        lock(&self.arenas).get(rank as usize)?.clone()
    }

    /// Unmaps the stores of others: the end.
    pub fn forget_arenas(&self) {
        lock(&self.arenas).clear();
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
    pub fn export(&self, attachments: &[Attachment], to: Rank) -> Result<Vec<WireAttachment>, Error> {
        attachments.iter().map(|attachment| self.export_one(attachment, to)).collect()
    }

    fn export_one(&self, attachment: &Attachment, to: Rank) -> Result<WireAttachment, Error> {
        match attachment {
            Attachment::Slot(slot) => {
                let id = slot.remote_id().unwrap_or_else(|| ObjectId {
                    owner: self.me,
                    number: match slot.core().number() {
                        0 => slot.core().set_number(self.fresh_number()),
                        number => number,
                    },
                });
                self.sent(id, to, || Keep::Slot(slot.clone()));
                Ok(WireAttachment::Reference(id))
            }
            Attachment::Array(memory) => self.export_memory(memory, to).map(WireAttachment::Array),
            Attachment::Handle(handle) => match handle.clone().downcast::<ActorRef>() {
                Ok(actor) => {
                    self.sent(actor.id, to, || Keep::Actor(actor.clone()));
                    Ok(WireAttachment::Actor { actor: actor.id, home: actor.home, label: actor.label.clone() })
                }
                Err(_) => Err(lost("a handle", "it is of a kind that does not travel")),
            },
            Attachment::Remote(arrival) => Err(lost(&arrival.id.to_string(), "it was passed on before it was decoded")),
        }
    }

    /// A block in wire form, counted.
    pub fn export_memory(&self, memory: &Arc<dyn ArrayMemory>, to: Rank) -> Result<WirePlace, Error> {
        let (block, offset, bytes) = if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
            let (offset, bytes) = own.place();
            (ObjectId { owner: self.me, number: own.number_or(|| self.fresh_number()) }, offset, bytes)
        } else if let Some(peer) = memory.as_any().downcast_ref::<PeerMemory>() {
            (peer.id, peer.offset, peer.length)
        } else {
            return Err(lost("an array", "it lies outside of the store; put it first"));
        };
        self.sent(block, to, || Keep::Memory(memory.clone()));
        Ok(WirePlace { block, offset, bytes })
    }

    fn sent(&self, id: ObjectId, to: Rank, keep: impl FnOnce() -> Keep) {
        let mut tables = lock(&self.tables);
        if !tables.counts.sent(id, to) {
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
        node: &'static Node,
        wires: &[WireAttachment],
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Vec<Attachment>, Error> {
        let attachments: Vec<_> = wires.iter().map(|wire| self.import_one(node, wire, from, pulled)).collect();
        attachments.into_iter().collect()
    }

    fn import_one(
        &self,
        node: &'static Node,
        wire: &WireAttachment,
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Attachment, Error> {
        match wire {
            WireAttachment::Reference(id) => {
                let mut tables = lock(&self.tables);
                if id.owner != self.me {
                    *tables.arriving.entry(*id).or_default() += 1;
                }
                Self::received(&mut tables, node, *id, from);
                Ok(Attachment::Remote(Arc::new(Arrival { id: *id, links: node.links() })))
            }
            WireAttachment::Array(place) => self.import_memory(node, *place, from, pulled).map(Attachment::Array),
            WireAttachment::Actor { actor, home, label } => {
                Ok(Attachment::Handle(self.import_actor(node, *actor, *home, label, from)?))
            }
        }
    }

    /// The memory of a block named in a message from `from`.
    pub fn import_memory(
        &self,
        node: &'static Node,
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
        Self::received(&mut tables, node, id, from);
        if let Some(outcome) = pulled.get(&id) {
            // The bytes are here: the block itself is not needed any more.
            if !tables.live.contains_key(&id) {
                Self::dropped(&mut tables, node, id);
            }
            return outcome.clone();
        }
        if let Some((_, Live::Memory(memory))) = tables.live.get(&id)
            && let Some(memory) = memory.upgrade()
        {
            return Ok(memory);
        }
        let mapped = self.arena_of(id.owner).ok_or("its store is not mapped here");
        let memory = mapped.and_then(|arena| {
            PeerMemory::new(id, arena, place.offset, place.bytes, node.links()).ok_or("it lies outside of its store")
        });
        match memory {
            Ok(memory) => {
                let memory = Arc::new(memory);
                let address = Arc::as_ptr(&memory).addr();
                tables.live.insert(id, (address, Live::Memory(Arc::downgrade(&memory))));
                Ok(memory)
            }
            Err(reason) => {
                Self::dropped(&mut tables, node, id);
                Err(lost(&id.to_string(), reason))
            }
        }
    }

    /// The handle of an actor named in a message from `from`.
    pub fn import_actor(
        &self,
        node: &'static Node,
        id: ObjectId,
        home: Rank,
        label: &str,
        from: Rank,
    ) -> Result<Arc<ActorRef>, Error> {
        let mut tables = lock(&self.tables);
        Self::received(&mut tables, node, id, from);
        if id.owner == self.me {
            return match tables.exported.get(&id.number) {
                Some(Keep::Actor(actor)) => Ok(actor.clone()),
                _ => Err(Error::ActorDied {
                    actor: label.to_string(),
                    reason: "its last handle was dropped".to_string(),
                }),
            };
        }
        if let Some((_, Live::Actor(actor))) = tables.live.get(&id)
            && let Some(actor) = actor.upgrade()
        {
            return Ok(actor);
        }
        if home >= node.size {
            return Err(lost(label, "its home is no rank of this cluster"));
        }
        let actor = Arc::new(ActorRef { id, home, label: label.to_string() });
        tables.live.insert(id, (Arc::as_ptr(&actor).addr(), Live::Actor(Arc::downgrade(&actor))));
        Ok(actor)
    }

    fn received(tables: &mut Tables, node: &'static Node, id: ObjectId, from: Rank) {
        let action = tables.counts.received(id, from);
        Self::act(tables, node, action);
    }

    fn dropped(tables: &mut Tables, node: &'static Node, id: ObjectId) {
        let action = tables.counts.dropped(id);
        Self::act(tables, node, action);
    }

    /// What stood for `id` at `address` is gone.
    pub fn released(&self, node: &'static Node, id: ObjectId, address: usize) {
        let mut tables = lock(&self.tables);
        if tables.live.get(&id).is_none_or(|(known, _)| *known != address) {
            // Something else stands for it by now, and will return the grants.
            return;
        }
        tables.live.remove(&id);
        // A reference that is still arriving needs them: what comes to stand for it, or `settled`, returns them.
        if !tables.arriving.contains_key(&id) {
            Self::dropped(&mut tables, node, id);
        }
    }

    /// A message that brought a reference to `id` has been decoded.
    pub fn settled(&self, node: &'static Node, id: ObjectId) {
        let mut tables = lock(&self.tables);
        let Some(arriving) = tables.arriving.get_mut(&id) else { return };
        *arriving -= 1;
        if *arriving > 0 {
            return;
        }
        tables.arriving.remove(&id);
        // Nobody took it up (it did not decode), or who did is gone already.
        if !tables.live.contains_key(&id) {
            Self::dropped(&mut tables, node, id);
        }
    }

    /// A message about counts.
    pub fn handle(&self, node: &'static Node, from: Rank, message: CountMessage) {
        let mut tables = lock(&self.tables);
        let action = tables.counts.handle(from, message);
        // What is forgotten is dropped after the lock: dropping it may release other things.
        let forgotten = Self::act(&mut tables, node, action);
        drop(tables);
        drop(forgotten);
    }

    /// A rank is gone, and with it what it held of this one's.
    pub fn lost(&self, node: &'static Node, rank: Rank, error: &Error) {
        let mut tables = lock(&self.tables);
        let slots: Vec<_> = tables.live.iter().filter(|(id, _)| id.owner == rank).collect();
        let slots = slots
            .into_iter()
            .filter_map(|(_, (_, live))| if let Live::Slot(slot) = live { slot.upgrade() } else { None });
        let slots: Vec<_> = slots.filter(|slot| !slot.core().is_complete()).collect();
        let actions = tables.counts.lost(rank);
        let forgotten: Vec<_> = actions.into_iter().map(|action| Self::act(&mut tables, node, Some(action))).collect();
        drop(tables);
        drop(forgotten);
        // What it owned and had not told yet, nobody will tell.
        slots.iter().for_each(|slot| slot.fail(Arc::new(error.clone())));
    }

    /// Does what the counts decided, under the lock that they were decided under: otherwise a reference that is sent or comes
    /// in between would be forgotten, and messages of two threads would go in another order than they were decided.
    /// Returns what is to be dropped after the lock.
    fn act(tables: &mut Tables, node: &'static Node, action: Option<Action>) -> Option<Keep> {
        match action {
            Some(Action::Send(to, message)) => {
                node.send(to, &Message::Count(message));
                None
            }
            Some(Action::Free(number)) => tables.exported.remove(&number),
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

fn lost(object: &str, reason: &str) -> Error {
    Error::ObjectLost { object: object.to_string(), reason: reason.to_string() }
}

/// The node as objects see it.
pub struct NodeLinks(pub &'static Node);

impl Links for NodeLinks {
    fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>> {
        self.0.references.find(id)
    }
    fn adopt(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot> {
        self.0.references.adopt(id, slot)
    }
    fn settled(&self, id: ObjectId) {
        self.0.references.settled(self.0, id);
    }
    fn request(&self, id: ObjectId) {
        self.0.send(id.owner, &Message::Fetch { object: id.number });
        if self.0.is_dead(id.owner)
            && let Some(slot) = self.find(id)
        {
            slot.fail(Arc::new(self.0.death_of(id.owner)));
        }
    }
    fn released(&self, id: ObjectId, address: usize) {
        self.0.references.released(self.0, id, address);
    }
}
