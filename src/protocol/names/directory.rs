//! The directory of actor names. The directory rank of a name is the one that its hash selects, or the next living
//! rank.

use crate::base::log::{Level, log};
use crate::base::{ObjectId, Rank};
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::environment::{Environment, Liveness, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::names::error::NameError;
use crate::protocol::objects::attachments::export_actor;
use crate::protocol::wire::actor_message::{ActorMessage, WireActor};
use crate::protocol::{Message, WireAttachment};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// The names in a rank's directory: each with the type and the handle of the named actor.
#[derive(Default)]
pub struct NameDirectory(Mutex<HashMap<String, (String, Arc<ActorRef>)>>);

/// The token of a request that expects no reply.
const NO_REPLY: u64 = 0;

impl NameDirectory {
    /// Gives a name to an actor; fails if another actor has it. Repeating it has no effect.
    pub fn set(&self, name: String, kind: String, actor: Arc<ActorRef>) -> Result<(), NameError> {
        let mut names = lock(&self.0);
        match names.get(&name) {
            Some((_, known)) if known.id == actor.id => {}
            Some(_) => return Err(NameError::Taken { name }),
            None => {
                names.insert(name, (kind, actor));
            }
        }
        Ok(())
    }

    /// The actor with that name.
    pub fn get(&self, name: &str, kind: &str) -> Result<Arc<ActorRef>, NameError> {
        match lock(&self.0).get(name) {
            None => Err(NameError::Unknown { name: name.to_string() }),
            Some((own, _)) if own != kind => {
                let (actual, requested) = (own.clone(), kind.to_string());
                Err(NameError::OtherType { name: name.to_string(), actual, requested })
            }
            Some((_, actor)) => Ok(actor.clone()),
        }
    }

    /// The actor with that name ended.
    pub fn free(&self, name: &str, actor: ObjectId) {
        let mut names = lock(&self.0);
        let known = names.get(name).is_some_and(|(_, known)| known.id == actor);
        let _dropped_outside_of_the_lock = if known { names.remove(name) } else { None };
        drop(names);
    }

    /// A rank died: frees the names of its actors, except of those that are restarted.
    pub fn on_peer_failed(&self, rank: Rank) {
        let mut names = lock(&self.0);
        let (removed, retained) = names.drain().partition(|(_, (_, actor))| match actor.restart_policy {
            Some(_) => lock(&actor.route).end_error().is_some(),
            None => actor.location() == rank,
        });
        *names = retained;
        drop(names);
        let _dropped_outside_of_the_lock: HashMap<_, _> = removed;
    }

    /// Each name and its actor.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn named_actors(&self) -> Vec<(String, ObjectId)> {
        lock(&self.0).iter().map(|(name, (_, actor))| (name.clone(), actor.id)).collect()
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Forgets every name at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// The first living rank for a name, of `size` ranks.
fn directory_rank_among(name: &str, size: u32, is_alive: impl Fn(Rank) -> bool) -> Rank {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let first = (hash % u64::from(size)) as Rank;
    (0..size).map(|step| (first + step) % size).find(|rank| is_alive(*rank)).unwrap_or(first)
}

impl NameDirectory {
    /// The directory rank of a name.
    pub fn directory_rank(&self, env: &(impl Messenger + Liveness), name: &str) -> Rank {
        directory_rank_among(name, env.size(), |rank| !env.is_dead(rank))
    }

    /// True if `rank`, which is dead, was the directory rank of a name.
    pub(in crate::protocol) fn was_directory_rank(
        &self,
        env: &(impl Messenger + Liveness),
        name: &str,
        rank: Rank,
    ) -> bool {
        directory_rank_among(name, env.size(), |other| other == rank || !env.is_dead(other)) == rank
    }

    /// True if the rank that would be a name's directory if all ranks were alive is dead.
    pub(in crate::protocol) fn is_first_directory_rank_dead(
        &self,
        env: &(impl Messenger + Liveness),
        name: &str,
    ) -> bool {
        env.is_dead(directory_rank_among(name, env.size(), |_| true))
    }

    /// Registers the name of an actor of this rank again, because its directory rank died. No reply is expected.
    pub(in crate::protocol) fn register(
        &self,
        env: &impl Environment,
        name: String,
        kind: String,
        actor: &Arc<ActorRef>,
    ) {
        let directory = self.directory_rank(env, &name);
        if directory == env.rank() {
            return log_refused_name(env.rank(), self.set(name, kind, actor.clone()));
        }
        self.request_registration(env, directory, NO_REPLY, (name, kind), actor);
    }

    /// Requests the registration of an actor's name at its directory rank, which is not this one.
    pub fn request_registration(
        &self,
        env: &impl Environment,
        directory: Rank,
        token: u64,
        (name, kind): (String, String),
        actor: &Arc<ActorRef>,
    ) {
        let handle = export_actor(env, actor, directory);
        env.send(directory, &Message::NameSet { token, name, kind, handle });
    }

    /// As `register_name`, from the actor's location: its owner, which counted its handles, is dead too, so nothing is
    /// counted.
    pub(in crate::protocol) fn register_without_owner(
        &self,
        env: &impl Environment,
        name: String,
        kind: String,
        handle: WireActor,
    ) {
        let directory = self.directory_rank(env, &name);
        let handle = WireAttachment::Actor(handle);
        if directory != env.rank() {
            return env.send(directory, &Message::NameSet { token: NO_REPLY, name, kind, handle });
        }
        let actor = import_named_actor(env, env.rank(), &handle);
        log_refused_name(env.rank(), actor.and_then(|actor| self.set(name, kind, actor)));
    }

    /// A rank registers an actor's name.
    pub(in crate::protocol) fn on_set(
        &self,
        env: &impl Environment,
        from: Rank,
        token: u64,
        (name, kind): (String, String),
        handle: &WireAttachment,
    ) {
        let actor = import_named_actor(env, from, handle);
        let outcome = actor.and_then(|actor| self.set(name, kind, actor));
        if token == NO_REPLY {
            return log_refused_name(env.rank(), outcome);
        }
        // The sender has a handle: none is sent back.
        env.send(from, &Message::NameReply { token, handle: outcome.map(|()| None) });
    }

    /// The owner of some named actors died. Asks each actor's location to free the name if the actor is not there: it
    /// may never have been constructed.
    pub(in crate::protocol) fn verify_names_of(&self, env: &(impl Messenger + Liveness), owner: Rank) {
        let names = lock(&self.0);
        let actors = names.iter().filter(|(_, (_, actor))| actor.id.owner == owner);
        let actors: Vec<_> = actors.map(|(name, (_, actor))| (name.clone(), actor.id, actor.location())).collect();
        drop(names);
        for (name, actor, location) in actors {
            if env.is_dead(location) {
                // The owner of the actor died before it could free the name.
                self.free(&name, actor);
                continue;
            }
            env.send(location, &Message::Actor { actor, message: ActorMessage::VerifyName { name } });
        }
    }

    /// A rank looks up an actor by name.
    pub(in crate::protocol) fn on_get(&self, env: &impl Environment, from: Rank, token: u64, name: &str, kind: &str) {
        let found = self.get(name, kind);
        if from == env.rank() {
            return env.on_name_reply(token, found.map(Some));
        }
        let handle = found.map(|actor| Some(export_actor(env, &actor, from)));
        env.send(from, &Message::NameReply { token, handle });
    }

    /// The reply about a name.
    pub(in crate::protocol) fn on_reply(
        &self,
        env: &impl Environment,
        from: Rank,
        token: u64,
        handle: Result<Option<WireAttachment>, NameError>,
    ) {
        let named = |handle: Option<WireAttachment>| handle.map(|handle| import_named_actor(env, from, &handle));
        env.on_name_reply(token, handle.and_then(|handle| named(handle).transpose()));
    }
}

fn log_refused_name(rank: Rank, outcome: Result<(), NameError>) {
    if let Err(reason) = outcome {
        log(Level::Warn, || format!("rank {rank}: an actor could not have its name back: {reason}"));
    }
}

fn import_named_actor(env: &impl Environment, from: Rank, handle: &WireAttachment) -> Result<Arc<ActorRef>, NameError> {
    let WireAttachment::Actor(handle) = handle else { return Err(NameError::NoHandle) };
    Ok(ActorRef::import(env, handle, from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_rank_is_the_next_living_rank() {
        let first = directory_rank_among("name", 5, |_| true);
        let next = directory_rank_among("name", 5, |rank| rank != first);
        assert_eq!(next, (first + 1) % 5);
        assert_eq!(directory_rank_among("name", 5, |_| false), first);
        assert_eq!(directory_rank_among("name", 1, |_| true), 0);
    }

    #[test]
    fn name_belongs_to_one_actor() {
        let actor = |number| {
            let id = ObjectId { owner: 0, number };
            let wire = WireActor { actor: id, location: 1, incarnation: 0, restart_policy: None, label: String::new() };
            ActorRef::uncounted(wire)
        };
        let (names, one) = (NameDirectory::default(), actor(1));
        let set = |actor: &Arc<ActorRef>| names.set("n".to_string(), "Count".to_string(), actor.clone());
        assert_eq!((set(&one), set(&one)), (Ok(()), Ok(())), "set twice");
        assert!(matches!(set(&actor(2)), Err(NameError::Taken { .. })));
        assert!(matches!(names.get("n", "Other"), Err(NameError::OtherType { .. })));
        names.free("n", ObjectId { owner: 0, number: 2 });
        names.on_peer_failed(2);
        assert!(names.get("n", "Count").is_ok());
        names.on_peer_failed(1);
        assert!(names.get("n", "Count").is_err());
    }
}
