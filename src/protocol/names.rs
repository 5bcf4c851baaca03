//! The names that lead to actors: each kept by the rank that its hash says, or the next one that lives.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{ObjectId, Rank};
use crate::objects::Attachment;
use crate::protocol::actor_message::{About, WireActor};
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::protocol::{Message, Protocol, WireAttachment};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// The names that a rank keeps: each with its bearer's type and handle.
#[derive(Default)]
pub struct Names(Mutex<HashMap<String, (String, Arc<ActorRef>)>>);

/// The token of a question whose answer nobody waits for.
const NOBODY_WAITS: u64 = 0;

impl Names {
    /// Gives a name to an actor; why not, where it has another bearer. Nothing happens the second time.
    pub fn set(&self, name: String, kind: String, actor: Arc<ActorRef>) -> Result<(), String> {
        let mut names = lock(&self.0);
        match names.get(&name) {
            Some((_, bearer)) if bearer.id == actor.id => {}
            Some(_) => return Err(format!("the name {name:?} belongs to another actor")),
            None => {
                names.insert(name, (kind, actor));
            }
        }
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

    /// A rank is gone: the names of its actors can be given again, but for those that are started again.
    pub fn lost(&self, rank: Rank) {
        let mut names = lock(&self.0);
        let (gone, kept) = names.drain().partition(|(_, (_, actor))| match actor.terms {
            Some(_) => lock(&actor.route).end().is_some(),
            None => actor.home() == rank,
        });
        *names = kept;
        drop(names);
        let _dropped_outside_of_the_lock: HashMap<_, _> = gone;
    }

    /// Each name with its bearer.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn bearers(&self) -> Vec<(String, ObjectId)> {
        lock(&self.0).iter().map(|(name, (_, actor))| (name.clone(), actor.id)).collect()
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

/// The first living rank for a name, of so many.
fn keeper_among(name: &str, size: u32, lives: impl Fn(Rank) -> bool) -> Rank {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let first = (hash % u64::from(size)) as Rank;
    (0..size).map(|step| (first + step) % size).find(|rank| lives(*rank)).unwrap_or(first)
}

impl Protocol {
    /// The rank that keeps a name.
    pub fn keeper_of(&self, driver: &impl Driver, name: &str) -> Rank {
        keeper_among(name, self.size, |rank| !driver.is_dead(rank))
    }

    /// Whether a name was kept by `rank`, which is gone.
    pub(super) fn was_keeper(&self, driver: &impl Driver, name: &str, rank: Rank) -> bool {
        keeper_among(name, self.size, |other| other == rank || !driver.is_dead(other)) == rank
    }

    /// Whether the rank that would keep a name if all lived is gone.
    pub(super) fn first_keeper_is_dead(&self, driver: &impl Driver, name: &str) -> bool {
        driver.is_dead(keeper_among(name, self.size, |_| true))
    }

    /// Names an actor of this rank anew, because who kept the name is gone. Nobody waits for the answer.
    pub(super) fn name_again(&self, driver: &impl Driver, name: String, kind: String, actor: &Arc<ActorRef>) {
        let keeper = self.keeper_of(driver, &name);
        if keeper == self.rank {
            return told(self.rank, self.names.set(name, kind, actor.clone()));
        }
        let attachment = Attachment::Handle(actor.clone());
        let wire = self.references.export(driver, std::slice::from_ref(&attachment), keeper);
        if let Ok(Some(handle)) = wire.map(|wires| wires.into_iter().next()) {
            driver.send(keeper, &Message::NameSet { token: NOBODY_WAITS, name, kind, handle });
        }
    }

    /// As `name_again`, by the actor's home: its owner, who counted its handles, is gone as well, and nothing is counted.
    pub(super) fn name_orphan(&self, driver: &impl Driver, name: String, kind: String, handle: WireActor) {
        let keeper = self.keeper_of(driver, &name);
        let handle = WireAttachment::Actor(handle);
        if keeper != self.rank {
            return driver.send(keeper, &Message::NameSet { token: NOBODY_WAITS, name, kind, handle });
        }
        let actor = self.named_actor(driver, self.rank, &handle);
        told(self.rank, actor.and_then(|actor| self.names.set(name, kind, actor)));
    }

    /// Somebody names an actor.
    pub(super) fn on_name_set(
        &self,
        driver: &impl Driver,
        from: Rank,
        token: u64,
        (name, kind): (String, String),
        handle: &WireAttachment,
    ) {
        let actor = self.named_actor(driver, from, handle);
        let outcome = actor.and_then(|actor| self.names.set(name, kind, actor));
        if token == NOBODY_WAITS {
            return told(self.rank, outcome);
        }
        // The asker has its own handle: none travels back.
        driver.send(from, &Message::Named { token, handle: outcome.map(|()| None) });
    }

    /// The owner of some bearers of names is gone. Each one's home says so where it does not live: it may never have been built.
    pub(super) fn ask_orphans(&self, driver: &impl Driver, owner: Rank) {
        let names = lock(&self.names.0);
        let orphans = names.iter().filter(|(_, (_, actor))| actor.id.owner == owner);
        let orphans: Vec<_> = orphans.map(|(name, (_, actor))| (name.clone(), actor.id, actor.home())).collect();
        drop(names);
        for (name, actor, home) in orphans {
            if driver.is_dead(home) {
                // Its owner died before it could say so.
                self.names.free(&name, actor);
                continue;
            }
            driver.send(home, &Message::Actor { actor, about: About::Bears { name } });
        }
    }

    /// Who keeps a name asks whether its bearer lives here. One that is built later, by what its owner had sent before it died,
    /// is given its name again then.
    pub(super) fn on_bears(&self, driver: &impl Driver, from: Rank, actor: ObjectId, name: String) {
        if !self.actors.bears(actor, &name) {
            driver.send(from, &Message::NameFree { name, actor });
        }
    }

    fn named_actor(&self, driver: &impl Driver, from: Rank, handle: &WireAttachment) -> Result<Arc<ActorRef>, String> {
        let WireAttachment::Actor(handle) = handle else {
            return Err("what came is no handle".to_string());
        };
        self.import_actor(driver, handle, from).map_err(|error| error.to_string())
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

fn told(rank: Rank, outcome: Result<(), String>) {
    if let Err(reason) = outcome {
        say(Level::Warn, || format!("rank {rank}: an actor could not have its name back: {reason}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_living_rank_keeps_a_name() {
        let first = keeper_among("name", 5, |_| true);
        let next = keeper_among("name", 5, |rank| rank != first);
        assert_eq!(next, (first + 1) % 5);
        assert_eq!(keeper_among("name", 5, |_| false), first);
        assert_eq!(keeper_among("name", 1, |_| true), 0);
    }

    #[test]
    fn a_name_has_one_bearer() {
        let actor = |number| {
            let id = ObjectId { owner: 0, number };
            let wire = WireActor { actor: id, home: 1, incarnation: 0, terms: None, label: String::new() };
            ActorRef::unkept(wire)
        };
        let (names, one) = (Names::default(), actor(1));
        let set = |actor: &Arc<ActorRef>| names.set("n".to_string(), "Count".to_string(), actor.clone());
        assert_eq!((set(&one), set(&one)), (Ok(()), Ok(())), "said twice");
        assert!(set(&actor(2)).is_err_and(|reason| reason.contains("belongs to another")));
        assert!(names.get("n", "Other").is_err_and(|reason| reason.contains("is a Count, not a Other")));
        names.free("n", ObjectId { owner: 0, number: 2 });
        names.lost(2);
        assert!(names.get("n", "Count").is_ok());
        names.lost(1);
        assert!(names.get("n", "Count").is_err());
    }
}
