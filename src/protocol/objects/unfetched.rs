//! Values of this rank's objects that are still in the store of another host: they are fetched only when needed.
//!
//! The promise of such an object is pending here. Its list of waiters holds the value, so that the value lives exactly
//! as long as the promise is pending; a table maps the promise's address to the value.

use crate::base::Rank;
use crate::base::sync::{AtomicU64, Ordering};
use crate::lineage::Producer;
use crate::objects::{AnySlot, Attachment, Links, Waiter};
use crate::protocol::inbound::missing_blocks::FetchedBlocks;
use crate::protocol::locks::lock;
use crate::protocol::{BlockAddress, TableSizes};
use rustc_hash::FxHashMap as HashMap;
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
    /// The blocks that it consists of.
    pub(in crate::protocol) fn blocks(&self) -> impl Iterator<Item = &Arc<UnfetchedBlock>> {
        let parts = self.parts.iter().filter_map(|part| match part {
            ValuePart::Unfetched(block) => Some(block),
            ValuePart::Local(_) => None,
        });
        self.spilled.iter().chain(parts)
    }

    /// True if all attachments are in stores of other hosts.
    fn is_all_unfetched(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, ValuePart::Unfetched(_)))
    }
}

/// What became of an unfetched value.
enum BodyState {
    Present(Arc<ValueBody>),
    /// Released because its holder's store was full; it can be reconstructed.
    Released,
    /// Its reconstruction has begun, or it was lost.
    Taken,
}

/// A value that is still in the store of another host.
pub struct UnfetchedValue {
    pub(in crate::protocol) slot: Weak<dyn AnySlot>,
    /// A list is held here too: nothing else may hold it while its value is fetched.
    #[allow(dead_code)]
    list: Option<Arc<dyn AnySlot>>,
    /// The address of its promise.
    key: usize,
    state: Mutex<BodyState>,
    /// How to reconstruct it.
    pub(in crate::protocol) producer: Option<Producer>,
    pub(in crate::protocol) fetch: Mutex<ValueFetch>,
    values: Weak<UnfetchedValues>,
    /// How many unfetched values this rank had recorded before it.
    serial: u64,
}

/// The progress of a value's fetch.
#[derive(Default)]
pub(in crate::protocol) struct ValueFetch {
    /// The fetch's number, 0 before it starts.
    pub token: u64,
    pub missing: usize,
    pub fetched: FetchedBlocks,
}

impl Waiter for UnfetchedValue {
    /// The promise completed, and drops this.
    fn notify(self: Arc<Self>) {}
}

impl UnfetchedValue {
    pub(in crate::protocol) fn new(
        values: &Arc<UnfetchedValues>,
        slot: &Arc<dyn AnySlot>,
        body: ValueBody,
        producer: Option<Producer>,
    ) -> UnfetchedValue {
        let list = slot.is_list().then(|| slot.clone());
        let (slot, key) = (Arc::downgrade(slot), slot.address());
        let (values, serial) = (Arc::downgrade(values), values.next_serial.fetch_add(1, Ordering::Relaxed));
        let state = Mutex::new(BodyState::Present(Arc::new(body)));
        UnfetchedValue { slot, list, key, state, producer, fetch: Mutex::default(), values, serial }
    }

    /// Its parts; `None` once it was released.
    pub(in crate::protocol) fn body(&self) -> Option<Arc<ValueBody>> {
        match &*lock(&self.state) {
            BodyState::Present(body) => Some(body.clone()),
            BodyState::Released | BodyState::Taken => None,
        }
    }

    /// The addresses of its blocks.
    pub fn addresses(&self) -> Vec<BlockAddress> {
        self.body().map_or_else(Vec::new, |body| body.blocks().map(|block| block.address).collect())
    }

    /// True if some of it is in the store of `rank`.
    pub(in crate::protocol) fn is_stored_at(&self, rank: Rank) -> bool {
        self.addresses().iter().any(|address| address.block.owner == rank)
    }

    /// True, once, for a released value: the caller then reconstructs it.
    pub(in crate::protocol) fn begin_reconstruction(&self) -> bool {
        let mut state = lock(&self.state);
        let was_released = matches!(*state, BodyState::Released);
        if was_released {
            *state = BodyState::Taken;
        }
        was_released
    }
}

/// What is recorded about a pending promise.
#[derive(Default)]
struct PendingEntry {
    value: Option<Weak<UnfetchedValue>>,
    /// True if a local waiter needs the value.
    requested: bool,
    /// Ranks that requested it.
    requesters: Vec<Arc<dyn Requester>>,
}

/// A rank that requested a value. It gets one reply.
pub(in crate::protocol) trait Requester: Send + Sync {
    /// The rank.
    fn rank(&self) -> Rank;
    /// Takes the requested object, and with it the right to reply; `None` the second time.
    fn take(&self) -> Option<Arc<dyn AnySlot>>;
    /// The object's number.
    fn number(&self) -> u64;
}

/// The unfetched values and the requests for them, by the addresses of their promises.
#[derive(Default)]
pub struct UnfetchedValues {
    entries: Mutex<HashMap<usize, PendingEntry>>,
    /// Values that are being fetched, by number.
    fetch: Mutex<HashMap<u64, Arc<UnfetchedValue>>>,
    next_token: AtomicU64,
    next_serial: AtomicU64,
}

impl UnfetchedValues {
    /// Records `value` for its promise. Returns whether a local waiter needs it, and the ranks that requested it.
    pub(in crate::protocol) fn insert(
        &self,
        slot: &Arc<dyn AnySlot>,
        value: &Arc<UnfetchedValue>,
    ) -> (bool, Vec<Arc<dyn Requester>>) {
        let found = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(value.key).or_default();
            entry.value = Some(Arc::downgrade(value));
            (entry.requested, std::mem::take(&mut entry.requesters))
        };
        slot.core().when_complete(value.clone());
        found
    }

    /// The unfetched value of an object, if there is one.
    pub fn find(&self, slot: &dyn AnySlot) -> Option<Arc<UnfetchedValue>> {
        let value =
            lock(&self.entries).get(&slot.address()).and_then(|entry| entry.value.as_ref().and_then(Weak::upgrade));
        // The address may have belonged to another promise before.
        value.filter(|value| value.slot.upgrade().is_some_and(|own| own.address() == slot.address()))
    }

    /// Records that a local waiter needs the value of `slot`. Returns the value if it is unfetched already.
    pub(in crate::protocol) fn request_local(self: &Arc<Self>, slot: &Arc<dyn AnySlot>) -> Option<Arc<UnfetchedValue>> {
        // Recorded also where the value is already unfetched: it may be lost, reconstructed and left unfetched once
        // more.
        let key = slot.address();
        let first = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(key).or_default();
            !std::mem::replace(&mut entry.requested, true)
        };
        if first {
            slot.core().when_complete(Arc::new(LocalRequest { values: Arc::downgrade(self), key }));
        }
        self.find(&**slot)
    }

    /// Records that a rank requested the value of `slot`, which is pending. Returns the value if it is unfetched
    /// already.
    pub(in crate::protocol) fn add_requester(
        &self,
        slot: &dyn AnySlot,
        requester: &Arc<dyn Requester>,
    ) -> Option<Arc<UnfetchedValue>> {
        lock(&self.entries).entry(slot.address()).or_default().requesters.push(requester.clone());
        self.find(slot)
    }

    /// The requester got its reply in another way.
    pub(in crate::protocol) fn remove_requester(&self, key: usize, is_replied: impl Fn(&dyn Requester) -> bool) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(&key) {
            entry.requesters.retain(|requester| !is_replied(&**requester));
        }
        remove_if_empty(&mut entries, key);
    }

    /// Forgets a lost value: its promise is as it was before the value arrived.
    pub(in crate::protocol) fn remove_value(&self, value: &UnfetchedValue) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(&value.key) {
            entry.value = None;
        }
        remove_if_empty(&mut entries, value.key);
    }

    /// Starts the fetch of a value and returns its number; `None` if it has one already.
    pub(in crate::protocol) fn begin_fetch(&self, value: &Arc<UnfetchedValue>) -> Option<u64> {
        let mut fetch = lock(&value.fetch);
        if fetch.token != 0 {
            return None;
        }
        fetch.token = self.next_token.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.fetch).insert(fetch.token, value.clone());
        Some(fetch.token)
    }

    /// The value of the fetch with that number.
    pub(in crate::protocol) fn find_fetch(&self, token: u64) -> Option<Arc<UnfetchedValue>> {
        lock(&self.fetch).get(&token).cloned()
    }

    /// Ends a fetch.
    pub(in crate::protocol) fn end_fetch(&self, token: u64) {
        let _dropped_outside_of_the_lock = lock(&self.fetch).remove(&token);
    }

    /// Releases a value that is not needed, is not being fetched and can be reconstructed; returns what the caller is
    /// to drop. A request for the value is recorded under the same lock.
    pub(in crate::protocol) fn release(&self, value: &UnfetchedValue) -> Option<Arc<ValueBody>> {
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(&value.key).filter(|entry| !entry.requested && entry.requesters.is_empty())?;
        // The entry may hold a newer value by now.
        entry.value.as_ref().filter(|known| std::ptr::eq(known.as_ptr(), value))?;
        let fetch = lock(&value.fetch);
        let mut state = lock(&value.state);
        let BodyState::Present(body) = &*state else { return None };
        let body = body.clone();
        let can_reconstruct = || value.producer.as_ref().is_some_and(|producer| producer.lineage.try_reclaim());
        if fetch.token != 0 || !body.is_all_unfetched() || !can_reconstruct() {
            return None;
        }
        *state = BodyState::Released;
        Some(body)
    }

    /// The values of which a part is in the store of `rank`, the oldest first.
    pub(in crate::protocol) fn stored_at(&self, rank: Rank) -> Vec<Arc<UnfetchedValue>> {
        self.selected(|_| true).into_iter().filter(|value| value.is_stored_at(rank)).collect()
    }

    /// The sizes of the tables.
    pub(in crate::protocol) fn table_sizes(&self) -> TableSizes {
        vec![
            ("promises with unfetched values", lock(&self.entries).len()),
            ("values being fetched", lock(&self.fetch).len()),
        ]
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub(in crate::protocol) fn clear(&self) -> impl Sized + use<> {
        (std::mem::take(&mut *lock(&self.entries)), std::mem::take(&mut *lock(&self.fetch)))
    }

    /// The values in the store of `rank` that are needed now.
    pub(in crate::protocol) fn requested_at(&self, rank: Rank) -> Vec<Arc<UnfetchedValue>> {
        let requested = self.selected(|entry| entry.requested || !entry.requesters.is_empty());
        requested.into_iter().filter(|value| value.is_stored_at(rank)).collect()
    }

    /// The values of the selected entries, the oldest first.
    fn selected(&self, is_selected: impl Fn(&PendingEntry) -> bool) -> Vec<Arc<UnfetchedValue>> {
        // Examined after the lock is released: dropping the last reference to a value takes the lock.
        let mut selected: Vec<_> = {
            let entries = lock(&self.entries);
            let selected = entries.values().filter(|entry| is_selected(entry));
            selected.filter_map(|entry| entry.value.as_ref()?.upgrade()).collect()
        };
        // Sorted, because addresses differ between runs.
        selected.sort_unstable_by_key(|value: &Arc<UnfetchedValue>| value.serial);
        selected
    }
}

fn remove_if_empty(entries: &mut HashMap<usize, PendingEntry>, key: usize) {
    if entries.get(&key).is_some_and(|entry| entry.value.is_none() && !entry.requested && entry.requesters.is_empty()) {
        entries.remove(&key);
    }
}

impl Drop for UnfetchedValue {
    fn drop(&mut self) {
        let Some(values) = self.values.upgrade() else { return };
        let mut entries = lock(&values.entries);
        if let Some(entry) = entries.get_mut(&self.key) {
            // The address may belong to another promise by now, with its own value.
            entry.value.take_if(|value| std::ptr::eq(value.as_ptr(), self));
        }
        remove_if_empty(&mut entries, self.key);
    }
}

/// Records that a local waiter needs a promise's value. It is in the promise's list of waiters and is dropped with it.
struct LocalRequest {
    values: Weak<UnfetchedValues>,
    key: usize,
}

impl Waiter for LocalRequest {
    fn notify(self: Arc<Self>) {}
}

impl Drop for LocalRequest {
    fn drop(&mut self) {
        let Some(values) = self.values.upgrade() else { return };
        let mut entries = lock(&values.entries);
        if let Some(entry) = entries.get_mut(&self.key) {
            entry.requested = false;
        }
        remove_if_empty(&mut entries, self.key);
    }
}
