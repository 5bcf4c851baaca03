//! The dead ranks, a bit each; empty while all live.

use crate::base::Rank;

/// A set of ranks.
#[derive(Debug, Default)]
pub struct DeadRanks(Vec<u64>);

impl DeadRanks {
    /// True if `rank` is among them.
    pub fn contains(&self, rank: Rank) -> bool {
        self.0.get(rank as usize / 64).is_some_and(|word| word >> (rank % 64) & 1 == 1)
    }

    /// Adds `rank` of a cluster of `size`; false if it was among them, or is out of range.
    pub fn insert(&mut self, rank: Rank, size: u32) -> bool {
        if rank >= size || self.contains(rank) {
            return false;
        }
        self.0.resize((size as usize).div_ceil(64), 0);
        self.0[rank as usize / 64] |= 1 << (rank % 64);
        true
    }

    /// The first living rank from `first` on, wrapping around.
    pub fn next_living(&self, first: Rank, size: u32) -> Option<Rank> {
        (0..size).map(|step| (first + step) % size).find(|rank| !self.contains(*rank))
    }
}
