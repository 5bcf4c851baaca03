//! Pending promises of objects whose values are fetched: which value each has, and who needs it.
//!
//! A table has an entry for each, by the promise's address. A guard in the promise's list of waiters removes the entry
//! when the promise completes or is dropped: so an address in the table belongs to one promise, and an unfetched value
//! lives exactly as long as its promise is pending, or its blocks are being fetched.

use crate::base::sync::{AtomicU64, Ordering};
use crate::base::{ObjectId, Rank};
use crate::objects::{AnySlot, Waiter};
use crate::protocol::TableSizes;
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::unfetched::{StuckValue, UnfetchedValue, ValueBody};
use rustc_hash::FxHashMap as HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, Weak};

/// A rank's request for the value of an object. It gets one reply.
pub(in crate::protocol) struct FetchRequest {
    pub rank: Rank,
    /// The object's number.
    pub number: u64,
    /// The object, until the reply. The request is in the promise's list of waiters, so a permanent reference would be
    /// a cycle.
    slot: Mutex<Option<Arc<dyn AnySlot>>>,
}

impl FetchRequest {
    pub(in crate::protocol) fn new(rank: Rank, number: u64, slot: Arc<dyn AnySlot>) -> FetchRequest {
        FetchRequest { rank, number, slot: Mutex::new(Some(slot)) }
    }

    /// Takes the requested object, and with it the right to reply; `None` the second time.
    pub(in crate::protocol) fn take(&self) -> Option<Arc<dyn AnySlot>> {
        lock(&self.slot).take()
    }
}

/// What is recorded about a pending promise, until it completes or is dropped.
#[derive(Default)]
struct PendingEntry {
    /// Its unfetched value, and how many this rank had recorded before.
    value: Option<(u64, Arc<UnfetchedValue>)>,
    /// True if a local waiter needs the value.
    requested: bool,
    /// The requests of other ranks.
    requests: Vec<Arc<FetchRequest>>,
}

impl PendingEntry {
    fn is_needed(&self) -> bool {
        self.requested || !self.requests.is_empty()
    }

    fn value(&self) -> Option<Arc<UnfetchedValue>> {
        self.value.as_ref().map(|(_, value)| value.clone())
    }
}

/// The unfetched values and the requests for them, by the addresses of their promises.
#[derive(Default)]
pub struct PendingValues {
    entries: Mutex<HashMap<usize, PendingEntry>>,
    next_serial: AtomicU64,
}

impl PendingValues {
    /// Changes the entry of a promise, which is created if it does not exist.
    fn change<R>(self: &Arc<Self>, slot: &dyn AnySlot, change: impl FnOnce(&mut PendingEntry) -> R) -> R {
        let (result, is_new) = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(slot.address());
            let is_new = matches!(entry, Entry::Vacant(_));
            (change(entry.or_default()), is_new)
        };
        if is_new {
            slot.core().when_complete(Arc::new(EntryGuard { values: Arc::downgrade(self), key: slot.address() }));
        }
        result
    }

    /// Records `value` for its promise. Returns whether a local waiter needs it, and the requests of other ranks.
    pub(in crate::protocol) fn insert(
        self: &Arc<Self>,
        slot: &dyn AnySlot,
        value: &Arc<UnfetchedValue>,
    ) -> (bool, Vec<Arc<FetchRequest>>) {
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let (_dropped_outside_of_the_lock, requested, requests) = self.change(slot, |entry| {
            let before = entry.value.replace((serial, value.clone()));
            (before, entry.requested, std::mem::take(&mut entry.requests))
        });
        (requested, requests)
    }

    /// The unfetched value of an object, if there is one.
    pub fn find(&self, slot: &dyn AnySlot) -> Option<Arc<UnfetchedValue>> {
        lock(&self.entries).get(&slot.address())?.value()
    }

    /// Records that a local waiter needs the value of `slot`. Returns the value if it is unfetched already.
    pub(in crate::protocol) fn request_local(self: &Arc<Self>, slot: &dyn AnySlot) -> Option<Arc<UnfetchedValue>> {
        // Recorded also where the value is already unfetched: it may be lost, reconstructed and left unfetched once
        // more.
        self.change(slot, |entry| {
            entry.requested = true;
            entry.value()
        })
    }

    /// Records a rank's request for the value of `slot`, which is pending. Returns the value if it is unfetched
    /// already.
    pub(in crate::protocol) fn add_request(
        self: &Arc<Self>,
        slot: &dyn AnySlot,
        request: &Arc<FetchRequest>,
    ) -> Option<Arc<UnfetchedValue>> {
        self.change(slot, |entry| {
            entry.requests.push(request.clone());
            entry.value()
        })
    }

    /// A request gets its reply: returns the requested object, once.
    pub(in crate::protocol) fn take_request(&self, request: &Arc<FetchRequest>) -> Option<Arc<dyn AnySlot>> {
        let slot = request.take()?;
        if let Some(entry) = lock(&self.entries).get_mut(&slot.address()) {
            entry.requests.retain(|other| !Arc::ptr_eq(other, request));
        }
        Some(slot)
    }

    /// Forgets a lost value: its promise is as it was before the value arrived.
    pub(in crate::protocol) fn remove_value(&self, slot: &dyn AnySlot, value: &Arc<UnfetchedValue>) {
        // The promise may have a newer value.
        let is_known = |known: &mut (u64, Arc<UnfetchedValue>)| Arc::ptr_eq(&known.1, value);
        let known = lock(&self.entries).get_mut(&slot.address()).and_then(|entry| entry.value.take_if(is_known));
        drop(known);
    }

    /// Releases the values that have a block of which `is_requested` is true, where they are not needed. Returns what
    /// the caller is to drop. A request for a value is recorded under the same lock.
    pub(in crate::protocol) fn release(&self, is_requested: impl Fn(ObjectId) -> bool) -> Vec<Arc<ValueBody>> {
        let entries = lock(&self.entries);
        let requested = oldest_first(entries.values().filter(|entry| !entry.is_needed()), is_requested);
        requested.into_iter().filter_map(|value| value.on_reclaim()).collect()
    }

    /// The values that are needed now and of which a part is in the store of `rank`, the oldest first.
    pub(in crate::protocol) fn needed_from(&self, rank: Rank) -> Vec<Arc<UnfetchedValue>> {
        let entries = lock(&self.entries);
        let needed = oldest_first(entries.values().filter(|entry| entry.is_needed()), |block| block.owner == rank);
        needed.into_iter().cloned().collect()
    }

    /// The sizes of the tables.
    pub(in crate::protocol) fn table_sizes(&self) -> TableSizes {
        vec![("promises with unfetched values", lock(&self.entries).len())]
    }

    /// Checks, between two events, that each value waits for something, and its promise with it.
    pub(in crate::protocol) fn check(&self) -> Result<(), StuckValue> {
        let values: Vec<_> = lock(&self.entries).values().filter_map(PendingEntry::value).collect();
        values.iter().try_for_each(|value| value.check())
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub(in crate::protocol) fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.entries))
    }
}

/// The values of these entries that have a block of which `is_sought` is true. They are sorted, because addresses
/// differ between runs.
fn oldest_first<'a>(
    entries: impl Iterator<Item = &'a PendingEntry>,
    is_sought: impl Fn(ObjectId) -> bool,
) -> Vec<&'a Arc<UnfetchedValue>> {
    let values = entries.filter_map(|entry| entry.value.as_ref());
    let mut values: Vec<_> = values.filter(|(_, value)| value.has_block(&is_sought)).collect();
    values.sort_unstable_by_key(|(serial, _)| *serial);
    values.into_iter().map(|(_, value)| value).collect()
}

/// Removes the entry of a promise. It is in the promise's list of waiters, and is dropped with it.
struct EntryGuard {
    values: Weak<PendingValues>,
    key: usize,
}

impl Waiter for EntryGuard {
    fn notify(self: Arc<Self>) {}
}

impl Drop for EntryGuard {
    fn drop(&mut self) {
        if let Some(values) = self.values.upgrade() {
            let entry = lock(&values.entries).remove(&self.key);
            drop(entry);
        }
    }
}
