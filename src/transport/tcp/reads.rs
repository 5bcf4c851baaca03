//! Bulk reads that this rank started towards one peer, by number.

use super::frame::FrameError;
use crate::memory::Block;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// Reads in flight between a reader and one peer, at most.
pub const READS_MAX: usize = 64;

/// A read in flight. It owns the block until it ends (TRANSPORT-3).
#[derive(Debug)]
pub struct ReadInFlight {
    /// As given to [`Transport::read`](crate::transport::Transport::read).
    pub token: u64,
    /// The block to be filled.
    pub block: Block,
    /// Bytes of it that have arrived.
    pub received: usize,
}

impl ReadInFlight {
    /// True if all of it has arrived.
    pub fn is_whole(&self) -> bool {
        self.received == self.block.len()
    }

    /// The next `length` bytes to be filled; [`Reads::take`] checked that they are inside.
    pub fn next_bytes(&mut self, length: usize) -> &mut [u8] {
        &mut self.block.as_mut_slice()[self.received..self.received + length]
    }
}

/// The reads in flight from one peer, except the one whose data is arriving, which is with the receiver.
#[derive(Default)]
pub struct Reads {
    waiting: FxHashMap<u32, ReadInFlight>,
    next: u32,
    /// True if the receiver may have one: it was taken and not put back, and no other was taken since.
    taken: bool,
}

impl Reads {
    /// Keeps a read until its data arrives; returns its number.
    ///
    /// # Errors
    /// Returns the block where there are [`READS_MAX`] reads already.
    pub fn start(&mut self, token: u64, block: Block) -> Result<u32, Block> {
        if self.waiting.len() + usize::from(self.taken) >= READS_MAX {
            return Err(block);
        }
        self.next = self.next.wrapping_add(1);
        self.waiting.insert(self.next, ReadInFlight { token, block, received: 0 });
        Ok(self.next)
    }

    /// Takes a read, for which the peer announces `length` more bytes. It is put back if still more will arrive.
    ///
    /// # Errors
    /// Where the read did not request so many bytes, or there is no such read.
    pub fn take(&mut self, number: u32, length: usize) -> Result<ReadInFlight, FrameError> {
        match self.waiting.entry(number) {
            Entry::Occupied(read) if read.get().block.len() - read.get().received >= length => {
                self.taken = true;
                Ok(read.remove())
            }
            _ => Err(FrameError::Read(number)),
        }
    }

    /// Returns a read that was taken and for which more data will arrive.
    pub fn put_back(&mut self, number: u32, reading: ReadInFlight) {
        self.waiting.insert(number, reading);
        self.taken = false;
    }

    /// True if no read waits for data.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Every read that waits for data.
    pub fn into_reads(self) -> impl Iterator<Item = ReadInFlight> {
        self.waiting.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::memory::Arena;

    #[test]
    fn data_that_was_not_requested_is_an_error() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let mut reads = Reads::default();
        assert_eq!(reads.take(0, 1).expect_err("no read"), FrameError::Read(0));
        let slot = reads.start(5, arena.allocate(100).expect("space")).expect("few reads");
        assert_eq!(reads.take(slot, 101).expect_err("too much"), FrameError::Read(slot));
        let mut reading = reads.take(slot, 60).expect("requested");
        assert_eq!(reading.next_bytes(60).len(), 60);
        reading.received = 60;
        assert!(reads.take(slot, 1).is_err(), "it is with its receiver");
        reads.put_back(slot, reading);
        assert!(reads.take(slot, 41).is_err());
        let reading = reads.take(slot, 40).expect("requested");
        assert_eq!(reading.token, 5);
        assert!(reads.is_empty());
        assert!(reads.take(slot, 0).is_err());
    }

    #[test]
    fn reads_are_bounded() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let mut reads = Reads::default();
        let most = READS_MAX as u64;
        let numbers: Vec<u32> =
            (0..most).map(|token| reads.start(token, arena.allocate(8).expect("space")).expect("few reads")).collect();
        let block = reads.start(99, arena.allocate(8).expect("space")).expect_err("full");
        reads.take(numbers[7], 8).expect("requested");
        let block = reads.start(99, block).expect_err("it is with its receiver");
        reads.take(numbers[3], 8).expect("the first has ended");
        let number = reads.start(99, block).expect("there is space again");
        assert!(!numbers.contains(&number), "late data for an earlier read is not taken for this one's");
        assert_eq!(reads.into_reads().count() as u64, most - 1);
    }
}
