//! What the ranks of a host share beside their inboxes: who lives, who waits for resources, and who holds what.
//!
//! ```text
//!   cells 0..4      given up: a bit a rank, by its place on the host; set once, never taken back
//!   cells 4..8      waits for resources: a bit a rank
//!   cells 16..272   beats: each rank counts its own up while its progress thread runs
//!   then, for each kind of resource, a cell a rank: what it holds, which it alone changes
//! ```
//!
//! A rank may be killed, or stopped and go on later, between any two instructions. So that nobody depends on how far it
//! came, each change is one atomic instruction on one cell, and a rank changes no cell of another's: it may set the bit
//! of one that is gone, and take back the bit of one that waits, which is then told.
//!
//! A rank is given up by setting its bit. From that instruction on nobody counts what it holds nor whether it waits, and
//! whatever it still writes when it goes on again is written into cells that nobody reads: it cannot give anything back a
//! second time. It reads its own bit, and ends.

use crate::base::limits::{GPUS_PER_HOST_MAX, RANKS_PER_HOST_MAX, RESOURCE_KINDS_MAX};
use crate::base::sync::{AtomicI64, Ordering};
use crate::memory::Segment;
use std::sync::Arc;

/// Cells of a bit a rank.
const WORDS: usize = RANKS_PER_HOST_MAX.div_ceil(64);

const GIVEN_UP: usize = 0;
const WAITS: usize = GIVEN_UP + WORDS;
const BEATS: usize = (WAITS + WORDS).next_multiple_of(16);
const HELD: usize = BEATS + RANKS_PER_HOST_MAX;

/// Kinds of which ranks hold something: CPUs, each GPU, custom ones.
pub const KINDS: usize = 1 + GPUS_PER_HOST_MAX + RESOURCE_KINDS_MAX;

/// Bytes that a board takes. Zeros there are a board on which nobody holds anything.
pub const BOARD_BYTES: usize = (HELD + KINDS * RANKS_PER_HOST_MAX) * size_of::<i64>();

/// Where the cells of a board lie: in a segment, or in a model's own memory.
pub trait Cells {
    /// All of them.
    fn cells(&self) -> &[AtomicI64];
}

impl Cells for Arc<Segment> {
    #[inline]
    fn cells(&self) -> &[AtomicI64] {
        Segment::cells(self)
    }
}

/// The board, as one rank of the host sees it.
pub struct Board<C: Cells = Arc<Segment>> {
    segment: C,
    /// This rank among those of its host.
    pub place: usize,
    pub ranks: usize,
}

impl<C: Cells> Board<C> {
    /// The board in `segment`; `place` is this rank's among the host's `ranks`.
    pub fn new(segment: C, place: usize, ranks: usize) -> Board<C> {
        Board { segment, place, ranks }
    }

    /// This rank's progress thread runs.
    pub fn beat(&self) {
        let own = self.cell(BEATS + self.place);
        // Relaxed, as the reader's load: the count says nothing about any other memory.
        own.store(own.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// How far the rank at `place` has counted.
    pub fn beats_of(&self, place: usize) -> i64 {
        self.cell(BEATS + place).load(Ordering::Relaxed)
    }

    /// The rank at `place` is gone, for good: what it holds is free. Any rank, any number of times.
    pub fn give_up(&self, place: usize) {
        self.cell(GIVEN_UP + place / 64).fetch_or(1 << (place % 64), Ordering::SeqCst);
    }

    /// Whether the rank at `place` was given up.
    pub fn is_given_up(&self, place: usize) -> bool {
        self.cell(GIVEN_UP + place / 64).load(Ordering::Acquire) & 1 << (place % 64) != 0
    }

    /// What living ranks hold of a kind, in sum.
    ///
    /// SeqCst: of two ranks that each add and then read the sum, one at least sees both (`table`).
    pub fn held(&self, kind: usize) -> i64 {
        let cells = &self.segment.cells()[HELD + kind * RANKS_PER_HOST_MAX..][..self.ranks];
        let words = cells.chunks(64).enumerate().map(|(word, cells)| {
            let gone = self.cell(GIVEN_UP + word).load(Ordering::SeqCst);
            let of = |(bit, cell): (usize, &AtomicI64)| {
                let held = cell.load(Ordering::SeqCst);
                if gone & 1 << bit == 0 { held } else { 0 }
            };
            cells.iter().enumerate().map(of).sum::<i64>()
        });
        words.sum()
    }

    /// This rank holds so much more of a kind, or less.
    pub fn hold(&self, kind: usize, more: i64) {
        self.cell(HELD + kind * RANKS_PER_HOST_MAX + self.place).fetch_add(more, Ordering::SeqCst);
        // What `held` relies on, said so that a checker knows it (`base::sync`).
        #[cfg(loom)]
        crate::base::sync::fence(Ordering::SeqCst);
    }

    /// This rank waits from now on.
    pub fn wait(&self) {
        let bit = 1 << (self.place % 64);
        if self.cell(WAITS + self.place / 64).load(Ordering::Relaxed) & bit == 0 {
            self.cell(WAITS + self.place / 64).fetch_or(bit, Ordering::SeqCst);
        }
    }

    /// Whether any living rank waits.
    #[inline]
    pub fn somebody_waits(&self) -> bool {
        (0..self.ranks.div_ceil(64)).any(|word| self.waiting(word) != 0)
    }

    /// `tell` for each living rank that waited, which then does not any more.
    pub fn take_waiters(&self, mut tell: impl FnMut(usize)) {
        for word in 0..self.ranks.div_ceil(64) {
            let mut seen = self.waiting(word);
            while seen != 0 {
                let bit = seen & seen.wrapping_neg();
                seen &= !bit;
                if self.cell(WAITS + word).fetch_and(!bit, Ordering::SeqCst) & bit != 0 {
                    tell(word * 64 + bit.trailing_zeros() as usize);
                }
            }
        }
    }

    #[inline]
    fn waiting(&self, word: usize) -> i64 {
        // Nearly always nobody waits: this is asked before each task.
        match self.cell(WAITS + word).load(Ordering::Acquire) {
            0 => 0,
            waiting => waiting & !self.cell(GIVEN_UP + word).load(Ordering::Acquire),
        }
    }

    #[inline]
    fn cell(&self, index: usize) -> &AtomicI64 {
        &self.segment.cells()[index]
    }
}

#[cfg(test)]
impl Board {
    /// A board of its own, and a look at it from another place.
    pub fn of_one_process(ranks: usize) -> Board {
        let segment = Segment::create("board", BOARD_BYTES, crate::base::config::Pages::Plain).expect("memory");
        Board::new(Arc::new(segment), 0, ranks)
    }

    /// The same board, as another rank sees it.
    pub fn seen_from(&self, place: usize) -> Board {
        Board::new(self.segment.clone(), place, self.ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_given_up_holds_nothing_whatever_it_does_later() {
        let living = Board::of_one_process(200);
        let dead = living.seen_from(130);
        living.hold(0, 3);
        dead.hold(0, 4);
        dead.wait();
        assert!(living.held(0) == 7 && living.somebody_waits() && !dead.is_given_up(130));
        living.give_up(130);
        assert!(living.held(0) == 3 && !living.somebody_waits() && dead.is_given_up(130));
        dead.hold(0, -4);
        dead.hold(5, 9);
        dead.wait();
        assert_eq!((living.held(0), living.held(5)), (3, 0));
        living.take_waiters(|place| panic!("{place} is gone and was told"));
    }

    #[test]
    fn who_waits_is_told_once() {
        let board = Board::of_one_process(200);
        let waiting = [0, 63, 64, 199];
        waiting.iter().for_each(|place| board.seen_from(*place).wait());
        board.seen_from(64).wait();
        let mut told = Vec::new();
        board.take_waiters(|place| told.push(place));
        board.take_waiters(|place| told.push(place));
        assert_eq!(told, waiting);
        assert!(!board.somebody_waits());
    }

    #[test]
    fn beats_are_counted_each_for_itself() {
        let board = Board::of_one_process(3);
        let other = board.seen_from(2);
        other.beat();
        other.beat();
        assert_eq!([0, 1, 2].map(|place| board.beats_of(place)), [0, 0, 2]);
    }
}
