//! Frames of every kind that ranks send each other over TCP, and while they meet.

use super::generators::text;
use super::tcp_frame::CompleteFrame;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::boot::rendezvous::frame;
use crate::transport::tcp::frame::{FrameHeader, FrameKind, REASON_BYTES_MAX, REQUEST_BYTES};
use proptest::collection::vec;
use proptest::prelude::*;

/// A frame of any kind that may stand in a peer's stream.
pub fn tcp_frame() -> impl Strategy<Value = CompleteFrame> {
    let body = |longest| vec(any::<u8>(), 0..=longest);
    let of = |kind, body: Vec<u8>| (FrameHeader::new(kind, body.len()), body);
    let frame = prop_oneof![
        body(300).prop_map(move |body| of(FrameKind::Message, body)),
        body(MESSAGE_BYTES_MAX).prop_map(move |body| of(FrameKind::Message, body)),
        body(5000).prop_map(move |body| of(FrameKind::ReadData, body)),
        body(REASON_BYTES_MAX).prop_map(move |body| of(FrameKind::ReadRefused, body)),
        vec(any::<u8>(), REQUEST_BYTES).prop_map(move |body| of(FrameKind::ReadRequest, body)),
        prop::sample::select(&[FrameKind::Credit, FrameKind::Goodbye, FrameKind::Welcome, FrameKind::Yield])
            .prop_map(move |kind| of(kind, Vec::new())),
    ];
    (frame, any::<u32>(), any::<u32>(), any::<u16>())
        .prop_map(|((header, body), credit, slot, region)| (FrameHeader { credit, slot, region, ..header }, body))
}

/// What a rank reports of itself when it joins.
pub fn participant_info() -> impl Strategy<Value = frame::ParticipantInfo> {
    (any::<u32>(), any::<u32>(), "[a-z0-9.-]{0,64}").prop_map(|(size, pid, host)| frame::ParticipantInfo {
        size,
        pid,
        host,
    })
}

/// The parts of an allgather, one from each rank.
pub fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..30), 0..8)
}

/// A frame of any kind between a rank and rank 0.
pub fn rendezvous_frame() -> impl Strategy<Value = frame::RendezvousFrame> {
    use frame::RendezvousKind::{AllMet, Barrier, Failed, Gather, Join, Taken};
    let payload = prop_oneof![
        participant_info().prop_map(|info| (Join, info.encode())),
        parts().prop_map(|parts| (Gather, frame::encode_parts(&parts))),
        vec(any::<u8>(), 0..3000).prop_map(|bytes| (Gather, bytes)),
        text().prop_map(|why| (Failed, why.into_bytes())),
        prop::sample::select(&[Taken, AllMet, Barrier]).prop_map(|kind| (kind, Vec::new())),
    ];
    (payload, any::<u32>()).prop_map(|((kind, payload), round)| frame::RendezvousFrame { kind, round, payload })
}
