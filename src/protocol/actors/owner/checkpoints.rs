//! What an actor's owner saves for it: states and results from its location, and the constructor for its next location.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, Result, TaskId};
use crate::objects::{ArrayMemory, Attachment, SerializedValue};
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget, WireCommit, FinishedCall};
use crate::protocol::inbound::missing_blocks::FetchedBlocks;
use crate::protocol::actors::instance::commits::Commit;
use crate::protocol::environment::Environment;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::actors::owner::owned_actors::{Constructor, CallResults, SavedState};
use crate::protocol::{Message, Protocol, WireTask, WireOptions, WireValue};
use crate::registry::{TaskHeader, Options};
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// Calls whose results are sent in one message.
const CALLS_A_MESSAGE: usize = 16;

/// What was saved of an actor: its state and results, for its next location.
pub type Restored = (Arc<SerializedValue>, HashMap<TaskId, CallResults>);

impl Protocol {
    /// Sends a commit to an actor's owner.
    ///
    /// # Errors
    /// Where it does not encode, or does not fit into the store.
    pub(in crate::protocol) fn send_commit(
        &self,
        env: &impl Environment,
        id: ObjectId,
        incarnation: u32,
        commit: &Commit<Arc<SerializedValue>, CallResults>,
    ) -> Result<()> {
        if id.owner == self.rank {
            // The actor was restarted on its owner's rank: nothing is sent, so no reference is counted.
            let (numbers, calls) = ((incarnation, commit.sequence), commit.finished.clone());
            self.store_commit(env, (self.rank, id), numbers, (commit.state.clone(), calls), &commit.acked);
            return Ok(());
        }
        let values = 1 + commit.finished.iter().map(|(_, results)| results.len()).sum::<usize>();
        let inline_bytes_max = INLINE_BYTES_MAX / values;
        let state = self.encode_value(env, &commit.state, id.owner, inline_bytes_max)?;
        let finished = commit.finished.iter();
        let finished =
            finished.map(|(call, results)| self.encode_call(env, *call, results, id.owner, inline_bytes_max));
        let finished = finished.collect::<Result<Vec<_>>>()?;
        let (sequence, acked) = (commit.sequence, commit.acked.clone());
        let message = ActorMessage::Commit(WireCommit { incarnation, sequence, state, finished, acked });
        env.send(id.owner, &Message::Actor { actor: id, message });
        Ok(())
    }

    fn encode_call<'a>(
        &self,
        env: &impl Environment,
        call: TaskId,
        results: &'a CallResults,
        to: Rank,
        inline_bytes_max: usize,
    ) -> Result<FinishedCall<'a>> {
        let encoded = results.iter().map(|result| match result {
            Ok(serialized) => self.encode_value(env, serialized, to, inline_bytes_max).map(Ok),
            Err(error) => Ok(Err(error.clone())),
        });
        Ok(FinishedCall { call, results: encoded.collect::<Result<_>>()? })
    }

    /// Decodes a value that this rank retains for another rank, and replaces references to this rank's memory and
    /// objects.
    fn retain_value(&self, env: &impl Environment, wire: &WireValue<'_>, from: Rank, fetched: &FetchedBlocks) -> Result<SerializedValue> {
        let mut serialized = self.decode_value(env, wire, from, fetched)?;
        self.references.pin_own(&mut serialized.attachments);
        for attachment in &mut serialized.attachments {
            if let Attachment::Array(memory) = &*attachment {
                // The array is in the store of the rank against whose death it is saved: copies it.
                let own: Arc<dyn ArrayMemory> = env.store_block(memory.bytes())?;
                *attachment = Attachment::Array(own);
            }
        }
        Ok(serialized)
    }

    fn retain_calls(
        &self,
        env: &impl Environment,
        calls: &[FinishedCall<'_>],
        from: Rank,
        fetched: &FetchedBlocks,
    ) -> Vec<(TaskId, CallResults)> {
        let retained = calls.iter().map(|call| {
            let results = call.results.iter();
            let results = results.map(|result| match result {
                Ok(wire) => self.retain_value(env, wire, from, fetched),
                Err(error) => Err(error.clone()),
            });
            (call.call, Arc::new(results.collect::<Vec<_>>()))
        });
        retained.collect()
    }

    /// The location of an actor of this rank sent a commit: saves all of it or nothing, in place of the last one.
    fn on_commit(&self, env: &impl Environment, from: Rank, id: ObjectId, commit: &WireCommit<'_>, fetched: &FetchedBlocks) {
        let WireCommit { incarnation, sequence, .. } = *commit;
        // References are counted even if the commit is then discarded.
        let calls = self.retain_calls(env, &commit.finished, from, fetched);
        let state = match self.retain_value(env, &commit.state, from, fetched) {
            Ok(state) => Arc::new(state),
            Err(error) => {
                let reason = format!("its owner has no space for its state: {error}");
                let message = ActorMessage::Kill { reason, forget: false };
                return env.send(from, &Message::Actor { actor: id, message });
            }
        };
        self.store_commit(env, (from, id), (incarnation, sequence), (state, calls), &commit.acked);
    }

    /// Saves the state and the results of an actor that runs on `from`, and acknowledges them.
    fn store_commit(
        &self,
        env: &impl Environment,
        (from, id): (Rank, ObjectId),
        (incarnation, sequence): (u32, u64),
        (state, calls): (Arc<SerializedValue>, Vec<(TaskId, CallResults)>),
        acked_by_rank: &[(Rank, u64)],
    ) {
        // What is not retained any more is dropped after the lock is released.
        let before;
        let mut acked = Vec::new();
        {
            let mut owned = lock(&self.owned_actors.actors);
            let entry = owned.get_mut(&id).filter(|entry| entry.location == from && entry.incarnation == incarnation);
            // Commits of any but the current incarnation are ignored.
            let Some(restart) = entry.and_then(|entry| entry.restart.as_mut()) else { return };
            let saved = restart.saved.get_or_insert_with(|| SavedState::initial(&state));
            if sequence <= saved.sequence {
                return;
            }
            saved.sequence = sequence;
            before = std::mem::replace(&mut saved.state, state);
            saved.finished.extend(calls);
            for (rank, below) in acked_by_rank {
                let acked_calls = |call: &&TaskId| call.owner == *rank && call.number < *below;
                let acked_calls: Vec<TaskId> = saved.finished.keys().filter(acked_calls).copied().collect();
                acked.extend(acked_calls.iter().filter_map(|call| saved.finished.remove(call)));
            }
        }
        drop((before, acked));
        env.send(from, &Message::Actor { actor: id, message: ActorMessage::CommitAck { incarnation, sequence } });
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
        let calls = self.retain_calls(env, calls, from, fetched);
        self.local_actors.restore(id, calls.into_iter());
    }

    /// Sends an actor's location its constructor, or the saved state for its `restore`.
    ///
    /// # Errors
    /// Where the arguments do not fit into the store.
    pub(in crate::protocol) fn send_constructor(
        &self,
        env: &impl Environment,
        actor: &ActorRef,
        (location, incarnation): (Rank, u32),
        constructor: &Constructor,
        restored: Option<Restored>,
    ) -> Result<()> {
        let restore = constructor.function.checkpoint.and_then(|checkpoint| env.table_entry(checkpoint.restore));
        let (function, args, finished) = match (&restored, restore) {
            (Some((state, finished)), Some(restore)) => (restore, &**state, Some(finished)),
            _ => (constructor.function, &constructor.args, None),
        };
        let target = ActorTarget { actor: actor.id, incarnation, acked_through: 0 };
        let task = TaskId { owner: self.rank, number: self.remote_tasks.fresh_number() };
        let options = &constructor.options;
        if location == self.rank {
            let calls = finished.into_iter().flatten().map(|(call, results)| (*call, results.clone()));
            self.local_actors.restore(actor.id, calls);
            let mut header = TaskHeader::new(Some(Box::new(options.clone())), 0);
            header.origin = Some(task);
            let task = (function.decode)(args.clone(), header)?;
            self.local_actors.build(env, actor.id, incarnation, task);
            return Ok(());
        }
        let finished: Vec<(&TaskId, &CallResults)> = finished.into_iter().flatten().collect();
        for calls in finished.chunks(CALLS_A_MESSAGE) {
            let values = calls.iter().map(|(_, results)| results.len()).sum::<usize>().max(1);
            let encoded = calls
                .iter()
                .map(|(call, results)| self.encode_call(env, **call, results, location, INLINE_BYTES_MAX / values));
            let message = ActorMessage::FinishedCalls { calls: encoded.collect::<Result<_>>()? };
            env.send(location, &Message::Actor { actor: actor.id, message });
        }
        let run = WireTask {
            task,
            function: function.key,
            caller: 0,
            number: 0,
            actor: Some(target),
            stealable: false,
            hops: 0,
            options: Some(to_wire_options(options)),
            args: self.encode_value(env, args, location, INLINE_BYTES_MAX)?,
        };
        env.send(location, &Message::Task(run));
        Ok(())
    }

    /// A message about an actor.
    pub(in crate::protocol) fn on_actor_message(&self, env: &impl Environment, from: Rank, id: ObjectId, message: ActorMessage<'_>, fetched: &FetchedBlocks) {
        match message {
            ActorMessage::Kill { reason, forget: last } => self.on_kill(env, id, &reason, last),
            ActorMessage::LocationRequest { incarnation } => self.on_location_request(env, from, id, incarnation),
            ActorMessage::LocationReply { incarnation, location } => {
                if from == id.owner {
                    self.on_location_reply(env, id, incarnation, location);
                }
            }
            ActorMessage::Ended { incarnation, error } => self.on_ended(env, from, id, incarnation, error),
            ActorMessage::Commit(commit) => self.on_commit(env, from, id, &commit, fetched),
            ActorMessage::CommitAck { incarnation, sequence } => {
                if from == id.owner {
                    self.local_actors.on_commit_ack(env, id, incarnation, sequence);
                }
            }
            ActorMessage::FinishedCalls { calls } => {
                if from == id.owner {
                    self.on_finished_calls(env, from, id, &calls, fetched);
                }
            }
            ActorMessage::VerifyName { name } => self.on_verify_name(env, from, id, name),
            ActorMessage::ResultsAck { acked_through } => self.local_actors.on_results_ack(id, from, acked_through),
        }
    }

    /// A rank died: handles the actors that ran there, those that it owned, and the names that it was the directory of.
    pub(in crate::protocol) fn actors_on_peer_failed(&self, env: &impl Environment, rank: Rank, error: &Error) {
        self.local_actors.on_peer_failed(env, rank, error);
        self.owned_actors_on_peer_failed(env, rank, error);
        self.on_locations_failed(env, rank, error);
        self.names.on_peer_failed(rank);
        self.verify_names_of(env, rank);
        for instance in self.local_actors.with_dead_owner(env) {
            if let Some((name, kind, handle)) = instance.named_handle(self.rank)
                && (handle.actor.owner == rank || self.was_directory_rank(env, &name, rank))
            {
                self.register_name_without_owner(env, name, kind, handle);
            }
        }
    }
}

/// The options that the location of an actor needs.
fn to_wire_options(options: &Options) -> WireOptions {
    WireOptions {
        num_cpus: options.num_cpus,
        num_gpus: options.num_gpus,
        resources: options.resources.clone(),
        name: options.name.clone(),
        bundle_slot: options.bundle_slot(),
        max_restarts: options.max_restarts,
    }
}
