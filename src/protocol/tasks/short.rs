//! Calls by the short path (`rpc`), and what decides whether a call or a result takes it.

use crate::base::sync::Ordering;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::Message;
use crate::protocol::environment::Environment;
use crate::protocol::tasks::Tasks;
use crate::protocol::tasks::remote_tasks::ResultDestination;
use crate::protocol::wire::actor_message::ActorTarget;
use crate::registry::{FunctionKind, Options, Runnable, TableEntry, TaskHeader};
use crate::rpc::{PlainBytes, ShortCall, ShortReturn, ShortTarget, is_short};
use std::sync::Arc;

/// True if a call with these options may take the short path: it is sent to a certain rank, so that it is never
/// retried, and requests nothing else. A number of results is not in its message.
fn may_be_short(options: &Options) -> bool {
    options.just_rank().is_some() && !options.retries_errors() && options.num_returns.is_none()
}

/// The plain arguments of a claimed task, if it may take the short path. A call of an actor may, if the actor is never
/// started again: then the call is never retried.
fn short_args(task: &Arc<dyn Runnable>, is_call_of_actor: bool) -> Option<PlainBytes> {
    let header = task.header();
    let may_be_short = match header.entry.map(|entry| entry.kind) {
        Some(FunctionKind::Task) => header.options.as_deref().is_some_and(may_be_short),
        Some(FunctionKind::Method) => is_call_of_actor && header.options.is_none(),
        _ => false,
    };
    let mut args = PlainBytes::new();
    (may_be_short && header.origin.is_none() && task.push_plain_args(&mut args)).then_some(args)
}

/// The task of a call that arrived; `None` if the bytes are not the function's arguments.
fn decode_short(
    id: TaskId,
    entry: &'static TableEntry,
    call: &ShortCall<'_>,
    caller: u64,
) -> Option<Arc<dyn Runnable>> {
    let mut header = TaskHeader::new(None, caller);
    (header.origin, header.stealable) = (Some(id), false);
    header.number.store(call.recorded, Ordering::Relaxed);
    (entry.decode_plain)(entry, call.args, header)
}

impl Tasks {
    /// Sends a claimed task, or a call of `actor`, to `to` by the short path; false if it needs the general one.
    pub(super) fn try_send_short(
        &self,
        env: &impl Environment,
        task: &Arc<dyn Runnable>,
        to: Rank,
        actor: Option<ObjectId>,
    ) -> bool {
        let args = if self.allows_short { short_args(task, actor.is_some()) } else { None };
        if let Some(args) = &args {
            self.send_short(env, task.clone(), to, actor, args);
        }
        args.is_some()
    }

    /// Sends a claimed task of this rank, which has these arguments, to `to` by the short path. It may be a call of
    /// `actor`.
    pub fn send_short(
        &self,
        env: &impl Environment,
        task: Arc<dyn Runnable>,
        to: Rank,
        actor: Option<ObjectId>,
        args: &PlainBytes,
    ) {
        let header = task.header();
        let (function, recorded) = (header.entry.map_or(0, |entry| entry.key), header.number.load(Ordering::Relaxed));
        let target = actor.map(|actor| ShortTarget { actor, caller: header.caller });
        let number = self.remote.insert_short(task, to);
        env.send(to, &Message::ShortCall(ShortCall { number, function, recorded, target, args: args.as_slice() }));
        if env.is_dead(to) {
            // The handler of the death may have examined the tasks before this one was recorded.
            env.protocol().recovery.retry(env, number, to, &env.death_error(to));
        }
    }

    /// A call arrived that is to run here.
    pub(in crate::protocol) fn on_short_call(&self, env: &impl Environment, from: Rank, call: ShortCall<'_>) {
        let id = TaskId { owner: from, number: call.number };
        let Some(entry) = env.table_entry(call.function) else {
            let text = format!("rank {} has no function with the key {:#x}", env.rank(), call.function);
            return self.send_failure(env, id, 1, Error::config(text));
        };
        if let Some(target) = call.target {
            return self.on_short_method_call(env, id, entry, (target, &call));
        }
        // One that is recorded runs as a task, which the record shows.
        if entry.leaf.is_some() && call.recorded == 0 {
            let mut value = PlainBytes::new();
            match env.run_leaf(id, entry, call.args, &mut value) {
                Some(Ok(())) => return self.return_short(env, id, &value),
                Some(Err(error)) => return self.send_failure(env, id, entry.returns, error),
                None => {}
            }
        }
        let decoded = decode_short(id, entry, &call, 0).filter(|_| entry.kind == FunctionKind::Task);
        let Some(task) = decoded else { return self.refuse_short(env, id, entry, &call) };
        task.header().queue_fresh();
        env.enqueue(task);
    }

    /// A call of an actor arrived.
    fn on_short_method_call(
        &self,
        env: &impl Environment,
        id: TaskId,
        entry: &'static TableEntry,
        (target, call): (ShortTarget, &ShortCall<'_>),
    ) {
        let decoded = decode_short(id, entry, call, target.caller).filter(|_| entry.kind == FunctionKind::Method);
        let Some(task) = decoded else { return self.refuse_short(env, id, entry, call) };
        env.protocol().actors.instance.call(env, ActorTarget::of(target.actor), (id.owner, target.caller), task);
    }

    #[cold]
    fn refuse_short(&self, env: &impl Environment, id: TaskId, entry: &TableEntry, call: &ShortCall<'_>) {
        let (bytes, from) = (call.args.len(), id.owner);
        let text = format!("{bytes} bytes of rank {from} are not the arguments of {}", entry.name);
        self.send_failure(env, id, entry.returns, Error::config(text));
    }

    /// A task of another rank finished here: sends its result by the short path; false if it needs the general one.
    pub(super) fn try_return_short(&self, env: &impl Environment, id: TaskId, task: &Arc<dyn Runnable>) -> bool {
        let mut value = PlainBytes::new();
        if !is_short(id.number) || !task.push_plain_result(&mut value) {
            return false;
        }
        self.return_short(env, id, &value);
        true
    }

    fn return_short(&self, env: &impl Environment, id: TaskId, value: &PlainBytes) {
        env.send(id.owner, &Message::ShortReturn(ShortReturn { number: id.number, value: value.as_slice() }));
    }

    /// A task of this rank finished on another rank, with a plain result.
    pub(in crate::protocol) fn on_short_return(&self, env: &impl Environment, from: Rank, answer: ShortReturn<'_>) {
        let task = match self.remote.take_short(answer.number) {
            Some(call) => call,
            None => {
                let Some(remote) = self.remote.take(answer.number) else { return };
                self.on_results(env, answer.number, &remote);
                let ResultDestination::Task(task) = remote.results else { return };
                task
            }
        };
        if !task.complete_plain(answer.value) {
            let bytes = answer.value.len();
            let text = format!("{bytes} bytes of rank {from} are not the result of {}", task.header().name());
            task.fail(Arc::new(Error::config(text)));
        }
        // A call of an actor kept its handle until now.
        task.header().take_target();
    }
}

#[cfg(test)]
mod tests;
