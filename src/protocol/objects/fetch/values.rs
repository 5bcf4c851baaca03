//! The messages that concern values of objects, and what the states of the values decide.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::{Error, ObjectId, Rank};
use crate::lineage::Producer;
use crate::objects::{AnySlot, Attachment, Waiter};
use crate::protocol::environment::Environment;
use crate::protocol::objects::Objects;
use crate::protocol::objects::attachments::{export_attachment, import_attachment};
use crate::protocol::objects::fetch::blocks::FetchPurpose;
use crate::protocol::objects::fetch::missing::{FetchedBlocks, missing_of, must_fetch};
use crate::protocol::objects::fetch::pending::FetchRequest;
use crate::protocol::objects::fetch::unfetched::{FetchStep, UnfetchedBlock, UnfetchedValue, ValueBody, ValuePart};
use crate::protocol::objects::references::ExportPin;
use crate::protocol::objects::value_encoding::{ReceivedValue, decode_value, encode_value, in_block};
use crate::protocol::{BlockAddress, Bytes, Message, WireAttachment, WireValue};
use std::sync::Arc;

impl Objects {
    /// Resolves `slot` with a value from `from`, for which some blocks may have been fetched: completes its promise, or
    /// leaves the value unfetched.
    pub(in crate::protocol) fn resolve(
        &self,
        env: &impl Environment,
        (from, fetched): (Rank, &FetchedBlocks),
        slot: Option<Arc<dyn AnySlot>>,
        value: Result<WireValue<'_>, Error>,
        producer: impl FnOnce() -> Option<Producer>,
    ) {
        let wire = match value {
            Ok(wire) => wire,
            Err(error) => return slot.into_iter().for_each(|slot| slot.fail(Arc::new(error.clone()))),
        };
        if self.has_unmapped_stores && !missing_of(env, &wire, fetched).is_empty() {
            return self.leave_unfetched(env, from, slot, &wire, producer());
        }
        let decoded = decode_value(env, &wire, from, fetched);
        let Some(slot) = slot else { return };
        match decoded {
            Ok(received) => received.complete(&*slot),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// Leaves a value in the store that holds it, and starts to serve those that need it.
    fn leave_unfetched(
        &self,
        env: &impl Environment,
        from: Rank,
        slot: Option<Arc<dyn AnySlot>>,
        wire: &WireValue<'_>,
        producer: Option<Producer>,
    ) {
        // Every reference in the value is counted, even if the value is then discarded.
        let spilled = wire.spilled.map(|address| self.references.import_unfetched(env, address, from));
        let part = |wire: &WireAttachment| match wire {
            WireAttachment::Array(address) if must_fetch(env, address) => {
                Ok(ValuePart::Unfetched(self.references.import_unfetched(env, *address, from)))
            }
            wire => import_attachment(env, wire, from, &FetchedBlocks::default()).map(ValuePart::Local),
        };
        let parts: Vec<Result<ValuePart, Error>> = wire.attachments.iter().map(part).collect();
        // A copy that was evicted is fetched again for a promise that is already complete.
        let is_refetch = |slot: &Arc<dyn AnySlot>| slot.remote_id().is_some() && slot.core().packed().is_some();
        let Some(slot) = slot.filter(|slot| !slot.core().is_complete() || is_refetch(slot)) else { return };
        let parts: Vec<ValuePart> = match parts.into_iter().collect() {
            Ok(parts) => parts,
            Err(error) => return slot.fail(Arc::new(error)),
        };
        let body = ValueBody { from, bytes: wire.bytes.0.to_vec(), spilled, parts };
        let value = Arc::new(UnfetchedValue::new(&slot, body, producer));
        // Waiters for an element of a list are not recorded here, so a list is fetched at once.
        if slot.core().is_complete() || slot.is_list() {
            return self.advance(env, &value, value.on_needed(env));
        }
        let (requested, requests) = self.unfetched.insert(&*slot, &value);
        // A borrower requests the value only when a local fiber is waiting for it.
        if requested || slot.remote_id().is_some() {
            self.advance(env, &value, value.on_needed(env));
        }
        requests.iter().for_each(|request| self.send_locations(env, &slot, &value, request));
    }

    /// Called when a local fiber or task needs the value of `slot`: starts its fetch if it is unfetched.
    pub fn request(&self, env: &impl Environment, slot: &Arc<dyn AnySlot>) {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return;
        }
        if let Some(value) = self.unfetched.request_local(&**slot) {
            self.advance(env, &value, value.on_needed(env));
        }
    }

    /// The stores that hold an unfetched value: each block's owner, and its length in bytes.
    pub fn locations_of(&self, slot: &dyn AnySlot) -> Vec<(Rank, u64)> {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return Vec::new();
        }
        let Some(body) = self.unfetched.find(slot).and_then(|value| value.body()) else { return Vec::new() };
        body.addresses().map(|address| (address.block.owner, address.bytes)).collect()
    }

    /// Does what the state of a value decided.
    pub(super) fn advance(&self, env: &impl Environment, value: &Arc<UnfetchedValue>, step: FetchStep) {
        match step {
            FetchStep::Wait => {}
            FetchStep::Fetch(blocks) => {
                for (address, shared) in blocks {
                    self.copies.fetch(env, address, shared, FetchPurpose::Value(value.clone()));
                }
            }
            FetchStep::Complete(body, fetched) => self.complete(env, value, &body, &fetched),
            FetchStep::Reconstruct => env.protocol().recovery.reconstruct_value(env, value),
            FetchStep::Recover(error) => env.protocol().recovery.recover_value(env, value, &error),
        }
    }

    /// Every block is here: completes the promise.
    fn complete(&self, env: &impl Environment, value: &UnfetchedValue, body: &ValueBody, fetched: &FetchedBlocks) {
        let Some(slot) = value.slot.upgrade() else { return };
        let memory_of = |block: ObjectId| match fetched.get(&block) {
            Some(memory) => memory.clone(),
            None => Err(Error::ObjectLost { object: block.to_string(), reason: "it was not fetched".to_string() }),
        };
        let attachments = body.parts.iter().map(|part| match part {
            ValuePart::Local(attachment) => Ok(attachment.clone()),
            ValuePart::Unfetched(block) => memory_of(block.address.block).map(Attachment::Array),
        });
        let received = attachments.collect::<Result<Vec<_>, Error>>().and_then(|attachments| match &body.spilled {
            None => Ok(ReceivedValue::inline(&body.bytes, attachments)),
            Some(block) => {
                let memory = memory_of(block.address.block)?;
                in_block(env, block.address, memory, attachments, (body.from, fetched))
            }
        });
        match received {
            Ok(received) => received.complete(&*slot),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// A rank requests one of this rank's objects; `without` is a dead rank that stored the value.
    pub(in crate::protocol) fn on_fetch<D: Environment>(
        &self,
        env: &D,
        from: Rank,
        number: u64,
        without: Option<Rank>,
    ) {
        let Some(slot) = self.references.own_slot(number) else {
            let object = ObjectId { owner: env.rank(), number };
            let reason = "its owner does not know it any more".to_string();
            let error = Error::ObjectLost { object: object.to_string(), reason };
            return env.send(from, &Message::Value { object, value: Err(error) });
        };
        if slot.core().is_complete() {
            return send_value(env, &slot, from, number);
        }
        let request = Arc::new(FetchRequest::new(from, number, slot.clone()));
        if self.has_unmapped_stores
            && let Some(value) = self.unfetched.add_request(&*slot, &request)
        {
            match without.filter(|dead| value.has_block(|block| block.owner == *dead)) {
                // This rank learns of the death too, and has the value reconstructed.
                Some(dead) if env.is_dead(dead) => {
                    env.protocol().recovery.recover_value(env, &value, &env.death_error(dead));
                }
                Some(dead) => env.protocol().recovery.recover_unreadable(env, &value, &request, dead),
                None => self.send_locations(env, &slot, &value, &request),
            }
        }
        slot.core().when_complete(Arc::new(PendingReply { env: env.clone(), request }));
    }

    /// Sends the requester the addresses of the value's blocks; a block that only this rank can read is fetched first.
    fn send_locations(
        &self,
        env: &impl Environment,
        slot: &Arc<dyn AnySlot>,
        value: &Arc<UnfetchedValue>,
        request: &Arc<FetchRequest>,
    ) {
        // Where the value was lost, the requester gets its reply once it is reconstructed.
        let Some(body) = value.body() else { return self.advance(env, value, value.on_needed(env)) };
        if body.stored_at(|rank| env.is_dead(rank)).is_some() || body.spilled.is_some() && body.parts.is_empty() {
            // The block may contain references that were granted only to this rank.
            return self.request(env, slot);
        }
        if self.unfetched.take_request(request).is_none() {
            return;
        }
        let (to, object) = (request.rank, ObjectId { owner: env.rank(), number: request.number });
        let parts = body.parts.iter().map(|part| match part {
            ValuePart::Unfetched(block) => Ok(WireAttachment::Array(forward_address(env, block, to))),
            ValuePart::Local(attachment) => export_attachment(env, attachment, to),
        });
        let attachments: Result<Vec<_>, Error> = parts.collect();
        let spilled = body.spilled.as_ref().map(|block| forward_address(env, block, to));
        let value = attachments.map(|attachments| WireValue { bytes: Bytes(&body.bytes), spilled, attachments });
        env.send(to, &Message::Value { object, value });
    }

    /// A value that this rank requested arrived.
    pub(in crate::protocol) fn on_value(
        &self,
        env: &impl Environment,
        from: Rank,
        object: ObjectId,
        value: Result<WireValue<'_>, Error>,
    ) {
        let slot = self.references.find(object);
        self.resolve(env, (from, &FetchedBlocks::default()), slot, value, || None);
    }
}

/// Forwards the address of an unfetched block to `to`; counted.
fn forward_address(env: &impl Environment, block: &Arc<UnfetchedBlock>, to: Rank) -> BlockAddress {
    let references = &env.protocol().objects.references;
    references.on_sent(env, block.address.block, to, || ExportPin::Unfetched(block.clone()));
    block.address
}

/// A request in the list of waiters of its promise.
struct PendingReply<D> {
    env: D,
    request: Arc<FetchRequest>,
}

impl<D: Environment> Waiter for PendingReply<D> {
    fn notify(self: Arc<Self>) {
        if let Some(slot) = self.env.protocol().objects.unfetched.take_request(&self.request) {
            send_value(&self.env, &slot, self.request.rank, self.request.number);
        }
    }
}

/// Replies with the value of an object whose promise is complete.
fn send_value(env: &impl Environment, slot: &Arc<dyn AnySlot>, to: Rank, number: u64) {
    let object = ObjectId { owner: env.rank(), number };
    let serialized = slot.encode(env.store_run());
    let value = match &serialized {
        Ok(serialized) => encode_value(env, serialized, to, INLINE_BYTES_MAX),
        Err(error) => Err(error.clone()),
    };
    env.send(to, &Message::Value { object, value });
}
