//! Messages from other ranks: decoded, completed with blocks from other hosts, and handled.
//!
//! A message that names blocks which are not mapped here is deferred, with everything that its sender sends after it,
//! until the blocks are fetched. So the order of messages between two ranks (TRANSPORT-1) also holds for their effects.

use crate::base::log::{Level, log};
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::{ArrayMemory, panic_text};
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget};
use crate::protocol::inbound::missing_blocks::{FetchedBlocks, missing_blocks};
use crate::protocol::environment::{Environment, FetchPurpose};
use crate::protocol::wire::header::ReceiveStatus;
use crate::protocol::{Message, Protocol, WireTask, WireValue};
use crate::registry::{TaskHeader, FunctionKind, Options, Placement};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// How often a task may be forwarded. A victim retains what its own workers are about to take (`stealing`), so few
/// tasks come near this; it bounds how long ranks can pass a task to and fro.
const HOPS_MAX: u32 = 20;

/// The messages of one peer that wait for blocks from elsewhere. It exists only while there are such messages.
#[derive(Default)]
struct Deferred {
    messages: VecDeque<Vec<u8>>,
    /// How many blocks the first of them still lacks.
    missing: usize,
    /// True while a thread processes the first of them.
    in_progress: bool,
    fetched: FetchedBlocks,
}

/// The deferred messages, by sender.
#[derive(Default)]
pub struct DeferredMessages {
    deferred: Mutex<FxHashMap<Rank, Deferred>>,
    /// How many senders there are, readable without the lock.
    senders: AtomicUsize,
}

impl DeferredMessages {
    /// Defers the message if others of that sender are deferred; returns whether it did.
    fn defer_behind(&self, from: Rank, bytes: &[u8]) -> bool {
        if self.senders.load(Ordering::Acquire) == 0 {
            return false;
        }
        match lock(&self.deferred).get_mut(&from) {
            Some(deferred) => {
                deferred.messages.push_back(bytes.to_vec());
                true
            }
            None => false,
        }
    }

    /// Defers the first message of a sender.
    fn defer(&self, from: Rank, bytes: &[u8]) {
        let mut deferred = lock(&self.deferred);
        deferred.entry(from).or_default().messages.push_back(bytes.to_vec());
        self.senders.store(deferred.len(), Ordering::Release);
    }

    /// The first message of a sender, if it lacks no block, with the blocks that were fetched for it. No other thread
    /// gets it until `set_missing` or `finish_first`.
    fn next(&self, from: Rank) -> Option<(Vec<u8>, FetchedBlocks)> {
        let mut deferred = lock(&self.deferred);
        let entry = deferred.get_mut(&from).filter(|entry| entry.missing == 0 && !entry.in_progress)?;
        let bytes = entry.messages.front()?.clone();
        entry.in_progress = true;
        Some((bytes, entry.fetched.clone()))
    }

    /// Replaces the first message of a sender by these.
    fn replace_first(&self, from: Rank, messages: Vec<Vec<u8>>) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            deferred.in_progress = false;
            deferred.messages.pop_front();
            messages.into_iter().rev().for_each(|message| deferred.messages.push_front(message));
        }
    }

    /// The first message of a sender lacks so many blocks.
    fn set_missing(&self, from: Rank, blocks: usize) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            (deferred.missing, deferred.in_progress) = (blocks, false);
        }
    }

    /// A block was fetched, or cannot be.
    fn on_block(&self, from: Rank, block: ObjectId, outcome: Result<Arc<dyn ArrayMemory>, Error>) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            deferred.missing = deferred.missing.saturating_sub(1);
            deferred.fetched.insert(block, outcome);
        }
    }

    /// The first message of a sender has been processed.
    fn finish_first(&self, from: Rank) {
        let mut deferred = lock(&self.deferred);
        let Some(entry) = deferred.get_mut(&from) else { return };
        entry.messages.pop_front();
        entry.in_progress = false;
        let _dropped_outside_of_the_lock = std::mem::take(&mut entry.fetched);
        if entry.messages.is_empty() {
            deferred.remove(&from);
            self.senders.store(deferred.len(), Ordering::Release);
        }
        drop(deferred);
    }

    /// The number of senders.
    pub fn len(&self) -> usize {
        lock(&self.deferred).len()
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.deferred))
    }

    /// Forgets the messages of a dead rank.
    pub fn on_peer_failed(&self, from: Rank) {
        let mut deferred = lock(&self.deferred);
        let _dropped_outside_of_the_lock = deferred.remove(&from);
        self.senders.store(deferred.len(), Ordering::Release);
        drop(deferred);
    }
}

/// A `StealReply` as messages of one task each.
fn split_steal_reply(stolen: Vec<WireTask<'_>>, sent_ahead: u32, is_response: bool) -> Vec<Vec<u8>> {
    let sent_ahead = sent_ahead + stolen.len() as u32;
    let last = Message::StealReply { tasks: Vec::new(), sent_ahead, is_response };
    stolen.into_iter().map(Message::Task).chain([last]).map(|message| message.encode(Vec::new())).collect()
}

impl Protocol {
    /// Receives bytes from `from`, with their header. A message that was received before is dropped.
    pub fn receive(&self, env: &impl Environment, from: Rank, bytes: &[u8]) {
        self.process_if_alive(env, from, || match self.receive_sequence.accept(from, bytes) {
            ReceiveStatus::New(message, load) => {
                if self.receive_sequence.load_changed(from, load) {
                    self.stealing.on_load(from, load);
                }
                self.handle(env, from, message);
            }
            ReceiveStatus::Duplicate => {}
            ReceiveStatus::Gap => env.report_link_failure(from, "one of its messages is missing, which its transport should have delivered"),
            ReceiveStatus::Corrupt => {
                log(Level::Error, || format!("rank {} dropped {} bytes of rank {from}", self.rank, bytes.len()));
            }
        });
    }

    /// Processes what `from` sent, if it is alive. Until this ends, no owner is told that messages of the dead rank are
    /// drained.
    fn process_if_alive(&self, env: &impl Environment, from: Rank, process_message: impl FnOnce()) {
        self.receive_sequence.begin_processing(from);
        let alive = !env.is_dead(from);
        if alive {
            process_message();
        }
        self.receive_sequence.end_processing(from);
        if env.is_dead(from) {
            self.process_pending_drains(env);
        }
        if !alive {
            env.notify_declared_dead(from);
        }
    }

    /// Handles a message without its header, of a living rank or of this one.
    pub fn handle(&self, env: &impl Environment, from: Rank, bytes: &[u8]) {
        let Some(message) = self.decode_checked(from, bytes) else { return };
        // Messages about copies bring the blocks that others are deferred for, perhaps those of the same sender.
        if message.is_link_control() || matches!(message, Message::Copy(_)) {
            return self.process_message(env, from, message, &FetchedBlocks::default());
        }
        // Messages of a peer whose store is mapped are never deferred, unless they name blocks of a third rank.
        if self.deferred.defer_behind(from, bytes) {
            return;
        }
        if self.has_all_blocks(env, &message) {
            self.process_message(env, from, message, &FetchedBlocks::default());
        } else {
            self.deferred.defer(from, bytes);
            self.process_deferred(env, from);
        }
    }

    fn decode_checked<'a>(&self, from: Rank, bytes: &'a [u8]) -> Option<Message<'a>> {
        let checked = Message::decode(bytes).and_then(|message| match message.highest_rank() {
            rank if rank < self.size => Ok(message),
            rank => Err(format!("it names rank {rank} of a cluster of {}", self.size)),
        });
        match checked {
            Ok(message) => Some(message),
            Err(reason) => {
                log(Level::Error, || {
                    format!("rank {} dropped an invalid message of rank {from}: {reason}", self.rank)
                });
                None
            }
        }
    }

    /// True if every block that the message names can be read here. Most messages name none.
    fn has_all_blocks(&self, env: &impl Environment, message: &Message<'_>) -> bool {
        !self.has_unmapped_stores || missing_blocks(env, message, &FetchedBlocks::default()).is_empty()
    }

    /// Processes the deferred messages of `from` until one lacks a block.
    fn process_deferred(&self, env: &impl Environment, from: Rank) {
        while let Some((bytes, fetched)) = self.deferred.next(from) {
            let Some(message) = self.decode_checked(from, &bytes) else {
                self.deferred.finish_first(from);
                continue;
            };
            let missing = missing_blocks(env, &message, &fetched);
            if missing.is_empty() {
                self.process_message(env, from, message, &fetched);
                self.deferred.finish_first(from);
                continue;
            }
            if let Message::StealReply { tasks: stolen, sent_ahead, is_response } = message
                && !stolen.is_empty()
            {
                // One by one: the first can start while blocks of the others are fetched.
                self.deferred.replace_first(from, split_steal_reply(stolen, sent_ahead, is_response));
                continue;
            }
            self.deferred.set_missing(from, missing.len());
            for (place, shared) in missing {
                self.fetch_block(env, place, shared, FetchPurpose::Message(from));
            }
        }
    }

    /// A block for the first deferred message of `from` was fetched, or cannot be.
    pub(in crate::protocol) fn on_message_block(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>, Error>,
    ) {
        self.deferred.on_block(from, id, memory);
        self.process_if_alive(env, from, || self.process_deferred(env, from));
    }

    /// Processes a message. A panic in user code (a `Drop`, a `Deserialize`) is logged and not propagated.
    fn process_message(&self, env: &impl Environment, from: Rank, message: Message<'_>, fetched: &FetchedBlocks) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.handle_message(env, from, message, fetched)));
        if let Err(panic) = outcome {
            log(Level::Error, || {
                format!(
                    "rank {}: user code panicked while a message of rank {from} was handled: {}",
                    self.rank,
                    panic_text(&*panic)
                )
            });
        }
    }

    fn handle_message(&self, env: &impl Environment, from: Rank, message: Message<'_>, fetched: &FetchedBlocks) {
        match message {
            Message::Task(wire_task) => self.on_task(env, from, wire_task, fetched),
            Message::CompactTask(call) => self.on_task(env, from, call.expand(from), fetched),
            Message::Return { task, value } => self.on_return(env, task, value.0),
            Message::Done { task, results } => self.on_done(env, (from, fetched), task, results),
            Message::TaskNotStarted { task, hops, error } => self.on_task_not_started(env, task, hops, &error),
            Message::Fetch { object, without } => self.on_fetch(env, from, object, without),
            Message::Value { object, value } => self.on_value(env, from, object, value),
            Message::Copy(copy) => self.on_copy(env, from, copy),
            Message::Count(count) => self.on_count(env, from, count),
            Message::Steal { remember } => self.on_steal(env, from, remember),
            Message::StealReply { tasks: stolen, sent_ahead, is_response } => {
                let tasks = stolen.len() + sent_ahead as usize;
                stolen.into_iter().for_each(|wire_task| self.on_task(env, from, wire_task, fetched));
                self.on_steal_reply(env, tasks, is_response);
            }
            Message::Cancel { task } => self.cancelled.insert(task),
            Message::TaskFinished { task } => self.cancelled.remove(task),
            Message::Actor { actor, message } => self.on_actor_message(env, from, actor, message, fetched),
            Message::NameSet { token, name, kind, handle } => {
                self.on_name_set(env, from, token, (name, kind), &handle);
            }
            Message::NameGet { token, name, kind } => self.on_name_get(env, from, token, &name, &kind),
            Message::NameFree { name, actor } => self.names.free(&name, actor),
            Message::NameReply { token, handle } => self.on_named(env, from, token, handle),
            Message::Response { token, response: is_response } => {
                let is_response = self.decode_value(env, &is_response, from, fetched).map(|serialized| serialized.bytes);
                env.on_response(token, is_response);
            }
            Message::TasksMoved { tasks, to } => self.on_moved(env, from, &tasks, to),
            Message::Reclaim { blocks } => self.on_reclaim(env, from, blocks),
            Message::ReclaimRefused { blocks } => self.on_reclaim_refused(env, &blocks),
            other => env.handle_other(from, other),
        }
    }

    /// A value that this rank requested arrived.
    fn on_value(&self, env: &impl Environment, from: Rank, object: ObjectId, value: Result<WireValue<'_>, Error>) {
        let slot = self.references.find(object);
        self.resolve(env, (from, &FetchedBlocks::default()), slot, value, || None);
    }

    /// A task arrived that is to run here.
    fn on_task(&self, env: &impl Environment, from: Rank, wire_task: WireTask<'_>, fetched: &FetchedBlocks) {
        let args = self.decode_value(env, &wire_task.args, from, fetched);
        let options = wire_task.options.map(|wire| {
            Box::new(Options {
                num_cpus: wire.num_cpus,
                num_gpus: wire.num_gpus,
                resources: wire.resources,
                name: wire.name,
                place: wire.bundle_slot.map_or(Placement::Auto, |bundle_slot| Placement::InGroup(bundle_slot.into())),
                max_restarts: wire.max_restarts,
                ..Options::default()
            })
        });
        let mut header = TaskHeader::new(options, wire_task.caller);
        header.origin = Some(wire_task.task);
        (header.stealable, header.hops) = (wire_task.stealable && wire_task.hops < HOPS_MAX, wire_task.hops);
        self.on_task_received(wire_task.task, wire_task.hops);
        header.number.store(wire_task.number, Ordering::Relaxed);
        let Some(entry) = env.table_entry(wire_task.function) else {
            let error = Error::config(format!("rank {} has no function with the key {:#x}", self.rank, wire_task.function));
            return self.send_failure(env, wire_task.task, 1, error);
        };
        let args = match args {
            Ok(args) => args,
            Err(error) => {
                // The rank that sent or stored them is dead: the owner may still have them.
                self.cancelled.remove(wire_task.task);
                if let (FunctionKind::New, Some(target)) = (entry.kind, wire_task.actor) {
                    self.fail_construction(env, target, &error);
                }
                let not_started = Message::TaskNotStarted { task: wire_task.task.number, hops: wire_task.hops, error };
                return env.send(wire_task.task.owner, &not_started);
            }
        };
        match (entry.decode)(args, header) {
            Err(error) => {
                if let (FunctionKind::New, Some(target)) = (entry.kind, wire_task.actor) {
                    self.fail_construction(env, target, &error);
                }
                self.send_failure(env, wire_task.task, entry.returns, error);
            }
            Ok(task) => match (entry.kind, wire_task.actor) {
                (FunctionKind::New, Some(target)) => self.local_actors.build(env, target.actor, target.incarnation, task),
                (FunctionKind::Method, Some(target)) => self.local_actors.call(env, target, (from, wire_task.caller), task),
                _ => self.launch_here(env, task),
            },
        }
    }

    /// A constructor arrived that cannot run: without this, calls would wait for the actor.
    fn fail_construction(&self, env: &impl Environment, target: ActorTarget, error: &Error) {
        let reason = format!("its constructor's arguments cannot be had on rank {}: {error}", self.rank);
        self.local_actors.kill(env, target.actor, &reason, false);
        // This rank knows the actor's owner only from the constructor, so its end is reported here.
        let error = Error::ActorDied { actor: target.actor.to_string(), reason };
        let message = ActorMessage::Ended { incarnation: target.incarnation, error };
        env.send(target.actor.owner, &Message::Actor { actor: target.actor, message });
    }

    /// A task of this rank finished on another rank.
    fn on_done(
        &self,
        env: &impl Environment,
        (from, fetched): (Rank, &FetchedBlocks),
        number: u64,
        results: Vec<Result<WireValue<'_>, Error>>,
    ) {
        if self.try_retry_on_error(env, number, results.iter().map(|result| result.as_ref().err())) {
            return;
        }
        let remote = self.remote_tasks.take(number);
        remote.iter().for_each(|remote| self.on_results(env, number, remote));
        let slots = remote.as_ref().map_or_else(Vec::new, |remote| remote.results.slots());
        for (index, result) in results.into_iter().enumerate() {
            // References in the results are counted even if the task is not known any more.
            let slot = slots.get(index).cloned().flatten();
            let producer = || remote.as_ref().and_then(|remote| self.producer_of(remote, index));
            self.resolve(env, (from, fetched), slot, result, producer);
        }
    }
}
