//! A queue of messages from one process to another, as bytes in a ring within a segment both map.
//!
//! ```text
//!   0          64         128                256                                    256 + RING_BYTES
//!   | head     |          | tail             | frame | frame | pad                  |
//!   | consumer |          | producer         |                                      |
//!   |<- the consumer's -->|<- the producer's -->|
//!
//!   frame   | length: u32 | 0: u32 | bytes, then up to the next multiple of 8 |
//!   pad     | u32::MAX    | 0: u32 | skipped: the rest of the ring            |
//! ```
//!
//! `head` and `tail` count bytes for ever; where they are in the ring is their value modulo its size. Frames begin at
//! multiples of 8 and never wrap: a pad fills the end where the next frame does not fit.
//!
//! The producer writes a frame (and the pad before it), then publishes both by one Release store of `tail`: killed
//! before, nothing happened. The consumer reads a frame, then frees it by one Release store of `head`. Each keeps the
//! other's index as last seen and reads it again only when the ring looks full or empty, so that in a busy stream the
//! indices' cache lines stay where they are (Lamport's queue; MCRingBuffer).
//!
//! `head <= tail <= head + RING_BYTES`, both multiples of 8 (Q1). Bytes in `head..tail` are the consumer's to read, all
//! others the producer's to write (Q2). What breaks Q1 or a length is reported, and nothing outside is touched.
#![allow(unsafe_code)]

use crate::base::limits::{MESSAGE_BYTES_MAX, RING_BYTES};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::mem::segment::{Segment, Shared};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Bytes that a ring takes in a segment, at a multiple of 128. Zeros there are an empty ring.
pub const RING_SEGMENT_BYTES: usize = size_of::<Indices>() + RING_BYTES;

const PREFIX_BYTES: usize = 8;
const PAD: u32 = u32::MAX;

#[repr(C, align(128))]
struct Padded<T>(T);

#[repr(C)]
struct ConsumerSide {
    head: AtomicU64,
    claimed: AtomicU32,
}

#[repr(C)]
struct ProducerSide {
    tail: AtomicU64,
    claimed: AtomicU32,
}

#[repr(C)]
struct Indices {
    consumer: Padded<ConsumerSide>,
    producer: Padded<ProducerSide>,
}

const _: () = {
    assert!(size_of::<Indices>() == 256 && std::mem::offset_of!(Indices, producer) == 128);
    assert!(RING_BYTES.is_power_of_two() && RING_BYTES.is_multiple_of(128));
    // The largest frame with the largest pad before it fits an empty ring: nothing waits for room for ever.
    assert!(2 * (PREFIX_BYTES + MESSAGE_BYTES_MAX) <= RING_BYTES);
    assert!(MESSAGE_BYTES_MAX < PAD as usize);
};

// SAFETY: atomics of integers, and padding that is never read.
unsafe impl Shared for Indices {}

/// Where a ring lies.
struct Place {
    segment: Arc<Segment>,
    offset: usize,
    payload: NonNull<u8>,
}

// SAFETY: `payload` points into `segment`, which may be used from any thread; who may touch which byte is Q2's matter.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    /// Panics where a ring does not fit at `offset`.
    fn new(segment: Arc<Segment>, offset: usize) -> Place {
        let _checked: &Indices = segment.view(offset);
        let payload = segment.range(offset + size_of::<Indices>(), RING_BYTES).expect("a ring within the segment");
        Place { segment, offset, payload }
    }

    fn indices(&self) -> &Indices {
        self.segment.view(self.offset)
    }
}

/// How many bytes lie between the indices, where they keep Q1.
fn distance(head: u64, tail: u64) -> Option<usize> {
    let bytes = tail.wrapping_sub(head);
    (bytes <= RING_BYTES as u64 && bytes.is_multiple_of(8)).then_some(bytes as usize)
}

fn position(index: u64) -> usize {
    index as usize & (RING_BYTES - 1)
}

fn frame_bytes(length: usize) -> usize {
    PREFIX_BYTES + length.next_multiple_of(8)
}

/// The writing end; there is one for each ring.
pub struct Producer {
    place: Place,
    tail: u64,
    /// The consumer's index as last seen.
    head: u64,
}

impl Producer {
    /// Takes the writing end of the ring at `offset`; `None` where somebody has it, or its indices are broken.
    ///
    /// # Panics
    /// Where no ring fits there.
    pub fn claim(segment: Arc<Segment>, offset: usize) -> Option<Producer> {
        let place = Place::new(segment, offset);
        let side = &place.indices().producer.0;
        // Relaxed: it guards what only its winner writes.
        if side.claimed.swap(1, Ordering::Relaxed) != 0 {
            return None;
        }
        let tail = side.tail.load(Ordering::Relaxed);
        let head = place.indices().consumer.0.head.load(Ordering::Acquire);
        distance(head, tail).filter(|_| tail.is_multiple_of(8))?;
        Some(Producer { place, tail, head })
    }

    /// Puts in the concatenation of `parts` as one message; false where there is no room, and then nothing is put in.
    ///
    /// # Panics
    /// Where the message is larger than `limits::MESSAGE_BYTES_MAX`.
    pub fn push(&mut self, parts: &[&[u8]]) -> bool {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes: at most {MESSAGE_BYTES_MAX} fit");
        let start = position(self.tail);
        let frame = frame_bytes(length);
        let pad = if start + frame > RING_BYTES { RING_BYTES - start } else { 0 };
        if !self.has_room(pad + frame) {
            return false;
        }
        if pad > 0 {
            self.write_prefix(start, PAD);
        }
        let start = if pad > 0 { 0 } else { start };
        self.write_prefix(start, length as u32);
        let mut end = start + PREFIX_BYTES;
        for part in parts {
            // SAFETY: `end + part.len() <= start + frame <= RING_BYTES`, and by Q2 these bytes are ours.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), self.place.payload.add(end).as_ptr(), part.len()) };
            end += part.len();
        }
        self.tail = self.tail.wrapping_add((pad + frame) as u64);
        // Release: publishes the frame to the consumer's Acquire load in `pop`.
        self.place.indices().producer.0.tail.store(self.tail, Ordering::Release);
        true
    }

    fn has_room(&mut self, wanted: usize) -> bool {
        let fits = |head| distance(head, self.tail).is_some_and(|used| wanted <= RING_BYTES - used);
        if fits(self.head) {
            return true;
        }
        // Acquire: pairs with the consumer's Release store in `pop`: it has done with the bytes before `head`. A head
        // that breaks Q1 never fits.
        let head = self.place.indices().consumer.0.head.load(Ordering::Acquire);
        let fits = fits(head);
        self.head = if fits { head } else { self.head };
        fits
    }

    fn write_prefix(&self, start: usize, length: u32) {
        debug_assert!(start.is_multiple_of(8) && start + PREFIX_BYTES <= RING_BYTES);
        // SAFETY: `start` is a multiple of 8 below RING_BYTES, so 8 aligned bytes are there, and by Q2 they are ours.
        unsafe { self.place.payload.add(start).cast::<u64>().write(u64::from(length).to_le()) };
    }
}

/// What a pop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popped {
    /// One message, which was delivered.
    Message,
    /// Nothing.
    Empty,
    /// Bytes that no producer writes: the other side is broken, and nothing more can be read.
    Corrupt,
}

/// The reading end; there is one for each ring.
pub struct Consumer {
    place: Place,
    head: u64,
    /// The producer's index as last seen and found to keep Q1.
    tail: u64,
}

impl Consumer {
    /// Takes the reading end of the ring at `offset`; `None` where somebody has it, or its indices are broken.
    ///
    /// # Panics
    /// Where no ring fits there.
    pub fn claim(segment: Arc<Segment>, offset: usize) -> Option<Consumer> {
        let place = Place::new(segment, offset);
        let side = &place.indices().consumer.0;
        // Relaxed: it guards what only its winner writes.
        if side.claimed.swap(1, Ordering::Relaxed) != 0 {
            return None;
        }
        let head = Some(side.head.load(Ordering::Relaxed)).filter(|head| head.is_multiple_of(8))?;
        Some(Consumer { place, head, tail: head })
    }

    /// Delivers the oldest message, aligned to 8, where there is one. It lies in the ring until `deliver` returns.
    pub fn pop(&mut self, deliver: &mut dyn FnMut(&[u8])) -> Popped {
        loop {
            if self.head == self.tail {
                // Acquire: pairs with the producer's Release store in `push`: its frame is there.
                self.tail = self.place.indices().producer.0.tail.load(Ordering::Acquire);
            }
            let Some(available) = distance(self.head, self.tail) else { return self.corrupt() };
            if available == 0 {
                return Popped::Empty;
            }
            let start = position(self.head);
            let length = self.read_prefix(start);
            if length == PAD {
                let pad = RING_BYTES - start;
                if pad > available {
                    return self.corrupt();
                }
                self.free(pad);
                continue;
            }
            // Checked here, M4: what another process wrote is a length only when it stays within the frame's room.
            let length = length as usize;
            if length > MESSAGE_BYTES_MAX || frame_bytes(length) > available.min(RING_BYTES - start) {
                return self.corrupt();
            }
            // SAFETY: `start + PREFIX_BYTES + length <= RING_BYTES`, and by Q2 the producer lets these bytes be until
            // `free`.
            let bytes =
                unsafe { std::slice::from_raw_parts(self.place.payload.add(start + PREFIX_BYTES).as_ptr(), length) };
            deliver(bytes);
            self.free(frame_bytes(length));
            return Popped::Message;
        }
    }

    /// Whether there is nothing to pop.
    pub fn is_empty(&self) -> bool {
        self.head == self.place.indices().producer.0.tail.load(Ordering::Acquire)
    }

    /// A view that tells other threads whether there is something to pop.
    pub fn watch(&self) -> Watch {
        Watch { segment: self.place.segment.clone(), offset: self.place.offset }
    }

    fn free(&mut self, bytes: usize) {
        self.head = self.head.wrapping_add(bytes as u64);
        // Release: pairs with the Acquire load in `has_room`.
        self.place.indices().consumer.0.head.store(self.head, Ordering::Release);
    }

    /// Stays corrupt: an index is kept that no later one can mend.
    fn corrupt(&mut self) -> Popped {
        self.tail = self.head.wrapping_sub(8);
        Popped::Corrupt
    }

    fn read_prefix(&self, start: usize) -> u32 {
        // SAFETY: `start` is a multiple of 8 below RING_BYTES, so 8 aligned bytes are there; any bytes are a u64.
        u64::from_le(unsafe { self.place.payload.add(start).cast::<u64>().read() }) as u32
    }
}

/// Tells whether a ring has something in it, from any thread and without the consumer.
pub struct Watch {
    segment: Arc<Segment>,
    offset: usize,
}

impl Watch {
    /// Whether there is nothing to pop, as of now.
    pub fn is_empty(&self) -> bool {
        let indices: &Indices = self.segment.view(self.offset);
        // Acquire: what is seen here, a pop after it sees too.
        indices.consumer.0.head.load(Ordering::Acquire) == indices.producer.0.tail.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests;
