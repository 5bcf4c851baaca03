//! The header of every segment. A segment is what a queue pair carries as one send.
//!
//! ```text
//! word 0   a CreditHeader
//! body     Message: the last or only bytes of a message.   Piece: bytes before those.
//!          Credits: nothing.   Offer: the keys of a region, encoded.
//! ```

use crate::transport::credits::{CreditHeader, HEADER_BYTES};
use crate::transport::framing::wire_enum;

/// Bytes of a buffer that holds one segment: a page.
pub const SEGMENT_BYTES: usize = 4096;

/// Bytes of a message that one segment carries.
pub const BODY_BYTES_MAX: usize = SEGMENT_BYTES - HEADER_BYTES;

wire_enum! {
    /// The kind of a segment.
    pub enum SegmentKind: u16 {
        /// The end of a message.
        Message = 1,
        /// Part of a message that continues in the next segment.
        Piece = 2,
        /// Only returns credits.
        Credits = 3,
        /// The keys with which the receiver can read a region of the sender.
        Offer = 4,
    }
}

impl SegmentKind {
    /// True if a segment of this kind takes a credit. One that returns credits does not: it follows half a window of
    /// deliveries.
    pub fn spends(self) -> bool {
        self != SegmentKind::Credits
    }
}

/// The header of a segment.
pub type SegmentHeader = CreditHeader<SegmentKind>;

impl SegmentHeader {
    /// Decodes a segment from a peer into header and body; `None` if the bytes are no segment.
    pub fn decode(segment: &[u8]) -> Option<(SegmentHeader, &[u8])> {
        SegmentHeader::split(segment).filter(|(header, body)| header.kind != SegmentKind::Credits || body.is_empty())
    }
}

/// The body of a segment that this rank wrote into `slot`.
pub fn body_of(slot: &[u8]) -> &[u8] {
    let length = slot.first_chunk().and_then(SegmentHeader::parse).map_or(0, |header| header.length as usize);
    &slot[HEADER_BYTES..HEADER_BYTES + length]
}

/// The number of segments that carry `bytes`; an empty message takes one.
pub fn segments_of(bytes: usize) -> usize {
    bytes.div_ceil(BODY_BYTES_MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::MESSAGE_BYTES_MAX;
    use crate::transport::verbs::window::WINDOW_SEGMENTS;

    #[test]
    fn decode_returns_the_encoded_header() {
        for kind in [SegmentKind::Message, SegmentKind::Piece, SegmentKind::Credits, SegmentKind::Offer] {
            let length = if kind == SegmentKind::Credits { 0 } else { 24 };
            let header = SegmentHeader { kind, credits: 64, length };
            let segment = [&header.encode()[..], &vec![7; length as usize]].concat();
            assert_eq!(SegmentHeader::decode(&segment), Some((header, &segment[HEADER_BYTES..])));
            assert_eq!(body_of(&[&segment[..], &[1; 9]].concat()), &segment[HEADER_BYTES..]);
        }
    }

    #[test]
    fn decode_of_malformed_segment_returns_none() {
        let message = SegmentHeader { kind: SegmentKind::Message, credits: 0, length: 5 }.encode();
        let with = |body: &[u8]| [&message[..], body].concat();
        assert!(SegmentHeader::decode(&with(&[0; 5])).is_some());
        assert_eq!(SegmentHeader::decode(&with(&[0; 4])), None, "shorter than it says");
        assert_eq!(SegmentHeader::decode(&with(&[0; 6])), None, "longer than it says");
        assert_eq!(SegmentHeader::decode(&message[..3]), None, "shorter than a header");
        assert_eq!(SegmentHeader::decode(&9_u64.to_le_bytes()), None, "no such kind");
        let credits = SegmentHeader { kind: SegmentKind::Credits, credits: 1, length: 1 }.encode();
        assert_eq!(SegmentHeader::decode(&[&credits[..], &[0]].concat()), None, "credits have no body");
    }

    #[test]
    fn largest_message_fits_half_a_window() {
        assert_eq!(segments_of(0), 1);
        assert_eq!(segments_of(BODY_BYTES_MAX), 1);
        assert_eq!(segments_of(BODY_BYTES_MAX + 1), 2);
        // Credits are returned at half a window at the latest, so a larger message could wait for ever.
        assert!(segments_of(MESSAGE_BYTES_MAX) <= WINDOW_SEGMENTS as usize / 2);
    }
}
