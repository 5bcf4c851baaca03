//! The actors of a rank.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::actor_message::Target;
use crate::protocol::commits::Commits;
use crate::protocol::dependencies::when_arguments;
use crate::protocol::driver::Driver;
use crate::protocol::handles::label_of;
use crate::protocol::home::{ActorHome, Caller, Kept, Life, bury, refuse, schedule};
use crate::protocol::made::Results;
use crate::protocol::requests::request_of_actor;
use crate::registry::Runnable;
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// The actors that live on a rank, and those that ended there: these for as long as somebody may call them.
#[derive(Default)]
pub struct Actors {
    homes: Mutex<HashMap<ObjectId, Arc<ActorHome>>>,
}

impl Actors {
    /// The actor, known or expected: a call of a third rank may overtake the constructor.
    fn home(&self, id: ObjectId) -> Arc<ActorHome> {
        lock(&self.homes).entry(id).or_insert_with(|| ActorHome::expected(id)).clone()
    }

    fn known(&self, id: ObjectId) -> Option<Arc<ActorHome>> {
        lock(&self.homes).get(&id).cloned()
    }

    /// Calls that ran in an earlier life of an actor whose constructor comes after them.
    pub(super) fn restore(&self, id: ObjectId, calls: impl Iterator<Item = (TaskId, Results)>) {
        let home = self.home(id);
        lock(&home.inner).restored.extend(calls);
    }

    /// The constructor came.
    pub fn build(&self, driver: &impl Driver, id: ObjectId, incarnation: u32, task: Arc<dyn Runnable>) {
        let home = self.home(id);
        {
            let mut inner = lock(&home.inner);
            let header = task.header();
            if let Some(options) = &header.options {
                inner.request = request_of_actor(options);
                inner.name = options.name.clone();
                // On its owner's own rank it ends with its owner, unless that is where it was moved to.
                let restarts = options.max_restarts.is_some_and(|restarts| restarts > 0);
                inner.restarts = restarts && (id.owner != driver.rank() || incarnation > 0);
            }
            inner.kind = header.entry.map_or("actor", |entry| entry.name);
            inner.label = label_of(inner.kind, inner.name.as_deref());
            inner.incarnation = incarnation;
            let checkpoint = header.entry.and_then(|entry| entry.checkpoint).filter(|_| inner.restarts);
            let restored = std::mem::take(&mut inner.restored);
            inner.kept = checkpoint.map(|checkpoint| Box::new(Kept { checkpoint, commits: Commits::new(restored) }));
        }
        when_arguments(driver, &task.clone(), move |driver| {
            let mut inner = lock(&home.inner);
            if let Life::Dead(error) = &inner.life {
                let error = error.clone();
                drop(inner);
                return refuse(driver, &task, &error);
            }
            inner.life = Life::Ready(task);
            schedule(driver, &home, &mut inner);
        });
    }

    /// A call came, from this rank or another.
    pub fn call(&self, driver: &impl Driver, target: Target, caller: Caller, task: Arc<dyn Runnable>) {
        let Some(home) = self.home_of_call(driver, target.actor) else {
            let error = driver.death_of(target.actor.owner);
            let reason = format!("it ended with the rank that made it: {error}");
            return refuse(driver, &task, &Arc::new(Error::ActorDied { actor: target.actor.to_string(), reason }));
        };
        let mut complete = true;
        if !task.all_values() {
            task.references(&mut |slot| complete &= slot.core().is_complete());
        }
        let mut inner = lock(&home.inner);
        if let Life::Dead(error) = &inner.life {
            let error = error.clone();
            drop(inner);
            return refuse(driver, &task, &error);
        }
        if let Some(kept) = &mut inner.kept {
            kept.commits.heard(caller.0, target.heard_below);
        }
        if inner.restarts
            && let Some(id) = task.header().origin
            && !inner.queued.insert(id)
        {
            // It is here already.
            return drop(inner);
        }
        inner.mailbox.push(caller, task.clone(), complete);
        if complete {
            schedule(driver, &home, &mut inner);
            return;
        }
        drop(inner);
        when_arguments(driver, &task.clone(), move |driver| {
            let mut inner = lock(&home.inner);
            inner.mailbox.completed(caller, |call| Arc::ptr_eq(call, &task));
            schedule(driver, &home, &mut inner);
        });
    }

    /// The home that a call is for; `None` where there is none, and none can come because its owner is gone.
    fn home_of_call(&self, driver: &impl Driver, id: ObjectId) -> Option<Arc<ActorHome>> {
        if driver.is_dead(id.owner) { self.known(id) } else { Some(self.home(id)) }
    }

    /// The callers of that rank have their results below this number.
    pub(super) fn heard(&self, id: ObjectId, from: Rank, below: u64) {
        if let Some(home) = self.known(id)
            && let Some(kept) = &mut lock(&home.inner).kept
        {
            kept.commits.heard(from, below);
        }
    }

    /// The owner keeps what was sent.
    pub(super) fn kept(&self, driver: &impl Driver, id: ObjectId, incarnation: u32, sequence: u64) {
        if let Some(home) = self.known(id) {
            home.on_kept(driver, incarnation, sequence);
        }
    }

    /// An actor that never was: every call holds the reason.
    pub fn stillborn(&self, id: ObjectId, error: Error) {
        lock(&self.home(id).inner).life = Life::Dead(Arc::new(error));
    }

    /// Ends an actor: its state goes, its calls fail, its resources and its name are free. Where it is the last that is said of
    /// it, nothing is left.
    pub fn kill(&self, driver: &impl Driver, id: ObjectId, reason: &str, last: bool) {
        let home = if last { self.known(id) } else { Some(self.home(id)) };
        let Some(home) = home else { return };
        let actor = lock(&home.inner).label.clone();
        bury(driver, &home, Error::ActorDied { actor, reason: reason.to_string() });
        if last {
            let _dropped_outside_of_the_lock = lock(&self.homes).remove(&id);
        }
    }

    /// A rank is gone: the actors that it made elsewhere end with it. It counted their handles: nobody else would ever end
    /// them, and what they hold would be lost. Those with a name stay, as they are.
    pub fn lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let homes: Vec<_> = lock(&self.homes).values().cloned().collect();
        for home in homes {
            let (actor, named, dead) = {
                let mut inner = lock(&home.inner);
                if let Some(kept) = &mut inner.kept {
                    kept.commits.lost(rank);
                }
                (inner.label.clone(), inner.name.is_some(), matches!(inner.life, Life::Dead(_)))
            };
            if home.id.owner != rank {
                continue;
            }
            if named && !dead {
                home.unkept(driver);
                schedule(driver, &home, &mut lock(&home.inner));
                continue;
            }
            bury(driver, &home, Error::ActorDied { actor, reason: error.to_string() });
            let _dropped_outside_of_the_lock = lock(&self.homes).remove(&home.id);
        }
    }

    /// The named actors here whose owner is gone.
    pub(super) fn orphans(&self, driver: &impl Driver) -> Vec<Arc<ActorHome>> {
        lock(&self.homes).values().filter(|home| driver.is_dead(home.id.owner)).cloned().collect()
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.homes))
    }

    /// How many actors are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        lock(&self.homes).len()
    }
}
