//! Which ranks are through: rank 0 counts, and ends the cluster when all that live are.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::Message;
use crate::runtime::Runtime;
use std::sync::Mutex;

/// How far each rank has come: kept by rank 0.
pub struct Parting {
    ranks: Mutex<Ranks>,
}

struct Ranks {
    /// How many `Leave`s came, by rank; `GONE` for those that died.
    leaves: Vec<u8>,
    told: bool,
}

const GONE: u8 = u8::MAX;

impl Parting {
    /// Of a cluster of so many ranks; nobody has left.
    pub fn new(size: u32) -> Parting {
        Parting { ranks: Mutex::new(Ranks { leaves: vec![0; size as usize], told: false }) }
    }

    /// A rank is gone: nobody waits for it.
    pub(super) fn gone(&self, rank: Rank) {
        lock(&self.ranks).leaves[rank as usize] = GONE;
    }

    fn left(&self, rank: Rank) {
        let leaves = &mut lock(&self.ranks).leaves[rank as usize];
        *leaves = leaves.saturating_add(1);
    }

    /// Whether a rank has said `Leave` so often, or is gone.
    pub(super) fn has_left(&self, rank: Rank, times: u8) -> bool {
        lock(&self.ranks).leaves[rank as usize] >= times
    }

    /// Whether a rank has said all that it had to say.
    pub(super) fn has_parted(&self, rank: Rank) -> bool {
        self.has_left(rank, 2)
    }

    /// Whether every rank that lives has said `Leave` so often.
    pub(super) fn all_left(&self, times: u8) -> bool {
        lock(&self.ranks).leaves.iter().all(|leaves| *leaves >= times)
    }

    /// Whether it is time to tell everybody, which is true once.
    fn begins(&self) -> bool {
        let mut ranks = lock(&self.ranks);
        !ranks.told && ranks.leaves.iter().all(|leaves| *leaves >= 1) && {
            ranks.told = true;
            true
        }
    }
}

impl Runtime {
    /// A driver is through, or, the second time, a rank has said all that it had to say.
    pub(super) fn on_leave(&'static self, from: Rank) {
        self.parting.left(from);
        self.stop_when_all_left();
    }

    /// Ends the cluster where every driver is through.
    pub(super) fn stop_when_all_left(&'static self) {
        if self.rank == 0 && self.parting.begins() {
            (0..self.size).rev().for_each(|rank| self.send(rank, &Message::Stop));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_not_waited_for() {
        let parting = Parting::new(3);
        parting.left(0);
        parting.left(2);
        assert!(!parting.begins());
        parting.gone(1);
        assert!(parting.begins() && !parting.begins());
        assert!(!parting.all_left(2));
        parting.left(0);
        parting.left(2);
        assert!(parting.all_left(2));
    }
}
