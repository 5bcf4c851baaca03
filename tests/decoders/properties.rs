//! What is written is read as it was; what is read of changed bytes is read or refused, never a panic.

use super::{generators, handshake, parcel, rendezvous_frame, tcp_frame};
use crate::base::Error;
use crate::boot::rendezvous::frame;
use crate::objects::{decode, encode};
use crate::protocol::{Arrival, Arrivals, ENVELOPE_BYTES, Message, Question, WireAttachment};
use crate::scheduling::{GroupMessage, Totals, amount_of, fixed_of};
use crate::store::CountMessage;
use crate::transport::tcp::handshake::{Client, Parties, Purpose, Secret, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::collections::BTreeSet;

/// Changes of some bytes, and a length to cut at: places are taken modulo the length there is.
type Damage = (Vec<(usize, u8)>, usize);

fn damage() -> impl Strategy<Value = Damage> {
    (vec((any::<usize>(), any::<u8>()), 0..6), prop_oneof![3 => Just(usize::MAX), 1 => any::<usize>()])
}

fn damaged(mut bytes: Vec<u8>, (changes, cut): &Damage) -> Vec<u8> {
    for (place, value) in changes {
        let place = place % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = *value;
        }
    }
    if *cut < usize::MAX {
        bytes.truncate(cut % (bytes.len() + 1));
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_comes_back(message in generators::message()) {
        let bytes = message.encode(Vec::new());
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
        prop_assert!(Message::decode(&[&bytes[..], &[0]].concat()).is_err(), "something more");
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(message in generators::message(), damage in damage()) {
        super::message(&damaged(message.encode(Vec::new()), &damage));
    }

    #[test]
    fn arbitrary_bytes_are_a_message_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        super::message(&bytes);
    }

    #[test]
    fn what_comes_in_any_envelope_is_new_was_there_or_is_missed(
        pieces in vec((prop_oneof![0_u16..9, any::<u16>()], vec(any::<u8>(), 0..9), any::<bool>()), 0..40),
    ) {
        let (arrivals, mut last) = (Arrivals::new(2), 0_u16);
        for (number, rest, whole) in pieces {
            let bytes = [&number.to_le_bytes()[..if whole { 2 } else { 1 }], &rest[..]].concat();
            let opened = arrivals.open(1, &bytes);
            let Some((envelope, message)) = bytes.split_first_chunk::<ENVELOPE_BYTES>() else {
                prop_assert_eq!(opened, Arrival::Torn);
                continue;
            };
            let number = u16::from_le_bytes([envelope[0], envelope[1]]);
            // The numbers are 1 to 65535, round and round: 0 is for what has none.
            let next = last.checked_add(1).unwrap_or(1);
            let new = number == 0 || number == next;
            prop_assert_eq!(opened == Arrival::New(message, envelope[2]), new);
            prop_assert_eq!(opened == Arrival::Torn, false);
            if number == next {
                prop_assert_eq!(arrivals.open(1, &bytes), Arrival::Again);
                last = next;
            }
        }
    }

    #[test]
    fn a_card_comes_back(card in generators::card()) {
        prop_assert_eq!(frame::Card::decode(&card.encode()), Some(card));
    }

    #[test]
    fn parts_come_back(parts in generators::parts()) {
        let bytes = frame::join(&parts);
        prop_assert_eq!(frame::part(&bytes, parts.len() + 1), None);
        prop_assert_eq!(frame::part(&bytes, parts.len()), Some(parts));
    }

    #[test]
    fn a_damaged_rendezvous_is_frames_or_a_fault(
        frames in vec(generators::rendezvous_frame(), 0..5), step in any::<u8>(), damage in damage(),
    ) {
        let written = |frame: &frame::Frame| frame::Frame::encode(frame.kind, frame.round, &frame.payload);
        let stream: Vec<u8> = frames.iter().flat_map(written).collect();
        prop_assert_eq!(rendezvous_frame::decode(&stream, usize::from(step) + 1).0, frames);
        super::rendezvous_frame(&[vec![step], damaged(stream, &damage)].concat());
    }

    #[test]
    fn a_handshake_is_trusted_where_nothing_was_changed(
        client in any::<u32>(), server in any::<u32>(), road in any::<bool>(), key in any::<[u8; 32]>(), name in ".{0,20}",
    ) {
        let purpose = if road { Purpose::Road } else { Purpose::Rendezvous };
        let (parties, secret) = (Parties { purpose, client, server }, Secret::from_bytes(key).derive(&name));
        let client = Client::new(&secret, parties);
        let server = Server::new(&secret, purpose, server, client.hello()).map_err(|(distrust, _)| distrust).unwrap();
        prop_assert_eq!(server.proven(&client.answered(server.answer()).unwrap()), Ok(parties));
    }

    #[test]
    fn a_changed_handshake_is_not_trusted(changes in vec(any::<u8>(), 0..200)) {
        handshake(&changes);
    }

    #[test]
    fn a_parcel_comes_back_with_what_travels_beside(nested in generators::nested()) {
        let written = encode(&nested).unwrap();
        let again: parcel::Nested = decode(&written.bytes, written.attachments).unwrap();
        // References are to the same cells: what they are shown as holds their address.
        prop_assert_eq!(format!("{again:?}"), format!("{nested:?}"));
    }

    #[test]
    fn a_damaged_parcel_is_read_or_refused(nested in generators::nested(), damage in damage()) {
        super::parcel(&damaged(parcel::input_of(&nested).unwrap(), &damage));
    }

    #[test]
    fn totals_come_back_and_damaged_ones_are_read_or_refused(totals in generators::totals(), damage in damage()) {
        let bytes = postcard::to_allocvec(&totals).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Totals>(&bytes), Ok(totals));
        if let Ok(totals) = postcard::from_bytes::<Totals>(&damaged(bytes, &damage)) {
            prop_assert_eq!(totals.amounts().len(), totals.custom.len() + 2);
        }
    }

    #[test]
    fn a_request_is_missing_what_exceeds_the_totals_and_nothing_else(
        totals in generators::totals(), request in generators::request(),
    ) {
        let has = |name: &str| totals.custom.iter().find(|(own, _)| own == name).map_or(0, |(_, total)| *total);
        let met = request.cpu <= totals.cpu
            && request.gpu <= totals.gpu
            && (request.gpu <= crate::scheduling::UNIT || request.gpu % crate::scheduling::UNIT == 0)
            && request.custom.iter().all(|(name, wanted)| *wanted <= has(name));
        prop_assert_eq!(totals.missing(&request).is_none(), met);
        prop_assert_eq!(fixed_of(amount_of(request.cpu)), request.cpu);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(
        frames in vec(generators::tcp_frame(), 0..12), pieces in vec(1_usize..40_000, 1..5),
    ) {
        prop_assert_eq!(tcp_frame::decode(&tcp_frame::bytes_of(&frames), &pieces), Ok(frames));
    }

    #[test]
    fn arbitrary_bytes_are_frames_or_a_fault_however_they_are_cut(
        bytes in vec(prop_oneof![0_u8..9, any::<u8>()], 0..4000), pieces in vec(1_usize..100, 1..5),
    ) {
        prop_assert_eq!(tcp_frame::decode(&bytes, &pieces), tcp_frame::decode(&bytes, &[bytes.len().max(1)]));
    }

    #[test]
    fn damaged_frames_are_frames_or_a_fault(
        frames in vec(generators::tcp_frame(), 0..3), piece in any::<u8>(), damage in damage(),
    ) {
        super::tcp_frame(&[vec![piece], damaged(tcp_frame::bytes_of(&frames), &damage)].concat());
    }
}

/// Learns the names of an enum's variants from what its `Deserialize` asks for.
struct Variants<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Variants<'_> {
    type Error = de::value::Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = variants;
        Err(de::Error::custom("the names were wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("no enum"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The variants of `T` that none of the strategy's values is, where these are what a value begins with when it is written.
fn without_generator<T: Deserialize<'static>>(strategy: &impl Strategy<Value = Vec<u8>>) -> Vec<&'static str> {
    let mut names: &[&str] = &[];
    assert!(T::deserialize(Variants(&mut names)).is_err() && !names.is_empty());
    let mut runner = TestRunner::deterministic();
    let seen: BTreeSet<usize> =
        (0..2000).map(|_| usize::from(strategy.new_tree(&mut runner).unwrap().current()[0])).collect();
    names.iter().enumerate().filter(|(number, _)| !seen.contains(number)).map(|(_, name)| *name).collect()
}

fn written<T: Serialize + std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<u8>> {
    strategy.prop_map(|value| postcard::to_allocvec(&value).expect("plain data encodes"))
}

#[test]
fn every_message_has_a_generator() {
    let unseen = [
        without_generator::<Message<'static>>(&written(generators::message())),
        without_generator::<CountMessage>(&written(generators::count())),
        without_generator::<GroupMessage>(&written(generators::group())),
        without_generator::<Question>(&written(generators::question())),
        without_generator::<WireAttachment>(&written(generators::attachment())),
        without_generator::<Error>(&written(generators::error())),
    ]
    .concat();
    assert!(unseen.is_empty(), "no generator in tests/decoders/generators.rs makes a {unseen:?}");
}
