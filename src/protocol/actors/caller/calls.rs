//! Calls of actors that are restarted when their rank dies, as their callers see them: sent, waiting while the actor
//! has no location, retried.
//!
//! A caller that finds its actor's location dead asks the owner for the new one. So no rank need know where an actor's
//! handles are, and the receiver of a handle that was in flight meanwhile finds out by itself.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::Ordering;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::SerializedValue;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::actors::caller::route::CallDisposition;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::tasks::remote_tasks::ResultDestination;
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget, RestartPolicy, WireActor};
use crate::protocol::{Message, WireTask};
use crate::registry::{Runnable, TaskHeader};
use std::sync::Arc;

/// A call of this rank whose results have not arrived.
pub struct PendingCall {
    task: Arc<dyn Runnable>,
    /// Its arguments, if it may still have to be sent or retried.
    args: Option<Arc<SerializedValue>>,
    retries: u32,
}

impl PendingCall {
    /// Its location died: returns true if the call may be retried.
    pub(in crate::protocol) fn consume_retry(&mut self) -> bool {
        let Some(left) = self.retries.checked_sub(1).filter(|_| self.args.is_some()) else { return false };
        if self.retries != u32::MAX {
            self.retries = left;
        }
        true
    }
}

impl ActorRef {
    /// Calls the actor with a task that nothing else has seen yet. Returns the rank to which it was sent, if any.
    #[inline]
    pub fn submit(self: &Arc<Self>, env: &impl Environment, task: Arc<dyn Runnable>) -> Option<Rank> {
        task.header().set_target(self.clone());
        let location = self.location();
        // A checkpointed actor's results become visible only when its state is saved: also to a caller on its own rank.
        let policy = self.restart_policy.filter(|policy| location != env.rank() || policy.checkpoint);
        if policy.is_none() && location == env.rank() {
            let caller = (location, task.header().caller);
            env.protocol().actors.instance.call_here(env, self, caller, task);
            return None;
        }
        if !task.header().claim_waiting() {
            return None;
        }
        match policy {
            Some(policy) => self.call(env, policy, task),
            None => env.protocol().tasks.send(env, &task, location, Some(self.id)),
        }
        Some(location)
    }

    /// Calls an actor that can be restarted. The caller has claimed the task.
    fn call(&self, env: &impl Environment, policy: RestartPolicy, task: Arc<dyn Runnable>) {
        let args = match task.encode_args(None) {
            Ok(args) => Arc::new(args),
            Err(error) => {
                env.report_failure(error.clone());
                return fail_call(&task, Arc::new(error));
            }
        };
        // A call that is made after the death of its location was noticed was never in flight: it waits for the next
        // location.
        self.check_location(env);
        let mut route = lock(&self.route);
        if let Some(error) = route.end_error() {
            drop(route);
            return fail_call(&task, error);
        }
        let number = env.protocol().tasks.remote.insert_call(task.clone(), route.location().0);
        let retain = policy.retries > 0 || !route.is_located();
        let retained = retain.then(|| args.clone());
        let disposition =
            route.add(number, PendingCall { task: task.clone(), args: retained, retries: policy.retries });
        let acked_below = route.acked_below();
        drop(route);
        if let CallDisposition::Send(location, incarnation) = disposition {
            let target = ActorTarget { actor: self.id, incarnation, acked_below };
            send_call(env, &task, (number, &args), location, target);
        }
    }

    /// Imports the handle of an actor from a message of `from`.
    pub fn import(env: &impl Environment, wire: &WireActor, from: Rank) -> Result<Arc<ActorRef>, Error> {
        let actor = env.protocol().objects.references.import_actor(env, wire, from)?;
        if actor.restart_policy.is_some() {
            actor.on_moved(env, wire.location, wire.incarnation);
            actor.check_location(env);
        }
        Ok(actor)
    }

    /// Records the actor's location, where that is news.
    pub(in crate::protocol) fn on_moved(&self, env: &impl Environment, location: Rank, incarnation: u32) {
        let failed = lock(&self.route).on_moved(location, incarnation, PendingCall::consume_retry);
        let Some(failed) = failed else { return };
        let reason = "its rank died while the call ran; it has been started again. To have such calls made again, give \
                      the actor max_task_retries";
        fail_calls(env, failed, &Arc::new(self.died_error(reason)));
        self.forward(env, incarnation);
    }

    /// Sends the waiting calls to the actor's new location, one after the other. Calls made meanwhile wait behind them.
    fn forward(&self, env: &impl Environment, incarnation: u32) {
        loop {
            let mut route = lock(&self.route);
            let (location, acked_below) = (route.location().0, route.acked_below());
            let Some((number, call)) = route.next_waiting(incarnation) else {
                if route.is_located() && route.location().1 == incarnation {
                    self.set_location(location);
                }
                return;
            };
            let task = call.task.clone();
            let args = if call.retries == 0 { call.args.take() } else { call.args.clone() };
            drop(route);
            let target = ActorTarget { actor: self.id, incarnation, acked_below };
            if let Some(args) = args {
                send_call(env, &task, (number, &args), location, target);
            }
        }
    }

    /// The actor ended for good: fails its calls.
    pub(in crate::protocol) fn end(&self, env: &impl Environment, error: &Arc<Error>) {
        let calls = lock(&self.route).end(error.clone());
        fail_calls(env, calls, error);
    }

    /// If the actor's location is already dead, requests the new one.
    fn check_location(&self, env: &impl Environment) {
        let (location, _) = lock(&self.route).location();
        if env.is_dead(location) {
            self.on_location_failed(env, location, &env.death_error(location));
        }
    }

    /// `rank` died: it may be the location of an actor of another rank, or the actor's owner while the actor has no
    /// location.
    fn on_location_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        let owner = self.id.owner;
        let (incarnation, must_request) = {
            let mut route = lock(&self.route);
            let was_location = route.on_peer_failed(rank, PendingCall::consume_retry);
            (route.location().1, was_location || (rank == owner && route.is_moving()))
        };
        if !must_request || owner == env.rank() {
            return;
        }
        if !env.is_dead(owner) {
            env.send(owner, &Message::Actor { actor: self.id, message: ActorMessage::LocationRequest { incarnation } });
        }
        if env.is_dead(owner) {
            let reason = format!("{error}; it is not started again, because rank {owner}, which owns it, is dead");
            self.end(env, &Arc::new(self.died_error(reason)));
        }
    }
}

/// Sends a call to the actor's location. If that rank has died the message is lost, and the handler of the death
/// retries the call.
fn send_call(
    env: &impl Environment,
    task: &Arc<dyn Runnable>,
    (number, args): (u64, &SerializedValue),
    to: Rank,
    target: ActorTarget,
) {
    let (header, Some(entry)) = (task.header(), task.header().entry) else { return };
    let id = TaskId { owner: env.rank(), number };
    let trace_number = header.number.load(Ordering::Relaxed);
    if to == env.rank() {
        let mut retry = TaskHeader::new(None, header.caller);
        retry.origin = Some(id);
        retry.number.store(trace_number, Ordering::Relaxed);
        return match (entry.decode)(&args.bytes, args.attachments.clone(), retry) {
            Ok(call) => env.protocol().actors.instance.call(env, target, (to, header.caller), call),
            Err(error) => env.protocol().tasks.send_failure(env, id, entry.returns, error),
        };
    }
    match encode_value(env, args, to, INLINE_BYTES_MAX) {
        Ok(args) => env.send(
            to,
            &Message::of_task(
                WireTask {
                    task: id,
                    function: entry.key,
                    caller: header.caller,
                    number: trace_number,
                    actor: Some(target),
                    stealable: false,
                    hops: 0,
                    options: None,
                    args,
                },
                env.rank(),
            ),
        ),
        Err(error) => {
            env.report_failure(error.clone());
            on_call_finished(env, number, task);
            env.protocol().tasks.remote.take(number);
            fail_call(task, Arc::new(error));
        }
    }
}

fn fail_call(task: &Arc<dyn Runnable>, error: Arc<Error>) {
    task.fail(error);
    task.header().take_target();
}

/// Fails calls that are not retried.
fn fail_calls(env: &impl Environment, calls: Vec<(u64, PendingCall)>, error: &Arc<Error>) {
    for (number, call) in calls {
        if env.protocol().tasks.remote.take(number).is_some() {
            env.report_failure((**error).clone());
            fail_call(&call.task, error.clone());
        }
    }
}

/// True for a call of an actor with checkpoints.
pub(in crate::protocol) fn is_checkpointed_call(env: &impl Environment, number: u64) -> bool {
    let Some(ResultDestination::Task(task)) = env.protocol().tasks.remote.get(number).map(|remote| remote.results)
    else {
        return false;
    };
    let actor = task.header().target().and_then(|target| target.downcast::<ActorRef>().ok());
    actor.and_then(|actor| actor.restart_policy).is_some_and(|policy| policy.checkpoint)
}

/// A call of this rank finished or failed: it releases its actor.
pub(in crate::protocol) fn on_call_finished(env: &impl Messenger, number: u64, task: &Arc<dyn Runnable>) {
    let Some(target) = task.header().take_target() else { return };
    let Ok(actor) = target.downcast::<ActorRef>() else { return };
    let Some(policy) = actor.restart_policy else { return };
    let mut route = lock(&actor.route);
    let (call, ack_due) = route.finish_call(number);
    let (location, acked_below) = (route.location().0, route.acked_below());
    drop(route);
    drop(call);
    if ack_due && policy.checkpoint {
        env.send(location, &Message::Actor { actor: actor.id, message: ActorMessage::ResultsAck { acked_below } });
    }
}

/// A rank died: handles the actors of other ranks that ran there, or whose location this rank requested from there.
pub(in crate::protocol) fn on_locations_failed(env: &impl Environment, rank: Rank, error: &Error) {
    let actors = env.protocol().objects.references.actors_of_others();
    let restartable = actors.iter().filter(|actor| actor.restart_policy.is_some());
    restartable.for_each(|actor| actor.on_location_failed(env, rank, error));
}

/// The owner of an actor sent its location, or that it ended.
pub(in crate::protocol) fn on_location_reply(
    env: &impl Environment,
    id: ObjectId,
    incarnation: u32,
    location: Result<Rank, Error>,
) {
    // Without a handle no local caller needs the answer.
    let Some(actor) = env.protocol().objects.references.find_actor(id) else { return };
    match location {
        Ok(location) => {
            actor.on_moved(env, location, incarnation);
            actor.check_location(env);
        }
        Err(error) => actor.end(env, &Arc::new(error)),
    }
}
