//! The end of a task: its results go to its owner, and from there to those that wait for them.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::{Error, Rank, TaskId};
use crate::objects::{AnySlot, SerializedValue};
use crate::protocol::actors::caller::calls::on_call_finished;
use crate::protocol::actors::owner::owned_actors::CallResults;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::objects::value_encoding::encode_value;
use crate::protocol::tasks::Tasks;
use crate::protocol::tasks::remote_tasks::{RemoteTask, ResultDestination};
use crate::protocol::wire::values::MovedTask;
use crate::protocol::{Bytes, Message};
use crate::registry::Runnable;
use std::sync::Arc;

impl Tasks {
    /// A task finished here: if its owner is another rank, sends it the results.
    pub fn on_finished(&self, env: &impl Environment, task: &Arc<dyn Runnable>) {
        let Some(id) = task.header().origin else { return };
        self.cancelled.remove(id);
        if self.try_return_short(env, id, task) {
            return;
        }
        if id.owner != env.rank()
            && let Some(slot) = task.clone().only_slot()
        {
            return self.send_results(env, id, &[slot.encode(env.store_run())]);
        }
        let slots = task.clone().slots();
        let store_run = if id.owner == env.rank() { None } else { env.store_run() };
        let results: Vec<_> = slots.iter().map(|slot| slot.encode(store_run)).collect();
        if id.owner == env.rank() {
            // The task was stolen, and stolen back.
            return self.complete_own(env, id.number, results);
        }
        self.send_results(env, id, &results);
    }

    /// Sends a task's results to its owner.
    pub(in crate::protocol) fn send_results(
        &self,
        env: &impl Environment,
        id: TaskId,
        results: &[Result<SerializedValue, Error>],
    ) {
        if let [Ok(SerializedValue { bytes, attachments })] = results
            && attachments.is_empty()
            && bytes.len() <= INLINE_BYTES_MAX
        {
            return env.send(id.owner, &Message::Return { task: id.number, value: Bytes(bytes) });
        }
        let inline_bytes_max = INLINE_BYTES_MAX / results.len().max(1);
        let results = results.iter().map(|serialized| match serialized {
            Ok(serialized) => encode_value(env, serialized, id.owner, inline_bytes_max),
            Err(error) => Err(error.clone()),
        });
        let results = results.collect();
        env.send(id.owner, &Message::Done { task: id.number, results });
    }

    /// Sends a call's results to its owner; may be repeated.
    pub(in crate::protocol) fn send_call_results(&self, env: &impl Environment, call: TaskId, results: &CallResults) {
        if call.owner == env.rank() {
            self.complete_own(env, call.number, results.to_vec());
        } else {
            self.send_results(env, call, results);
        }
    }

    /// A task of this rank that came back to it, under its number, finished here.
    pub(in crate::protocol) fn complete_own(
        &self,
        env: &impl Environment,
        number: u64,
        results: Vec<Result<SerializedValue, Error>>,
    ) {
        if env.protocol().recovery.try_retry_on_error(
            env,
            number,
            results.iter().map(|serialized| serialized.as_ref().err()),
        ) {
            return;
        }
        let Some(remote) = self.remote.take(number) else { return };
        self.on_results(env, number, &remote);
        for (slot, serialized) in remote.results.slots().into_iter().zip(results) {
            let Some(slot) = slot else { continue };
            match serialized {
                Ok(serialized) => slot.complete_with(&serialized.bytes, serialized.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// A task of this rank finished on another rank, with one plain result.
    pub(in crate::protocol) fn on_return(&self, env: &impl Environment, number: u64, value: &[u8]) {
        let Some(remote) = self.remote.take(number) else { return };
        self.on_results(env, number, &remote);
        remote.results.first().into_iter().for_each(|slot| slot.complete_with(value, Vec::new()));
    }

    /// The results of a task that ran on another rank arrived.
    pub(in crate::protocol) fn on_results(&self, env: &impl Environment, number: u64, remote: &RemoteTask) {
        env.protocol().recovery.send_task_finished(env, number, remote);
        if let ResultDestination::Task(task) = &remote.results {
            on_call_finished(env, number, task);
        }
    }

    /// Reports to a task's owner that the task failed before it could run here.
    pub fn send_failure(&self, env: &impl Messenger, id: TaskId, returns: usize, error: Error) {
        self.cancelled.remove(id);
        env.send(id.owner, &Message::Done { task: id.number, results: vec![Err(error); returns] });
    }

    /// `from` forwarded tasks of this rank to `to`.
    pub fn on_moved(&self, env: &impl Environment, from: Rank, tasks: &[MovedTask], to: Rank) {
        for task in tasks {
            if self.remote.update_location(task.number, to, task.hops, Some(from)) && env.is_dead(to) {
                env.protocol().recovery.retry(env, task.number, to, &env.death_error(to));
            }
        }
    }

    /// A task arrived: if it is one of this rank's, the death of the rank that had it does not matter any more.
    pub fn on_task_received(&self, env: &impl Messenger, id: TaskId, hops: u32) {
        if id.owner == env.rank() {
            self.remote.update_location(id.number, env.rank(), hops, None);
        }
    }

    /// Cancels the task that produces `slot`: one that has not started never does, a running one is asked to end.
    pub fn cancel(&self, env: &impl Environment, slot: Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        if let Some(task) = producer {
            self.cancel_here(env, &task);
            if let Some((rank, id)) = self.remote.cancel(env.rank(), &task) {
                env.send(rank, &Message::Cancel { task: id });
            }
        }
    }

    /// Cancels a task that is on this rank.
    pub fn cancel_here(&self, env: &impl Environment, task: &Arc<dyn Runnable>) {
        let header = task.header();
        header.cancel();
        let error = Arc::new(Error::Cancelled { task: header.name().to_string() });
        if header.claim() || header.claim_waiting() {
            task.fail(error);
            self.on_finished(env, task);
        } else {
            // It runs, here or elsewhere. Its results are failed now; those that it returns are ignored.
            task.clone().slots().iter().for_each(|slot| slot.fail(error.clone()));
        }
    }
}
