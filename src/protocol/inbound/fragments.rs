//! Messages that are longer than a transport takes, in fragments.
//!
//! Fragments are messages like others, so they arrive once and in order (TRANSPORT-1). Those of two threads that send
//! to one rank may alternate; each names its message.

use crate::base::Rank;
use crate::base::limits::{FRAGMENTED_BYTES_MAX, FRAGMENTS_BYTES_MAX, MESSAGE_BYTES_MAX};
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

/// What arrives in fragments, at most.
#[derive(Clone, Copy)]
struct Bounds {
    /// A message.
    message: usize,
    /// What has arrived of all messages of one peer that have not arrived whole.
    peer: usize,
}

/// The fragments that arrived of messages that have not arrived whole, by sender.
pub struct Fragments {
    bounds: Bounds,
    peers: Mutex<FxHashMap<Rank, PeerFragments>>,
}

/// What arrived of one peer's messages.
enum PeerFragments {
    /// By the numbers of the messages.
    Begun { messages: FxHashMap<u64, Vec<u8>>, counted_bytes: usize },
    /// A message was refused. The link ends, and what still comes over it is dropped: it could be the rest of that
    /// message.
    Refused,
}

impl Default for PeerFragments {
    fn default() -> PeerFragments {
        PeerFragments::Begun { messages: FxHashMap::default(), counted_bytes: 0 }
    }
}

impl Default for Fragments {
    fn default() -> Fragments {
        Fragments::new(Bounds { message: FRAGMENTED_BYTES_MAX, peer: FRAGMENTS_BYTES_MAX })
    }
}

/// What a message counts of which so many bytes arrived: for many short ones, their number is bounded too.
fn counted(bytes: usize) -> usize {
    bytes.max(MESSAGE_BYTES_MAX)
}

impl Fragments {
    fn new(bounds: Bounds) -> Fragments {
        Fragments { bounds, peers: Mutex::default() }
    }

    /// A fragment of `from` arrived: the message, if it is the last one.
    ///
    /// # Errors
    /// Why no message of this peer can be received any more; what arrived of them is dropped.
    pub(super) fn add(&self, from: Rank, number: u64, is_last: bool, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let mut peers = lock(&self.peers);
        let peer = peers.entry(from).or_default();
        let outcome = peer.add(self.bounds, number, is_last, bytes);
        match peer {
            _ if outcome.is_err() => *peer = PeerFragments::Refused,
            PeerFragments::Begun { messages, .. } if messages.is_empty() => drop(peers.remove(&from)),
            _ => {}
        }
        outcome
    }

    /// `rank` is dead: the rest of its messages will not arrive.
    pub(in crate::protocol) fn on_peer_failed(&self, rank: Rank) {
        lock(&self.peers).remove(&rank);
    }
}

impl PeerFragments {
    fn add(&mut self, bounds: Bounds, number: u64, is_last: bool, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let PeerFragments::Begun { messages, counted_bytes } = self else { return Ok(None) };
        let before = messages.get(&number).map(Vec::len);
        let length = before.unwrap_or(0) + bytes.len();
        if length > bounds.message {
            return Err(Refused::TooLong(bounds.message));
        }
        let others = *counted_bytes - before.map_or(0, counted);
        if others + counted(length) > bounds.peer {
            return Err(Refused::TooMany(bounds.peer));
        }
        let message = messages.entry(number).or_default();
        message.extend_from_slice(bytes);
        if !is_last {
            *counted_bytes = others + counted(length);
            return Ok(None);
        }
        *counted_bytes = others;
        match messages.remove(&number) {
            // Fragments within fragments could be as deep as their sender likes.
            Some(whole) if matches!(Message::decode(&whole), Ok(Message::Fragment { .. })) => Err(Refused::Nested),
            whole => Ok(whole),
        }
    }
}

/// Why the messages of a peer that come in fragments are not received any more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// There are more than any message may have.
    #[error("it sent a message of more than {0} bytes: pass fewer references to one call")]
    TooLong(usize),
    /// There are more than those of a peer may be together.
    #[error("it sent messages at once of which more than {0} bytes had arrived: pass fewer references to one call")]
    TooMany(usize),
    /// Together they are a fragment.
    #[error("it sent fragments of a message that are a fragment again")]
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
        assert!(lock(&fragments.peers).is_empty());
    }

    /// Bounds that a test can reach.
    fn bounded() -> Fragments {
        Fragments::new(Bounds { message: 3 * MESSAGE_BYTES_MAX, peer: 4 * MESSAGE_BYTES_MAX })
    }

    #[test]
    fn message_is_as_long_as_one_may_be_and_not_a_byte_longer() {
        let longest = vec![7; 3 * MESSAGE_BYTES_MAX];
        let fragments = bounded();
        assert_eq!(fragments.add(3, 1, false, &longest[1..]).unwrap(), None);
        assert_eq!(fragments.add(3, 1, true, &longest[..1]).unwrap(), Some(longest.clone()));
        assert_eq!(fragments.add(3, 2, false, &longest).unwrap(), None);
        assert_eq!(fragments.add(3, 2, false, b"x"), Err(Refused::TooLong(longest.len())));
        assert_eq!(fragments.add(3, 2, true, b"the rest").unwrap(), None, "the end alone is no message");
        assert_eq!(fragments.add(4, 2, true, b"whole").unwrap(), Some(b"whole".to_vec()), "of another peer");
    }

    #[test]
    fn messages_that_a_peer_has_begun_are_bounded_together() {
        let (one, two) = (vec![1; 2 * MESSAGE_BYTES_MAX], vec![2; 2 * MESSAGE_BYTES_MAX]);
        let fragments = bounded();
        for _ in 0..3 {
            assert_eq!(fragments.add(3, 1, false, &one).unwrap(), None);
            assert_eq!(fragments.add(3, 2, false, &two[1..]).unwrap(), None);
            assert_eq!(fragments.add(3, 2, true, &two[..1]).unwrap(), Some(two.clone()));
            assert_eq!(fragments.add(3, 1, true, b"").unwrap(), Some(one.clone()));
        }
        assert_eq!(fragments.add(3, 1, false, &one).unwrap(), None);
        assert_eq!(fragments.add(3, 2, false, &two).unwrap(), None);
        assert_eq!(fragments.add(4, 2, false, &two).unwrap(), None, "of another peer");
        assert_eq!(fragments.add(3, 3, false, b"x"), Err(Refused::TooMany(4 * MESSAGE_BYTES_MAX)));
        assert_eq!(fragments.add(3, 1, true, b"").unwrap(), None, "nothing is kept of it");
    }

    #[test]
    fn number_of_messages_that_a_peer_has_begun_is_bounded() {
        let fragments = bounded();
        for number in 0..4 {
            assert_eq!(fragments.add(3, number, false, b"").unwrap(), None);
        }
        assert_eq!(fragments.add(3, 0, false, b"more of it").unwrap(), None);
        assert_eq!(fragments.add(3, 4, false, b""), Err(Refused::TooMany(4 * MESSAGE_BYTES_MAX)));
    }

    #[test]
    fn fragment_within_a_fragment_is_refused() {
        let inner = Message::Fragment { number: 2, is_last: true, bytes: Bytes(b"x") }.encode(Vec::new());
        let fragments = Fragments::default();
        assert_eq!(fragments.add(3, 1, true, &inner), Err(Refused::Nested));
    }

    #[test]
    fn fragments_of_a_dead_rank_are_dropped() {
        let fragments = Fragments::default();
        assert_eq!(fragments.add(3, 1, false, b"begin").unwrap(), None);
        fragments.on_peer_failed(3);
        assert_eq!(fragments.add(3, 1, true, b"end").unwrap(), Some(b"end".to_vec()));
    }
}
