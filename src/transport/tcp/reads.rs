//! Bulk reads that this rank started towards one peer, by slot.

use super::frame::Fault;
use crate::memory::Block;

/// Reads under way between a reader and one peer; a slot is a number below this.
pub const READS_MAX: usize = 64;

/// A read under way. It owns the block until it is over (F3).
#[derive(Debug)]
pub struct Reading {
    /// As given by who started it.
    pub token: u64,
    /// What is filled.
    pub block: Block,
    /// How much of it is there.
    pub received: usize,
}

impl Reading {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.received == self.block.len()
    }

    /// The next `length` bytes to be filled; they are inside, which [`Reads::take`] saw to.
    pub fn next_bytes(&mut self, length: usize) -> &mut [u8] {
        &mut self.block.as_mut_slice()[self.received..self.received + length]
    }
}

enum Slot {
    Free,
    Waiting(Reading),
    /// With who receives its data just now.
    Taken,
}

/// The reads under way towards one peer.
#[derive(Default)]
pub struct Reads {
    slots: Vec<Slot>,
}

impl Reads {
    /// Keeps a read until its data comes; returns its slot.
    ///
    /// # Errors
    /// Hands the block back where there are [`READS_MAX`] already.
    pub fn start(&mut self, token: u64, block: Block) -> Result<u32, Block> {
        let free = self.slots.iter().position(|slot| matches!(slot, Slot::Free));
        let slot = free.unwrap_or(self.slots.len());
        if slot == READS_MAX {
            return Err(block);
        }
        let reading = Slot::Waiting(Reading { token, block, received: 0 });
        match free {
            Some(slot) => self.slots[slot] = reading,
            None => self.slots.push(reading),
        }
        Ok(slot as u32)
    }

    /// The read of a slot, for which the peer announces `length` more bytes.
    ///
    /// # Errors
    /// Where it did not ask for so much, or there is no such read.
    pub fn take(&mut self, slot: u32, length: usize) -> Result<Reading, Fault> {
        let fault = Fault::Slot(slot);
        let place = self.slots.get_mut(slot as usize).ok_or(fault.clone())?;
        match std::mem::replace(place, Slot::Taken) {
            Slot::Waiting(reading) if reading.block.len() - reading.received >= length => Ok(reading),
            other => {
                *place = other;
                Err(fault)
            }
        }
    }

    /// More data is to come for a read that was taken.
    pub fn put_back(&mut self, slot: u32, reading: Reading) {
        self.slots[slot as usize] = Slot::Waiting(reading);
    }

    /// A read that was taken is over: its slot is free.
    pub fn end(&mut self, slot: u32) {
        self.slots[slot as usize] = Slot::Free;
    }

    /// Whether any is under way.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Free))
    }

    /// Gives every one up.
    pub fn give_up(self) -> impl Iterator<Item = Reading> {
        self.slots.into_iter().filter_map(|slot| match slot {
            Slot::Waiting(reading) => Some(reading),
            Slot::Free | Slot::Taken => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::memory::Arena;

    #[test]
    fn data_that_nobody_asked_for_is_a_fault() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let mut reads = Reads::default();
        assert_eq!(reads.take(0, 1).expect_err("no read"), Fault::Slot(0));
        let slot = reads.start(5, arena.allocate(100).expect("room")).expect("few reads");
        assert_eq!(reads.take(slot, 101).expect_err("too much"), Fault::Slot(slot));
        let mut reading = reads.take(slot, 60).expect("asked for");
        assert_eq!(reading.next_bytes(60).len(), 60);
        reading.received = 60;
        assert!(reads.take(slot, 1).is_err(), "it is with who fills it");
        reads.put_back(slot, reading);
        assert!(reads.take(slot, 41).is_err());
        let reading = reads.take(slot, 40).expect("asked for");
        assert_eq!(reading.token, 5);
        reads.end(slot);
        assert!(reads.is_empty());
        assert!(reads.take(slot, 0).is_err());
    }

    #[test]
    fn slots_are_bounded_and_used_again() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let mut reads = Reads::default();
        for token in 0..READS_MAX as u64 {
            reads.start(token, arena.allocate(8).expect("room")).expect("few reads");
        }
        let block = reads.start(99, arena.allocate(8).expect("room")).expect_err("full");
        reads.take(7, 8).expect("asked for");
        reads.end(7);
        assert_eq!(reads.start(99, block).expect("a free slot"), 7);
        assert_eq!(reads.give_up().count(), READS_MAX);
    }
}
