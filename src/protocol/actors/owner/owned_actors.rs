//! Actors that this rank owns and has to know of: those that it restarts, and those that have a name.
//!
//! The owner alone decides where an actor runs. It alone restarts the actor, one incarnation after the other, and
//! ignores messages of all but the current one. What it knows is lost when it dies: named actors then continue where
//! they are, and are not restarted.

use crate::base::log::{Level, log};
use crate::base::{Error, ObjectId, Rank, Result, TaskId};
use crate::lineage::Deaths;
use crate::objects::SerializedValue;
use crate::protocol::actors::caller::calls::PendingCall;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::wire::actor_message::{ActorMessage, RestartPolicy};
use crate::protocol::{Message, WorkId};
use crate::registry::{Options, Runnable, TableEntry};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex, Weak};

mod location;
mod requests;

/// The results of a call, retained for as long as the call may be retried.
pub type CallResults = Arc<Vec<Result<SerializedValue, Error>>>;

/// How to construct an actor.
pub struct Constructor {
    pub(in crate::protocol) function: &'static TableEntry,
    pub(in crate::protocol) args: SerializedValue,
    pub(in crate::protocol) options: Options,
}

/// The last commit of an actor's location.
pub(in crate::protocol) struct SavedState {
    pub(in crate::protocol) sequence: u64,
    pub(in crate::protocol) state: Arc<SerializedValue>,
    pub(in crate::protocol) finished: HashMap<TaskId, CallResults>,
}

impl SavedState {
    /// The state before the first commit.
    pub(in crate::protocol) fn initial(state: &Arc<SerializedValue>) -> SavedState {
        SavedState { sequence: 0, state: state.clone(), finished: HashMap::default() }
    }
}

/// An actor that is restarted.
pub(in crate::protocol) struct RestartState {
    pub(in crate::protocol) max: u32,
    pub(in crate::protocol) constructor: Arc<Constructor>,
    pub(in crate::protocol) saved: Option<SavedState>,
    /// Ranks that wait for its location.
    requesters: Vec<Rank>,
    /// True while this rank looks for a new location for it.
    relocating: bool,
    /// The ranks that died while it may have run there.
    deaths: Deaths,
}

struct GivenName {
    name: String,
    kind: String,
    /// A name keeps its actor alive, even while no living rank is its directory.
    handle: Arc<ActorRef>,
}

pub(in crate::protocol) struct OwnedActor {
    /// Its handle. It is upgraded under the lock and dropped only after it: dropping the last handle takes the lock.
    actor: Weak<ActorRef>,
    label: String,
    pub(in crate::protocol) location: Rank,
    pub(in crate::protocol) incarnation: u32,
    name: Option<GivenName>,
    pub(in crate::protocol) restart: Option<RestartState>,
    ended: Option<Error>,
}

/// What an owner knows of its actors.
#[derive(Default)]
pub struct OwnedActors {
    pub(in crate::protocol) actors: Mutex<HashMap<ObjectId, OwnedActor>>,
    /// The ranks that requested the location of a named actor that is not constructed yet.
    location_requests: Mutex<HashMap<ObjectId, Vec<Rank>>>,
}

impl OwnedActors {
    /// Forgets an actor that has no handle left. Returns what the caller is to drop.
    pub(in crate::protocol) fn forget(&self, actor: ObjectId) -> impl Sized + use<> {
        lock(&self.location_requests).remove(&actor);
        lock(&self.actors).remove(&actor)
    }

    /// The handles that are still in use.
    pub(in crate::protocol) fn handles(&self) -> Vec<Arc<ActorRef>> {
        lock(&self.actors).values().filter_map(|entry| entry.actor.upgrade()).collect()
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.actors))
    }
}

/// The restart policy of an actor with these options that runs on another rank than its owner's. On its owner's rank it
/// is never restarted: it ends with its owner.
pub fn restart_policy_of(options: &Options, checkpoint: bool) -> Option<RestartPolicy> {
    let restarts = options.max_restarts.is_some_and(|restarts| restarts > 0);
    restarts.then(|| RestartPolicy { retries: options.max_task_retries.unwrap_or(0), checkpoint })
}

impl OwnedActors {
    /// Constructs an actor of this rank at the location in its handle. `name` holds its name and type, where it has a
    /// name.
    pub fn create(
        &self,
        env: &impl Environment,
        actor: &Arc<ActorRef>,
        name: Option<(String, String)>,
        task: Arc<dyn Runnable>,
    ) {
        let location = actor.location();
        // The directory rank may have died since it accepted the name, when this rank had not recorded the name yet.
        let again = name.clone().filter(|(name, _)| env.protocol().names.is_first_directory_rank_dead(env, name));
        let name = name.map(|(name, kind)| GivenName { name, kind, handle: actor.clone() });
        let remembered = |restart| OwnedActor {
            actor: Arc::downgrade(actor),
            label: actor.label.clone(),
            location,
            incarnation: 0,
            name,
            restart,
            ended: None,
        };
        if actor.restart_policy.is_none() {
            let entry = remembered(None);
            if entry.name.is_some() {
                lock(&self.actors).insert(actor.id, entry);
            }
            if let Some((name, kind)) = again {
                env.protocol().names.register(env, name, kind, actor);
            }
            if location == env.rank() {
                env.protocol().actors.instance.build(env, actor.id, 0, task);
            } else if task.header().claim_waiting() {
                env.protocol().tasks.send(env, &task, location, Some(actor.id));
            }
            if env.is_dead(location) {
                // The rank died while the name was being registered: the handler of its death did not find this name.
                self.free_name(env, actor.id);
            }
            return;
        }
        let (Some(function), true) = (task.header().entry, task.header().claim_waiting()) else { return };
        let options = task.header().options.as_deref().cloned().unwrap_or_default();
        let args = match task.encode_args(None) {
            Ok(args) => args,
            Err(error) => {
                env.report_failure(error.clone());
                let error = actor.died_error(format!("its constructor's arguments cannot be sent: {error}"));
                return actor.end(env, &Arc::new(error));
            }
        };
        let max = options.max_restarts.unwrap_or(0);
        let constructor = Arc::new(Constructor { function, args, options });
        let mut restart = RestartState {
            max,
            constructor: constructor.clone(),
            saved: None,
            requesters: Vec::new(),
            relocating: false,
            deaths: Deaths::default(),
        };
        {
            let mut owned = lock(&self.actors);
            restart.requesters = lock(&self.location_requests).remove(&actor.id).unwrap_or_default();
            owned.insert(actor.id, remembered(Some(restart)));
        }
        if let Some((name, kind)) = again {
            env.protocol().names.register(env, name, kind, actor);
        }
        if let Err(error) = self.send_constructor(env, actor, (location, 0), &constructor, None) {
            let error = actor.died_error(format!("its constructor's arguments cannot be sent: {error}"));
            return self.end(env, actor, error);
        }
        if env.is_dead(location) {
            self.restart(env, actor.id, location, &env.death_error(location));
        }
    }

    /// A rank died: restarts or ends the actors of this rank that ran there, and registers again the names that it was
    /// the directory of.
    pub(in crate::protocol) fn on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        let (mut to_restart, mut to_register, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        {
            let mut owned = lock(&self.actors);
            for (id, entry) in owned.iter_mut() {
                if entry.location == rank && entry.restart.is_none() {
                    ended.extend(entry.name.take());
                } else if entry.location == rank {
                    to_restart.push(*id);
                }
                if let Some(GivenName { name, kind, handle }) = &entry.name
                    && env.protocol().names.was_directory_rank(env, name, rank)
                {
                    to_register.push((name.clone(), kind.clone(), handle.clone()));
                }
            }
        }
        for (name, kind, handle) in to_register {
            env.protocol().names.register(env, name, kind, &handle);
        }
        to_restart.into_iter().for_each(|id| self.restart(env, id, rank, error));
        for GivenName { name, handle, .. } in ended {
            // The directory rank may have handled the death before it got the name.
            let directory = env.protocol().names.directory_rank(env, &name);
            env.send(directory, &Message::NameFree { name, actor: handle.id });
        }
    }

    /// Finds a new location for an actor that ran on `dead`.
    fn restart(&self, env: &impl Environment, id: ObjectId, dead: Rank, error: &Error) {
        let (mut dead, mut error) = (dead, error.clone());
        loop {
            let actor;
            {
                let mut owned = lock(&self.actors);
                let Some(entry) = owned.get_mut(&id) else { return };
                actor = entry.actor.upgrade();
                let Some(restart) = &mut entry.restart else { return };
                if restart.relocating || entry.location != dead {
                    return;
                }
                restart.relocating = true;
                restart.deaths.add(dead, env.blame(dead, WorkId::Actor(id)), &error);
            }
            let Some(actor) = actor else { return };
            lock(&actor.route).on_peer_failed(dead, PendingCall::consume_retry);
            let Some(location) = self.try_relocate(env, &actor, &error, None) else { return };
            if !env.is_dead(location) {
                return;
            }
            // It died before this rank was told of the actor there.
            (dead, error) = (location, env.death_error(location));
        }
    }

    /// The bundle slot for an actor's restart was found, as requested with `Environment::locate_bundle`.
    pub fn on_bundle_located(
        &self,
        env: &impl Environment,
        actor: &Arc<ActorRef>,
        error: &Error,
        location: Result<Rank>,
    ) {
        if let Some(location) = self.try_relocate(env, actor, error, Some(location))
            && env.is_dead(location)
        {
            self.restart(env, actor.id, location, &env.death_error(location));
        }
    }

    /// Constructs the actor on another rank: on `found`, where that is given. Returns the rank; `None` if the actor
    /// ended for good, or while its bundle slot is being located. The caller holds a handle, so that the last one
    /// cannot be dropped meanwhile.
    fn try_relocate(
        &self,
        env: &impl Environment,
        actor: &Arc<ActorRef>,
        error: &Error,
        found: Option<Result<Rank>>,
    ) -> Option<Rank> {
        let (max, restarts, ended, constructor, deaths) = {
            let owned = lock(&self.actors);
            let entry = owned.get(&actor.id)?;
            let restart = entry.restart.as_ref()?;
            (restart.max, entry.incarnation, entry.ended.clone(), restart.constructor.clone(), restart.deaths.clone())
        };
        if let Some(ended) = ended {
            self.end(env, actor, ended);
            return None;
        }
        if restarts >= max && max != u32::MAX {
            let times = if max == 1 { "once".to_string() } else { format!("{max} times") };
            self.end(
                env,
                actor,
                actor.died_error(format!("{error}; it was started again {times}, as max_restarts says")),
            );
            return None;
        }
        let select = || {
            if constructor.options.bundle_slot().is_some() {
                env.locate_bundle(actor, &constructor.options, error)
            } else {
                Some(self.select_new_location(env, &constructor.options, &actor.label, &deaths))
            }
        };
        let location = match found.or_else(select)? {
            Ok(location) => location,
            Err(reason) => {
                let reason = format!("{error}; it cannot be started again (it was {restarts} times): {reason}");
                self.end(env, actor, actor.died_error(reason));
                return None;
            }
        };
        let incarnation = restarts + 1;
        let saved = {
            let mut owned = lock(&self.actors);
            let entry = owned.get_mut(&actor.id)?;
            (entry.location, entry.incarnation) = (location, incarnation);
            entry.restart.as_mut()?.saved.as_mut().map(|saved| {
                // The new location numbers its commits from 1.
                saved.sequence = 0;
                (saved.state.clone(), saved.finished.clone())
            })
        };
        log(Level::Warn, || {
            let with = if saved.is_some() { "with its saved state" } else { "anew" };
            format!("actor {} is started again on rank {location}, {with}: {error}", actor.label)
        });
        if let Err(reason) = self.send_constructor(env, actor, (location, incarnation), &constructor, saved) {
            self.end(env, actor, actor.died_error(format!("{error}; it cannot be started again: {reason}")));
            return None;
        }
        let (requesters, ended) = {
            let mut owned = lock(&self.actors);
            let entry = owned.get_mut(&actor.id)?;
            let requesters = entry.restart.as_mut().map(|restart| {
                restart.relocating = false;
                std::mem::take(&mut restart.requesters)
            });
            (requesters.unwrap_or_default(), entry.ended.clone())
        };
        if let Some(Error::ActorDied { reason, .. }) = ended {
            // A rank that ended the actor while it had no location could not tell the new one.
            env.send(
                location,
                &Message::Actor { actor: actor.id, message: ActorMessage::Kill { reason, forget: false } },
            );
        }
        for requester in requesters {
            let message = ActorMessage::LocationReply { incarnation, location: Ok(location) };
            env.send(requester, &Message::Actor { actor: actor.id, message });
        }
        actor.on_moved(env, location, incarnation);
        Some(location)
    }

    /// An actor of this rank ended for good: tells every rank that requested its location.
    pub(in crate::protocol) fn end(&self, env: &impl Environment, actor: &Arc<ActorRef>, error: Error) {
        // The constructor may hold the actor's own handle. It is dropped now, because nothing else would ever drop that
        // handle.
        let (mut restart, incarnation, name) = {
            let mut owned = lock(&self.actors);
            let Some(entry) = owned.get_mut(&actor.id) else { return };
            entry.ended.get_or_insert_with(|| error.clone());
            (entry.restart.take(), entry.incarnation, entry.name.take())
        };
        let requesters = restart.as_mut().map(|restart| std::mem::take(&mut restart.requesters)).unwrap_or_default();
        drop(restart);
        for requester in requesters {
            let message = ActorMessage::LocationReply { incarnation, location: Err(error.clone()) };
            env.send(requester, &Message::Actor { actor: actor.id, message });
        }
        actor.end(env, &Arc::new(error));
        if let Some(GivenName { name, .. }) = name {
            let directory = env.protocol().names.directory_rank(env, &name);
            env.send(directory, &Message::NameFree { name, actor: actor.id });
        }
    }
}
