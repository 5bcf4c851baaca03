//! Messages that are longer than a transport takes, in fragments.
//!
//! Fragments are messages like others, so they arrive once and in order (TRANSPORT-1). Those of two threads that send
//! to one rank may alternate; each names its message.

use crate::base::Rank;
use crate::base::limits::{FRAGMENTED_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::protocol::locks::lock;
use crate::protocol::wire::values::Bytes;
use crate::protocol::{MESSAGE_HEADER_BYTES, Message};
use rustc_hash::FxHashMap;
use std::sync::Mutex;

/// What a fragment takes besides its bytes, at most: kind, number, flag, length.
const FRAGMENT_HEADER_BYTES: usize = 32;

/// Splits an encoded message into the fragments that are sent for it; `number` is another one for each message.
pub fn fragments_of(number: u64, message: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let chunks = message.chunks(MESSAGE_BYTES_MAX - MESSAGE_HEADER_BYTES - FRAGMENT_HEADER_BYTES);
    let last = chunks.len() - 1;
    chunks.enumerate().map(move |(index, bytes)| Message::Fragment {
        number,
        is_last: index == last,
        bytes: Bytes(bytes),
    })
}

/// The fragments that arrived of messages that have not arrived whole, by sender and number.
#[derive(Default)]
pub struct Fragments(Mutex<FxHashMap<(Rank, u64), Vec<u8>>>);

impl Fragments {
    /// A fragment of `from` arrived: the message, if it is the last one.
    ///
    /// # Errors
    /// If the message is longer than any may be, or is a fragment itself; what arrived of it is dropped.
    pub(super) fn add(&self, from: Rank, number: u64, is_last: bool, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let mut fragments = lock(&self.0);
        let message = fragments.entry((from, number)).or_default();
        message.extend_from_slice(bytes);
        if message.len() > FRAGMENTED_BYTES_MAX {
            fragments.remove(&(from, number));
            return Err(Refused::TooLong);
        }
        let whole = if is_last { fragments.remove(&(from, number)) } else { None };
        drop(fragments);
        match whole {
            // Fragments within fragments could be as deep as their sender likes.
            Some(whole) if matches!(Message::decode(&whole), Ok(Message::Fragment { .. })) => Err(Refused::Nested),
            whole => Ok(whole),
        }
    }

    /// `rank` is dead: the rest of its messages will not arrive.
    pub(in crate::protocol) fn on_peer_failed(&self, rank: Rank) {
        lock(&self.0).retain(|(from, _), _| *from != rank);
    }
}

/// Why a message that came in fragments is dropped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// There are more than any message may have.
    #[error("its fragments are more than {FRAGMENTED_BYTES_MAX} bytes")]
    TooLong,
    /// Together they are a fragment.
    #[error("its fragments are a fragment again")]
    Nested,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long() -> Vec<u8> {
        (0..3 * MESSAGE_BYTES_MAX).map(|byte| byte as u8).collect()
    }

    #[test]
    fn fragments_of_two_messages_that_alternate_are_put_together() {
        let (one, two) = (long(), long().into_iter().rev().collect::<Vec<u8>>());
        let fragments = Fragments::default();
        let mut whole = Vec::new();
        for fragment in fragments_of(1, &one).zip(fragments_of(2, &two)).flat_map(|(one, two)| [one, two]) {
            assert!(MESSAGE_HEADER_BYTES + fragment.encode(Vec::new()).len() <= MESSAGE_BYTES_MAX);
            let Message::Fragment { number, is_last, bytes } = fragment else { unreachable!() };
            whole.extend(fragments.add(3, number, is_last, bytes.0).unwrap());
        }
        assert_eq!(whole, [one, two]);
        assert!(lock(&fragments.0).is_empty());
    }

    #[test]
    fn fragment_within_a_fragment_is_refused() {
        let inner = Message::Fragment { number: 2, is_last: true, bytes: Bytes(b"x") }.encode(Vec::new());
        let fragments = Fragments::default();
        assert!(matches!(fragments.add(3, 1, true, &inner), Err(Refused::Nested)));
        assert!(lock(&fragments.0).is_empty());
    }

    #[test]
    fn fragments_of_a_dead_rank_are_dropped() {
        let fragments = Fragments::default();
        assert_eq!(fragments.add(3, 1, false, b"begin").unwrap(), None);
        fragments.on_peer_failed(3);
        assert_eq!(fragments.add(3, 1, true, b"end").unwrap(), Some(b"end".to_vec()));
    }
}
