//! Waiting for room in this rank's store.
//!
//! An allocation that finds no room lets blocks leave that nobody reads. Where that is not enough it waits, for a bounded
//! time, as `get` does. It is woken when a block is given back, which is never missed (`Arena::await_room`), and when a block
//! may have become one that can leave. The latter is a hint: a reader's own copy of an array's handle may go unseen, so who
//! waits looks again now and then.

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, Rank, Result};
use crate::memory::{Arena, Block};
use crate::objects::{Waiter, in_context};
use crate::protocol::Message;
use crate::runtime::Runtime;
use crate::runtime::context;
use crate::runtime::event::Event;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// How often who waits looks whether what nobody reads any more can leave.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// How long what must be written is kept back while others may let go of what need not be: a question and its answer take much
/// less where the other is well.
const PATIENCE: Duration = Duration::from_millis(40);

/// Who waits for room.
#[derive(Default)]
pub struct Room {
    /// Whether anybody may be in the list.
    wanted: AtomicBool,
    waiters: Mutex<Vec<Weak<Event>>>,
    /// Who waits and what for, in words, by number.
    words: Mutex<Words>,
    /// Blocks of another rank's store are being written to disk.
    shedding: AtomicBool,
}

#[derive(Default)]
struct Words {
    next: u64,
    waits: BTreeMap<u64, String>,
}

/// Somebody waits, until this is dropped.
pub(super) struct WaitInWords<'a> {
    room: &'a Room,
    number: u64,
}

impl Drop for WaitInWords<'_> {
    fn drop(&mut self) {
        lock(&self.room.words).waits.remove(&self.number);
    }
}

impl Room {
    fn add(&self, event: &Arc<Event>) {
        let mut waiters = lock(&self.waiters);
        waiters.retain(|waiter| waiter.strong_count() > 0);
        waiters.push(Arc::downgrade(event));
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Somebody waits, in these words.
    pub(super) fn wait_in_words(&self, text: String) -> WaitInWords<'_> {
        let mut words = lock(&self.words);
        words.next += 1;
        let number = words.next;
        words.waits.insert(number, text);
        WaitInWords { room: self, number }
    }

    /// Who waits and what for.
    pub(super) fn waits(&self) -> Vec<String> {
        lock(&self.words).waits.values().cloned().collect()
    }

    /// A block was given back: everybody tries again.
    pub fn has_grown(&self) {
        let waiters = {
            let mut waiters = lock(&self.waiters);
            self.wanted.store(false, Ordering::Relaxed);
            std::mem::take(&mut *waiters)
        };
        waiters.iter().filter_map(Weak::upgrade).for_each(Waiter::ready);
    }

    /// A block may have become one that can leave.
    #[inline]
    pub fn may_have_grown(&self) {
        if self.wanted.load(Ordering::Relaxed) {
            self.has_grown();
        }
    }
}

thread_local! {
    static ACTING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`, which acts on what peers sent: nothing below it may wait.
pub(super) fn acting<R>(body: impl FnOnce() -> R) -> R {
    let before = ACTING.replace(true);
    let result = body();
    ACTING.set(before);
    result
}

/// Whether the calling code may wait: it does not act on a message, and does not encode or decode.
pub(super) fn may_wait() -> bool {
    !ACTING.get() && !in_context()
}

impl Runtime {
    /// The store tells from now on when it has room, and the first rank of each host removes what killed processes left.
    pub(super) fn prepare_store(&'static self) {
        if let Some(arena) = self.arena() {
            arena.on_room(|| self.room.has_grown());
        }
        if self.host_ranks().first() == Some(&self.rank) {
            self.spill.begin_sweep();
        }
    }

    /// A block of the store. Where there is no room, blocks that nobody reads leave it; then, where the caller can, it waits.
    ///
    /// # Errors
    /// `StoreFull` where there is no room in time; what ends a wait.
    pub(super) fn allocate(&'static self, bytes: usize) -> Result<Block> {
        // Mostly there is room: then the store need not be counted once more for the time of the look.
        if let Some(block) = self.arena_now().as_ref().and_then(|arena| arena.allocate(bytes)) {
            return Ok(block);
        }
        let arena = self.arena().ok_or_else(|| Error::no_cluster("an allocation"))?;
        self.find_room(&arena, bytes, may_wait())
    }

    #[cold]
    fn find_room(&'static self, arena: &Arc<Arena>, bytes: usize, wait: bool) -> Result<Block> {
        let Some(footprint) = arena.footprint(bytes) else { return Err(self.store_full(bytes as u64)) };
        if let Some(block) = self.evict_for(arena, bytes, footprint) {
            return Ok(block);
        }
        let begun = Instant::now();
        let mut found = self.squeeze(arena, bytes, footprint, wait.then_some(begun));
        if found.is_none() {
            self.pressure.rise();
        }
        let deadline = begun + self.config.store_wait;
        let words = || format!("{} waits for room for {bytes} bytes in the store", who());
        let _in_words = (found.is_none() && wait).then(|| self.room.wait_in_words(words()));
        while found.is_none() && wait && Instant::now() < deadline {
            self.ask_borrowers(footprint);
            self.wait_for_room(deadline, |event| {
                found = self.squeeze(arena, bytes, footprint, Some(begun));
                if found.is_some() {
                    event.clone().ready();
                }
            })?;
        }
        found.or_else(|| arena.allocate(bytes)).ok_or_else(|| self.store_full(bytes as u64))
    }

    /// As `find_room`, once, for what has waited `since`.
    pub(super) fn look_for_room(&'static self, bytes: usize, since: Instant) -> Option<Block> {
        let arena = self.arena()?;
        let footprint = arena.footprint(bytes)?;
        self.evict_for(&arena, bytes, footprint).or_else(|| self.squeeze(&arena, bytes, footprint, Some(since)))
    }

    /// A block in place of copies of other hosts' blocks that nobody uses just now: they can be brought again.
    fn evict_for(&'static self, arena: &Arc<Arena>, bytes: usize, footprint: u64) -> Option<Block> {
        self.protocol.evict_copies(&self, footprint);
        arena.allocate(bytes)
    }

    /// Asks the host's other ranks that hold blocks of this store to let go of those that nobody reads there.
    pub(super) fn ask_borrowers(&'static self, bytes: u64) {
        let mut borrowers: Vec<Rank> =
            self.protocol.references.exported_memory().into_iter().flat_map(|(_, ranks)| ranks).collect();
        borrowers.sort_unstable();
        borrowers.dedup();
        // Those of other hosts hold copies, and this store's blocks only until those are made.
        for rank in borrowers.into_iter().filter(|rank| self.host_ranks().contains(rank) && *rank != self.rank) {
            self.send(rank, &Message::Shed { bytes });
        }
    }

    /// A rank of this host has no room, and this one may hold blocks of its store: those that nobody reads leave it, to disk.
    pub(super) fn on_shed(&'static self, from: Rank, bytes: u64) {
        if self.room.shedding.swap(true, Ordering::AcqRel) {
            // It asks again while it waits.
            return;
        }
        // Writing takes long: who looks at the roads goes on looking.
        let writer = std::thread::Builder::new().name(format!("mobula-{}-shed", self.rank)).spawn(move || {
            self.shed(from, bytes);
            self.room.shedding.store(false, Ordering::Release);
        });
        if writer.is_err() {
            self.room.shedding.store(false, Ordering::Release);
        }
    }

    /// Waits until room may have been made, or for a moment. `look` is called once it cannot be missed any more, and ends the
    /// wait where it finds what is waited for.
    ///
    /// # Errors
    /// What ends a wait.
    pub(super) fn wait_for_room(&'static self, deadline: Instant, look: impl FnOnce(&Arc<Event>)) -> Result<()> {
        self.block(1, Some(deadline.min(Instant::now() + LOOK)), |event| {
            self.tell_of_room(event);
            look(event);
        })
    }

    /// From now on it is told of room that was made, or may have been.
    pub(super) fn tell_of_room(&'static self, event: &Arc<Event>) {
        self.room.add(event);
        if let Some(arena) = self.arena() {
            arena.await_room();
        }
    }

    /// A block, with as much leaving the store as can and must. What others were asked for comes without being written: who has
    /// waited only since `begun` waits for their answer first.
    fn squeeze(
        &'static self,
        arena: &Arc<Arena>,
        bytes: usize,
        footprint: u64,
        begun: Option<Instant>,
    ) -> Option<Block> {
        loop {
            if let Some(block) = arena.allocate(bytes) {
                return Some(block);
            }
            let is_patient = self.config.store_wait > PATIENCE && begun.is_some_and(|begun| begun.elapsed() < PATIENCE);
            if is_patient && self.protocol.references.awaits_return() {
                return None;
            }
            let shed = self.shed(self.rank, footprint);
            if shed.freed == 0 && shed.asked == 0 {
                return None;
            }
        }
    }
}

/// The calling task or driver in words.
pub(super) fn who() -> String {
    context::function().map_or_else(|| "a driver".to_string(), |task| format!("`{task}`"))
}
