//! The header of every message of this transport, and the body of a read request.
//!
//! ```text
//! word 0   | kind 16 | credits 16 | length 32 |     low bits first; length is that of the body
//! body     Message: the caller's bytes.   Credits: nothing.
//!          Read: word 1 offset, word 2 length, word 3 slot
//! ```

/// Bytes of a header; keeps the body aligned to 8.
pub const HEADER_BYTES: usize = 8;

/// Words of a read request's body.
pub const READ_WORDS: usize = 3;

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum MpiKind {
    /// The bytes that the caller sent.
    Message = 1,
    /// Only returns credits.
    Credits = 2,
    /// Requests a piece of the receiver's arena.
    Read = 3,
}

/// Word 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MpiHeader {
    /// The kind of the message.
    pub kind: MpiKind,
    /// Messages from the receiver that the sender delivered since it last returned credits.
    pub credits: u16,
    /// Bytes of the body.
    pub length: u32,
}

impl MpiHeader {
    /// The header as sent.
    pub fn encode(self) -> u64 {
        (self.kind as u64 | u64::from(self.credits) << 16 | u64::from(self.length) << 32).to_le()
    }

    /// Decodes the first word of a message of `received_bytes`; `None` if it is no message of this transport.
    pub fn decode(word: u64, received_bytes: usize) -> Option<MpiHeader> {
        let word = u64::from_le(word);
        let kind = match word as u16 {
            1 => MpiKind::Message,
            2 => MpiKind::Credits,
            3 => MpiKind::Read,
            _ => return None,
        };
        let header = MpiHeader { kind, credits: (word >> 16) as u16, length: (word >> 32) as u32 };
        let body_bytes = received_bytes.checked_sub(HEADER_BYTES)?;
        let fits = match kind {
            MpiKind::Message => true,
            MpiKind::Credits => body_bytes == 0,
            MpiKind::Read => body_bytes == READ_WORDS * 8,
        };
        (fits && body_bytes == header.length as usize).then_some(header)
    }
}

/// A request to read from the arena of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The offset in the arena.
    pub offset: u64,
    /// The length.
    pub length: u64,
    /// The reader's slot, which determines the tag of the response.
    pub slot: u32,
}

impl ReadRequest {
    /// The request as sent.
    pub fn encode(self) -> [u64; READ_WORDS] {
        [self.offset.to_le(), self.length.to_le(), u64::from(self.slot).to_le()]
    }

    /// Decodes a peer's words; `None` if they are no request.
    pub fn decode(words: &[u64]) -> Option<ReadRequest> {
        let &[offset, length, slot] = words else { return None };
        Some(ReadRequest {
            offset: u64::from_le(offset),
            length: u64::from_le(length),
            slot: u32::try_from(u64::from_le(slot)).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_returns_the_encoded_header() {
        for kind in [MpiKind::Message, MpiKind::Credits, MpiKind::Read] {
            let length = if kind == MpiKind::Read { 24 } else { 0 };
            let header = MpiHeader { kind, credits: 64, length };
            assert_eq!(MpiHeader::decode(header.encode(), HEADER_BYTES + length as usize), Some(header));
        }
    }

    #[test]
    fn decode_of_malformed_message_returns_none() {
        let message = MpiHeader { kind: MpiKind::Message, credits: 0, length: 5 }.encode();
        assert!(MpiHeader::decode(message, HEADER_BYTES + 5).is_some());
        assert_eq!(MpiHeader::decode(message, HEADER_BYTES + 4), None, "shorter than it says");
        assert_eq!(MpiHeader::decode(message, 3), None, "shorter than a header");
        assert_eq!(MpiHeader::decode(9, HEADER_BYTES), None, "no such kind");
        let short_read = MpiHeader { kind: MpiKind::Read, credits: 0, length: 8 }.encode();
        assert_eq!(MpiHeader::decode(short_read, HEADER_BYTES + 8), None, "half a request");
    }

    #[test]
    fn decode_returns_the_encoded_read_request() {
        let request = ReadRequest { offset: 1 << 40, length: 3 << 30, slot: 7 };
        assert_eq!(ReadRequest::decode(&request.encode()), Some(request));
        assert_eq!(ReadRequest::decode(&[0, 0, u64::MAX]), None, "a slot beyond u32");
        assert_eq!(ReadRequest::decode(&[0, 0]), None);
    }
}
