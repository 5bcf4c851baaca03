//! What stands before each message on its way: its number among those of the pair, and how much work its sender has.
//!
//! ```text
//!   bytes 0..2   number, from 1 round and round; 0 for messages about the roads themselves, which come in any order
//!   byte  2      the sender's load, as `sched::Stealing` classes it
//! ```
//! A road hands each message over once and in order (F1). The number makes that a fact that the receiver checks: what came
//! before is dropped, so that every message may be delivered twice, and a message that is missing ends the pair instead of
//! being missed.

use crate::base::Rank;
use crate::base::sync::{AtomicU8, AtomicU16, Ordering};
use std::sync::OnceLock;

/// Bytes before each message.
pub const ENVELOPE_BYTES: usize = 3;

/// Messages that say the same load: it is looked up once for them.
const LOAD_MESSAGES: u16 = 8;

/// The numbers of what one rank sends to another. Whoever holds the lock under which messages leave has it.
#[derive(Debug, Default)]
pub struct Departures {
    last: u16,
    load: u8,
}

impl Departures {
    /// The envelope of the next message; `load` looks up the sender's load.
    pub fn next(&mut self, load: impl FnOnce() -> u8) -> [u8; ENVELOPE_BYTES] {
        self.last = after(self.last);
        if self.last % LOAD_MESSAGES == 1 {
            self.load = load();
        }
        let [low, high] = self.last.to_le_bytes();
        [low, high, self.load]
    }
}

/// The envelope of a message about the roads.
pub const ABOUT_ROADS: [u8; ENVELOPE_BYTES] = [0; ENVELOPE_BYTES];

fn after(number: u16) -> u16 {
    number.checked_add(1).unwrap_or(1)
}

/// What is to become of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// It is the next one: these are its bytes, and its sender's load.
    New(&'a [u8], u8),
    /// It came before.
    Again,
    /// Others before it did not come.
    Gap,
    /// It has no envelope.
    Torn,
}

/// Senders of a page.
const PAGE_SENDERS: usize = 64;

/// What came, by sender. Messages of one sender are handed over by one thread at a time. Most ranks of a large cluster never
/// send anything to each other: a page of senders is there once one of them has.
#[derive(Debug)]
pub struct Arrivals(Box<[OnceLock<Box<[Sender; PAGE_SENDERS]>>]>);

#[derive(Debug, Default)]
struct Sender {
    /// The number of the last message.
    last: AtomicU16,
    /// Threads that act on what it sent.
    acting: AtomicU16,
    /// The load that it last spoke of.
    load: AtomicU8,
    /// How many messages about the roads came, which have no number.
    beside: AtomicU16,
}

impl Arrivals {
    /// Of a cluster of `size` ranks.
    pub fn new(size: u32) -> Arrivals {
        Arrivals((0..(size as usize).div_ceil(PAGE_SENDERS)).map(|_| OnceLock::new()).collect())
    }

    fn of(&self, from: Rank) -> &Sender {
        let page =
            self.0[from as usize / PAGE_SENDERS].get_or_init(|| Box::new(std::array::from_fn(|_| Sender::default())));
        &page[from as usize % PAGE_SENDERS]
    }

    /// Whether `from` had another load when it last spoke.
    pub fn is_news(&self, from: Rank, load: u8) -> bool {
        let known = &self.of(from).load;
        known.load(Ordering::Relaxed) != load && {
            known.store(load, Ordering::Relaxed);
            true
        }
    }

    /// A thread begins to act on what `from` sent. It looks whether that rank lives after this call.
    pub fn begin(&self, from: Rank) {
        self.of(from).acting.fetch_add(1, Ordering::SeqCst);
    }

    /// It has acted.
    pub fn end(&self, from: Rank) {
        self.of(from).acting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether a thread acts on what `from` sent.
    pub fn is_heard(&self, from: Rank) -> bool {
        let page = self.0[from as usize / PAGE_SENDERS].get();
        page.is_some_and(|page| page[from as usize % PAGE_SENDERS].acting.load(Ordering::SeqCst) > 0)
    }

    /// How much came from `from`: another number whenever something more has.
    pub fn heard_of(&self, from: Rank) -> u32 {
        let Some(page) = self.0[from as usize / PAGE_SENDERS].get() else { return 0 };
        let sender = &page[from as usize % PAGE_SENDERS];
        u32::from(sender.last.load(Ordering::Relaxed)) << 16 | u32::from(sender.beside.load(Ordering::Relaxed))
    }

    /// Opens what came from `from`.
    pub fn open<'a>(&self, from: Rank, bytes: &'a [u8]) -> Arrival<'a> {
        let Some(([low, high, load], message)) = bytes.split_first_chunk::<ENVELOPE_BYTES>() else {
            return Arrival::Torn;
        };
        let number = u16::from_le_bytes([*low, *high]);
        if number == 0 {
            let beside = &self.of(from).beside;
            beside.store(beside.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            return Arrival::New(message, *load);
        }
        let last = &self.of(from).last;
        let before = last.load(Ordering::Relaxed);
        let next = after(before);
        if number == next {
            last.store(number, Ordering::Relaxed);
            return Arrival::New(message, *load);
        }
        // Half of the numbers lie behind, half before.
        if next.wrapping_sub(number) < u16::MAX / 2 { Arrival::Again } else { Arrival::Gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enveloped(departures: &mut Departures, load: u8) -> Vec<u8> {
        [&departures.next(|| load)[..], b"m"].concat()
    }

    #[test]
    fn each_message_counts_once_also_where_the_numbers_begin_again() {
        let (mut departures, arrivals) = (Departures::default(), Arrivals::new(2));
        for turn in 0..200_000u32 {
            let bytes = enveloped(&mut departures, (turn % 65_535 / 8) as u8);
            assert_eq!(arrivals.open(1, &bytes), Arrival::New(b"m", (turn % 65_535 / 8) as u8), "message {turn}");
            assert_eq!(arrivals.open(1, &bytes), Arrival::Again, "message {turn} a second time");
        }
    }

    #[test]
    fn a_missing_message_is_noticed() {
        let (mut departures, arrivals) = (Departures::default(), Arrivals::new(2));
        assert_eq!(arrivals.open(1, &enveloped(&mut departures, 0)), Arrival::New(b"m", 0));
        let _lost = enveloped(&mut departures, 0);
        assert_eq!(arrivals.open(1, &enveloped(&mut departures, 0)), Arrival::Gap);
    }

    #[test]
    fn what_is_about_the_roads_comes_in_any_order() {
        let arrivals = Arrivals::new(2);
        for _ in 0..3 {
            let before = arrivals.heard_of(1);
            assert_eq!(arrivals.open(1, &[0, 0, 0, 7]), Arrival::New(&[7], 0));
            assert_ne!(arrivals.heard_of(1), before);
        }
        assert_eq!(arrivals.heard_of(0), 0);
        assert_eq!(arrivals.open(1, &[1]), Arrival::Torn);
    }
}
