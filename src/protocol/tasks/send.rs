//! Tasks that leave this rank: what is recorded of them here, and how they are encoded.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::Ordering;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::SerializedValue;
use crate::protocol::environment::{BlockStore, Environment, Messenger};
use crate::protocol::objects::value_encoding::OutboundArgs;
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::recovery::retries::retries_of;
use crate::protocol::tasks::Tasks;
use crate::protocol::tasks::remote_tasks::RemoteTask;
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget};
use crate::protocol::wire::values::{CompactTask, MovedTask};
use crate::protocol::{Bytes, Message, WireOptions, WireTask};
use crate::registry::{FunctionKind, Runnable, TableEntry};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How many tasks one stealer gets at once, at most.
const STEAL_TASKS_MAX: usize = 256;

/// A claimed task that is about to be sent.
struct OutboundTask<'a> {
    task: &'a Arc<dyn Runnable>,
    entry: &'static TableEntry,
    id: TaskId,
    hops: u32,
    args: Result<OutboundArgs, Error>,
}

impl OutboundTask<'_> {
    /// True if the task came from another rank, which owns it, or came back to this one under its number.
    fn is_forwarded(&self) -> bool {
        self.task.header().origin.is_some()
    }

    /// The short form, for a task of this rank with default options and no attachments.
    fn to_compact(&self, actor: Option<ObjectId>) -> Option<CompactTask<'_>> {
        let header = self.task.header();
        let SerializedValue { bytes, attachments } = self.args.as_ref().ok()?.serialized();
        let alone = attachments.is_empty() && bytes.len() <= INLINE_BYTES_MAX;
        let plain = !self.is_forwarded() && self.hops == 0;
        let usual = header.options.as_ref().is_none_or(|options| options.just_rank().is_some());
        (alone && plain && usual).then(|| CompactTask {
            task: self.id.number,
            function: self.entry.key,
            caller: header.caller,
            number: header.number.load(Ordering::Relaxed),
            actor: actor.map(ActorTarget::of),
            args: Bytes(bytes),
        })
    }
}

impl Tasks {
    /// Sends a claimed task to `to`. Its results go to its owner: this rank, or the rank that it came from.
    pub fn send(&self, env: &impl Environment, task: &Arc<dyn Runnable>, to: Rank, actor: Option<ObjectId>) {
        if self.try_send_short(env, task, to, actor) {
            return;
        }
        let Some(outbound) = self.prepare_outbound(env, task, to) else { return };
        if let Some(compact) = outbound.to_compact(actor) {
            env.send(to, &Message::CompactTask(compact));
            return self.on_dispatched(env, &outbound, to);
        }
        self.notify_owners(env, std::slice::from_ref(&outbound), to);
        match self.encode_task(env, &outbound, to, false, actor) {
            Ok(wire) => {
                env.send(to, &Message::Task(wire));
                self.on_dispatched(env, &outbound, to);
            }
            Err(error) => self.fail_dispatch(env, &outbound, to, actor, error),
        }
    }

    /// Sends up to `count` tasks to a stealer, in one message if they fit into it; returns how many. `is_response` is
    /// as in `Message::StealReply`: a request is answered in any case.
    pub(in crate::protocol) fn send_stolen(
        &self,
        env: &impl Environment,
        stealer: Rank,
        count: usize,
        is_response: bool,
    ) -> usize {
        let stolen = if count == 0 { Vec::new() } else { env.take_tasks_for(stealer, count.min(STEAL_TASKS_MAX)) };
        let outbound: Vec<OutboundTask<'_>> =
            stolen.iter().filter_map(|task| self.prepare_outbound(env, task, stealer)).collect();
        self.notify_owners(env, &outbound, stealer);
        let (mut tasks, mut bytes, mut sent_ahead, mut dispatched) = (Vec::new(), 0, 0, Vec::new());
        for outbound in &outbound {
            let wire = match self.encode_task(env, outbound, stealer, true, None) {
                Ok(wire) => wire,
                Err(error) => {
                    self.fail_dispatch(env, outbound, stealer, None, error);
                    continue;
                }
            };
            dispatched.push(outbound);
            bytes += wire.encoded_bytes();
            if bytes <= INLINE_BYTES_MAX {
                tasks.push(wire);
            } else {
                bytes -= wire.encoded_bytes();
                sent_ahead += 1;
                env.send(stealer, &Message::Task(wire));
            }
        }
        if is_response || !dispatched.is_empty() {
            env.send(stealer, &Message::StealReply { tasks, sent_ahead, is_response });
        }
        dispatched.iter().for_each(|outbound| self.on_dispatched(env, outbound, stealer));
        dispatched.len()
    }

    /// Prepares a task for `to`, and records what this rank has to remember of it.
    fn prepare_outbound<'a>(
        &self,
        env: &(impl Messenger + BlockStore),
        task: &'a Arc<dyn Runnable>,
        to: Rank,
    ) -> Option<OutboundTask<'a>> {
        let header = task.header();
        let entry = header.entry?;
        let retries = retries_of(header.options.as_deref(), entry.kind);
        let args = task
            .encode_args(env.store_run())
            .map(|serialized| OutboundArgs::new(serialized, header.origin.is_none() && retries > 0));
        let id = header.origin.unwrap_or_else(|| {
            let args = args.as_ref().ok().and_then(OutboundArgs::retained);
            let remote = RemoteTask::retryable(task.clone(), to, args, retries);
            TaskId { owner: env.rank(), number: self.remote.insert(remote) }
        });
        let hops = header.hops + u32::from(header.origin.is_some());
        Some(OutboundTask { task, entry, id, hops, args })
    }

    /// Encodes a task.
    fn encode_task<'a>(
        &self,
        env: &impl Environment,
        outbound: &'a OutboundTask<'_>,
        to: Rank,
        stealable: bool,
        actor: Option<ObjectId>,
    ) -> Result<WireTask<'a>, Error> {
        let OutboundTask { task, entry, id, hops, args } = outbound;
        let args = args.as_ref().map_err(Clone::clone)?;
        let args = encode_value(env, args.serialized(), to, INLINE_BYTES_MAX)?;
        let header = task.header();
        // The rank is decided: an option that only selects a rank has no further effect.
        let requested = header.options.as_ref().filter(|options| options.just_rank().is_none());
        let options = requested.map(|options| WireOptions::from(&**options));
        let number = header.number.load(Ordering::Relaxed);
        let actor = actor.map(ActorTarget::of);
        let (task, function, caller, hops) = (*id, entry.key, header.caller, *hops);
        Ok(WireTask { task, function, caller, number, actor, stealable, hops, options, args })
    }

    /// A task was sent to `to`.
    fn on_dispatched(&self, env: &impl Environment, outbound: &OutboundTask<'_>, to: Rank) {
        if env.is_dead(to) {
            // The handler of the death may have examined the tasks before this one was recorded. Another owner was told
            // where the task went.
            if outbound.id.owner == env.rank() {
                env.protocol().recovery.retry(env, outbound.id.number, to, &env.death_error(to));
            }
        } else if outbound.is_forwarded() {
            self.cancelled.remove(outbound.id);
        }
    }

    /// A task cannot be encoded: fails it here.
    fn fail_dispatch(
        &self,
        env: &impl Environment,
        outbound: &OutboundTask<'_>,
        to: Rank,
        actor: Option<ObjectId>,
        error: Error,
    ) {
        if !outbound.is_forwarded() {
            self.remote.take(outbound.id.number);
        }
        env.report_failure(error.clone());
        if let (Some(actor), FunctionKind::New) = (actor, outbound.entry.kind) {
            // Otherwise calls would wait for its constructor.
            let reason = format!("its constructor's arguments cannot be sent: {error}");
            env.send(to, &Message::Actor { actor, message: ActorMessage::Kill { reason, forget: false } });
        }
        outbound.task.fail(Arc::new(error));
        self.on_finished(env, outbound.task);
    }

    /// Tasks are forwarded to `to`, or return there: tells each owner once, so that it can handle the death of `to`.
    fn notify_owners(&self, env: &impl Messenger, outbound: &[OutboundTask<'_>], to: Rank) {
        let mut moves: FxHashMap<Rank, Vec<MovedTask>> = FxHashMap::default();
        for OutboundTask { id, hops, .. } in outbound.iter().filter(|outbound| outbound.is_forwarded()) {
            if id.owner == env.rank() {
                self.remote.update_location(id.number, to, *hops, None);
            } else if to != id.owner {
                moves.entry(id.owner).or_default().push(MovedTask { number: id.number, hops: *hops });
            }
        }
        let mut moves: Vec<(Rank, Vec<MovedTask>)> = moves.into_iter().collect();
        moves.sort_unstable_by_key(|(owner, _)| *owner);
        for (owner, tasks) in moves {
            env.send(owner, &Message::TasksMoved { tasks, to });
        }
    }
}
