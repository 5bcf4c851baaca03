//! Values of objects between ranks: requested, sent, left unfetched, fetched, and reconstructed when they are lost.
//!
//! ```text
//!   Done or Value arrives          ---> all blocks readable here?  yes: the promise completes
//!                                           no: the value stays unfetched (`unfetched`), the promise pending
//!   a local waiter needs it        ---> its blocks are fetched, then the promise completes
//!   another rank requests it       ---> that rank gets the block addresses, and fetches or maps the blocks itself
//!   the rank that stores it dies   ---> its task runs again (`lineage`), or the promise fails with the reason
//!   ... or its store is full       ---> it is released, and its task runs again once it is needed (`reclaim`)
//! ```

use crate::base::{Error, ObjectId, Rank};
use crate::lineage::Producer;
use crate::objects::{AnySlot, ArrayMemory, Attachment, SerializedValue};
use crate::protocol::environment::{Environment, FetchPurpose, Liveness};
use crate::protocol::inbound::missing_blocks::{FetchedBlocks, missing_of, must_fetch};
use crate::protocol::locks::lock;
use crate::protocol::objects::Objects;
use crate::protocol::objects::attachments::export_attachments;
use crate::protocol::objects::attachments::import_attachments;
use crate::protocol::objects::references::ExportPin;
use crate::protocol::objects::unfetched::{Requester, UnfetchedBlock, UnfetchedValue, ValueBody, ValuePart};
use crate::protocol::objects::value_encoding::decode_value;
use crate::protocol::objects::value_encoding::materialize;
use crate::protocol::objects::value_requests::FetchRequest;
use crate::protocol::{BlockAddress, Bytes, Message, WireAttachment, WireValue};
use std::sync::{Arc, Mutex};

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
            Ok(serialized) => slot.complete_with(&serialized.bytes, serialized.attachments),
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
            wire => {
                let one = import_attachments(env, std::slice::from_ref(wire), from, &FetchedBlocks::default());
                one.map(|mut one| ValuePart::Local(one.remove(0)))
            }
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
        let value = Arc::new(UnfetchedValue::new(&self.unfetched, &slot, body, producer));
        // Waiters for an element of a list are not recorded here, so a list is fetched at once.
        if slot.core().is_complete() || slot.is_list() {
            return self.start_fetch(env, &value);
        }
        let (requested, requesters) = self.unfetched.insert(&slot, &value);
        // A borrower requests the value only when a local fiber is waiting for it.
        if requested || slot.remote_id().is_some() {
            self.start_fetch(env, &value);
        }
        requesters.iter().for_each(|requester| self.send_locations(env, &slot, &value, &**requester));
    }

    /// Called when a local fiber or task needs the value of `slot`: starts its fetch if it is unfetched.
    pub fn request(&self, env: &impl Environment, slot: &Arc<dyn AnySlot>) {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return;
        }
        if let Some(value) = self.unfetched.request_local(slot) {
            self.start_fetch(env, &value);
        }
    }

    /// The stores that hold an unfetched value: each block's owner, and its length in bytes.
    pub fn locations_of(&self, slot: &dyn AnySlot) -> Vec<(Rank, u64)> {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return Vec::new();
        }
        let addresses = self.unfetched.find(slot).map_or_else(Vec::new, |value| value.addresses());
        addresses.iter().map(|address| (address.block.owner, address.bytes)).collect()
    }

    /// Starts to fetch a value, unless its fetch is already under way.
    fn start_fetch(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        if let Some(dead) = dead_holder(env, value) {
            return env.protocol().recovery.recover_value(env, value, &env.death_error(dead));
        }
        if self.unfetched.begin_fetch(value).is_some() {
            self.continue_fetch(env, value);
        }
    }

    /// Requests the blocks that are missing; if there are none, completes the promise.
    fn continue_fetch(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        let Some(body) = value.body() else {
            self.unfetched.end_fetch(lock(&value.fetch).token);
            return env.protocol().recovery.reconstruct_value(env, value);
        };
        let (token, missing, failure) = {
            let mut fetch = lock(&value.fetch);
            let failure = fetch.fetched.values().find_map(|memory| memory.as_ref().err().cloned());
            let missing = missing_of(env, &to_wire_value(&body), &fetch.fetched);
            fetch.missing = missing.len();
            (fetch.token, missing, failure)
        };
        if let Some(error) = failure {
            self.unfetched.end_fetch(token);
            return env.protocol().recovery.recover_value(env, value, &error);
        }
        if missing.is_empty() {
            self.unfetched.end_fetch(token);
            return self.complete_fetched(env, value, &body);
        }
        for (address, shared) in missing {
            self.copies.fetch(env, address, shared, FetchPurpose::Value(token));
        }
    }

    /// A block of a value that is being fetched arrived, or will not arrive.
    pub(in crate::protocol) fn on_value_block(
        &self,
        env: &impl Environment,
        token: u64,
        block: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>, Error>,
    ) {
        let Some(value) = self.unfetched.find_fetch(token) else { return };
        let left = {
            let mut fetch = lock(&value.fetch);
            fetch.fetched.insert(block, memory);
            fetch.missing = fetch.missing.saturating_sub(1);
            fetch.missing
        };
        if left == 0 {
            self.continue_fetch(env, &value);
        }
    }

    /// Every block is here: completes the promise.
    fn complete_fetched(&self, env: &impl Environment, value: &Arc<UnfetchedValue>, body: &ValueBody) {
        let Some(slot) = value.slot.upgrade() else { return };
        let fetched = std::mem::take(&mut lock(&value.fetch).fetched);
        let memory_of = |block: ObjectId| match fetched.get(&block) {
            Some(memory) => memory.clone(),
            None => Err(Error::ObjectLost { object: block.to_string(), reason: "it was not fetched".to_string() }),
        };
        let attachments = body.parts.iter().map(|part| match part {
            ValuePart::Local(attachment) => Ok(attachment.clone()),
            ValuePart::Unfetched(block) => memory_of(block.address.block).map(Attachment::Array),
        });
        let serialized = attachments.collect::<Result<Vec<_>, Error>>().and_then(|attachments| match &body.spilled {
            None => Ok(SerializedValue { bytes: body.bytes.clone(), attachments }),
            Some(block) => {
                let memory = memory_of(block.address.block)?;
                materialize(env, block.address, memory.bytes(), attachments, (body.from, &fetched))
            }
        });
        match serialized {
            Ok(serialized) => slot.complete_with(&serialized.bytes, serialized.attachments),
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
        let requester =
            Arc::new(FetchRequest { env: env.clone(), slot: Mutex::new(Some(slot.clone())), number, rank: from });
        if self.has_unmapped_stores && !slot.core().is_complete() {
            let as_requester: Arc<dyn Requester> = requester.clone();
            if let Some(value) = self.unfetched.add_requester(&*slot, &as_requester) {
                match without.filter(|dead| value.is_stored_at(*dead)) {
                    // This rank learns of the death too, and has the value reconstructed.
                    Some(dead) if env.is_dead(dead) => {
                        env.protocol().recovery.recover_value(env, &value, &env.death_error(dead))
                    }
                    Some(dead) => env.protocol().recovery.recover_unreadable(env, &value, &*as_requester, dead),
                    None => self.send_locations(env, &slot, &value, &*as_requester),
                }
            }
        }
        slot.core().when_complete(requester);
    }

    /// Sends the requester the addresses of the value's blocks; a block that only this rank can read is fetched first.
    fn send_locations(
        &self,
        env: &impl Environment,
        slot: &Arc<dyn AnySlot>,
        value: &Arc<UnfetchedValue>,
        requester: &dyn Requester,
    ) {
        // The requester gets its reply once the value is reconstructed.
        let Some(body) = value.body() else { return env.protocol().recovery.reconstruct_value(env, value) };
        let dead = dead_holder(env, value).is_some();
        if dead || body.spilled.is_some() && body.parts.is_empty() {
            // The block may contain references that were granted only to this rank.
            self.request(env, slot);
            return self.start_fetch(env, value);
        }
        let taken = requester.take();
        self.unfetched.remove_requester(slot.address(), |other| std::ptr::addr_eq(other, requester));
        if taken.is_none() {
            return;
        }
        let (to, object) = (requester.rank(), ObjectId { owner: env.rank(), number: requester.number() });
        let parts = body.parts.iter().map(|part| match part {
            ValuePart::Unfetched(block) => Ok(WireAttachment::Array(forward_address(env, block, to))),
            ValuePart::Local(attachment) => {
                let one = export_attachments(env, std::slice::from_ref(attachment), to);
                one.map(|mut one| one.remove(0))
            }
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

/// A dead rank that stored a part of the value.
pub fn dead_holder(env: &impl Liveness, value: &UnfetchedValue) -> Option<Rank> {
    value.addresses().iter().map(|address| address.block.owner).find(|rank| env.is_dead(*rank))
}

/// The value in the wire form in which it arrived.
fn to_wire_value(value: &ValueBody) -> WireValue<'_> {
    let unfetched = value.parts.iter().filter_map(|part| match part {
        ValuePart::Unfetched(block) => Some(WireAttachment::Array(block.address)),
        ValuePart::Local(_) => None,
    });
    let spilled: Option<BlockAddress> = value.spilled.as_ref().map(|block| block.address);
    WireValue { bytes: Bytes(&value.bytes), spilled, attachments: unfetched.collect() }
}
