//! Bulk reads that this rank started towards one peer, by slot.

use super::frame::FrameError;
use crate::memory::Block;

/// Reads in flight between a reader and one peer, at most; a slot is a number below this.
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

enum ReadSlot {
    Free,
    Waiting(ReadInFlight),
    /// With the receiver of its data.
    Taken,
}

/// The reads in flight from one peer.
#[derive(Default)]
pub struct Reads {
    slots: Vec<ReadSlot>,
}

impl Reads {
    /// Keeps a read until its data arrives; returns its slot.
    ///
    /// # Errors
    /// Returns the block where there are [`READS_MAX`] reads already.
    pub fn start(&mut self, token: u64, block: Block) -> Result<u32, Block> {
        let free = self.slots.iter().position(|slot| matches!(slot, ReadSlot::Free));
        let slot = free.unwrap_or(self.slots.len());
        if slot == READS_MAX {
            return Err(block);
        }
        let reading = ReadSlot::Waiting(ReadInFlight { token, block, received: 0 });
        match free {
            Some(slot) => self.slots[slot] = reading,
            None => self.slots.push(reading),
        }
        Ok(slot as u32)
    }

    /// Takes the read of a slot, for which the peer announces `length` more bytes.
    ///
    /// # Errors
    /// Where the read did not request so many bytes, or there is no such read.
    pub fn take(&mut self, slot: u32, length: usize) -> Result<ReadInFlight, FrameError> {
        let fault = FrameError::Slot(slot);
        let entry = self.slots.get_mut(slot as usize).ok_or(fault.clone())?;
        match std::mem::replace(entry, ReadSlot::Taken) {
            ReadSlot::Waiting(reading) if reading.block.len() - reading.received >= length => Ok(reading),
            other => {
                *entry = other;
                Err(fault)
            }
        }
    }

    /// Returns a read that was taken and for which more data will arrive.
    pub fn put_back(&mut self, slot: u32, reading: ReadInFlight) {
        self.slots[slot as usize] = ReadSlot::Waiting(reading);
    }

    /// Frees the slot of a read that was taken and has ended.
    pub fn end(&mut self, slot: u32) {
        self.slots[slot as usize] = ReadSlot::Free;
    }

    /// True if no read is in flight.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, ReadSlot::Free))
    }

    /// Every read that waits for data.
    pub fn into_reads(self) -> impl Iterator<Item = ReadInFlight> {
        self.slots.into_iter().filter_map(|slot| match slot {
            ReadSlot::Waiting(reading) => Some(reading),
            ReadSlot::Free | ReadSlot::Taken => None,
        })
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
        assert_eq!(reads.take(0, 1).expect_err("no read"), FrameError::Slot(0));
        let slot = reads.start(5, arena.allocate(100).expect("space")).expect("few reads");
        assert_eq!(reads.take(slot, 101).expect_err("too much"), FrameError::Slot(slot));
        let mut reading = reads.take(slot, 60).expect("requested");
        assert_eq!(reading.next_bytes(60).len(), 60);
        reading.received = 60;
        assert!(reads.take(slot, 1).is_err(), "it is with its receiver");
        reads.put_back(slot, reading);
        assert!(reads.take(slot, 41).is_err());
        let reading = reads.take(slot, 40).expect("requested");
        assert_eq!(reading.token, 5);
        reads.end(slot);
        assert!(reads.is_empty());
        assert!(reads.take(slot, 0).is_err());
    }

    #[test]
    fn slots_are_bounded_and_reused() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let mut reads = Reads::default();
        for token in 0..READS_MAX as u64 {
            reads.start(token, arena.allocate(8).expect("space")).expect("few reads");
        }
        let block = reads.start(99, arena.allocate(8).expect("space")).expect_err("full");
        reads.take(7, 8).expect("requested");
        reads.end(7);
        assert_eq!(reads.start(99, block).expect("a free slot"), 7);
        assert_eq!(reads.into_reads().count(), READS_MAX);
    }
}
