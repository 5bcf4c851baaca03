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

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::lineage::{Producer, Lineage, ReconstructReason};
use crate::objects::{AnySlot, ArrayMemory, Attachment, SerializedValue};
use crate::protocol::tasks::remote_tasks::{ResultDestination, RemoteTask};
use crate::protocol::inbound::missing_blocks::{FetchedBlocks, must_fetch, missing_of};
use crate::protocol::environment::{Environment, FetchPurpose};
use crate::protocol::objects::value_requests::FetchRequest;
use crate::protocol::objects::unfetched::{Requester, ValueBody, UnfetchedValue, ValuePart};
use crate::protocol::{Bytes, Message, Protocol, WireAttachment, WireValue, BlockAddress};
use std::sync::{Arc, Mutex};

impl Protocol {
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
        let decoded = self.decode_value(env, &wire, from, fetched);
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
                let one = self.references.import(env, std::slice::from_ref(wire), from, &FetchedBlocks::default());
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
    pub fn request_value(&self, env: &impl Environment, slot: &Arc<dyn AnySlot>) {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return;
        }
        if let Some(value) = self.unfetched.request_local(slot) {
            self.start_fetch(env, &value);
        }
    }

    /// The stores that hold an unfetched value: each block's owner, and its length in bytes.
    pub fn value_locations(&self, slot: &dyn AnySlot) -> Vec<(Rank, u64)> {
        if !self.has_unmapped_stores || slot.core().is_complete() {
            return Vec::new();
        }
        let addresses = self.unfetched.find(slot).map_or_else(Vec::new, |value| value.addresses());
        addresses.iter().map(|address| (address.block.owner, address.bytes)).collect()
    }

    /// Starts to fetch a value, unless its fetch is already under way.
    fn start_fetch(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        if let Some(dead) = dead_holder(env, value) {
            return self.recover(env, value, &env.death_error(dead));
        }
        if self.unfetched.begin_fetch(value).is_some() {
            self.continue_fetch(env, value);
        }
    }

    /// Requests the blocks that are missing; if there are none, completes the promise.
    fn continue_fetch(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        let Some(body) = value.body() else {
            self.unfetched.end_fetch(lock(&value.fetch).token);
            return self.reconstruct_value(env, value);
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
            return self.recover(env, value, &error);
        }
        if missing.is_empty() {
            self.unfetched.end_fetch(token);
            return self.complete_fetched(env, value, &body);
        }
        for (address, shared) in missing {
            self.fetch_block(env, address, shared, FetchPurpose::Value(token));
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
                self.materialize(env, block.address, memory.bytes(), attachments, (body.from, &fetched))
            }
        });
        match serialized {
            Ok(serialized) => slot.complete_with(&serialized.bytes, serialized.attachments),
            Err(error) => slot.fail(Arc::new(error)),
        }
    }

    /// A value cannot be fetched from where it was: requests it again, reconstructs it, or fails its promise.
    fn recover(&self, env: &impl Environment, value: &Arc<UnfetchedValue>, error: &Error) {
        let Some(slot) = value.slot.upgrade() else { return };
        self.unfetched.remove_value(value);
        if let Some(id) = slot.remote_id() {
            // A store may turn out to be unreadable before its rank is known to be dead.
            return match dead_holder(env, value).or_else(|| unreadable_store(value).filter(|rank| *rank != id.owner)) {
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
    fn reconstruct_value(&self, env: &impl Environment, value: &Arc<UnfetchedValue>) {
        let Some(slot) = value.slot.upgrade() else { return };
        if !value.begin_reconstruction() {
            return;
        }
        self.unfetched.remove_value(value);
        let reconstruct = |producer| self.reconstruct_into(env, producer, slot.clone(), ReconstructReason::Reclaimed);
        if !value.producer.as_ref().is_some_and(reconstruct) {
            let object = ObjectId { owner: self.rank, number: slot.core().number() }.to_string();
            let reason = "it was released to make space, and its arguments cannot be read any more".to_string();
            slot.fail(Arc::new(Error::ObjectLost { object, reason }));
        }
    }

    /// A rank died: reconstructs the values in its store that are needed now; the others are reconstructed once they
    /// are needed.
    pub(in crate::protocol) fn recover_all_at(&self, env: &impl Environment, rank: Rank, error: &Error) {
        for value in self.unfetched.requested_at(rank) {
            self.unfetched.end_fetch(lock(&value.fetch).token);
            self.recover(env, &value, error);
        }
    }

    /// How to reconstruct result `index` of a task.
    pub(in crate::protocol) fn producer_of(&self, remote: &RemoteTask, index: usize) -> Option<Producer> {
        if let Some(lineage) = &remote.lineage {
            return Some(Producer { lineage: lineage.clone(), index });
        }
        let ResultDestination::Task(task) = &remote.results else { return None };
        let (header, args) = (task.header(), remote.args.as_ref()?);
        let call = (header.entry?, header.options.clone(), header.caller, header.stealable);
        let producer_of = |slot: &Arc<dyn AnySlot>| self.unfetched.find(&**slot).and_then(|value| value.producer.clone());
        Lineage::new(call, args, remote.retries, producer_of).map(|lineage| Producer { lineage: Arc::new(lineage), index })
    }

    /// A rank requests one of this rank's objects; `without` is a dead rank that stored the value.
    pub(in crate::protocol) fn on_fetch<D: Environment>(&self, env: &D, from: Rank, number: u64, without: Option<Rank>) {
        let Some(slot) = self.references.own_slot(number) else {
            let object = ObjectId { owner: self.rank, number };
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
                    Some(dead) if env.is_dead(dead) => self.recover(env, &value, &env.death_error(dead)),
                    Some(dead) => self.recover_unreadable(env, &value, &*as_requester, dead),
                    None => self.send_locations(env, &slot, &value, &*as_requester),
                }
            }
        }
        slot.core().when_complete(requester);
    }

    /// The requester cannot read the value from the store of `dead`, which is alive as far as this rank knows, so that
    /// other ranks may have read it. Reconstructs the value if possible; if not, only this requester gets an error.
    fn recover_unreadable(&self, env: &impl Environment, value: &Arc<UnfetchedValue>, requester: &dyn Requester, dead: Rank) {
        let object = ObjectId { owner: self.rank, number: requester.number() };
        let reason = format!("rank {} cannot read it from the store of rank {dead}", requester.rank());
        let error = Error::ObjectLost { object: object.to_string(), reason };
        if value.producer.is_some() {
            return self.recover(env, value, &error);
        }
        if let Some(slot) = requester.take() {
            self.unfetched.remove_requester(slot.address(), |other| std::ptr::addr_eq(other, requester));
            env.send(requester.rank(), &Message::Value { object, value: Err(error) });
        }
    }

    /// Sends the requester the addresses of the value's blocks; a block that only this rank can read is fetched first.
    fn send_locations(&self, env: &impl Environment, slot: &Arc<dyn AnySlot>, value: &Arc<UnfetchedValue>, requester: &dyn Requester) {
        // The requester gets its reply once the value is reconstructed.
        let Some(body) = value.body() else { return self.reconstruct_value(env, value) };
        let dead = dead_holder(env, value).is_some();
        if dead || body.spilled.is_some() && body.parts.is_empty() {
            // The block may contain references that were granted only to this rank.
            self.request_value(env, slot);
            return self.start_fetch(env, value);
        }
        let taken = requester.take();
        self.unfetched.remove_requester(slot.address(), |other| std::ptr::addr_eq(other, requester));
        if taken.is_none() {
            return;
        }
        let (to, object) = (requester.rank(), ObjectId { owner: self.rank, number: requester.number() });
        let parts = body.parts.iter().map(|part| match part {
            ValuePart::Unfetched(block) => Ok(WireAttachment::Array(self.references.export_unfetched(env, block, to))),
            ValuePart::Local(attachment) => {
                let one = self.references.export(env, std::slice::from_ref(attachment), to);
                one.map(|mut one| one.remove(0))
            }
        });
        let attachments: Result<Vec<_>, Error> = parts.collect();
        let spilled = body.spilled.as_ref().map(|block| self.references.export_unfetched(env, block, to));
        let value = attachments.map(|attachments| WireValue { bytes: Bytes(&body.bytes), spilled, attachments });
        env.send(to, &Message::Value { object, value });
    }
}

/// The rank whose store a part of the value could not be read from, where the store is at fault.
fn unreadable_store(value: &UnfetchedValue) -> Option<Rank> {
    let fetch = lock(&value.fetch);
    let failed = fetch.fetched.iter().filter(|(_, memory)| {
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

/// A dead rank that stored a part of the value.
fn dead_holder(env: &impl Environment, value: &UnfetchedValue) -> Option<Rank> {
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
