//! One actor on the rank that runs it: constructed once, then one call at a time, in the order of each caller.
//!
//! An actor is queued for the rank's workers while it has a call that can run, and only then. Its state is taken out
//! while a call runs, so that no lock is held across user code.

use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::SerializedValue;
use crate::protocol::actors::instance::commits::{Commit, Commits, Seen};
use crate::protocol::actors::instance::end::{drop_state, mark_dead};
use crate::protocol::actors::instance::send_commit::try_send_commit;
use crate::protocol::actors::owner::owned_actors::CallResults;
use crate::protocol::environment::{Environment, WorkQueue};
use crate::protocol::locks::lock;
use crate::protocol::wire::actor_message::WireActor;
use crate::registry::{ActorState, Checkpoint, Runnable};
use crate::scheduling::{Grant, Mailbox, ResourceRequest};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::any::Any;
use std::sync::{Arc, Mutex};

/// A caller, by rank and number: the calls of one caller keep their order.
pub(in crate::protocol) type CallerId = (Rank, u64);

pub(in crate::protocol) enum ActorPhase {
    /// Its constructor has not arrived, waits for arguments, or is running.
    Expected,
    /// Its constructor can run.
    Ready(Arc<dyn Runnable>),
    Alive,
    Dead(Arc<Error>),
}

/// What the owner saves of an actor, as seen by the rank that runs it.
pub(in crate::protocol) struct CommitLog {
    pub(in crate::protocol) checkpoint: &'static Checkpoint,
    pub(in crate::protocol) commits: Commits<Arc<SerializedValue>, CallResults>,
}

/// How an actor is named.
pub(in crate::protocol) struct ActorIdentity {
    /// Its name, until it is freed.
    pub(in crate::protocol) name: Option<String>,
    /// Its type.
    pub(in crate::protocol) kind: &'static str,
    /// How errors refer to it.
    pub(in crate::protocol) label: Arc<str>,
}

/// The state of an actor.
pub(in crate::protocol) struct Inner {
    pub(in crate::protocol) phase: ActorPhase,
    pub(in crate::protocol) mailbox: Mailbox<CallerId, Arc<dyn Runnable>>,
    /// True if a worker has the actor, or it is queued for one.
    pub(in crate::protocol) scheduled: bool,
    pub(in crate::protocol) state: ActorState,
    pub(in crate::protocol) request: ResourceRequest,
    pub(in crate::protocol) grant: Option<Grant>,
    /// What the environment attached to it, while it lives.
    pub(in crate::protocol) env_data: Option<Arc<dyn Any + Send + Sync>>,
    pub(in crate::protocol) identity: ActorIdentity,
    pub(in crate::protocol) incarnation: u32,
    /// True if its owner restarts it when this rank dies.
    pub(in crate::protocol) restarts: bool,
    /// The unfinished calls from other ranks, for an actor that can be restarted: a retried call may arrive twice.
    pub(in crate::protocol) queued: HashSet<TaskId>,
    /// Calls that ran in an earlier incarnation; they arrive before the constructor.
    pub(in crate::protocol) restored: HashMap<TaskId, CallResults>,
    pub(in crate::protocol) commit_log: Option<Box<CommitLog>>,
}

/// An actor on the rank that runs it.
pub struct ActorInstance {
    /// Its id.
    pub id: ObjectId,
    pub(in crate::protocol) inner: Mutex<Inner>,
}

/// What an actor's calls run with.
pub struct CallSetting {
    /// How errors refer to the actor.
    pub label: Arc<str>,
    /// The GPUs that it was granted, and the share of each.
    pub gpus: Vec<(u32, i64)>,
    /// What the environment attached to it.
    pub env_data: Option<Arc<dyn Any + Send + Sync>>,
}

/// What an actor's worker is to do next. After each step but `Idle` the worker asks for the next one.
pub enum ActorStep {
    /// Acquire these resources for the actor's lifetime, then call `on_admitted`.
    Admit(ResourceRequest),
    /// Run the constructor, then call `on_constructed`.
    Construct(Arc<dyn Runnable>),
    /// Run the call on the state, then call `on_called`.
    Call(Arc<dyn Runnable>, ActorState),
    /// Nothing, until `Environment::enqueue_actor` is called for the actor.
    Idle,
}

impl ActorInstance {
    pub(in crate::protocol) fn expected(id: ObjectId) -> Arc<ActorInstance> {
        let inner = Inner {
            phase: ActorPhase::Expected,
            mailbox: Mailbox::default(),
            scheduled: false,
            state: None,
            request: ResourceRequest::default(),
            grant: None,
            env_data: None,
            identity: ActorIdentity { name: None, kind: "actor", label: "an actor".into() },
            incarnation: 0,
            restarts: false,
            queued: HashSet::default(),
            restored: HashMap::default(),
            commit_log: None,
        };
        Arc::new(ActorInstance { id, inner: Mutex::new(inner) })
    }

    /// Takes all that it holds, at shutdown: handles keep it, also those that its own state and calls hold. Returns
    /// what the caller is to drop.
    pub(in crate::protocol) fn clear(&self) -> impl Sized + use<> {
        let mut inner = lock(&self.inner);
        let phase = std::mem::replace(&mut inner.phase, ActorPhase::Expected);
        let calls = (inner.mailbox.drain(), std::mem::take(&mut inner.restored));
        (phase, calls, inner.state.take(), inner.env_data.take(), inner.commit_log.take())
    }

    /// How errors refer to it.
    pub fn label(&self) -> Arc<str> {
        lock(&self.inner).identity.label.clone()
    }

    /// Attaches data of the environment to it, until it ends.
    pub fn attach(&self, data: Arc<dyn Any + Send + Sync>) {
        lock(&self.inner).env_data = Some(data);
    }

    /// What the environment needs to run one of its calls.
    pub fn call_setting(&self) -> CallSetting {
        let inner = lock(&self.inner);
        CallSetting {
            label: inner.identity.label.clone(),
            gpus: inner.grant.as_ref().map_or_else(Vec::new, |grant| grant.gpus.clone()),
            env_data: inner.env_data.clone(),
        }
    }

    /// The actor's name, type and handle, for a named actor whose owner is dead.
    pub(in crate::protocol) fn named_handle(&self, me: Rank) -> Option<(String, String, WireActor)> {
        let inner = lock(&self.inner);
        let (Some(name), false) = (inner.identity.name.clone(), matches!(inner.phase, ActorPhase::Dead(_))) else {
            return None;
        };
        let (incarnation, label) = (inner.incarnation, inner.identity.label.to_string());
        Some((
            name,
            inner.identity.kind.to_string(),
            WireActor { actor: self.id, location: me, incarnation, restart_policy: None, label },
        ))
    }

    /// What the worker is to do next.
    pub fn next_step(&self, env: &impl Environment) -> ActorStep {
        loop {
            let mut inner = lock(&self.inner);
            match std::mem::replace(&mut inner.phase, ActorPhase::Expected) {
                ActorPhase::Ready(task) if inner.grant.is_none() => {
                    inner.phase = ActorPhase::Ready(task);
                    return ActorStep::Admit(inner.request.clone());
                }
                ActorPhase::Ready(task) => return ActorStep::Construct(task),
                ActorPhase::Alive => {
                    inner.phase = ActorPhase::Alive;
                    if inner.state.is_none() {
                        // A caller has the state; `on_called` queues the actor again.
                        inner.scheduled = false;
                        return ActorStep::Idle;
                    }
                    let full = inner.commit_log.as_ref().is_some_and(|commit_log| commit_log.commits.is_full());
                    let Some(call) = (if full { None } else { inner.mailbox.pop() }) else {
                        inner.scheduled = false;
                        return ActorStep::Idle;
                    };
                    let origin = call.header().origin;
                    let seen =
                        origin.zip(inner.commit_log.as_ref()).map(|(id, commit_log)| (id, commit_log.commits.seen(id)));
                    let Some((id, seen)) = seen.filter(|(_, seen)| !matches!(seen, Seen::Never)) else {
                        return ActorStep::Call(call, inner.state.take());
                    };
                    // It ran in an earlier incarnation (COMMITS-2).
                    inner.queued.remove(&id);
                    drop(inner);
                    if call.header().claim_waiting() {
                        call.fail(Arc::new(Error::config("it ran before")));
                    }
                    if let Seen::Finished(results) = seen {
                        env.protocol().tasks.send_call_results(env, id, &results);
                    }
                }
                other => {
                    inner.phase = other;
                    inner.scheduled = false;
                    return ActorStep::Idle;
                }
            }
        }
    }

    /// Takes the state for this call if the actor is idle and the call is its next one. The caller runs the call
    /// itself, then calls `on_called`. An actor of several CPUs has them on workers only.
    pub(in crate::protocol) fn try_take_state(&self, call: &Arc<dyn Runnable>) -> Option<ActorState> {
        let mut inner = lock(&self.inner);
        let is_free = matches!(inner.phase, ActorPhase::Alive) && inner.state.is_some() && inner.commit_log.is_none();
        if !is_free || inner.request.cores() > 1 || !inner.mailbox.first().is_some_and(|next| Arc::ptr_eq(next, call)) {
            return None;
        }
        inner.mailbox.pop();
        Some(inner.state.take())
    }

    /// The requested resources were acquired. Returns them if the actor ended meanwhile.
    pub fn on_admitted(&self, grant: Grant) -> Option<(Grant, i64)> {
        let mut inner = lock(&self.inner);
        if matches!(inner.phase, ActorPhase::Dead(_)) {
            return Some((grant, inner.request.cpu));
        }
        inner.grant = Some(grant);
        None
    }

    /// The constructor ran, and returned `state` or nothing.
    pub fn on_constructed(self: &Arc<Self>, env: &impl Environment, task: &Arc<dyn Runnable>, state: ActorState) {
        task.header().take_target();
        let mut inner = lock(&self.inner);
        if matches!(inner.phase, ActorPhase::Dead(_)) {
            drop(inner);
            drop_state(env.rank(), state);
        } else if state.is_some() {
            inner.state = state;
            inner.phase = ActorPhase::Alive;
            drop(inner);
        } else {
            let (label, again) = (inner.identity.label.to_string(), inner.incarnation);
            drop(inner);
            let reason = task.clone().slots().iter().find_map(|slot| slot.core().failure());
            let mut reason = reason.map_or_else(
                || "its constructor returned nothing".to_string(),
                |error| format!("its constructor failed: {error}"),
            );
            if again > 0 {
                reason.push_str(&format!(" (it was being started again, time {again})"));
            }
            mark_dead(env, self, Error::ActorDied { actor: label, reason });
        }
        env.protocol().tasks.on_finished(env, task);
    }

    /// A call ran on `state`.
    pub fn on_called(self: &Arc<Self>, env: &impl Environment, task: &Arc<dyn Runnable>, state: ActorState) {
        task.header().take_target();
        let mut inner = lock(&self.inner);
        let origin = task.header().origin;
        if inner.restarts
            && let Some(id) = origin
        {
            inner.queued.remove(&id);
        }
        if !matches!(inner.phase, ActorPhase::Alive) {
            drop(inner);
            drop_state(env.rank(), state);
            return env.protocol().tasks.on_finished(env, task);
        }
        let commit_log = inner.commit_log.as_ref().map(|commit_log| commit_log.checkpoint);
        let (Some(checkpoint), Some(id)) = (commit_log, origin) else {
            inner.state = state;
            schedule(env, self, &mut inner);
            drop(inner);
            return env.protocol().tasks.on_finished(env, task);
        };
        drop(inner);
        self.commit(env, checkpoint, id, task, state);
    }

    /// A call ran whose results may be released only once its effect is saved (COMMITS-1).
    fn commit(
        self: &Arc<Self>,
        env: &impl Environment,
        checkpoint: &Checkpoint,
        id: TaskId,
        task: &Arc<dyn Runnable>,
        state: ActorState,
    ) {
        let results: CallResults = Arc::new(task.clone().slots().iter().map(|slot| slot.encode(None)).collect());
        let saved = (checkpoint.save)(&state);
        let mut inner = lock(&self.inner);
        let dead = !matches!(inner.phase, ActorPhase::Alive);
        let dropped_state = if dead {
            state
        } else {
            inner.state = state;
            None
        };
        let (label, incarnation) = (inner.identity.label.to_string(), inner.incarnation);
        let (commit, replaced) = match (&mut inner.commit_log, saved) {
            (Some(commit_log), Ok(saved)) if !dead => commit_log.commits.on_call_ran(id, results, Arc::new(saved)),
            (Some(_), Err(error)) if !dead => {
                drop(inner);
                mark_dead(env, self, Error::ActorDied { actor: label, reason: format!("it cannot be saved: {error}") });
                return env.protocol().tasks.send_call_results(env, id, &results);
            }
            // The owner is dead, or the actor was ended: nothing can be lost any more.
            _ => {
                drop(inner);
                drop_state(env.rank(), dropped_state);
                return env.protocol().tasks.send_call_results(env, id, &results);
            }
        };
        drop(inner);
        drop(replaced);
        self.send_commit(env, incarnation, commit);
    }

    /// Sends a commit to the owner. A commit that cannot be sent ends the actor: its results could never be released.
    fn send_commit(
        self: &Arc<Self>,
        env: &impl Environment,
        incarnation: u32,
        commit: Option<Commit<Arc<SerializedValue>, CallResults>>,
    ) {
        let Some(commit) = commit else { return };
        if let Err(error) = try_send_commit(env, self.id, incarnation, &commit) {
            let actor = self.label().to_string();
            mark_dead(
                env,
                self,
                Error::ActorDied { actor, reason: format!("its state cannot be saved on its owner: {error}") },
            );
        }
    }

    /// The owner saved the commit of that number.
    pub(in crate::protocol) fn on_commit_ack(
        self: &Arc<Self>,
        env: &impl Environment,
        incarnation: u32,
        sequence: u64,
    ) {
        let (released, commit) = {
            let mut inner = lock(&self.inner);
            if inner.incarnation != incarnation {
                return;
            }
            let Some(commit_log) = &mut inner.commit_log else { return };
            let (released, commit) = (commit_log.commits.on_ack(sequence), commit_log.commits.next_commit());
            schedule(env, self, &mut inner);
            (released, commit)
        };
        released.iter().for_each(|(id, results)| env.protocol().tasks.send_call_results(env, *id, results));
        self.send_commit(env, incarnation, commit);
    }

    /// The state is not saved any more: releases the results of every call that ran.
    pub(in crate::protocol) fn release_results(&self, env: &impl Environment) {
        let commit_log = lock(&self.inner).commit_log.take();
        let released = commit_log.map_or_else(Vec::new, |commit_log| commit_log.commits.into_unreleased());
        released.iter().for_each(|(id, results)| env.protocol().tasks.send_call_results(env, *id, results));
    }
}

/// Queues the actor for the workers, if it has something to run and is not queued already.
pub(in crate::protocol) fn schedule(env: &impl WorkQueue, instance: &Arc<ActorInstance>, inner: &mut Inner) {
    let has_work = match inner.phase {
        ActorPhase::Ready(_) => true,
        ActorPhase::Alive => {
            inner.mailbox.has_ready()
                && inner.commit_log.as_ref().is_none_or(|commit_log| !commit_log.commits.is_full())
        }
        _ => false,
    };
    if has_work && !inner.scheduled {
        inner.scheduled = true;
        env.enqueue_actor(instance.clone());
    }
}
