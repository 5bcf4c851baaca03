//! Actors at home: built once, then one call at a time, in the order of each caller.
//!
//! An actor is work for the rank's workers while it has a call that may run, and nothing otherwise. Its state is taken
//! out while a call runs, so that no lock is held across user code.

mod views;

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::object::panic_text;
use crate::protocol::Message;
use crate::protocol::dependencies::when_arguments;
use crate::protocol::driver::Driver;
use crate::protocol::handles::label_of;
use crate::protocol::requests::request_of_actor;
use crate::registry::{Runnable, State};
use crate::sched::{Grant, Mailbox, Request};
use rustc_hash::FxHashMap as HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// A caller: calls of one caller keep their order.
type Caller = (Rank, u64);

enum Life {
    /// Its constructor has not come yet, or its arguments are missing, or it runs.
    Expected,
    /// Its constructor may run.
    Ready(Arc<dyn Runnable>),
    Alive,
    Dead(Arc<Error>),
}

struct Inner {
    life: Life,
    mailbox: Mailbox<Caller, Arc<dyn Runnable>>,
    /// A worker has it, or will.
    scheduled: bool,
    state: State,
    request: Request,
    grant: Option<Grant>,
    name: Option<String>,
    label: String,
}

/// An actor on its own rank.
pub struct ActorHome {
    /// Its name.
    pub id: ObjectId,
    inner: Mutex<Inner>,
}

/// What an actor's worker is to do next. After each step but `Nothing` it asks again.
pub enum Step {
    /// Take this for as long as the actor lives, and say so with `admitted`.
    Admit(Request),
    /// Run the constructor, then say `constructed`.
    Construct(Arc<dyn Runnable>),
    /// Run the call on the state, then say `called`.
    Call(Arc<dyn Runnable>, State),
    /// The actor is no work any more, until `Driver::enqueue_actor` says otherwise.
    Nothing,
}

impl ActorHome {
    /// How it is called in errors, and the GPUs that it was given.
    pub fn label_and_gpus(&self) -> (String, Vec<(u32, i64)>) {
        let inner = lock(&self.inner);
        (inner.label.clone(), inner.grant.as_ref().map_or_else(Vec::new, |grant| grant.gpus.clone()))
    }

    /// What to do next.
    pub fn next(&self) -> Step {
        let mut inner = lock(&self.inner);
        match std::mem::replace(&mut inner.life, Life::Expected) {
            Life::Ready(task) if inner.grant.is_none() => {
                inner.life = Life::Ready(task);
                Step::Admit(inner.request.clone())
            }
            Life::Ready(task) => Step::Construct(task),
            Life::Alive => {
                inner.life = Life::Alive;
                match inner.mailbox.pop() {
                    Some(call) => Step::Call(call, inner.state.take()),
                    None => {
                        inner.scheduled = false;
                        Step::Nothing
                    }
                }
            }
            other => {
                inner.life = other;
                inner.scheduled = false;
                Step::Nothing
            }
        }
    }

    /// What it asks for was taken; handed back where it died meanwhile.
    pub fn admitted(&self, grant: Grant) -> Option<(Grant, i64)> {
        let mut inner = lock(&self.inner);
        if matches!(inner.life, Life::Dead(_)) {
            return Some((grant, inner.request.cpu));
        }
        inner.grant = Some(grant);
        None
    }

    /// The constructor ran, and made `state` or nothing.
    pub fn constructed(self: &Arc<Self>, driver: &impl Driver, task: &Arc<dyn Runnable>, state: State) {
        let mut inner = lock(&self.inner);
        if matches!(inner.life, Life::Dead(_)) {
            drop(inner);
            return drop_state(driver.rank(), state);
        }
        if state.is_some() {
            inner.state = state;
            inner.life = Life::Alive;
            return;
        }
        let label = inner.label.clone();
        drop(inner);
        let reason = task.clone().slots().iter().find_map(|slot| slot.core().failure());
        let reason = reason.map_or_else(
            || "its constructor made nothing".to_string(),
            |error| format!("its constructor failed: {error}"),
        );
        bury(driver, self, Error::ActorDied { actor: label, reason });
    }

    /// A call ran on `state`.
    pub fn called(&self, driver: &impl Driver, state: State) {
        let mut inner = lock(&self.inner);
        if matches!(inner.life, Life::Alive) {
            inner.state = state;
        } else {
            drop(inner);
            drop_state(driver.rank(), state);
        }
    }
}

/// The actors of a rank.
#[derive(Default)]
pub struct Actors {
    homes: Mutex<HashMap<ObjectId, Arc<ActorHome>>>,
}

impl Actors {
    /// The actor, known or expected: a call of a third rank may overtake the constructor.
    fn home(&self, id: ObjectId) -> Arc<ActorHome> {
        let mut homes = lock(&self.homes);
        let expected = || {
            Arc::new(ActorHome {
                id,
                inner: Mutex::new(Inner {
                    life: Life::Expected,
                    mailbox: Mailbox::default(),
                    scheduled: false,
                    state: None,
                    request: Request::default(),
                    grant: None,
                    name: None,
                    label: "an actor".to_string(),
                }),
            })
        };
        homes.entry(id).or_insert_with(expected).clone()
    }

    /// The constructor came.
    pub fn build(&self, driver: &impl Driver, id: ObjectId, task: Arc<dyn Runnable>) {
        let home = self.home(id);
        {
            let mut inner = lock(&home.inner);
            let header = task.header();
            if let Some(options) = &header.options {
                inner.request = request_of_actor(options);
                inner.name = options.name.clone();
            }
            inner.label = label_of(header.entry.map_or("actor", |entry| entry.name), inner.name.as_deref());
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
    pub fn call(&self, driver: &impl Driver, id: ObjectId, caller: Caller, task: Arc<dyn Runnable>) {
        let home = self.home(id);
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

    /// An actor that never was: every call holds the reason.
    pub fn stillborn(&self, id: ObjectId, error: Error) {
        lock(&self.home(id).inner).life = Life::Dead(Arc::new(error));
    }

    /// Ends an actor: its state goes, its calls fail, its resources and its name are free.
    pub fn kill(&self, driver: &impl Driver, id: ObjectId, reason: &str) {
        let home = self.home(id);
        let label = lock(&home.inner).label.clone();
        bury(driver, &home, Error::ActorDied { actor: label, reason: reason.to_string() });
    }

    /// A rank is gone: the actors that it made elsewhere end with it. It counted their handles: nobody else would ever end
    /// them, and what they hold would be lost. Those with a name stay.
    pub fn lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let homes: Vec<_> = lock(&self.homes).values().filter(|home| home.id.owner == rank).cloned().collect();
        for home in homes {
            let (label, name) = {
                let inner = lock(&home.inner);
                (inner.label.clone(), inner.name.clone())
            };
            if name.is_none() {
                bury(driver, &home, Error::ActorDied { actor: label, reason: error.to_string() });
            }
        }
    }

    /// Those that live, or are expected to.
    pub fn living(&self) -> Vec<ObjectId> {
        let homes = lock(&self.homes);
        let living = homes.values().filter(|home| !matches!(lock(&home.inner).life, Life::Dead(_)));
        let mut living: Vec<_> = living.map(|home| home.id).collect();
        living.sort_unstable();
        living
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized {
        std::mem::take(&mut *lock(&self.homes))
    }
}

/// Makes the actor work for the workers, where it has something to do and is not so already.
fn schedule(driver: &impl Driver, home: &Arc<ActorHome>, inner: &mut Inner) {
    let has_work = match inner.life {
        Life::Ready(_) => true,
        Life::Alive => inner.mailbox.has_ready(),
        _ => false,
    };
    if has_work && !inner.scheduled {
        inner.scheduled = true;
        driver.enqueue_actor(home.clone());
    }
}

fn bury(driver: &impl Driver, home: &Arc<ActorHome>, error: Error) {
    let error = Arc::new(error);
    let mut inner = lock(&home.inner);
    if matches!(inner.life, Life::Dead(_)) {
        return;
    }
    let before = std::mem::replace(&mut inner.life, Life::Dead(error.clone()));
    let calls = inner.mailbox.drain();
    let (state, grant, name) = (inner.state.take(), inner.grant.take(), inner.name.take());
    let cpu = inner.request.cpu;
    drop(inner);
    drop_state(driver.rank(), state);
    if let Life::Ready(task) = before {
        refuse(driver, &task, &error);
    }
    calls.iter().for_each(|call| refuse(driver, call, &error));
    if let Some(grant) = grant {
        driver.give_back(grant, cpu);
    }
    if let Some(name) = name {
        let keeper = driver.protocol().keeper_of(driver, &name);
        driver.send(keeper, &Message::NameFree { name, actor: home.id });
    }
}

fn refuse(driver: &impl Driver, task: &Arc<dyn Runnable>, error: &Arc<Error>) {
    if task.header().claim_waiting() {
        task.fail(error.clone());
        task.header().release_target();
        driver.protocol().over(driver, task);
    }
}

/// Drops an actor's state; a panic in its `Drop` is said and goes no further.
fn drop_state(rank: Rank, state: State) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(state))) {
        let text = panic_text(&*panic);
        say(Level::Error, || format!("rank {rank}: an actor's Drop panicked: {text}"));
    }
}
