//! A value of an object that this rank lacks: its parts, where they are, and the one state of its fetch.

use crate::base::{Error, ObjectId, Rank, Result};
use crate::lineage::Producer;
use crate::objects::{AnySlot, ArrayMemory, Attachment, Links};
use crate::protocol::BlockAddress;
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::{FetchedBlocks, MissingBlock, missing_parts};
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, Weak};

/// A block of another host's store that this rank holds a reference to.
pub struct UnfetchedBlock {
    /// Where the block is.
    pub address: BlockAddress,
    links: Arc<dyn Links>,
}

impl UnfetchedBlock {
    pub(in crate::protocol) fn new(address: BlockAddress, links: Arc<dyn Links>) -> UnfetchedBlock {
        UnfetchedBlock { address, links }
    }
}

impl Drop for UnfetchedBlock {
    fn drop(&mut self) {
        self.links.on_dropped(self.address.block, std::ptr::from_ref(self).addr());
    }
}

/// An attachment of an unfetched value.
pub(in crate::protocol) enum ValuePart {
    Local(Attachment),
    Unfetched(Arc<UnfetchedBlock>),
}

/// The known parts of an unfetched value.
pub(in crate::protocol) struct ValueBody {
    /// The rank that sent the addresses.
    pub(in crate::protocol) from: Rank,
    pub(in crate::protocol) bytes: Vec<u8>,
    /// The block of its bytes, where they were not inline.
    pub(in crate::protocol) spilled: Option<Arc<UnfetchedBlock>>,
    pub(in crate::protocol) parts: Vec<ValuePart>,
}

impl ValueBody {
    /// Its arrays in stores of other hosts.
    fn arrays(&self) -> impl Iterator<Item = &Arc<UnfetchedBlock>> {
        self.parts.iter().filter_map(|part| if let ValuePart::Unfetched(block) = part { Some(block) } else { None })
    }

    /// The addresses of the blocks that it consists of.
    pub(in crate::protocol) fn addresses(&self) -> impl Iterator<Item = BlockAddress> {
        self.spilled.iter().chain(self.arrays()).map(|block| block.address)
    }

    /// The first rank with a part of the value of which this is true.
    pub(in crate::protocol) fn stored_at(&self, is_sought: impl Fn(Rank) -> bool) -> Option<Rank> {
        self.addresses().map(|address| address.block.owner).find(|rank| is_sought(*rank))
    }
}

/// What this rank knows of a value that it lacks.
enum FetchState {
    /// Its parts are in stores of other hosts. Nothing here needs it.
    Located(Arc<ValueBody>),
    /// Its blocks are being fetched; so many of them have neither arrived nor failed.
    Fetching { body: Arc<ValueBody>, missing: usize, fetched: FetchedBlocks },
    /// All of it is here: the promise completes.
    Here,
    /// It was given up because its holder's store was full. Its task can run again.
    Released,
    /// It was lost, or its task runs again. Reads of its blocks may not have ended: until the value is dropped it
    /// retains their grants.
    Lost(#[allow(dead_code)] Option<Arc<ValueBody>>),
}

/// What is to be done about a value.
pub(in crate::protocol) enum FetchStep {
    Wait,
    /// Fetch these blocks, and report each with `on_block`.
    Fetch(Vec<MissingBlock>),
    /// Complete the promise.
    Complete(Arc<ValueBody>, FetchedBlocks),
    /// Run its task again.
    Reconstruct,
    /// It cannot be read from where it is.
    Recover(Error),
}

/// Why an unfetched value that is recorded for a promise should not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StuckValue {
    /// It is neither in the stores of other hosts, nor are blocks on their way.
    #[error("an unfetched value waits for nothing")]
    WaitsForNothing,
    /// Its promise has a value.
    #[error("PROTOCOL-FETCH-1: the promise of an unfetched value is complete")]
    IsComplete,
}

/// A value that is still in the store of another host.
pub struct UnfetchedValue {
    pub(in crate::protocol) slot: Weak<dyn AnySlot>,
    /// A list is held here too: nothing else may hold it while its value is fetched.
    #[allow(dead_code)]
    list: Option<Arc<dyn AnySlot>>,
    state: Mutex<FetchState>,
    /// How to reconstruct it.
    pub(in crate::protocol) producer: Option<Producer>,
}

impl UnfetchedValue {
    pub(super) fn new(slot: &Arc<dyn AnySlot>, body: ValueBody, producer: Option<Producer>) -> UnfetchedValue {
        let list = slot.is_list().then(|| slot.clone());
        let state = Mutex::new(FetchState::Located(Arc::new(body)));
        UnfetchedValue { slot: Arc::downgrade(slot), list, state, producer }
    }

    /// Its parts, while it is in the stores of other hosts.
    pub(in crate::protocol) fn body(&self) -> Option<Arc<ValueBody>> {
        match &*lock(&self.state) {
            FetchState::Located(body) | FetchState::Fetching { body, .. } => Some(body.clone()),
            FetchState::Here | FetchState::Released | FetchState::Lost(_) => None,
        }
    }

    /// True if `is_sought` is true of one of its blocks, while it is in the stores of other hosts.
    pub(in crate::protocol) fn has_block(&self, is_sought: impl Fn(ObjectId) -> bool) -> bool {
        match &*lock(&self.state) {
            FetchState::Located(body) | FetchState::Fetching { body, .. } => {
                body.addresses().any(|address| is_sought(address.block))
            }
            FetchState::Here | FetchState::Released | FetchState::Lost(_) => false,
        }
    }

    /// The value is needed here.
    pub(in crate::protocol) fn on_needed(&self, env: &impl Environment) -> FetchStep {
        let mut state = lock(&self.state);
        let (FetchState::Located(body) | FetchState::Fetching { body, .. }) = &*state else {
            return match &*state {
                FetchState::Released => {
                    *state = FetchState::Lost(None);
                    FetchStep::Reconstruct
                }
                _ => FetchStep::Wait,
            };
        };
        if let Some(dead) = body.stored_at(|rank| env.is_dead(rank)) {
            return FetchStep::Recover(env.death_error(dead));
        }
        if let FetchState::Fetching { .. } = &*state {
            return FetchStep::Wait;
        }
        let (body, missing, fetched) = (body.clone(), 0, FetchedBlocks::default());
        *state = FetchState::Fetching { body, missing, fetched };
        state.advance(env)
    }

    /// A block that it consists of has arrived, or cannot be fetched.
    pub(in crate::protocol) fn on_block(
        &self,
        env: &impl Environment,
        block: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>>,
    ) -> FetchStep {
        let mut state = lock(&self.state);
        let FetchState::Fetching { missing, fetched, .. } = &mut *state else { return FetchStep::Wait };
        if let Entry::Vacant(entry) = fetched.entry(block) {
            entry.insert(memory);
            *missing = missing.saturating_sub(1);
        }
        if *missing > 0 { FetchStep::Wait } else { state.advance(env) }
    }

    /// Its holder requests the space: gives up the value, if it is not being fetched and can be reconstructed. Returns
    /// what the caller is to drop.
    pub(super) fn on_reclaim(&self) -> Option<Arc<ValueBody>> {
        let mut state = lock(&self.state);
        let FetchState::Located(body) = &*state else { return None };
        let body = body.clone();
        let is_all_unfetched = body.arrays().count() == body.parts.len();
        let can_reconstruct = || self.producer.as_ref().is_some_and(|producer| producer.lineage.try_reclaim());
        if !is_all_unfetched || !can_reconstruct() {
            return None;
        }
        *state = FetchState::Released;
        Some(body)
    }

    /// Checks, between two events, that the value waits for something, and its promise with it.
    pub(super) fn check(&self) -> std::result::Result<(), StuckValue> {
        let waits = match &*lock(&self.state) {
            FetchState::Located(_) | FetchState::Released => true,
            FetchState::Fetching { missing, .. } => *missing > 0,
            FetchState::Here | FetchState::Lost(_) => false,
        };
        match self.slot.upgrade() {
            _ if !waits => Err(StuckValue::WaitsForNothing),
            Some(slot) if slot.core().is_complete() => Err(StuckValue::IsComplete),
            _ => Ok(()),
        }
    }

    /// It cannot be read: returns its parts and what was fetched of them, once.
    pub(in crate::protocol) fn on_lost(&self) -> Option<(Arc<ValueBody>, FetchedBlocks)> {
        let mut state = lock(&self.state);
        let (body, fetched) = match &mut *state {
            FetchState::Located(body) => (body.clone(), FetchedBlocks::default()),
            FetchState::Fetching { body, fetched, .. } => (body.clone(), std::mem::take(fetched)),
            FetchState::Here | FetchState::Released | FetchState::Lost(_) => return None,
        };
        *state = FetchState::Lost(Some(body.clone()));
        Some((body, fetched))
    }
}

impl FetchState {
    /// No block is awaited: fetches those that are missing, if there are any.
    fn advance(&mut self, env: &impl Environment) -> FetchStep {
        let FetchState::Fetching { body, missing, fetched } = self else { return FetchStep::Wait };
        if let Some(error) = fetched.values().find_map(|memory| memory.as_ref().err()) {
            return FetchStep::Recover(error.clone());
        }
        let arrays = body.arrays().map(|block| &block.address);
        let blocks = missing_parts(env, arrays, body.spilled.as_ref().map(|block| block.address), fetched);
        if !blocks.is_empty() {
            *missing = blocks.len();
            return FetchStep::Fetch(blocks);
        }
        let complete = FetchStep::Complete(body.clone(), std::mem::take(fetched));
        *self = FetchState::Here;
        complete
    }
}
