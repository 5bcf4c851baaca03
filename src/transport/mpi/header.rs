//! The header of every message of this transport, and the body of a read request.
//!
//! ```text
//! word 0   a CreditHeader
//! body     Message: the caller's bytes.   Credits: nothing.
//!          Read: word 1 offset, word 2 length, word 3 slot.   Batch: messages, see `batch`.
//! ```

use super::batch::is_batch;
use crate::transport::credits::CreditHeader;
use crate::transport::framing::{Zeros, wire_enum, wire_struct};

/// Reads that a rank has in flight at once, from all peers; a slot is a number below this.
pub const READS_MAX: u32 = 64;

/// Bytes of a read request's body.
pub const REQUEST_BYTES: usize = 24;

wire_enum! {
    /// The kind of a message.
    pub enum MpiKind: u16 {
        /// The bytes that the caller sent.
        Message = 1,
        /// Only returns credits.
        Credits = 2,
        /// Requests a piece of the receiver's arena.
        Read = 3,
        /// Several messages that the caller sent.
        Batch = 4,
    }
}

/// The header of a message.
pub type MpiHeader = CreditHeader<MpiKind>;

impl MpiHeader {
    /// Decodes a peer's message into header and body; `None` if it is no message of this transport.
    pub fn decode(message: &[u8]) -> Option<(MpiHeader, &[u8])> {
        MpiHeader::split(message).filter(|(header, body)| match header.kind {
            MpiKind::Message => true,
            MpiKind::Credits => body.is_empty(),
            MpiKind::Read => body.len() == REQUEST_BYTES,
            MpiKind::Batch => is_batch(body),
        })
    }
}

wire_struct! {
    /// A request to read from the arena of the receiver.
    pub struct ReadRequest [REQUEST_BYTES] {
        /// The offset in the arena.
        pub offset: u64,
        /// The length.
        pub length: u64,
        /// The reader's slot, which determines the tag of the response.
        pub slot: u32,
        /// The upper half of word 3.
        pub zeros: Zeros<4>,
    }
}

impl ReadRequest {
    /// Decodes the body of a peer's message; `None` if it is no request.
    pub fn decode(body: &[u8]) -> Option<ReadRequest> {
        ReadRequest::parse(body.try_into().ok()?).filter(|request| request.slot < READS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::credits::HEADER_BYTES;

    /// A message whose body has `body_bytes`, while its header says `length`.
    fn message(kind: u16, length: u32, body_bytes: usize) -> Vec<u8> {
        let mut message = MpiHeader { kind: MpiKind::Message, credits: 64, length }.encode().to_vec();
        message[..2].copy_from_slice(&kind.to_le_bytes());
        message.resize(HEADER_BYTES + body_bytes, 7);
        message
    }

    #[test]
    fn decode_returns_the_encoded_header() {
        for (kind, length) in [(MpiKind::Message, 5), (MpiKind::Credits, 0), (MpiKind::Read, 24)] {
            let header = MpiHeader { kind, credits: 64, length };
            let body = vec![7; length as usize];
            assert_eq!(MpiHeader::decode(&message(kind as u16, length, length as usize)), Some((header, &body[..])));
        }
    }

    #[test]
    fn decode_of_malformed_message_returns_none() {
        assert!(MpiHeader::decode(&message(1, 5, 5)).is_some());
        assert_eq!(MpiHeader::decode(&message(1, 5, 4)), None, "shorter than it says");
        assert_eq!(MpiHeader::decode(&message(1, 0, 0)[..3]), None, "shorter than a header");
        assert_eq!(MpiHeader::decode(&message(9, 0, 0)), None, "no such kind");
        assert_eq!(MpiHeader::decode(&message(2, 1, 1)), None, "credits have no body");
        assert_eq!(MpiHeader::decode(&message(3, 8, 8)), None, "half a request");
        assert_eq!(MpiHeader::decode(&message(4, 9, 9)), None, "no whole message");
    }

    #[test]
    fn decode_returns_the_encoded_read_request() {
        let request = ReadRequest { offset: 1 << 40, length: 3 << 30, slot: 7, zeros: Zeros };
        assert_eq!(ReadRequest::decode(&request.encode()), Some(request));
        assert_eq!(ReadRequest::decode(&ReadRequest { slot: READS_MAX, ..request }.encode()), None, "no such slot");
        assert_eq!(ReadRequest::decode(&[0xff; REQUEST_BYTES]), None, "a slot beyond u32");
        assert_eq!(ReadRequest::decode(&[0; 16]), None);
    }
}
