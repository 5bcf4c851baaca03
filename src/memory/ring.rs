//! A queue of messages from one process to another, as bytes in a ring within a segment both map.
//!
//! ```text
//!   0          64         128                256                                    256 + RING_BYTES
//!   | head     |          | claimed          | frame | frame | pad                  |
//!   | consumer |          | producer         |                                      |
//!
//!   frame   | length + 1: u64 | bytes, then up to the next multiple of 64 |
//!   pad     | u64::MAX        | skipped: the rest of the ring             |
//! ```
//!
//! Frames begin at multiples of 64, a cache line, and never wrap: a pad fills the end where the next frame does not
//! fit. The word at the beginning of a frame shows the consumer that the frame is there: a small message is one cache
//! line that travels once, and the consumer reads no index of the producer (the "fast box" of shared-memory MPIs).
//!
//! The producer writes the bytes, then publishes the frame by one Release store of its first word: if it is killed
//! before, nothing happened. The consumer reads, and later, when it next finds nothing, writes zeros over the first
//! word of each line it has read, and only then frees the lines by one Release store of `head`. `head` counts all
//! bytes ever freed.
//!
//! Invariants:
//! - RING-1: the producer writes only lines that are free: those that were never used or that `head` has passed.
//! - RING-2: the first word of each free line is zero, so that a line the producer has not published reads as "nothing
//!   yet".
//!
//! An invalid length is reported, and no byte outside the ring is touched.
#![allow(unsafe_code)]

use crate::base::limits::{MESSAGE_BYTES_MAX, RING_BYTES};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::memory::segment::{Segment, Shared};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Bytes that a ring takes in a segment, at a multiple of 128. Zeros there are an empty ring.
pub const RING_SEGMENT_BYTES: usize = size_of::<Indices>() + RING_BYTES;

const PREFIX_BYTES: usize = 8;
const LINE_BYTES: usize = 64;
const PAD: u64 = u64::MAX;

/// Bytes that were read and not yet freed, above which they are freed without waiting for two empty pops.
const UNFREED_BYTES_MAX: usize = RING_BYTES / 4;

#[repr(C, align(128))]
struct Padded<T>(T);

#[repr(C)]
struct ConsumerSide {
    head: AtomicU64,
    claimed: AtomicU32,
}

#[repr(C)]
struct ProducerSide {
    _unused: u64,
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
    // The largest frame with the largest pad before it fits an empty ring: no message waits for space for ever.
    // Nor behind lines that were read and are not freed, because nothing looks at a quiet ring.
    assert!(cfg!(loom) || 2 * frame_bytes(MESSAGE_BYTES_MAX) + UNFREED_BYTES_MAX <= RING_BYTES);
};

// SAFETY: atomics of integers, and padding that is never read.
unsafe impl Shared for Indices {}

/// The memory of a ring: in a segment, or a model's own memory.
pub trait Lines: Clone {
    /// The consumer's index.
    fn head(&self) -> &AtomicU64;

    /// The first word of the line at `position`, a multiple of LINE_BYTES below RING_BYTES.
    fn word(&self, position: usize) -> &AtomicU64;

    /// Writes `bytes` at `at`.
    ///
    /// # Safety
    /// They fit before RING_BYTES, and the lines are the producer's (RING-1).
    unsafe fn write(&self, at: usize, bytes: &[u8]);

    /// Passes the `length` bytes at `at` to `show`.
    ///
    /// # Safety
    /// They lie before RING_BYTES, in a frame that the consumer found and has not freed.
    unsafe fn read(&self, at: usize, length: usize, show: impl FnOnce(&[u8]));
}

/// The memory of a ring in a segment.
#[derive(Clone)]
pub struct RingMemory {
    segment: Arc<Segment>,
    offset: usize,
    payload: NonNull<u8>,
}

// SAFETY: `payload` points into `segment`, which may be used from any thread; RING-1 decides which end may touch which
// byte.
unsafe impl Send for RingMemory {}
// SAFETY: as above.
unsafe impl Sync for RingMemory {}

impl RingMemory {
    /// Takes one end of the ring at `offset`; `None` where it is taken already. Panics where no ring fits there.
    fn claim(segment: Arc<Segment>, offset: usize, end: fn(&Indices) -> &AtomicU32) -> Option<RingMemory> {
        let payload = segment.range(offset + size_of::<Indices>(), RING_BYTES).expect("a ring within the segment");
        // Relaxed: it guards data that only the winner writes.
        let taken = end(segment.view(offset)).swap(1, Ordering::Relaxed) != 0;
        (!taken).then_some(RingMemory { segment, offset, payload })
    }

    fn indices(&self) -> &Indices {
        self.segment.view(self.offset)
    }
}

impl Lines for RingMemory {
    fn head(&self) -> &AtomicU64 {
        &self.indices().consumer.0.head
    }

    #[inline]
    fn word(&self, position: usize) -> &AtomicU64 {
        debug_assert!(position.is_multiple_of(LINE_BYTES) && position < RING_BYTES);
        // SAFETY: `new` checked that RING_BYTES bytes lie at `payload`, which is aligned to 64; a word that both sides
        // use is only ever reached as an atomic, or by the producer while it is not published.
        unsafe { self.payload.add(position).cast::<AtomicU64>().as_ref() }
    }

    #[inline]
    unsafe fn write(&self, at: usize, bytes: &[u8]) {
        // SAFETY: the caller's promise: they fit the payload, and no other thread or process touches them now.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.payload.add(at).as_ptr(), bytes.len()) };
    }

    #[inline]
    unsafe fn read(&self, at: usize, length: usize, show: impl FnOnce(&[u8])) {
        // SAFETY: the caller's promise: they lie in the payload, and the producer does not touch them.
        show(unsafe { std::slice::from_raw_parts(self.payload.add(at).as_ptr(), length) });
    }
}

fn position(index: u64) -> usize {
    index as usize & (RING_BYTES - 1)
}

const fn frame_bytes(length: usize) -> usize {
    (PREFIX_BYTES + length).next_multiple_of(LINE_BYTES)
}

/// The writing end; each ring has one.
pub struct RingProducer<L: Lines = RingMemory> {
    memory: L,
    tail: u64,
    /// The consumer's index as last seen.
    head: u64,
}

impl RingProducer {
    /// Takes the writing end of the ring at `offset`; `None` where it is taken already.
    ///
    /// # Panics
    /// Where no ring fits there.
    pub fn claim(segment: Arc<Segment>, offset: usize) -> Option<RingProducer> {
        RingMemory::claim(segment, offset, |indices| &indices.producer.0.claimed).map(RingProducer::over)
    }
}

impl<L: Lines> RingProducer<L> {
    /// The writing end of an empty ring that has no other writer.
    fn over(memory: L) -> RingProducer<L> {
        RingProducer { memory, tail: 0, head: 0 }
    }

    /// Adds the concatenation of `parts` as one message; false where there is no space, and then nothing is added.
    ///
    /// # Panics
    /// Where the message is larger than `limits::MESSAGE_BYTES_MAX`.
    pub fn push(&mut self, parts: &[&[u8]]) -> bool {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        assert!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes: at most {MESSAGE_BYTES_MAX} fit");
        let start = position(self.tail);
        let frame = frame_bytes(length);
        let pad = if start + frame > RING_BYTES { RING_BYTES - start } else { 0 };
        if !self.has_space(pad + frame) {
            return false;
        }
        let at = if pad > 0 { 0 } else { start };
        let mut end = at + PREFIX_BYTES;
        for part in parts {
            // SAFETY: `end + part.len() <= at + frame <= RING_BYTES`, and by RING-1 these bytes are ours.
            unsafe { self.memory.write(end, part) };
            end += part.len();
        }
        // Release: publishes the bytes to the consumer's Acquire load in `pop`. The pad comes last: the frame behind it
        // is complete when the consumer gets there.
        self.memory.word(at).store(length as u64 + 1, Ordering::Release);
        if pad > 0 {
            self.memory.word(start).store(PAD, Ordering::Release);
        }
        self.tail = self.tail.wrapping_add((pad + frame) as u64);
        true
    }

    /// As `push` of a front and a body. Where both fit into one line it costs a few instructions: a line needs no pad.
    #[inline]
    pub fn push_line<const FRONT: usize>(&mut self, front: &[u8; FRONT], body: &[u8]) -> bool {
        let used = self.tail.wrapping_sub(self.head);
        if body.len() > LINE_BYTES - PREFIX_BYTES - FRONT || used > (RING_BYTES - LINE_BYTES) as u64 {
            return self.push(&[front, body]);
        }
        let at = position(self.tail);
        // SAFETY: both fit into the line at `at`, and by RING-1 it is ours: `used` and one more line fit the ring.
        unsafe {
            self.memory.write(at + PREFIX_BYTES, front);
            self.memory.write(at + PREFIX_BYTES + FRONT, body);
        }
        // Release: as in `push`.
        self.memory.word(at).store((FRONT + body.len()) as u64 + 1, Ordering::Release);
        self.tail = self.tail.wrapping_add(LINE_BYTES as u64);
        true
    }

    fn has_space(&mut self, wanted: usize) -> bool {
        let fits = |head: u64| {
            let used = self.tail.wrapping_sub(head);
            used <= RING_BYTES as u64 && wanted as u64 <= RING_BYTES as u64 - used
        };
        if fits(self.head) {
            return true;
        }
        // Acquire: pairs with the consumer's Release store in `free`: the lines before `head` are read and zeroed. An
        // invalid head never fits.
        let head = self.memory.head().load(Ordering::Acquire);
        let fits = head.is_multiple_of(LINE_BYTES as u64) && fits(head);
        self.head = if fits { head } else { self.head };
        fits
    }
}

/// What a pop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popped {
    /// One message, which was delivered.
    Message,
    /// Nothing.
    Empty,
    /// Bytes that no producer writes: the other side is corrupt, and nothing more can be read.
    Corrupt,
}

/// The reading end; each ring has one.
pub struct Consumer<L: Lines = RingMemory> {
    memory: L,
    /// Index at which the next frame begins.
    next: u64,
    /// The same, for the views of other threads.
    seen: Arc<AtomicU64>,
    /// Index up to which lines are freed; `freed..next` was read.
    freed: u64,
    /// True if the last pop found nothing.
    quiet: bool,
    broken: bool,
}

impl Consumer {
    /// Takes the reading end of the ring at `offset`; `None` where it is taken already.
    ///
    /// # Panics
    /// Where no ring fits there.
    pub fn claim(segment: Arc<Segment>, offset: usize) -> Option<Consumer> {
        RingMemory::claim(segment, offset, |indices| &indices.consumer.0.claimed).map(Consumer::over)
    }
}

impl<L: Lines> Consumer<L> {
    /// The reading end of an empty ring that has no other reader.
    fn over(memory: L) -> Consumer<L> {
        Consumer { memory, next: 0, seen: Arc::default(), freed: 0, quiet: false, broken: false }
    }

    /// Delivers the oldest message, aligned to 8, where there is one. It lies in the ring until `deliver` returns.
    #[inline]
    pub fn pop(&mut self, deliver: impl FnOnce(&[u8])) -> Popped {
        let start = position(self.next);
        // Acquire: pairs with the producer's Release store in `push`: the frame is there.
        match self.memory.word(start).load(Ordering::Acquire) {
            0 => self.on_empty(),
            // At the beginning a pad would be the whole ring: no producer writes that.
            PAD if start > 0 && !self.broken => {
                self.advance(RING_BYTES - start);
                // Behind a pad is the beginning of the ring, where no pad is valid.
                match self.memory.word(0).load(Ordering::Acquire) {
                    0 => self.on_empty(),
                    word => self.take(0, word, deliver),
                }
            }
            word => self.take(start, word, deliver),
        }
    }

    #[inline]
    fn take(&mut self, start: usize, word: u64, deliver: impl FnOnce(&[u8])) -> Popped {
        // MEMORY-4: a word that another process wrote is a length only if it stays within the ring.
        let length = usize::try_from(word - 1).unwrap_or(usize::MAX);
        if self.broken || length > MESSAGE_BYTES_MAX || frame_bytes(length) > RING_BYTES - start {
            self.broken = true;
            return Popped::Corrupt;
        }
        // SAFETY: `start + PREFIX_BYTES + length <= RING_BYTES`, and by RING-1 the producer does not write these bytes
        // until `free`.
        unsafe { self.memory.read(start + PREFIX_BYTES, length, deliver) };
        self.advance(frame_bytes(length));
        Popped::Message
    }

    /// Two empty pops in a row: the ring is quiet, and the lines that were read are freed. Freeing them at once would
    /// request the lines from the producer's cache while their message is still being handled.
    fn on_empty(&mut self) -> Popped {
        if self.broken {
            return Popped::Corrupt;
        }
        if self.quiet && self.freed != self.next {
            self.free();
        }
        self.quiet = true;
        Popped::Empty
    }

    fn advance(&mut self, bytes: usize) {
        self.next = self.next.wrapping_add(bytes as u64);
        self.seen.store(self.next, Ordering::Release);
        self.quiet = false;
        if self.next.wrapping_sub(self.freed) > UNFREED_BYTES_MAX as u64 {
            self.free();
        }
    }

    fn free(&mut self) {
        let mut at = self.freed;
        while at != self.next {
            self.memory.word(position(at)).store(0, Ordering::Relaxed);
            at = at.wrapping_add(LINE_BYTES as u64);
        }
        self.freed = self.next;
        // Release: pairs with the Acquire load in `has_room`; the zeros go before it (RING-2).
        self.memory.head().store(self.freed, Ordering::Release);
    }

    /// True if there is nothing to pop.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.memory.word(position(self.next)).load(Ordering::Acquire) == 0
    }

    /// A view through which other threads see if there is something to pop.
    pub fn view(&self) -> RingView<L> {
        RingView { memory: self.memory.clone(), next: self.seen.clone() }
    }
}

/// Shows any thread if a ring holds a message, without the consumer.
pub struct RingView<L: Lines = RingMemory> {
    memory: L,
    next: Arc<AtomicU64>,
}

impl<L: Lines> RingView<L> {
    /// True if there is nothing to pop now.
    pub fn is_empty(&self) -> bool {
        let next = self.next.load(Ordering::Acquire);
        self.memory.word(position(next)).load(Ordering::Acquire) == 0
    }
}

#[cfg(all(test, loom))]
mod loom;
#[cfg(test)]
mod tests;
