//! The actors that run on this rank.

mod views;

use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::Message;
use crate::protocol::actors::caller::handles::{ActorRef, label_of};
use crate::protocol::actors::instance::actor_instance::{ActorInstance, ActorPhase, CallerId, CommitLog, schedule};
use crate::protocol::actors::instance::commits::Commits;
use crate::protocol::actors::instance::end::{mark_dead, refuse_call};
use crate::protocol::actors::owner::owned_actors::CallResults;
use crate::protocol::actors::retained_values::retain_calls;
use crate::protocol::environment::{Environment, Liveness, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::tasks::dependencies::when_arguments;
use crate::protocol::tasks::resource_requests::request_of_actor;
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget, FinishedCall};
use crate::registry::{ActorState, FunctionKind, Runnable};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// The actors that run on a rank, and those that ended there for as long as a caller may still have a handle.
#[derive(Default)]
pub struct LocalActors {
    instances: Mutex<HashMap<ObjectId, Arc<ActorInstance>>>,
}

impl LocalActors {
    /// The actor, running or expected: a call from a third rank may overtake the constructor.
    fn instance(&self, id: ObjectId) -> Arc<ActorInstance> {
        lock(&self.instances).entry(id).or_insert_with(|| ActorInstance::expected(id)).clone()
    }

    fn find(&self, id: ObjectId) -> Option<Arc<ActorInstance>> {
        lock(&self.instances).get(&id).cloned()
    }

    /// Records calls that ran in an earlier incarnation of an actor. Its constructor comes after them.
    pub(in crate::protocol) fn restore(&self, id: ObjectId, calls: impl Iterator<Item = (TaskId, CallResults)>) {
        let instance = self.instance(id);
        lock(&instance.inner).restored.extend(calls);
    }

    /// Calls that ran in an earlier incarnation of an actor that will be constructed here.
    pub(in crate::protocol) fn on_finished_calls(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        calls: &[FinishedCall<'_>],
        fetched: &FetchedBlocks,
    ) {
        let calls = retain_calls(env, calls, from, fetched);
        self.restore(id, calls.into_iter());
    }

    /// A constructor arrived.
    pub fn build(&self, env: &impl Environment, id: ObjectId, incarnation: u32, task: Arc<dyn Runnable>) {
        let instance = self.instance(id);
        {
            let mut inner = lock(&instance.inner);
            let header = task.header();
            if let Some(options) = &header.options {
                inner.request = request_of_actor(options);
                inner.identity.name = options.name.clone();
                // An actor on its owner's rank ends with its owner, unless it was moved there by a restart.
                let restarts = options.max_restarts.is_some_and(|restarts| restarts > 0);
                inner.restarts = restarts && (id.owner != env.rank() || incarnation > 0);
            }
            inner.identity.kind = header.entry.map_or("actor", |entry| entry.name);
            inner.identity.label = label_of(inner.identity.kind, inner.identity.name.as_deref()).into();
            inner.incarnation = incarnation;
            let checkpoint = header.entry.and_then(|entry| entry.checkpoint).filter(|_| inner.restarts);
            let restored = std::mem::take(&mut inner.restored);
            inner.commit_log =
                checkpoint.map(|checkpoint| Box::new(CommitLog { checkpoint, commits: Commits::new(restored) }));
        }
        when_arguments(env, &task.clone(), move |env| {
            let mut inner = lock(&instance.inner);
            if let ActorPhase::Dead(error) = &inner.phase {
                let error = error.clone();
                let name = inner.identity.name.take();
                drop(inner);
                if let Some(name) = name {
                    // An actor that was ended before its constructor ran had no name yet, so its end did not free the
                    // name.
                    let directory = env.protocol().names.directory_rank(env, &name);
                    env.send(directory, &Message::NameFree { name, actor: instance.id });
                }
                return refuse_call(env, &task, &error);
            }
            inner.phase = ActorPhase::Ready(task);
            schedule(env, &instance, &mut inner);
        });
    }

    /// A call arrived, from this rank or another.
    pub fn call(&self, env: &impl Environment, target: ActorTarget, caller: CallerId, task: Arc<dyn Runnable>) {
        let Some(instance) = self.instance_of_call(env, target.actor) else {
            let error = env.death_error(target.actor.owner);
            let reason = format!("it ended with the rank that owned it: {error}");
            return refuse_call(env, &task, &Arc::new(Error::ActorDied { actor: target.actor.to_string(), reason }));
        };
        call_instance(env, &instance, target, caller, task);
    }

    /// A call by this rank of an actor that never moves. What it is called on is looked up once: when it ends, the
    /// instance says so itself.
    pub fn call_here(&self, env: &impl Environment, actor: &ActorRef, caller: CallerId, task: Arc<dyn Runnable>) {
        let target = ActorTarget::of(actor.id);
        if let Some(instance) = actor.instance.get() {
            return call_instance(env, instance, target, caller, task);
        }
        if let Some(instance) = self.find(actor.id) {
            let _ = actor.instance.set(instance);
        }
        self.call(env, target, caller, task);
    }

    /// The actor that a call is for, and its state, if it runs here, is idle, and the call is its next one. The caller
    /// runs the call itself instead of waiting for it, and then calls `on_called`.
    pub fn try_take_state(&self, call: &Arc<dyn Runnable>) -> Option<(Arc<ActorInstance>, ActorState)> {
        call.header().entry.filter(|entry| entry.kind == FunctionKind::Method)?;
        let actor = call.header().target()?.downcast::<ActorRef>().ok()?;
        let instance = self.find(actor.id)?;
        let state = instance.try_take_state(call)?;
        Some((instance, state))
    }

    /// The instance that a call is for; `None` if there is none and none can come, because the actor's owner is dead.
    fn instance_of_call(&self, env: &impl Liveness, id: ObjectId) -> Option<Arc<ActorInstance>> {
        if env.is_dead(id.owner) { self.find(id) } else { Some(self.instance(id)) }
    }

    /// A caller rank acknowledged the results of its calls below a number.
    pub(in crate::protocol) fn on_results_ack(&self, id: ObjectId, from: Rank, below: u64) {
        if let Some(instance) = self.find(id) {
            let mut inner = lock(&instance.inner);
            let dropped = inner.commit_log.as_mut().map(|commit_log| commit_log.commits.on_results_ack(from, below));
            drop(inner);
            drop(dropped);
        }
    }

    /// The owner saved a commit.
    pub(in crate::protocol) fn on_commit_ack(
        &self,
        env: &impl Environment,
        id: ObjectId,
        incarnation: u32,
        sequence: u64,
    ) {
        if let Some(instance) = self.find(id) {
            instance.on_commit_ack(env, incarnation, sequence);
        }
    }

    /// Records that an actor failed at its creation: every call fails with `error`.
    pub fn fail_at_creation(&self, id: ObjectId, error: Error) {
        lock(&self.instance(id).inner).phase = ActorPhase::Dead(Arc::new(error));
    }

    /// Ends an actor: drops its state, fails its calls, frees its resources and its name. If `forget` is true, no trace
    /// of it remains.
    pub fn kill(&self, env: &impl Environment, id: ObjectId, reason: &str, last: bool) {
        let instance = if last { self.find(id) } else { Some(self.instance(id)) };
        let Some(instance) = instance else { return };
        let actor = instance.label().to_string();
        mark_dead(env, &instance, Error::ActorDied { actor, reason: reason.to_string() });
        if last {
            let _dropped_outside_of_the_lock = lock(&self.instances).remove(&id);
        }
    }

    /// A rank died: the unnamed actors that it owned end with it. It counted their handles, so that nothing else would
    /// ever end them and free their resources. Named actors continue.
    pub fn on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        let instances: Vec<_> = lock(&self.instances).values().cloned().collect();
        for instance in instances {
            let (actor, named, dead, dropped) = {
                let mut inner = lock(&instance.inner);
                let dropped = inner.commit_log.as_mut().map(|commit_log| commit_log.commits.on_peer_failed(rank));
                (
                    inner.identity.label.to_string(),
                    inner.identity.name.is_some(),
                    matches!(inner.phase, ActorPhase::Dead(_)),
                    dropped,
                )
            };
            drop(dropped);
            if instance.id.owner != rank {
                continue;
            }
            if named && !dead {
                instance.release_results(env);
                schedule(env, &instance, &mut lock(&instance.inner));
                continue;
            }
            mark_dead(env, &instance, Error::ActorDied { actor, reason: error.to_string() });
            let _dropped_outside_of_the_lock = lock(&self.instances).remove(&instance.id);
        }
    }

    /// The named actors here whose owner is dead.
    pub(in crate::protocol) fn with_dead_owner(&self, env: &impl Liveness) -> Vec<Arc<ActorInstance>> {
        lock(&self.instances).values().filter(|instance| env.is_dead(instance.id.owner)).cloned().collect()
    }

    /// The actors that are alive or expected, in order.
    pub fn living(&self) -> Vec<ObjectId> {
        let instances = lock(&self.instances);
        let living = instances.values().filter(|instance| !matches!(lock(&instance.inner).phase, ActorPhase::Dead(_)));
        let mut living: Vec<_> = living.map(|instance| instance.id).collect();
        living.sort_unstable();
        living
    }

    /// Visits the owners that got a commit of an actor here and have not acknowledged it.
    pub(in crate::protocol) fn awaited(&self, visit: &mut impl FnMut(Rank)) {
        let instances = lock(&self.instances);
        let awaits = |instance: &ActorInstance| {
            lock(&instance.inner).commit_log.as_ref().is_some_and(|commit_log| commit_log.commits.awaits_owner())
        };
        instances.values().filter(|instance| awaits(instance)).for_each(|instance| visit(instance.id.owner));
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized + use<> {
        let instances = std::mem::take(&mut *lock(&self.instances));
        let contents: Vec<_> = instances.values().map(|instance| instance.clear()).collect();
        (instances, contents)
    }

    /// How many actors are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        lock(&self.instances).len()
    }

    /// A constructor arrived that cannot run: without this, calls would wait for the actor.
    pub(in crate::protocol) fn fail_construction(&self, env: &impl Environment, target: ActorTarget, error: &Error) {
        let reason = format!("its constructor's arguments cannot be had on rank {}: {error}", env.rank());
        self.kill(env, target.actor, &reason, false);
        // This rank knows the actor's owner only from the constructor, so its end is reported here.
        let error = Error::ActorDied { actor: target.actor.to_string(), reason };
        let message = ActorMessage::Ended { incarnation: target.incarnation, error };
        env.send(target.actor.owner, &Message::Actor { actor: target.actor, message });
    }

    /// The directory rank of a name asks whether the named actor is here. If it is constructed later, from what its
    /// owner had sent before it died, its name is registered again then.
    pub(in crate::protocol) fn on_verify_name(&self, env: &impl Messenger, from: Rank, actor: ObjectId, name: String) {
        if !self.has_name(actor, &name) {
            env.send(from, &Message::NameFree { name, actor });
        }
    }
}

/// The call joins the mailbox, and the actor is queued if it can run.
fn call_instance(
    env: &impl Environment,
    instance: &Arc<ActorInstance>,
    target: ActorTarget,
    caller: CallerId,
    task: Arc<dyn Runnable>,
) {
    let mut complete = true;
    if !task.all_values() {
        task.references(&mut |slot| complete &= slot.core().is_complete());
    }
    // Dropped after the lock is released, like the task: it may hold handles of this very actor.
    let _forgotten;
    let mut inner = lock(&instance.inner);
    if let ActorPhase::Dead(error) = &inner.phase {
        let error = error.clone();
        drop(inner);
        return refuse_call(env, &task, &error);
    }
    _forgotten =
        inner.commit_log.as_mut().map(|commit_log| commit_log.commits.on_results_ack(caller.0, target.acked_below));
    if inner.restarts
        && let Some(id) = task.header().origin
        && !inner.queued.insert(id)
    {
        // The call is in the mailbox already.
        return drop(inner);
    }
    if complete {
        inner.mailbox.push(caller, task, true);
        return schedule(env, instance, &mut inner);
    }
    inner.mailbox.push(caller, task.clone(), false);
    drop(inner);
    let instance = instance.clone();
    when_arguments(env, &task.clone(), move |env| {
        let mut inner = lock(&instance.inner);
        inner.mailbox.completed(caller, |call| Arc::ptr_eq(call, &task));
        schedule(env, &instance, &mut inner);
    });
}
