//! How a queue pair of this rank and one of a peer's are joined: what is said over the side road, and in which order. Pure.
//!
//! ```text
//! first use here                                    both at once
//!   A: greeting ----------------> B: joins            A: greeting --> <-- B: greeting
//!   A: joins, open <-- greeting, heard                A: joins, ready --> <-- B: joins, ready
//!   A: ready -------------------> B: open             A: open              B: open
//! ```
//!
//! A rank sends over its queue pair only when it is open, that is when it knows that the other end has joined and
//! would not drop what comes.

use super::regions::RegionKeys;
use serde::{Deserialize, Serialize};

/// What a rank says to a peer over the side road.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// My end of the pair.
    Greeting(Greeting),
    /// I joined your end.
    Ready,
    /// My end is gone, and why.
    Broken(String),
}

/// One end of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The number of the queue pair.
    pub queue_pair: u32,
    /// The number of its first packet.
    pub first_packet: u32,
    /// Whether the peer's greeting was heard before: then this end has joined.
    pub heard: bool,
    /// What the peer may read.
    pub regions: Vec<RegionKeys>,
}

impl Word {
    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("words are encodable")
    }

    /// From a peer's bytes; nothing where they are not a word, or say what cannot be.
    pub fn decode(bytes: &[u8]) -> Option<Word> {
        let (word, rest) = postcard::take_from_bytes::<Word>(bytes).ok()?;
        let sound = match &word {
            Word::Greeting(greeting) => {
                greeting.queue_pair < 1 << 24
                    && greeting.first_packet < 1 << 24
                    && greeting.regions.iter().all(RegionKeys::is_sound)
            }
            Word::Ready | Word::Broken(_) => true,
        };
        (rest.is_empty() && sound).then_some(word)
    }
}

/// How far the joining of one pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// This rank greeted and has not heard.
    Greeted,
    /// This end has joined; whether the other has is not known.
    Joined,
    /// Both ends have joined: segments may go.
    Open,
}

/// What is to be done upon a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Join the greeted end, then say `Ready`.
    JoinAndSayReady,
    /// Nothing but the new state.
    Nothing,
}

impl Joining {
    /// The peer greeted, after this rank did.
    pub fn greeted(self, heard: bool) -> Option<(Joining, Step)> {
        let next = if heard { Joining::Open } else { Joining::Joined };
        (self == Joining::Greeted).then_some((next, Step::JoinAndSayReady))
    }

    /// The peer is ready, which it says or shows by sending.
    pub fn ready(self) -> Option<(Joining, Step)> {
        (self != Joining::Greeted).then_some((Joining::Open, Step::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(heard: bool) -> Greeting {
        let region = RegionKeys { number: 0, address: 1 << 40, bytes: 4096, chunk_bytes: 4096, keys: vec![7] };
        Greeting { queue_pair: 17, first_packet: 0xff_ffff, heard, regions: vec![region] }
    }

    #[test]
    fn a_word_comes_back_as_it_went() {
        for word in [Word::Greeting(greeting(true)), Word::Ready, Word::Broken("why".into())] {
            assert_eq!(Word::decode(&word.encode()), Some(word));
        }
    }

    #[test]
    fn bytes_that_are_no_word_are_refused() {
        assert_eq!(Word::decode(&[]), None);
        assert_eq!(Word::decode(&[9]), None);
        let mut long = Word::Ready.encode();
        long.push(0);
        assert_eq!(Word::decode(&long), None);
        let strange = Greeting { queue_pair: 1 << 24, ..greeting(false) };
        assert_eq!(Word::decode(&Word::Greeting(strange).encode()), None);
        let mut whole = Word::Greeting(greeting(false)).encode();
        whole.pop();
        assert_eq!(Word::decode(&whole), None);
    }

    /// Every order in which the words of both ends can pass each other ends with both open.
    #[test]
    fn any_order_of_words_opens_both_ends() {
        for (both, first) in [(false, 0), (true, 0), (true, 1)] {
            let mut ends: [Option<Joining>; 2] = [Some(Joining::Greeted), both.then_some(Joining::Greeted)];
            let mut roads = [Vec::new(), Vec::new()];
            roads[1].push(Word::Greeting(greeting(false)));
            if both {
                roads[0].push(Word::Greeting(greeting(false)));
            }
            let mut turn = first;
            while roads.iter().any(|road| !road.is_empty()) {
                let (me, peer) = (turn % 2, 1 - turn % 2);
                turn += 1;
                if roads[me].is_empty() {
                    continue;
                }
                let word = roads[me].remove(0);
                let (next, answer) = match (word, ends[me]) {
                    (Word::Greeting(_), None) => (Joining::Joined, Some(Word::Greeting(greeting(true)))),
                    (Word::Greeting(word), Some(state)) => {
                        (state.greeted(word.heard).expect("in order").0, Some(Word::Ready))
                    }
                    (_, state) => (state.expect("greeted").ready().expect("in order").0, None),
                };
                ends[me] = Some(next);
                roads[peer].extend(answer);
            }
            assert_eq!(ends, [Some(Joining::Open); 2], "both {both}, first {first}");
        }
    }

    #[test]
    fn words_out_of_order_are_refused() {
        assert_eq!(Joining::Greeted.ready(), None);
        assert_eq!(Joining::Joined.greeted(false), None);
        assert_eq!(Joining::Open.greeted(true), None);
    }
}
