//! The bytes in front of every message of this road, and those of a read request.
//!
//! ```text
//! word 0   | kind 16 | credits 16 | length 32 |     low bits first; length is that of the body
//! body     Message: the caller's bytes.   Credits: nothing.
//!          Read: word 1 offset, word 2 length, word 3 slot
//! ```

/// Bytes in front of a body; keeps the body aligned to 8.
pub const HEADER_BYTES: usize = 8;

/// Words of a read request's body.
pub const READ_WORDS: usize = 3;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// Bytes for the caller's peer.
    Message = 1,
    /// Only gives credits back.
    Credits = 2,
    /// Asks for a piece of the receiver's arena.
    Read = 3,
}

/// Word 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// Messages of the receiver's that the sender has delivered since it last said so.
    pub credits: u16,
    /// Bytes of the body.
    pub length: u32,
}

impl Header {
    /// As it travels.
    pub fn encode(self) -> u64 {
        (self.kind as u64 | u64::from(self.credits) << 16 | u64::from(self.length) << 32).to_le()
    }

    /// From the first word of `arrived_bytes` bytes of a peer; nothing where they are not a message of this road.
    pub fn decode(word: u64, arrived_bytes: usize) -> Option<Header> {
        let word = u64::from_le(word);
        let kind = match word as u16 {
            1 => Kind::Message,
            2 => Kind::Credits,
            3 => Kind::Read,
            _ => return None,
        };
        let header = Header { kind, credits: (word >> 16) as u16, length: (word >> 32) as u32 };
        let body_bytes = arrived_bytes.checked_sub(HEADER_BYTES)?;
        let fits = match kind {
            Kind::Message => true,
            Kind::Credits => body_bytes == 0,
            Kind::Read => body_bytes == READ_WORDS * 8,
        };
        (fits && body_bytes == header.length as usize).then_some(header)
    }
}

/// What a reader asks of the rank whose arena it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// Where in the arena.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// The reader's slot, which names the tag of the answer.
    pub slot: u32,
}

impl ReadRequest {
    /// As it travels.
    pub fn encode(self) -> [u64; READ_WORDS] {
        [self.offset.to_le(), self.length.to_le(), u64::from(self.slot).to_le()]
    }

    /// From a peer's words; nothing where they are not a request.
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
    fn a_header_comes_back_as_it_went() {
        for kind in [Kind::Message, Kind::Credits, Kind::Read] {
            let length = if kind == Kind::Read { 24 } else { 0 };
            let header = Header { kind, credits: 64, length };
            assert_eq!(Header::decode(header.encode(), HEADER_BYTES + length as usize), Some(header));
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        let message = Header { kind: Kind::Message, credits: 0, length: 5 }.encode();
        assert!(Header::decode(message, HEADER_BYTES + 5).is_some());
        assert_eq!(Header::decode(message, HEADER_BYTES + 4), None, "shorter than it says");
        assert_eq!(Header::decode(message, 3), None, "shorter than a header");
        assert_eq!(Header::decode(9, HEADER_BYTES), None, "no such kind");
        let short_read = Header { kind: Kind::Read, credits: 0, length: 8 }.encode();
        assert_eq!(Header::decode(short_read, HEADER_BYTES + 8), None, "half a request");
    }

    #[test]
    fn a_read_request_comes_back_as_it_went() {
        let request = ReadRequest { offset: 1 << 40, length: 3 << 30, slot: 7 };
        assert_eq!(ReadRequest::decode(&request.encode()), Some(request));
        assert_eq!(ReadRequest::decode(&[0, 0, u64::MAX]), None, "a slot beyond u32");
        assert_eq!(ReadRequest::decode(&[0, 0]), None);
    }
}
