//! Values that are lost with the store that held them, or were released: requested again, or reconstructed.

use crate::base::{Error, ObjectId, Rank};
use crate::lineage::{Lineage, Producer, ReconstructReason};
use crate::objects::AnySlot;
use crate::protocol::Message;
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::fetch::pending::FetchRequest;
use crate::protocol::objects::fetch::unfetched::UnfetchedValue;
use crate::protocol::recovery::Recovery;
use crate::protocol::tasks::remote_tasks::{RemoteTask, ResultDestination};
use std::sync::Arc;

impl Recovery {
    /// A value cannot be fetched from where it was: requests it again, reconstructs it, or fails its promise.
    pub(in crate::protocol) fn recover_value(
        &self,
        env: &impl Environment,
        value: &Arc<UnfetchedValue>,
        error: &Error,
    ) {
        let (Some(slot), Some((body, fetched))) = (value.slot.upgrade(), value.on_lost()) else { return };
        env.protocol().objects.unfetched.remove_value(&*slot, value);
        if let Some(id) = slot.remote_id() {
            // A store may turn out to be unreadable before its rank is known to be dead.
            let dead = body.stored_at(|rank| env.is_dead(rank));
            return match dead.or_else(|| unreadable_store(&fetched).filter(|rank| *rank != id.owner)) {
                // The owner can have it reconstructed.
                Some(dead) if !env.is_dead(id.owner) => {
                    env.send(id.owner, &Message::Fetch { object: id.number, without: Some(dead) });
                }
                _ => slot.fail(Arc::new(error.clone())),
            };
        }
        if matches!(error, Error::StoreFull { .. }) {
            // The reconstructed value would not fit either.
            return slot.fail(Arc::new(error.clone()));
        }
        let reconstruct = |producer| self.reconstruct_into(env, producer, slot.clone(), ReconstructReason::Lost);
        if !value.producer.as_ref().is_some_and(reconstruct) {
            slot.fail(Arc::new(unreconstructible(&slot, value.producer.is_some(), error)));
        }
    }

    /// A released value is needed: reconstructs it, once.
    pub(in crate::protocol) fn reconstruct_value(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        let Some(slot) = value.slot.upgrade() else { return };
        env.protocol().objects.unfetched.remove_value(&*slot, value);
        let reconstruct = |producer| self.reconstruct_into(env, producer, slot.clone(), ReconstructReason::Reclaimed);
        if !value.producer.as_ref().is_some_and(reconstruct) {
            let object = ObjectId { owner: env.rank(), number: slot.core().number() }.to_string();
            let reason = "it was released to make space, and its arguments cannot be read any more".to_string();
            slot.fail(Arc::new(Error::ObjectLost { object, reason }));
        }
    }

    /// A rank died: reconstructs the values in its store that are needed now; the others are reconstructed once they
    /// are needed.
    pub(in crate::protocol) fn recover_values_at(&self, env: &impl Environment, rank: Rank, error: &Error) {
        for value in env.protocol().objects.unfetched.needed_from(rank) {
            self.recover_value(env, &value, error);
        }
    }

    /// How to reconstruct result `index` of a task.
    pub(in crate::protocol) fn producer_of(
        &self,
        env: &impl Environment,
        remote: &RemoteTask,
        index: usize,
    ) -> Option<Producer> {
        if let Some(lineage) = &remote.lineage {
            return Some(Producer { lineage: lineage.clone(), index });
        }
        let ResultDestination::Task(task) = &remote.results else { return None };
        let (header, args) = (task.header(), remote.args.as_ref()?);
        let call = (header.entry?, header.options.clone(), header.caller, header.stealable);
        let producer_of = |slot: &Arc<dyn AnySlot>| {
            env.protocol().objects.unfetched.find(&**slot).and_then(|value| value.producer.clone())
        };
        Lineage::new(call, args, remote.retries, producer_of)
            .map(|lineage| Producer { lineage: Arc::new(lineage.after_deaths(remote.deaths.clone())), index })
    }

    /// The requester cannot read the value from the store of `dead`, which is alive as far as this rank knows, so that
    /// other ranks may have read it. Reconstructs the value if possible; if not, only this requester gets an error.
    pub(in crate::protocol) fn recover_unreadable(
        &self,
        env: &impl Environment,
        value: &Arc<UnfetchedValue>,
        request: &Arc<FetchRequest>,
        dead: Rank,
    ) {
        let object = ObjectId { owner: env.rank(), number: request.number };
        let reason = format!("rank {} cannot read it from the store of rank {dead}", request.rank);
        let error = Error::ObjectLost { object: object.to_string(), reason };
        if value.producer.is_some() {
            return self.recover_value(env, value, &error);
        }
        if env.protocol().objects.unfetched.take_request(request).is_some() {
            env.send(request.rank, &Message::Value { object, value: Err(error) });
        }
    }
}

/// The rank whose store a part of the value could not be read from, where the store is at fault.
fn unreadable_store(fetched: &FetchedBlocks) -> Option<Rank> {
    let failed = fetched.iter().filter(|(_, memory)| {
        memory.as_ref().is_err_and(|error| !matches!(error, Error::StoreFull { .. } | Error::MemoryLimit { .. }))
    });
    failed.map(|(block, _)| block.owner).min()
}

fn unreconstructible(slot: &Arc<dyn AnySlot>, had_lineage: bool, error: &Error) -> Error {
    let object = ObjectId { owner: 0, number: slot.core().number() };
    let why = if had_lineage {
        "its task was started again as often as max_retries allows"
    } else {
        "it cannot be made again: it was put, or its task may not be retried, or its arguments are too large to keep"
    };
    Error::ObjectLost { object: object.to_string(), reason: format!("{error}; {why}") }
}
