//! What an actor's owner saves for it: states and results from its location, and the constructor for its next location.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::{ObjectId, Rank, Result, TaskId};
use crate::objects::SerializedValue;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::actors::owner::owned_actors::OwnedActors;
use crate::protocol::actors::owner::owned_actors::{CallResults, Constructor, SavedState};
use crate::protocol::actors::retained_values::{encode_call, retain_calls, retain_value};
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::wire::actor_message::{ActorMessage, ActorTarget, WireCommit};
use crate::protocol::{Message, WireTask};
use crate::registry::TaskHeader;
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// Calls whose results are sent in one message.
const CALLS_A_MESSAGE: usize = 16;

/// What was saved of an actor: its state and results, for its next location.
pub type Restored = (Arc<SerializedValue>, HashMap<TaskId, CallResults>);

impl OwnedActors {
    /// The location of an actor of this rank sent a commit: saves all of it or nothing, in place of the last one.
    pub(in crate::protocol) fn on_commit(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        commit: &WireCommit<'_>,
        fetched: &FetchedBlocks,
    ) {
        let WireCommit { incarnation, sequence, .. } = *commit;
        // References are counted even if the commit is then discarded.
        let calls = retain_calls(env, &commit.finished, from, fetched);
        let state = match retain_value(env, &commit.state, from, fetched) {
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
    pub(in crate::protocol) fn store_commit(
        &self,
        env: &impl Messenger,
        (from, id): (Rank, ObjectId),
        (incarnation, sequence): (u32, u64),
        (state, calls): (Arc<SerializedValue>, Vec<(TaskId, CallResults)>),
        acked_by_rank: &[(Rank, u64)],
    ) {
        // What is not retained any more is dropped after the lock is released.
        let before;
        let mut acked = Vec::new();
        {
            let mut owned = lock(&self.actors);
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
        let target = ActorTarget { actor: actor.id, incarnation, acked_below: 0 };
        let task = TaskId { owner: env.rank(), number: env.protocol().tasks.remote.fresh_number() };
        let options = &constructor.options;
        if location == env.rank() {
            let calls = finished.into_iter().flatten().map(|(call, results)| (*call, results.clone()));
            env.protocol().actors.instance.restore(actor.id, calls);
            let mut header = TaskHeader::new(Some(Box::new(options.clone())), 0);
            header.origin = Some(task);
            let task = (function.decode)(&args.bytes, args.attachments.clone(), header)?;
            env.protocol().actors.instance.build(env, actor.id, incarnation, task);
            return Ok(());
        }
        let finished: Vec<(&TaskId, &CallResults)> = finished.into_iter().flatten().collect();
        for calls in finished.chunks(CALLS_A_MESSAGE) {
            let values = calls.iter().map(|(_, results)| results.len()).sum::<usize>().max(1);
            let encoded = calls
                .iter()
                .map(|(call, results)| encode_call(env, **call, results, location, INLINE_BYTES_MAX / values));
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
            options: Some(options.into()),
            args: encode_value(env, args, location, INLINE_BYTES_MAX)?,
        };
        env.send(location, &Message::Task(run));
        Ok(())
    }
}
