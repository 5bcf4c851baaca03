//! The bytes in front of every segment: what a queue pair carries as one send.
//!
//! ```text
//! word 0   | kind 16 | credits 16 | length 32 |     low bits first; length is that of the body
//! body     Message: a message's last or only bytes.   Piece: its bytes before those.
//!          Credits: nothing.   Offer: keys of a region, encoded.
//! ```

/// Bytes of a buffer that holds one segment: a page.
pub const SEGMENT_BYTES: usize = 4096;

/// Bytes in front of a body; keeps the body aligned to 8.
pub const HEADER_BYTES: usize = 8;

/// Bytes of a message that one segment carries.
pub const BODY_BYTES_MAX: usize = SEGMENT_BYTES - HEADER_BYTES;

/// What a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// Ends a message.
    Message = 1,
    /// Part of a message that goes on in the next segment.
    Piece = 2,
    /// Only gives credits back.
    Credits = 3,
    /// Says how to read a region of the sender.
    Offer = 4,
}

impl Kind {
    /// Whether it takes a credit. What gives credits back does not: it follows half a window of deliveries.
    pub fn spends(self) -> bool {
        self != Kind::Credits
    }
}

/// Word 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// Segments of the receiver's that the sender has delivered since it last said so.
    pub credits: u16,
    /// Bytes of the body.
    pub length: u32,
}

impl Header {
    /// As it travels.
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        (self.kind as u64 | u64::from(self.credits) << 16 | u64::from(self.length) << 32).to_le_bytes()
    }

    /// From the bytes of a segment of a peer, with its body; nothing where they are not one.
    pub fn decode(segment: &[u8]) -> Option<(Header, &[u8])> {
        let (word, body) = segment.split_first_chunk::<HEADER_BYTES>()?;
        let word = u64::from_le_bytes(*word);
        let kind = match word as u16 {
            1 => Kind::Message,
            2 => Kind::Piece,
            3 => Kind::Credits,
            4 => Kind::Offer,
            _ => return None,
        };
        let header = Header { kind, credits: (word >> 16) as u16, length: (word >> 32) as u32 };
        let fits = kind != Kind::Credits || body.is_empty();
        (fits && body.len() == header.length as usize).then_some((header, body))
    }
}

/// The body of a segment that this rank wrote into `slot`.
pub fn body_of(slot: &[u8]) -> &[u8] {
    let length = slot[4..HEADER_BYTES].try_into().map_or(0, u32::from_le_bytes) as usize;
    &slot[HEADER_BYTES..HEADER_BYTES + length]
}

/// How many segments carry `bytes`: also a message of none is one.
pub fn segments_of(bytes: usize) -> usize {
    bytes.div_ceil(BODY_BYTES_MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::MESSAGE_BYTES_MAX;
    use crate::transport::verbs::window::WINDOW_SEGMENTS;

    #[test]
    fn a_header_comes_back_as_it_went() {
        for kind in [Kind::Message, Kind::Piece, Kind::Credits, Kind::Offer] {
            let length = if kind == Kind::Credits { 0 } else { 24 };
            let header = Header { kind, credits: 64, length };
            let segment = [&header.encode()[..], &vec![7; length as usize]].concat();
            assert_eq!(Header::decode(&segment), Some((header, &segment[HEADER_BYTES..])));
            assert_eq!(body_of(&[&segment[..], &[1; 9]].concat()), &segment[HEADER_BYTES..]);
        }
    }

    #[test]
    fn bytes_that_are_no_segment_are_refused() {
        let message = Header { kind: Kind::Message, credits: 0, length: 5 }.encode();
        let with = |body: &[u8]| [&message[..], body].concat();
        assert!(Header::decode(&with(&[0; 5])).is_some());
        assert_eq!(Header::decode(&with(&[0; 4])), None, "shorter than it says");
        assert_eq!(Header::decode(&with(&[0; 6])), None, "longer than it says");
        assert_eq!(Header::decode(&message[..3]), None, "shorter than a header");
        assert_eq!(Header::decode(&9_u64.to_le_bytes()), None, "no such kind");
        let credits = Header { kind: Kind::Credits, credits: 1, length: 1 }.encode();
        assert_eq!(Header::decode(&[&credits[..], &[0]].concat()), None, "credits have no body");
    }

    #[test]
    fn the_largest_message_fits_into_half_a_window() {
        assert_eq!(segments_of(0), 1);
        assert_eq!(segments_of(BODY_BYTES_MAX), 1);
        assert_eq!(segments_of(BODY_BYTES_MAX + 1), 2);
        // Credits come back at half a window at the latest, so more than the other half could wait for ever.
        assert!(segments_of(MESSAGE_BYTES_MAX) <= WINDOW_SEGMENTS as usize / 2);
    }
}
