//! Handles of actors, and the names that lead to them.

use crate::base::sync::lock;
use crate::base::{ObjectId, Rank};
use crate::object::Attachment;
use crate::protocol::driver::Driver;
use crate::protocol::{Message, Protocol, WireAttachment};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// An actor as its handles know it: one value a process, shared by the handles.
pub struct ActorRef {
    /// Its name; the owner made it and counts who holds handles.
    pub id: ObjectId,
    /// The rank that it runs on.
    pub home: Rank,
    /// Its type, and its name where it has one.
    pub label: String,
    keeper: Option<Arc<dyn Keeper>>,
}

/// Who is told when no handle of this process is left.
trait Keeper: Send + Sync {
    fn last_dropped(&self, actor: &ActorRef);
}

struct KeptBy<D>(D);

impl<D: Driver> Keeper for KeptBy<D> {
    fn last_dropped(&self, actor: &ActorRef) {
        let driver = &self.0;
        if actor.id.owner != driver.rank() {
            driver.protocol().references.released(driver, actor.id, std::ptr::from_ref(actor).addr());
        } else if !driver.stopping() {
            let reason = "its last handle was dropped".to_string();
            driver.send(actor.home, &Message::Kill { actor: actor.id, reason });
        }
    }
}

impl ActorRef {
    /// The actor `id` at `home`.
    pub fn new(driver: &impl Driver, id: ObjectId, home: Rank, label: String) -> Arc<ActorRef> {
        Arc::new(ActorRef { id, home, label, keeper: Some(Arc::new(KeptBy(driver.clone()))) })
    }

    /// An actor of no cluster, which nobody can reach.
    pub fn nowhere(label: String) -> Arc<ActorRef> {
        Arc::new(ActorRef { id: ObjectId { owner: Rank::MAX, number: 0 }, home: 0, label, keeper: None })
    }
}

impl Drop for ActorRef {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.last_dropped(self);
        }
    }
}

/// How an actor is called in errors.
pub fn label_of(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_string(), |name| format!("{kind} {name:?}"))
}

/// The names that a rank keeps: each with its bearer's type and handle.
#[derive(Default)]
pub struct Names(Mutex<HashMap<String, (String, Arc<ActorRef>)>>);

impl Names {
    /// Gives a name to an actor; why not, where it has another bearer.
    pub fn set(&self, name: String, kind: String, actor: Arc<ActorRef>) -> Result<(), String> {
        let mut names = lock(&self.0);
        if names.contains_key(&name) {
            return Err(format!("the name {name:?} belongs to another actor"));
        }
        names.insert(name, (kind, actor));
        Ok(())
    }

    /// Whose name it is.
    pub fn get(&self, name: &str, kind: &str) -> Result<Arc<ActorRef>, String> {
        match lock(&self.0).get(name) {
            None => Err(format!("no actor is named {name:?}")),
            Some((own, _)) if own != kind => Err(format!("the actor named {name:?} is a {own}, not a {kind}")),
            Some((_, actor)) => Ok(actor.clone()),
        }
    }

    /// The bearer of the name is gone.
    pub fn free(&self, name: &str, actor: ObjectId) {
        let mut names = lock(&self.0);
        let bearer = names.get(name).is_some_and(|(_, bearer)| bearer.id == actor);
        let _dropped_outside_of_the_lock = if bearer { names.remove(name) } else { None };
        drop(names);
    }

    /// A rank is gone: the names of its actors can be given again.
    pub fn lost(&self, rank: Rank) {
        let mut names = lock(&self.0);
        let (gone, kept) = names.drain().partition(|(_, (_, actor))| actor.home == rank);
        *names = kept;
        drop(names);
        let _dropped_outside_of_the_lock: HashMap<_, _> = gone;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Forgets every name: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Protocol {
    /// The rank that keeps a name.
    pub fn keeper_of(&self, driver: &impl Driver, name: &str) -> Rank {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let first = (hash % u64::from(self.size)) as Rank;
        // The names that a rank kept are lost with it; the next one that lives keeps new ones.
        (0..self.size).map(|step| (first + step) % self.size).find(|rank| !driver.is_dead(*rank)).unwrap_or(first)
    }

    /// Somebody names an actor.
    pub(super) fn on_name_set(
        &self,
        driver: &impl Driver,
        from: Rank,
        token: u64,
        name: String,
        kind: String,
        handle: &WireAttachment,
    ) {
        let actor = self.named_actor(driver, from, handle);
        let outcome = actor.and_then(|actor| self.names.set(name, kind, actor));
        // The asker has its own handle: none travels back.
        driver.send(from, &Message::Named { token, handle: outcome.map(|()| None) });
    }

    fn named_actor(&self, driver: &impl Driver, from: Rank, handle: &WireAttachment) -> Result<Arc<ActorRef>, String> {
        let WireAttachment::Actor { actor, home, label } = handle else {
            return Err("what came is no handle".to_string());
        };
        self.references.import_actor(driver, *actor, *home, label, from).map_err(|error| error.to_string())
    }

    /// Somebody looks an actor up.
    pub(super) fn on_name_get(&self, driver: &impl Driver, from: Rank, token: u64, name: &str, kind: &str) {
        let found = self.names.get(name, kind);
        if from == self.rank {
            return driver.named(token, found.map(Some));
        }
        let handle = found.and_then(|actor| {
            let attachment = Attachment::Handle(actor);
            let wire = self.references.export(driver, std::slice::from_ref(&attachment), from);
            wire.map_err(|error| error.to_string())?.into_iter().next().ok_or_else(String::new)
        });
        driver.send(from, &Message::Named { token, handle: handle.map(Some) });
    }

    /// The answer about a name.
    pub(super) fn on_named(
        &self,
        driver: &impl Driver,
        from: Rank,
        token: u64,
        handle: Result<Option<WireAttachment>, String>,
    ) {
        let named = |handle: Option<WireAttachment>| handle.map(|handle| self.named_actor(driver, from, &handle));
        driver.named(token, handle.and_then(|handle| named(handle).transpose()));
    }
}
