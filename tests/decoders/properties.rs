//! An encoded value decodes to the same value; damaged bytes are decoded or refused, and never cause a panic.

use super::{frame_generators, generators, handshake, rendezvous_frame, serialized_value, tcp_frame, value_generators};
use crate::base::Error;
use crate::boot::rendezvous::frame::{ParticipantInfo, RendezvousFrame, decode_parts, encode_parts};
use crate::objects::{decode, encode};
use crate::protocol::{InfoRequest, MESSAGE_HEADER_BYTES, Message, ReceiveSequence, ReceiveStatus, WireAttachment};
use crate::scheduling::{GroupMessage, Totals, amount_of, fixed_of};
use crate::store::CountMessage;
use crate::transport::tcp::handshake::{Client, ConnectionPurpose, Endpoints, Secret, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::collections::BTreeSet;

/// Changes of some bytes, and a length to cut at. Indices are taken modulo the length.
type Damage = (Vec<(usize, u8)>, usize);

fn damage() -> impl Strategy<Value = Damage> {
    (vec((any::<usize>(), any::<u8>()), 0..6), prop_oneof![3 => Just(usize::MAX), 1 => any::<usize>()])
}

fn damaged(mut bytes: Vec<u8>, (changes, cut): &Damage) -> Vec<u8> {
    for (index, value) in changes {
        let index = index % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(index) {
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
    fn encoded_message_decodes_to_the_same_message(message in generators::message()) {
        let bytes = message.encode(Vec::new());
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
        prop_assert!(Message::decode(&[&bytes[..], &[0]].concat()).is_err(), "a byte too many");
    }

    #[test]
    fn damaged_message_is_decoded_or_refused(message in generators::message(), damage in damage()) {
        super::message(&damaged(message.encode(Vec::new()), &damage));
    }

    #[test]
    fn arbitrary_bytes_are_decoded_as_a_message_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        super::message(&bytes);
    }

    #[test]
    fn any_message_header_is_new_duplicate_gap_or_corrupt(
        pieces in vec((prop_oneof![0_u16..9, any::<u16>()], vec(any::<u8>(), 0..9), any::<bool>()), 0..40),
    ) {
        let (sequence, mut last) = (ReceiveSequence::new(2), 0_u16);
        for (number, rest, whole) in pieces {
            let bytes = [&number.to_le_bytes()[..if whole { 2 } else { 1 }], &rest[..]].concat();
            let status = sequence.sender(1).accept(&bytes);
            let Some((header, message)) = bytes.split_first_chunk::<MESSAGE_HEADER_BYTES>() else {
                prop_assert_eq!(status, ReceiveStatus::Corrupt);
                continue;
            };
            let number = u16::from_le_bytes([header[0], header[1]]);
            // The numbers cycle through 1 to 65535; 0 marks a message without a number.
            let next = last.checked_add(1).unwrap_or(1);
            let new = number == 0 || number == next;
            prop_assert_eq!(status == ReceiveStatus::New(message, header[2]), new);
            prop_assert_eq!(status == ReceiveStatus::Corrupt, false);
            if number == next {
                prop_assert_eq!(sequence.sender(1).accept(&bytes), ReceiveStatus::Duplicate);
                last = next;
            }
        }
    }

    #[test]
    fn encoded_participant_info_decodes_to_the_same_info(info in frame_generators::participant_info()) {
        prop_assert_eq!(ParticipantInfo::decode(&info.encode()), Some(info));
    }

    #[test]
    fn encoded_parts_decode_to_the_same_parts(parts in frame_generators::parts()) {
        let bytes = encode_parts(&parts);
        prop_assert_eq!(decode_parts(&bytes, parts.len() + 1), None);
        prop_assert_eq!(decode_parts(&bytes, parts.len()), Some(parts));
    }

    #[test]
    fn damaged_rendezvous_stream_yields_frames_or_a_fault(
        frames in vec(frame_generators::rendezvous_frame(), 0..5), step in any::<u8>(), damage in damage(),
    ) {
        let written = |frame: &RendezvousFrame| RendezvousFrame::encode(frame.kind, frame.round, &frame.payload);
        let stream: Vec<u8> = frames.iter().flat_map(written).collect();
        prop_assert_eq!(rendezvous_frame::decode(&stream, usize::from(step) + 1).0, frames);
        super::rendezvous_frame(&[vec![step], damaged(stream, &damage)].concat());
    }

    #[test]
    fn unchanged_handshake_authenticates(
        client in any::<u32>(), server in any::<u32>(), transport in any::<bool>(), key in any::<[u8; 32]>(),
        name in ".{0,20}",
    ) {
        let purpose = if transport { ConnectionPurpose::Transport } else { ConnectionPurpose::Rendezvous };
        let (endpoints, secret) = (Endpoints { purpose, client, server }, Secret::from_bytes(key).derive(&name));
        let client = Client::new(&secret, endpoints);
        let server = Server::new(&secret, purpose, server, client.hello()).map_err(|(error, _)| error).unwrap();
        prop_assert_eq!(server.verify_proof(&client.verify_response(server.response()).unwrap()), Ok(endpoints));
    }

    #[test]
    fn changed_handshake_is_refused(changes in vec(any::<u8>(), 0..200)) {
        handshake(&changes);
    }

    #[test]
    fn encoded_value_decodes_with_its_attachments(nested in value_generators::nested()) {
        let written = encode(&nested).unwrap();
        let again: serialized_value::Nested = decode(&written.bytes, written.attachments).unwrap();
        // The references refer to the same promises: their Debug text holds the address.
        prop_assert_eq!(format!("{again:?}"), format!("{nested:?}"));
    }

    #[test]
    fn damaged_value_is_decoded_or_refused(nested in value_generators::nested(), damage in damage()) {
        super::serialized_value(&damaged(serialized_value::input_of(&nested).unwrap(), &damage));
    }

    #[test]
    fn encoded_totals_decode_and_damaged_ones_are_decoded_or_refused(
        totals in generators::totals(), damage in damage(),
    ) {
        let bytes = postcard::to_allocvec(&totals).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Totals>(&bytes), Ok(totals));
        if let Ok(totals) = postcard::from_bytes::<Totals>(&damaged(bytes, &damage)) {
            prop_assert_eq!(totals.amounts().len(), totals.custom.len() + 2);
        }
    }

    #[test]
    fn request_lacks_exactly_what_exceeds_the_totals(
        totals in generators::totals(), request in generators::request(),
    ) {
        let has = |name: &str| totals.custom.iter().find(|(own, _)| own == name).map_or(0, |(_, total)| *total);
        let met = request.cpu <= totals.cpu
            && request.gpu <= totals.gpu
            && (request.gpu <= crate::scheduling::UNIT || request.gpu % crate::scheduling::UNIT == 0)
            && request.custom.iter().all(|(name, requested)| *requested <= has(name));
        prop_assert_eq!(totals.missing(&request).is_none(), met);
        prop_assert_eq!(fixed_of(amount_of(request.cpu)), request.cpu);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tcp_frames_cut_anywhere_decode_to_the_same_frames(
        frames in vec(frame_generators::tcp_frame(), 0..12), pieces in vec(1_usize..40_000, 1..5),
    ) {
        prop_assert_eq!(tcp_frame::decode(&tcp_frame::bytes_of(&frames), &pieces), Ok(frames));
    }

    #[test]
    fn arbitrary_bytes_cut_anywhere_yield_the_same_frames_or_fault(
        bytes in vec(prop_oneof![0_u8..9, any::<u8>()], 0..4000), pieces in vec(1_usize..100, 1..5),
    ) {
        prop_assert_eq!(tcp_frame::decode(&bytes, &pieces), tcp_frame::decode(&bytes, &[bytes.len().max(1)]));
    }

    #[test]
    fn damaged_tcp_stream_yields_frames_or_a_fault(
        frames in vec(frame_generators::tcp_frame(), 0..3), piece in any::<u8>(), damage in damage(),
    ) {
        super::tcp_frame(&[vec![piece], damaged(tcp_frame::bytes_of(&frames), &damage)].concat());
    }
}

/// Learns the names of an enum's variants from the request of its `Deserialize`.
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
        Err(de::Error::custom("only the names were requested"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("no enum"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The variants of `T` that none of the strategy's encoded values is: the first byte is the variant.
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
        without_generator::<Message<'static>>(&written(
            generators::message().prop_filter("it has its own layout", |message| message.with_short(|_| ()).is_none()),
        )),
        without_generator::<CountMessage>(&written(generators::count_message())),
        without_generator::<GroupMessage>(&written(generators::group_message())),
        without_generator::<InfoRequest>(&written(generators::info_request())),
        without_generator::<WireAttachment>(&written(generators::attachment())),
        without_generator::<Error>(&written(generators::error())),
    ]
    .concat();
    assert!(unseen.is_empty(), "no generator in tests/decoders/generators.rs yields {unseen:?}");
}
