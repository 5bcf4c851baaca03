//! Pending promises of objects whose values are fetched: which value each has, and who needs it.
//!
//! The promise of an unfetched value is pending here. Its list of waiters holds the value, so that the value lives
//! exactly as long as the promise is pending; a table maps the promise's address to the value and to those that need it.

use crate::base::Rank;
use crate::base::sync::{AtomicU64, Ordering};
use crate::objects::{AnySlot, Waiter};
use crate::protocol::TableSizes;
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::unfetched::{UnfetchedValue, ValueBody};
use rustc_hash::FxHashMap as HashMap;
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

/// What is recorded about a pending promise.
#[derive(Default)]
struct PendingEntry {
    value: Option<Weak<UnfetchedValue>>,
    /// True if a local waiter needs the value.
    requested: bool,
    /// The requests of other ranks.
    requests: Vec<Arc<FetchRequest>>,
}

impl PendingEntry {
    fn is_needed(&self) -> bool {
        self.requested || !self.requests.is_empty()
    }
}

/// The unfetched values and the requests for them, by the addresses of their promises.
#[derive(Default)]
pub struct PendingValues {
    entries: Mutex<HashMap<usize, PendingEntry>>,
    next_serial: AtomicU64,
}

impl PendingValues {
    /// A number that no value of this rank has yet.
    pub(super) fn fresh_serial(&self) -> u64 {
        self.next_serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Records `value` for its promise. Returns whether a local waiter needs it, and the requests of other ranks.
    pub(in crate::protocol) fn insert(
        &self,
        slot: &Arc<dyn AnySlot>,
        value: &Arc<UnfetchedValue>,
    ) -> (bool, Vec<Arc<FetchRequest>>) {
        let found = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(value.key).or_default();
            entry.value = Some(Arc::downgrade(value));
            (entry.requested, std::mem::take(&mut entry.requests))
        };
        slot.core().when_complete(value.clone());
        found
    }

    /// The unfetched value of an object, if there is one.
    pub fn find(&self, slot: &dyn AnySlot) -> Option<Arc<UnfetchedValue>> {
        let value = lock(&self.entries).get(&slot.address())?.value.as_ref()?.upgrade();
        // The address may have belonged to another promise before.
        value.filter(|value| value.slot.upgrade().is_some_and(|own| own.address() == slot.address()))
    }

    /// Records that a local waiter needs the value of `slot`. Returns the value if it is unfetched already.
    pub(in crate::protocol) fn request_local(self: &Arc<Self>, slot: &Arc<dyn AnySlot>) -> Option<Arc<UnfetchedValue>> {
        // Recorded also where the value is already unfetched: it may be lost, reconstructed and left unfetched once
        // more.
        let key = slot.address();
        let first = !std::mem::replace(&mut lock(&self.entries).entry(key).or_default().requested, true);
        if first {
            slot.core().when_complete(Arc::new(LocalRequest { values: Arc::downgrade(self), key }));
        }
        self.find(&**slot)
    }

    /// Records a rank's request for the value of `slot`, which is pending. Returns the value if it is unfetched
    /// already.
    pub(in crate::protocol) fn add_request(
        &self,
        slot: &dyn AnySlot,
        request: &Arc<FetchRequest>,
    ) -> Option<Arc<UnfetchedValue>> {
        lock(&self.entries).entry(slot.address()).or_default().requests.push(request.clone());
        self.find(slot)
    }

    /// A request gets its reply: returns the requested object, once.
    pub(in crate::protocol) fn take_request(&self, request: &Arc<FetchRequest>) -> Option<Arc<dyn AnySlot>> {
        let slot = request.take()?;
        self.change(slot.address(), |entry| entry.requests.retain(|other| !Arc::ptr_eq(other, request)));
        Some(slot)
    }

    /// Forgets a lost value: its promise is as it was before the value arrived.
    pub(in crate::protocol) fn remove_value(&self, value: &UnfetchedValue) {
        // The address may belong to another promise by now, or the promise have a newer value.
        self.change(value.key, |entry| drop(entry.value.take_if(|known| std::ptr::eq(known.as_ptr(), value))));
    }

    /// Changes the entry of a promise, if there is one, and removes it if nothing is left in it.
    fn change(&self, key: usize, change: impl FnOnce(&mut PendingEntry)) {
        let mut entries = lock(&self.entries);
        let Some(entry) = entries.get_mut(&key) else { return };
        change(entry);
        if entry.value.is_none() && !entry.is_needed() {
            entries.remove(&key);
        }
    }

    /// Releases a value that is not needed; returns what the caller is to drop. A request for the value is recorded
    /// under the same lock.
    pub(in crate::protocol) fn release(&self, value: &UnfetchedValue) -> Option<Arc<ValueBody>> {
        let entries = lock(&self.entries);
        let entry = entries.get(&value.key).filter(|entry| !entry.is_needed())?;
        // The entry may hold a newer value by now.
        entry.value.as_ref().filter(|known| std::ptr::eq(known.as_ptr(), value))?;
        value.on_reclaim()
    }

    /// The values of which a part is in the store of `rank`, the oldest first: those that are needed now, or all.
    pub(in crate::protocol) fn stored_at(&self, rank: Rank, only_needed: bool) -> Vec<Arc<UnfetchedValue>> {
        // Examined after the lock is released: dropping the last reference to a value takes the lock.
        let mut values: Vec<_> = {
            let entries = lock(&self.entries);
            let selected = entries.values().filter(|entry| entry.is_needed() || !only_needed);
            selected.filter_map(|entry| entry.value.as_ref()?.upgrade()).collect()
        };
        // Sorted, because addresses differ between runs.
        values.sort_unstable_by_key(|value: &Arc<UnfetchedValue>| value.serial);
        values.retain(|value| value.is_stored_at(rank));
        values
    }

    /// The sizes of the tables.
    pub(in crate::protocol) fn table_sizes(&self) -> TableSizes {
        vec![("promises with unfetched values", lock(&self.entries).len())]
    }

    /// Checks, between two events, that the table has values of pending promises, each in a state that may last.
    pub(in crate::protocol) fn check(&self) -> std::result::Result<(), String> {
        let values: Vec<_> = {
            let entries = lock(&self.entries);
            if entries.values().any(|entry| entry.value.is_none() && !entry.is_needed()) {
                return Err("an entry of a promise that nothing needs is left".to_string());
            }
            entries.values().filter_map(|entry| entry.value.as_ref()?.upgrade()).collect()
        };
        values.iter().try_for_each(|value| value.check())
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub(in crate::protocol) fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.entries))
    }
}

/// Records that a local waiter needs a promise's value. It is in the promise's list of waiters and is dropped with it.
struct LocalRequest {
    values: Weak<PendingValues>,
    key: usize,
}

impl Waiter for LocalRequest {
    fn notify(self: Arc<Self>) {}
}

impl Drop for LocalRequest {
    fn drop(&mut self) {
        if let Some(values) = self.values.upgrade() {
            values.change(self.key, |entry| entry.requested = false);
        }
    }
}
