//! The table that the ranks of a host share beside their inboxes: which ranks are dead, which wait for resources, and
//! how much of each resource every rank holds.
//!
//! ```text
//!   cells 0..4      dead: a bit a rank, by its index on the host; set once, never cleared
//!   cells 4..8      waits for resources: a bit a rank
//!   cells 16..272   heartbeats: each rank counts its own up while its progress thread runs
//!   then, for each kind of resource, a cell a rank: the amount that it holds, which it alone changes
//!   then, for each rank, what it runs for others (`membership::begun`)
//! ```
//!
//! A rank may be killed, or stopped and continued, between any two instructions. So that no other rank depends on how
//! far it came, each change is one atomic instruction on one cell, and a rank changes no cell of another's, with two
//! exceptions: it may set the dead bit of a dead rank, and clear the bit of a waiting rank, which it then notifies.
//!
//! A rank is declared dead by setting its bit. From that instruction on no rank counts what it holds nor whether it
//! waits. If it is continued, what it still writes goes into cells that no rank reads: it cannot return anything a
//! second time. It reads its own bit, and ends.

use crate::base::limits::{GPUS_PER_HOST_MAX, RANKS_PER_HOST_MAX, RESOURCE_KINDS_MAX};
use crate::base::sync::{AtomicI64, Ordering};
use crate::memory::Segment;
use crate::runtime::membership::WORK_CELLS;
use std::sync::Arc;

/// Cells of a bit a rank.
const BIT_CELLS: usize = RANKS_PER_HOST_MAX.div_ceil(64);

const DEAD: usize = 0;
const WAITING: usize = DEAD + BIT_CELLS;
const HEARTBEATS: usize = (WAITING + BIT_CELLS).next_multiple_of(16);
const AMOUNTS: usize = HEARTBEATS + RANKS_PER_HOST_MAX;

/// Kinds of resources that ranks hold: CPUs, each GPU, custom ones.
pub const KINDS: usize = 1 + GPUS_PER_HOST_MAX + RESOURCE_KINDS_MAX;

/// The first of the cells that say what ranks run.
pub const WORK: usize = AMOUNTS + KINDS * RANKS_PER_HOST_MAX;

/// Bytes of a table. All zeros are a table in which no rank holds anything.
pub const SHARED_TABLE_BYTES: usize = (WORK + RANKS_PER_HOST_MAX * WORK_CELLS) * size_of::<i64>();

/// The memory of a table's cells: a segment, or a loom model's own memory.
pub trait SharedCells {
    /// All of them.
    fn cells(&self) -> &[AtomicI64];
}

impl SharedCells for Arc<Segment> {
    #[inline]
    fn cells(&self) -> &[AtomicI64] {
        Segment::cells(self)
    }
}

/// The shared table, as one rank of the host sees it.
pub struct SharedTable<C: SharedCells = Arc<Segment>> {
    segment: C,
    /// The index of this rank among those of its host.
    pub index: usize,
    pub ranks: usize,
}

impl<C: SharedCells> SharedTable<C> {
    /// The table in `segment`; `index` is this rank's among the host's `ranks`.
    pub fn new(segment: C, index: usize, ranks: usize) -> SharedTable<C> {
        SharedTable { segment, index, ranks }
    }

    /// Counts one heartbeat of this rank: its progress thread runs.
    pub fn count_heartbeat(&self) {
        let own = self.cell(HEARTBEATS + self.index);
        // Relaxed, as the reader's load: the count publishes no other memory.
        own.store(own.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// The heartbeats that the rank at `index` has counted.
    pub fn heartbeats_of(&self, index: usize) -> i64 {
        self.cell(HEARTBEATS + index).load(Ordering::Relaxed)
    }

    /// Declares the rank at `index` dead, for good: what it holds is free. Any rank may call it, any number of times.
    pub fn mark_dead(&self, index: usize) {
        self.cell(DEAD + index / 64).fetch_or(1 << (index % 64), Ordering::SeqCst);
    }

    /// Returns true if the rank at `index` was declared dead.
    pub fn is_marked_dead(&self, index: usize) -> bool {
        self.cell(DEAD + index / 64).load(Ordering::Acquire) & 1 << (index % 64) != 0
    }

    /// The sum of what the living ranks hold of a kind.
    ///
    /// SeqCst: of two ranks that each add and then read the sum, one at least sees both (`table`).
    pub fn total_held(&self, kind: usize) -> i64 {
        let cells = self.segment.cells();
        let held = &cells[AMOUNTS + kind * RANKS_PER_HOST_MAX..][..self.ranks];
        let mut total = 0;
        for (word, held) in held.chunks(64).enumerate() {
            let dead_bits = cells[DEAD + word].load(Ordering::SeqCst);
            for (bit, cell) in held.iter().enumerate() {
                let held = cell.load(Ordering::SeqCst);
                if dead_bits & 1 << bit == 0 {
                    total += held;
                }
            }
        }
        total
    }

    /// Adds `more`, which may be negative, to what this rank holds of a kind.
    pub fn add_held(&self, kind: usize, more: i64) {
        self.cell(AMOUNTS + kind * RANKS_PER_HOST_MAX + self.index).fetch_add(more, Ordering::SeqCst);
        // `total_held` relies on it; loom needs the fence to know it (`base::sync`).
        #[cfg(loom)]
        crate::base::sync::fence(Ordering::SeqCst);
    }

    /// The cells in which the rank at `index` says what it runs for others.
    pub fn work_cells(&self, index: usize) -> &[AtomicI64] {
        &self.segment.cells()[WORK + index * WORK_CELLS..][..WORK_CELLS]
    }

    /// Marks this rank as waiting.
    pub fn set_waiting(&self) {
        let bit = 1 << (self.index % 64);
        if self.cell(WAITING + self.index / 64).load(Ordering::Relaxed) & bit == 0 {
            self.cell(WAITING + self.index / 64).fetch_or(bit, Ordering::SeqCst);
        }
    }

    /// Returns true if any living rank waits.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        // Read before each task; nearly always no rank waits.
        let cells = self.segment.cells();
        cells[WAITING..][..self.ranks.div_ceil(64)].iter().any(|cell| cell.load(Ordering::Acquire) != 0)
            && (0..self.ranks.div_ceil(64)).any(|word| self.waiting_in(word) != 0)
    }

    /// Clears the waiting bit of each living rank and calls `notify` for it.
    pub fn take_waiters(&self, mut notify: impl FnMut(usize)) {
        for word in 0..self.ranks.div_ceil(64) {
            let mut seen = self.waiting_in(word);
            while seen != 0 {
                let bit = seen & seen.wrapping_neg();
                seen &= !bit;
                if self.cell(WAITING + word).fetch_and(!bit, Ordering::SeqCst) & bit != 0 {
                    notify(word * 64 + bit.trailing_zeros() as usize);
                }
            }
        }
    }

    #[inline]
    fn waiting_in(&self, word: usize) -> i64 {
        match self.cell(WAITING + word).load(Ordering::Acquire) {
            0 => 0,
            waiting => waiting & !self.cell(DEAD + word).load(Ordering::Acquire),
        }
    }

    #[inline]
    fn cell(&self, index: usize) -> &AtomicI64 {
        &self.segment.cells()[index]
    }
}

#[cfg(test)]
impl SharedTable {
    /// A table in this process's memory.
    pub fn for_test(ranks: usize) -> SharedTable {
        let segment =
            Segment::create("shared-table", SHARED_TABLE_BYTES, crate::base::config::Pages::Plain).expect("memory");
        SharedTable::new(Arc::new(segment), 0, ranks)
    }

    /// The same table, as another rank sees it.
    pub fn as_rank(&self, index: usize) -> SharedTable {
        SharedTable::new(self.segment.clone(), index, self.ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_marked_dead_holds_nothing_and_does_not_wait_whatever_it_writes() {
        let living = SharedTable::for_test(200);
        let dead = living.as_rank(130);
        living.add_held(0, 3);
        dead.add_held(0, 4);
        dead.set_waiting();
        assert!(living.total_held(0) == 7 && living.has_waiters() && !dead.is_marked_dead(130));
        living.mark_dead(130);
        assert!(living.total_held(0) == 3 && !living.has_waiters() && dead.is_marked_dead(130));
        dead.add_held(0, -4);
        dead.add_held(5, 9);
        dead.set_waiting();
        assert_eq!((living.total_held(0), living.total_held(5)), (3, 0));
        living.take_waiters(|index| panic!("{index} is dead and was notified"));
    }

    #[test]
    fn take_waiters_notifies_each_waiting_rank_once() {
        let table = SharedTable::for_test(200);
        let waiting = [0, 63, 64, 199];
        waiting.iter().for_each(|index| table.as_rank(*index).set_waiting());
        table.as_rank(64).set_waiting();
        let mut notified = Vec::new();
        table.take_waiters(|index| notified.push(index));
        table.take_waiters(|index| notified.push(index));
        assert_eq!(notified, waiting);
        assert!(!table.has_waiters());
    }

    #[test]
    fn heartbeats_are_counted_per_rank() {
        let table = SharedTable::for_test(3);
        let other = table.as_rank(2);
        other.count_heartbeat();
        other.count_heartbeat();
        assert_eq!([0, 1, 2].map(|index| table.heartbeats_of(index)), [0, 0, 2]);
    }
}
