//! The header before each message: its sequence number between the two ranks, and the load of its sender.
//!
//! ```text
//!   bytes 0..2   sequence number, from 1, wrapping to 1; 0 for messages about links, which come in any order, and for
//!                those over shared memory, which cannot be lost
//!   byte  2      the sender's load class, as `scheduling::StealState` defines it
//! ```
//! A transport delivers each message once and in order (TRANSPORT-1). The sequence number lets the receiver check that.
//! It drops a message that it has seen, so that a message may be delivered twice; it fails the link on a gap, so that
//! no message is lost unnoticed.

use crate::base::Rank;
use crate::base::sync::{AtomicU8, AtomicU16, AtomicU32, Ordering};
use std::sync::OnceLock;

/// The length of the header before each message.
pub const MESSAGE_HEADER_BYTES: usize = 3;

/// The load is looked up once for so many messages.
const LOAD_MESSAGES: u16 = 8;

/// The state of the messages from this rank to one other, guarded by the lock under which they are sent.
#[derive(Debug, Default)]
pub struct SendSequence {
    last: u16,
    load: u8,
}

impl SendSequence {
    /// The header of the next message; `load` looks up the sender's load.
    #[inline]
    pub fn next(&mut self, load: impl FnOnce() -> u8) -> [u8; MESSAGE_HEADER_BYTES] {
        self.last = successor(self.last);
        if self.last % LOAD_MESSAGES == 1 {
            self.load = load();
        }
        let [low, high] = self.last.to_le_bytes();
        [low, high, self.load]
    }
}

/// The headers of messages to one rank over a ring in shared memory. A ring loses and repeats nothing, and no other
/// transport takes its place: such messages need no number. Any thread may ask for the next.
#[derive(Debug, Default)]
pub struct LoadHeader(AtomicU32);

impl LoadHeader {
    /// The header of the next message; `load` looks up the sender's load.
    #[inline]
    pub fn next(&self, load: impl FnOnce() -> u8) -> [u8; MESSAGE_HEADER_BYTES] {
        // The load is the low byte, and above it are messages counted. Threads that do this at the same time lose a
        // count: then the load is looked up a message later.
        let [mut known, count @ ..] = self.0.load(Ordering::Relaxed).to_le_bytes();
        if count[0].is_multiple_of(LOAD_MESSAGES as u8) {
            known = load();
        }
        self.0.store(u32::from_le_bytes([known, count[0].wrapping_add(1), 0, 0]), Ordering::Relaxed);
        [0, 0, known]
    }
}

/// The header of a message about links.
pub const UNNUMBERED_HEADER: [u8; MESSAGE_HEADER_BYTES] = [0; MESSAGE_HEADER_BYTES];

fn successor(number: u16) -> u16 {
    number.checked_add(1).unwrap_or(1)
}

/// The status of a received message.
#[derive(Debug, PartialEq, Eq)]
pub enum ReceiveStatus<'a> {
    /// The next message in sequence: its bytes, and its sender's load.
    New(&'a [u8], u8),
    /// It was received before.
    Duplicate,
    /// Messages before it are missing.
    Gap,
    /// It is shorter than a header.
    Corrupt,
}

/// The number of senders in a page.
const PAGE_SENDERS: usize = 64;

/// The state of the messages received, by sender. One thread at a time handles the messages of a sender. In a large
/// cluster most ranks never send to each other, so a page of senders is allocated when the first of them sends.
#[derive(Debug)]
pub struct ReceiveSequence(Box<[OnceLock<Box<[SenderState; PAGE_SENDERS]>>]>);

/// The state of the messages of one sender.
#[derive(Debug, Default)]
pub struct SenderState {
    /// The sequence number of the last message.
    last: AtomicU16,
    /// How many threads are processing its messages.
    in_progress: AtomicU16,
    /// The load in its last message.
    load: AtomicU8,
    /// How many messages about links arrived, which have no sequence number.
    unnumbered: AtomicU16,
}

impl ReceiveSequence {
    /// For a cluster of `size` ranks.
    pub fn new(size: u32) -> ReceiveSequence {
        ReceiveSequence((0..(size as usize).div_ceil(PAGE_SENDERS)).map(|_| OnceLock::new()).collect())
    }

    /// The state of a sender.
    #[inline]
    pub fn sender(&self, from: Rank) -> &SenderState {
        let page = self.0[from as usize / PAGE_SENDERS]
            .get_or_init(|| Box::new(std::array::from_fn(|_| SenderState::default())));
        &page[from as usize % PAGE_SENDERS]
    }

    /// True while a thread processes messages of `from`.
    pub fn is_processing(&self, from: Rank) -> bool {
        let page = self.0[from as usize / PAGE_SENDERS].get();
        page.is_some_and(|page| page[from as usize % PAGE_SENDERS].in_progress.load(Ordering::SeqCst) > 0)
    }

    /// A number that changes with every message from `from`.
    pub fn receive_count(&self, from: Rank) -> u32 {
        let Some(page) = self.0[from as usize / PAGE_SENDERS].get() else { return 0 };
        let sender = &page[from as usize % PAGE_SENDERS];
        u32::from(sender.last.load(Ordering::Relaxed)) << 16 | u32::from(sender.unnumbered.load(Ordering::Relaxed))
    }
}

impl SenderState {
    /// True if the sender had another load in its last message; records `load`.
    #[inline]
    pub fn load_changed(&self, load: u8) -> bool {
        self.load.load(Ordering::Relaxed) != load && {
            self.load.store(load, Ordering::Relaxed);
            true
        }
    }

    /// A thread begins to process messages of the sender. It must check after this call that the sender is alive.
    pub fn begin_processing(&self) {
        self.in_progress.fetch_add(1, Ordering::SeqCst);
    }

    /// The thread is done.
    pub fn end_processing(&self) {
        self.in_progress.fetch_sub(1, Ordering::SeqCst);
    }

    /// Checks the header of a message of the sender.
    #[inline]
    pub fn accept<'a>(&self, bytes: &'a [u8]) -> ReceiveStatus<'a> {
        let Some(([low, high, load], message)) = bytes.split_first_chunk::<MESSAGE_HEADER_BYTES>() else {
            return ReceiveStatus::Corrupt;
        };
        let number = u16::from_le_bytes([*low, *high]);
        if number == 0 {
            let unnumbered = &self.unnumbered;
            unnumbered.store(unnumbered.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            return ReceiveStatus::New(message, *load);
        }
        let before = self.last.load(Ordering::Relaxed);
        let next = successor(before);
        if number == next {
            self.last.store(number, Ordering::Relaxed);
            return ReceiveStatus::New(message, *load);
        }
        // Sequence numbers up to half the range back are behind the expected one, the others ahead.
        if next.wrapping_sub(number) < u16::MAX / 2 { ReceiveStatus::Duplicate } else { ReceiveStatus::Gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(send_sequence: &mut SendSequence, load: u8) -> Vec<u8> {
        [&send_sequence.next(|| load)[..], b"m"].concat()
    }

    #[test]
    fn repeated_message_is_a_duplicate_across_wraparound() {
        let (mut send_sequence, receive_sequence) = (SendSequence::default(), ReceiveSequence::new(2));
        for turn in 0..200_000u32 {
            let bytes = numbered(&mut send_sequence, (turn % 65_535 / 8) as u8);
            assert_eq!(
                receive_sequence.sender(1).accept(&bytes),
                ReceiveStatus::New(b"m", (turn % 65_535 / 8) as u8),
                "message {turn}"
            );
            assert_eq!(
                receive_sequence.sender(1).accept(&bytes),
                ReceiveStatus::Duplicate,
                "message {turn} a second time"
            );
        }
    }

    #[test]
    fn missing_message_is_a_gap() {
        let (mut send_sequence, receive_sequence) = (SendSequence::default(), ReceiveSequence::new(2));
        assert_eq!(receive_sequence.sender(1).accept(&numbered(&mut send_sequence, 0)), ReceiveStatus::New(b"m", 0));
        let _missing = numbered(&mut send_sequence, 0);
        assert_eq!(receive_sequence.sender(1).accept(&numbered(&mut send_sequence, 0)), ReceiveStatus::Gap);
    }

    #[test]
    fn unnumbered_messages_are_accepted_in_any_order() {
        let receive_sequence = ReceiveSequence::new(2);
        for _ in 0..3 {
            let before = receive_sequence.receive_count(1);
            assert_eq!(receive_sequence.sender(1).accept(&[0, 0, 0, 7]), ReceiveStatus::New(&[7], 0));
            assert_ne!(receive_sequence.receive_count(1), before);
        }
        assert_eq!(receive_sequence.receive_count(0), 0);
        assert_eq!(receive_sequence.sender(1).accept(&[1]), ReceiveStatus::Corrupt);
    }
}
