//! The end of an actor: its state is dropped, its calls fail, its resources and its name are freed.

use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::{Error, Rank};
use crate::protocol::Message;
use crate::protocol::actors::instance::actor_instance::{ActorInstance, ActorPhase};
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::wire::actor_message::ActorMessage;
use crate::registry::{ActorState, Runnable};
use rustc_hash::FxHashSet as HashSet;
use std::sync::Arc;

/// Ends an actor for good.
pub fn mark_dead(env: &impl Environment, instance: &Arc<ActorInstance>, error: Error) {
    let error = Arc::new(error);
    let mut inner = lock(&instance.inner);
    if matches!(inner.phase, ActorPhase::Dead(_)) {
        return;
    }
    let before = std::mem::replace(&mut inner.phase, ActorPhase::Dead(error.clone()));
    let calls = inner.mailbox.drain();
    let (state, grant, name) = (inner.state.take(), inner.grant.take(), inner.identity.name.take());
    let (cpu, incarnation, concerns_owner) = (inner.request.cpu, inner.incarnation, inner.restarts || name.is_some());
    let restored = std::mem::take(&mut inner.restored);
    let env_data = inner.env_data.take();
    inner.queued = HashSet::default();
    drop(inner);
    drop((restored, env_data));
    drop_state(env.rank(), state);
    instance.release_results(env);
    if let ActorPhase::Ready(task) = before {
        refuse_call(env, &task, &error);
    }
    calls.iter().for_each(|call| refuse_call(env, call, &error));
    if let Some(grant) = grant {
        env.release_grant(grant, cpu);
    }
    if let Some(name) = name {
        let directory = env.protocol().names.directory_rank(env, &name);
        env.send(directory, &Message::NameFree { name, actor: instance.id });
    }
    if concerns_owner {
        let message = ActorMessage::Ended { incarnation, error: (*error).clone() };
        env.send(instance.id.owner, &Message::Actor { actor: instance.id, message });
    }
}

pub fn refuse_call(env: &impl Environment, task: &Arc<dyn Runnable>, error: &Arc<Error>) {
    if task.header().claim_waiting() {
        task.fail(error.clone());
        task.header().take_target();
        env.protocol().tasks.on_finished(env, task);
    }
}

/// Drops an actor's state. A panic in its `Drop` is logged and not propagated.
pub fn drop_state(rank: Rank, state: ActorState) {
    if let Err(panic) = catch(|| drop(state)) {
        log(Level::Error, || format!("rank {rank}: an actor's Drop panicked: {}", panic.text()));
    }
}
