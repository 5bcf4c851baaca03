//! Values of this rank's objects that were left where they were made: only who needs one brings it.
//!
//! Such an object's cell is pending here. The value hangs in the cell's list of waiters, so that it lives as long as the cell
//! is pending and no longer; a table leads to it from the cell's address.

use crate::base::Rank;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::lineage::Maker;
use crate::objects::{AnySlot, Attachment, Links, Waiter};
use crate::protocol::blocks::Pulled;
use crate::protocol::{Census, WirePlace};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex, Weak};

/// A block of another host's store that is held by name.
pub struct FarBlock {
    /// Where it lies.
    pub place: WirePlace,
    links: Arc<dyn Links>,
}

impl FarBlock {
    pub(super) fn new(place: WirePlace, links: Arc<dyn Links>) -> FarBlock {
        FarBlock { place, links }
    }
}

impl Drop for FarBlock {
    fn drop(&mut self) {
        self.links.released(self.place.block, std::ptr::from_ref(self).addr());
    }
}

/// What travels beside a value that was left.
pub(super) enum Piece {
    Here(Attachment),
    Far(Arc<FarBlock>),
}

/// What there is of a value that was left.
pub(super) struct Body {
    /// Who said where it is.
    pub(super) from: Rank,
    pub(super) bytes: Vec<u8>,
    /// The block of its bytes, where they are many.
    pub(super) spilled: Option<Arc<FarBlock>>,
    pub(super) pieces: Vec<Piece>,
}

impl Body {
    /// The blocks that it consists of.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Arc<FarBlock>> {
        let pieces = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Far(block) => Some(block),
            Piece::Here(_) => None,
        });
        self.spilled.iter().chain(pieces)
    }

    /// Whether all of it lies elsewhere.
    fn is_all_far(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Far(_)))
    }
}

/// Whether a value is still where it was left.
enum Hold {
    Held(Arc<Body>),
    /// Its holder had no room, and it can be made again.
    LetGo,
    /// That has begun, or it was lost.
    Over,
}

/// A value that was left where it lies.
pub struct FarValue {
    pub(super) slot: Weak<dyn AnySlot>,
    /// The same, where nobody else holds it while its value comes.
    #[allow(dead_code)]
    list: Option<Arc<dyn AnySlot>>,
    /// The address of its cell.
    key: usize,
    hold: Mutex<Hold>,
    /// How it can be made again.
    pub(super) maker: Option<Maker>,
    pub(super) bringing: Mutex<Bringing>,
    values: Weak<FarValues>,
    /// How many were left before it.
    serial: u64,
}

/// How far the bringing of a value is.
#[derive(Default)]
pub(super) struct Bringing {
    /// Its number, 0 before it begins.
    pub token: u64,
    pub missing: usize,
    pub pulled: Pulled,
}

impl Waiter for FarValue {
    /// The cell completed: this is dropped.
    fn ready(self: Arc<Self>) {}
}

impl FarValue {
    pub(super) fn new(values: &Arc<FarValues>, slot: &Arc<dyn AnySlot>, body: Body, maker: Option<Maker>) -> FarValue {
        let list = slot.is_list().then(|| slot.clone());
        let (slot, key) = (Arc::downgrade(slot), slot.address());
        let (values, serial) = (Arc::downgrade(values), values.next_serial.fetch_add(1, Ordering::Relaxed));
        let hold = Mutex::new(Hold::Held(Arc::new(body)));
        FarValue { slot, list, key, hold, maker, bringing: Mutex::default(), values, serial }
    }

    /// What there is of it; `None` where it was let go.
    pub(super) fn body(&self) -> Option<Arc<Body>> {
        match &*lock(&self.hold) {
            Hold::Held(body) => Some(body.clone()),
            Hold::LetGo | Hold::Over => None,
        }
    }

    /// The blocks that it consists of: their places.
    pub fn places(&self) -> Vec<WirePlace> {
        self.body().map_or_else(Vec::new, |body| body.blocks().map(|block| block.place).collect())
    }

    /// Whether some of it lies in the store of `rank`.
    pub(super) fn lies_at(&self, rank: Rank) -> bool {
        self.places().iter().any(|place| place.block.owner == rank)
    }

    /// Of a value that was let go, true once: it is to be made again.
    pub(super) fn begin_again(&self) -> bool {
        let mut hold = lock(&self.hold);
        let was_let_go = matches!(*hold, Hold::LetGo);
        if was_let_go {
            *hold = Hold::Over;
        }
        was_let_go
    }
}

/// What is known of a pending cell.
#[derive(Default)]
struct Entry {
    value: Option<Weak<FarValue>>,
    /// Whether somebody waits here for the value itself.
    wanted: bool,
    /// Ranks that asked for it.
    askers: Vec<Arc<dyn Asker>>,
}

/// A rank that asked for a value. It is told once.
pub(super) trait Asker: Send + Sync {
    /// Who it is.
    fn rank(&self) -> Rank;
    /// Takes the right to answer, with what it asked for; once.
    fn take(&self) -> Option<Arc<dyn AnySlot>>;
    /// The object's number.
    fn number(&self) -> u64;
}

/// The values that were left, and who wants them, by the addresses of their cells.
#[derive(Default)]
pub struct FarValues {
    entries: Mutex<HashMap<usize, Entry>>,
    /// By number: what is being brought.
    bringing: Mutex<HashMap<u64, Arc<FarValue>>>,
    next_token: AtomicU64,
    next_serial: AtomicU64,
}

impl FarValues {
    /// Keeps `value` in its cell. Returns whether somebody waits here for the value itself, and who asked for it from afar.
    pub(super) fn leave(&self, slot: &Arc<dyn AnySlot>, value: &Arc<FarValue>) -> (bool, Vec<Arc<dyn Asker>>) {
        let found = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(value.key).or_default();
            entry.value = Some(Arc::downgrade(value));
            (entry.wanted, std::mem::take(&mut entry.askers))
        };
        slot.core().when_complete(value.clone());
        found
    }

    /// The value of a cell, where it was left.
    pub fn find(&self, slot: &dyn AnySlot) -> Option<Arc<FarValue>> {
        let value =
            lock(&self.entries).get(&slot.address()).and_then(|entry| entry.value.as_ref().and_then(Weak::upgrade));
        // Another cell may have had the address before.
        value.filter(|value| value.slot.upgrade().is_some_and(|own| own.address() == slot.address()))
    }

    /// Somebody waits here for the value of `slot`: the value where it was left, or `None`, and a note for when it is.
    pub(super) fn want(self: &Arc<Self>, slot: &Arc<dyn AnySlot>) -> Option<Arc<FarValue>> {
        // Noted also where it was left by now: it may be lost, made again and left once more.
        let key = slot.address();
        let first = {
            let mut entries = lock(&self.entries);
            let entry = entries.entry(key).or_default();
            !std::mem::replace(&mut entry.wanted, true)
        };
        if first {
            slot.core().when_complete(Arc::new(Wanted { values: Arc::downgrade(self), key }));
        }
        self.find(&**slot)
    }

    /// A rank asked for the value of `slot`, which is pending: the value where it was left, or a note for when it is.
    pub(super) fn ask(&self, slot: &dyn AnySlot, asker: &Arc<dyn Asker>) -> Option<Arc<FarValue>> {
        lock(&self.entries).entry(slot.address()).or_default().askers.push(asker.clone());
        self.find(slot)
    }

    /// That asker was answered otherwise.
    pub(super) fn forget_asker(&self, key: usize, answered: impl Fn(&dyn Asker) -> bool) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(&key) {
            entry.askers.retain(|asker| !answered(&**asker));
        }
        tidy(&mut entries, key);
    }

    /// The value is lost: its cell is as if it had never been made.
    pub(super) fn take_out(&self, value: &FarValue) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(&value.key) {
            entry.value = None;
        }
        tidy(&mut entries, value.key);
    }

    /// Begins to bring a value: its number, or `None` where that has begun.
    pub(super) fn begin(&self, value: &Arc<FarValue>) -> Option<u64> {
        let mut bringing = lock(&value.bringing);
        if bringing.token != 0 {
            return None;
        }
        bringing.token = self.next_token.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.bringing).insert(bringing.token, value.clone());
        Some(bringing.token)
    }

    /// The value of that bringing.
    pub(super) fn brought(&self, token: u64) -> Option<Arc<FarValue>> {
        lock(&self.bringing).get(&token).cloned()
    }

    /// That bringing is over.
    pub(super) fn end(&self, token: u64) {
        let _dropped_outside_of_the_lock = lock(&self.bringing).remove(&token);
    }

    /// Gives a value up that nobody wants, that is not being brought and can be made again; what is to be dropped. Who comes to
    /// want it says so under the same lock.
    pub(super) fn let_go(&self, value: &FarValue) -> Option<Arc<Body>> {
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(&value.key).filter(|entry| !entry.wanted && entry.askers.is_empty())?;
        // Another value may have taken its place.
        entry.value.as_ref().filter(|known| std::ptr::eq(known.as_ptr(), value))?;
        let bringing = lock(&value.bringing);
        let mut hold = lock(&value.hold);
        let Hold::Held(body) = &*hold else { return None };
        let body = body.clone();
        let can_be_had_again = || value.maker.as_ref().is_some_and(|maker| maker.recipe.spare());
        if bringing.token != 0 || !body.is_all_far() || !can_be_had_again() {
            return None;
        }
        *hold = Hold::LetGo;
        Some(body)
    }

    /// The values of which some lies at `rank`, the oldest first.
    pub(super) fn at(&self, rank: Rank) -> Vec<Arc<FarValue>> {
        self.chosen(|_| true).into_iter().filter(|value| value.lies_at(rank)).collect()
    }

    /// What is held, by kind.
    pub(super) fn census(&self) -> Census {
        vec![
            ("cells with values that were left elsewhere", lock(&self.entries).len()),
            ("values on their way here", lock(&self.bringing).len()),
        ]
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub(super) fn clear(&self) -> impl Sized + use<> {
        (std::mem::take(&mut *lock(&self.entries)), std::mem::take(&mut *lock(&self.bringing)))
    }

    /// The values that lie at `rank` and that somebody wants.
    pub(super) fn wanted_at(&self, rank: Rank) -> Vec<Arc<FarValue>> {
        let wanted = self.chosen(|entry| entry.wanted || !entry.askers.is_empty());
        wanted.into_iter().filter(|value| value.lies_at(rank)).collect()
    }

    /// The values of some entries, the oldest first.
    fn chosen(&self, is_chosen: impl Fn(&Entry) -> bool) -> Vec<Arc<FarValue>> {
        // Looked at after the lock: the last holder of a value takes the lock to forget it.
        let mut chosen: Vec<_> = {
            let entries = lock(&self.entries);
            let chosen = entries.values().filter(|entry| is_chosen(entry));
            chosen.filter_map(|entry| entry.value.as_ref()?.upgrade()).collect()
        };
        // Addresses differ from run to run.
        chosen.sort_unstable_by_key(|value: &Arc<FarValue>| value.serial);
        chosen
    }
}

fn tidy(entries: &mut HashMap<usize, Entry>, key: usize) {
    if entries.get(&key).is_some_and(|entry| entry.value.is_none() && !entry.wanted && entry.askers.is_empty()) {
        entries.remove(&key);
    }
}

impl Drop for FarValue {
    fn drop(&mut self) {
        let Some(values) = self.values.upgrade() else { return };
        let mut entries = lock(&values.entries);
        if let Some(entry) = entries.get_mut(&self.key) {
            // Another cell may have the address by now, and a value.
            entry.value.take_if(|value| std::ptr::eq(value.as_ptr(), self));
        }
        tidy(&mut entries, self.key);
    }
}

/// The note that somebody waits for a cell: it hangs among the cell's waiters and goes with it.
struct Wanted {
    values: Weak<FarValues>,
    key: usize,
}

impl Waiter for Wanted {
    fn ready(self: Arc<Self>) {}
}

impl Drop for Wanted {
    fn drop(&mut self) {
        let Some(values) = self.values.upgrade() else { return };
        let mut entries = lock(&values.entries);
        if let Some(entry) = entries.get_mut(&self.key) {
            entry.wanted = false;
        }
        tidy(&mut entries, self.key);
    }
}
