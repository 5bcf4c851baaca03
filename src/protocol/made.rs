//! Actors that this rank made and has to know of: those that it starts again, and those that have a name.
//!
//! The owner alone decides where an actor lives: it alone starts it again, one incarnation after the other, and listens to
//! that of now only. What it knows goes with it: then named actors live on where they are, and are not started again.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, Result, TaskId};
use crate::objects::Parcel;
use crate::protocol::actor_message::{About, Terms};
use crate::protocol::calls::Flight;
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::protocol::{Message, Protocol, request_of_actor};
use crate::registry::{Options, Placement, Runnable, TableEntry};
use crate::scheduling::amount_of;
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex, Weak};

mod asked;

/// The results of a call, kept for as long as it may be made again.
pub type Results = Arc<Vec<Result<Parcel, Error>>>;

/// What builds an actor.
pub struct Constructor {
    pub(super) function: &'static TableEntry,
    pub(super) args: Parcel,
    pub(super) options: Options,
}

/// The newest that an actor's home said of it.
pub(super) struct Saved {
    pub(super) sequence: u64,
    pub(super) state: Arc<Parcel>,
    pub(super) finished: HashMap<TaskId, Results>,
}

impl Saved {
    /// Before the first word.
    pub(super) fn nothing(state: &Arc<Parcel>) -> Saved {
        Saved { sequence: 0, state: state.clone(), finished: HashMap::default() }
    }
}

/// An actor that is started again.
pub(super) struct Restart {
    pub(super) max: u32,
    pub(super) constructor: Arc<Constructor>,
    pub(super) saved: Option<Saved>,
    /// Ranks that wait to hear where it is.
    askers: Vec<Rank>,
    /// Somebody is finding a home for it.
    placing: bool,
}

struct Name {
    name: String,
    kind: String,
    /// A name keeps its actor alive, also when nobody keeps the name any more.
    handle: Arc<ActorRef>,
}

pub(super) struct Entry {
    /// Its handle. What is had of it is dropped only after the lock: it may be the last one, which asks for the lock.
    actor: Weak<ActorRef>,
    label: String,
    pub(super) home: Rank,
    pub(super) incarnation: u32,
    name: Option<Name>,
    pub(super) restart: Option<Restart>,
    ended: Option<Error>,
}

/// What an owner knows of the actors that it made; and who asked for those that have a name and are not built yet.
#[derive(Default)]
pub struct Made(pub(super) Mutex<HashMap<ObjectId, Entry>>, Mutex<HashMap<ObjectId, Vec<Rank>>>);

impl Made {
    /// No handle of the actor is left. Returns what is to be dropped.
    pub(super) fn forget(&self, actor: ObjectId) -> impl Sized + use<> {
        lock(&self.1).remove(&actor);
        lock(&self.0).remove(&actor)
    }

    /// The handles of those that somebody holds.
    pub(super) fn known(&self) -> Vec<Arc<ActorRef>> {
        lock(&self.0).values().filter_map(|entry| entry.actor.upgrade()).collect()
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// The terms of an actor with these options, at home on another rank than its owner's. On the owner's own it is never started
/// again: its owner's death is its end.
pub fn terms_of(options: &Options, checkpoint: bool) -> Option<Terms> {
    let restarts = options.max_restarts.is_some_and(|restarts| restarts > 0);
    restarts.then(|| Terms { retries: options.max_task_retries.unwrap_or(0), checkpoint })
}

impl Protocol {
    /// Where an actor goes that no argument draws: where its options say, else the ranks in turn. One that is started again, and may go anywhere, is
    /// not put on this rank, its owner's, where there is another: it would end with it.
    ///
    /// # Errors
    /// As `Driver::place`.
    pub fn place_actor(&self, driver: &impl Driver, options: &Options, label: &str) -> Result<Rank> {
        let mut wanted = options.clone().num_cpus(amount_of(request_of_actor(options).cpu));
        let anywhere = matches!(wanted.place, Placement::Auto | Placement::Spread);
        if anywhere {
            wanted.place = Placement::Spread;
        }
        let place = || driver.place(&wanted, label).map(|rank| rank.unwrap_or(self.rank));
        let first = place()?;
        let elsewhere = anywhere && first == self.rank && terms_of(options, false).is_some();
        if elsewhere { place() } else { Ok(first) }
    }

    /// Builds an actor that this rank made, at the home that its handle says. `name` and type, where it was given one.
    pub fn build_actor(
        &self,
        driver: &impl Driver,
        actor: &Arc<ActorRef>,
        name: Option<(String, String)>,
        task: Arc<dyn Runnable>,
    ) {
        let home = actor.home();
        // Who kept the name may have died since it was given, and this rank did not know then what to do about it.
        let again = name.clone().filter(|(name, _)| self.first_keeper_is_dead(driver, name));
        let name = name.map(|(name, kind)| Name { name, kind, handle: actor.clone() });
        let remembered = |restart| Entry {
            actor: Arc::downgrade(actor),
            label: actor.label.clone(),
            home,
            incarnation: 0,
            name,
            restart,
            ended: None,
        };
        if actor.terms.is_none() {
            let entry = remembered(None);
            if entry.name.is_some() {
                lock(&self.made.0).insert(actor.id, entry);
            }
            if let Some((name, kind)) = again {
                self.name_again(driver, name, kind, actor);
            }
            if home == self.rank {
                self.actors.build(driver, actor.id, 0, task);
            } else if task.header().claim_waiting() {
                self.send_task(driver, &task, home, Some(actor.id));
            }
            if driver.is_dead(home) {
                // It died while the name was asked for: who declared it gone did not know of this name.
                self.unname(driver, actor.id);
            }
            return;
        }
        let (Some(function), true) = (task.header().entry, task.header().claim_waiting()) else { return };
        let options = task.header().options.as_deref().cloned().unwrap_or_default();
        let args = match task.pack() {
            Ok(args) => args,
            Err(error) => {
                driver.report(error.clone());
                let error = actor.died(format!("its constructor's arguments cannot be sent: {error}"));
                return self.finish_actor(driver, actor, &Arc::new(error));
            }
        };
        let max = options.max_restarts.unwrap_or(0);
        let constructor = Arc::new(Constructor { function, args, options });
        let mut restart =
            Restart { max, constructor: constructor.clone(), saved: None, askers: Vec::new(), placing: false };
        {
            let mut made = lock(&self.made.0);
            restart.askers = lock(&self.made.1).remove(&actor.id).unwrap_or_default();
            made.insert(actor.id, remembered(Some(restart)));
        }
        if let Some((name, kind)) = again {
            self.name_again(driver, name, kind, actor);
        }
        if let Err(error) = self.send_constructor(driver, actor, (home, 0), &constructor, None) {
            let error = actor.died(format!("its constructor's arguments cannot be sent: {error}"));
            return self.end(driver, actor, error);
        }
        if driver.is_dead(home) {
            self.restart(driver, actor.id, home, &driver.death_of(home));
        }
    }

    /// An actor that has a name is gone.
    fn unname(&self, driver: &impl Driver, actor: ObjectId) {
        let name = lock(&self.made.0).get_mut(&actor).and_then(|entry| entry.name.take());
        if let Some(Name { name, .. }) = name {
            let keeper = self.keeper_of(driver, &name);
            driver.send(keeper, &Message::NameFree { name, actor });
        }
    }

    /// A rank is gone: what this rank made and lived there is started again, or ends; names that it kept are given again.
    pub(super) fn made_lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let (mut there, mut nameless, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        {
            let mut made = lock(&self.made.0);
            for (id, entry) in made.iter_mut() {
                if entry.home == rank && entry.restart.is_none() {
                    ended.extend(entry.name.take());
                } else if entry.home == rank {
                    there.push(*id);
                }
                if let Some(Name { name, kind, handle }) = &entry.name
                    && self.was_keeper(driver, name, rank)
                {
                    nameless.push((name.clone(), kind.clone(), handle.clone()));
                }
            }
        }
        for (name, kind, handle) in nameless {
            self.name_again(driver, name, kind, &handle);
        }
        there.into_iter().for_each(|id| self.restart(driver, id, rank, error));
        for Name { name, handle, .. } in ended {
            // Who keeps it may have heard of the death before it was given the name.
            let keeper = self.keeper_of(driver, &name);
            driver.send(keeper, &Message::NameFree { name, actor: handle.id });
        }
    }

    /// Finds a new home for an actor whose home was `gone`.
    fn restart(&self, driver: &impl Driver, id: ObjectId, gone: Rank, error: &Error) {
        let (mut gone, mut error) = (gone, error.clone());
        loop {
            let actor;
            {
                let mut made = lock(&self.made.0);
                let Some(entry) = made.get_mut(&id) else { return };
                actor = entry.actor.upgrade();
                let Some(restart) = &mut entry.restart else { return };
                if restart.placing || entry.home != gone {
                    return;
                }
                restart.placing = true;
            }
            let Some(actor) = actor else { return };
            lock(&actor.route).lost(gone, Flight::spend_retry);
            let Some(home) = self.move_once(driver, &actor, &error, None) else { return };
            if !driver.is_dead(home) {
                return;
            }
            // It died before this rank could be told that the actor is there.
            (gone, error) = (home, driver.death_of(home));
        }
    }

    /// Where the place in a placement group is of an actor that is to be started again there; as `Driver::find_seat` was asked.
    pub fn seated(&self, driver: &impl Driver, actor: &Arc<ActorRef>, error: &Error, home: Result<Rank>) {
        if let Some(home) = self.move_once(driver, actor, error, Some(home))
            && driver.is_dead(home)
        {
            self.restart(driver, actor.id, home, &driver.death_of(home));
        }
    }

    /// Builds the actor on another rank, the one that was found for it where there is one; which, or `None` where it is gone for
    /// good or its place is looked for. The caller holds a handle: meanwhile the last one cannot be dropped.
    fn move_once(
        &self,
        driver: &impl Driver,
        actor: &Arc<ActorRef>,
        error: &Error,
        found: Option<Result<Rank>>,
    ) -> Option<Rank> {
        let (max, spent, ended, constructor) = {
            let made = lock(&self.made.0);
            let entry = made.get(&actor.id)?;
            let restart = entry.restart.as_ref()?;
            (restart.max, entry.incarnation, entry.ended.clone(), restart.constructor.clone())
        };
        if let Some(ended) = ended {
            self.end(driver, actor, ended);
            return None;
        }
        if spent >= max && max != u32::MAX {
            let times = if max == 1 { "once".to_string() } else { format!("{max} times") };
            self.end(driver, actor, actor.died(format!("{error}; it was started again {times}, as max_restarts says")));
            return None;
        }
        if found.is_none() && constructor.options.seat().is_some() {
            driver.find_seat(actor, &constructor.options, error);
            return None;
        }
        let home = match found.unwrap_or_else(|| self.new_home(driver, &constructor.options, &actor.label)) {
            Ok(home) => home,
            Err(reason) => {
                let reason = format!("{error}; it cannot be started again (it was {spent} times): {reason}");
                self.end(driver, actor, actor.died(reason));
                return None;
            }
        };
        let incarnation = spent + 1;
        let saved = {
            let mut made = lock(&self.made.0);
            let entry = made.get_mut(&actor.id)?;
            (entry.home, entry.incarnation) = (home, incarnation);
            entry.restart.as_mut()?.saved.as_mut().map(|saved| {
                // Its home counts from 1 again.
                saved.sequence = 0;
                (saved.state.clone(), saved.finished.clone())
            })
        };
        say(Level::Warn, || {
            let with = if saved.is_some() { "with its saved state" } else { "anew" };
            format!("actor {} is started again on rank {home}, {with}: {error}", actor.label)
        });
        if let Err(reason) = self.send_constructor(driver, actor, (home, incarnation), &constructor, saved) {
            self.end(driver, actor, actor.died(format!("{error}; it cannot be started again: {reason}")));
            return None;
        }
        let (askers, ended) = {
            let mut made = lock(&self.made.0);
            let entry = made.get_mut(&actor.id)?;
            let askers = entry.restart.as_mut().map(|restart| {
                restart.placing = false;
                std::mem::take(&mut restart.askers)
            });
            (askers.unwrap_or_default(), entry.ended.clone())
        };
        if let Some(Error::ActorDied { reason, .. }) = ended {
            // Who ended it while it was between two homes could not tell the new one.
            driver.send(home, &Message::Actor { actor: actor.id, about: About::Kill { reason, last: false } });
        }
        for asker in askers {
            let about = About::Lives { incarnation, home: Ok(home) };
            driver.send(asker, &Message::Actor { actor: actor.id, about });
        }
        self.settle_actor(driver, actor, home, incarnation);
        Some(home)
    }

    /// As `place_actor`, for an actor that had a home: what said where exactly may be gone.
    fn new_home(&self, driver: &impl Driver, options: &Options, label: &str) -> Result<Rank> {
        match self.place_actor(driver, options, label) {
            Err(Error::NodeDied { .. }) => self.place_actor(driver, &options.clone().place(Placement::Spread), label),
            placed => placed,
        }
    }

    /// An actor of this rank is gone for good: whoever asks is told why.
    pub(super) fn end(&self, driver: &impl Driver, actor: &Arc<ActorRef>, error: Error) {
        // What it would have been started again with may hold its own handle, and goes now: nothing else would end that.
        let (mut restart, incarnation, name) = {
            let mut made = lock(&self.made.0);
            let Some(entry) = made.get_mut(&actor.id) else { return };
            entry.ended.get_or_insert_with(|| error.clone());
            (entry.restart.take(), entry.incarnation, entry.name.take())
        };
        let askers = restart.as_mut().map(|restart| std::mem::take(&mut restart.askers)).unwrap_or_default();
        drop(restart);
        for asker in askers {
            let about = About::Lives { incarnation, home: Err(error.clone()) };
            driver.send(asker, &Message::Actor { actor: actor.id, about });
        }
        self.finish_actor(driver, actor, &Arc::new(error));
        if let Some(Name { name, .. }) = name {
            let keeper = self.keeper_of(driver, &name);
            driver.send(keeper, &Message::NameFree { name, actor: actor.id });
        }
    }

    /// The actor's home says that it is gone for good.
    pub(super) fn on_ended(&self, driver: &impl Driver, from: Rank, id: ObjectId, incarnation: u32, error: Error) {
        let actor = {
            let made = lock(&self.made.0);
            let entry = made.get(&id).filter(|entry| entry.home == from && entry.incarnation == incarnation);
            entry.and_then(|entry| entry.actor.upgrade())
        };
        if let Some(actor) = actor {
            self.end(driver, &actor, error);
        }
    }
}
