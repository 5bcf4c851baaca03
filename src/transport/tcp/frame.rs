//! The bytes on a connection after its handshake: frames, each a header and a body, padded to 8.
//!
//! ```text
//!   0      1      2        4        8        12       16
//!   | kind | zero | region | length | credit | slot   | length bytes, then zeros up to a multiple of 8 |
//! ```
//!
//! Integers are little-endian. `credit` returns bytes of the window, on any frame. `length` does not count the padding.
//!
//! | kind | slot, region | body |
//! |---|---|---|
//! | Message | | the message |
//! | Credit | | nothing |
//! | ReadRequest | the reader's number, the region | offset 8, bytes 8 |
//! | ReadData | the reader's number | the next bytes of the read, [`PIECE_BYTES_MAX`] at most |
//! | ReadRefused | the reader's number | the reason, as text |
//! | Goodbye | | nothing: the sender closes in order, and nothing follows |
//! | Welcome | | nothing: first on a connection, from the rank that accepted it |
//! | Yield | | nothing: instead of Welcome; the other connection of the pair serves |

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::RegionNumber;
use crate::transport::framing::{wire_enum, wire_struct};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;

/// Data of a read in one frame, at most: a message may have to wait for so much.
pub const PIECE_BYTES_MAX: usize = 1 << 20;

/// Bytes of the text of a refusal, at most.
pub const REASON_BYTES_MAX: usize = 512;

/// Bytes of the body of a read request.
pub const REQUEST_BYTES: usize = 16;

wire_enum! {
    /// The kind of a frame.
    pub enum FrameKind: u8 {
        /// A message for the rank.
        Message = 1,
        /// Bytes of the window that are returned.
        Credit = 2,
        /// The sender requests bytes of a region.
        ReadRequest = 3,
        /// Some of the requested bytes.
        ReadData = 4,
        /// The request is refused.
        ReadRefused = 5,
        /// The sender closes the connection in order.
        Goodbye = 6,
        /// The connection is accepted.
        Welcome = 7,
        /// The connection is not needed.
        Yield = 8,
    }
}

const _: () = {
    assert!(HEADER_BYTES.is_multiple_of(8) && REQUEST_BYTES.is_multiple_of(8));
    assert!(MESSAGE_BYTES_MAX <= PIECE_BYTES_MAX && PIECE_BYTES_MAX <= u32::MAX as usize);
};

impl FrameKind {
    /// The valid lengths of its body.
    fn lengths(self) -> std::ops::RangeInclusive<usize> {
        match self {
            FrameKind::Message => 0..=MESSAGE_BYTES_MAX,
            FrameKind::ReadRequest => REQUEST_BYTES..=REQUEST_BYTES,
            FrameKind::ReadData => 0..=PIECE_BYTES_MAX,
            FrameKind::ReadRefused => 0..=REASON_BYTES_MAX,
            FrameKind::Credit | FrameKind::Goodbye | FrameKind::Welcome | FrameKind::Yield => 0..=0,
        }
    }
}

/// Why bytes of a peer are no valid frame: no rank of this version sends them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An unknown kind of frame.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// A frame with a length that its kind cannot have.
    #[error("a frame {kind:?} that announces {length} bytes")]
    Length { kind: FrameKind, length: usize },
    /// A kind of frame that is invalid at this point.
    #[error("a frame {0:?} where none is valid")]
    Unexpected(FrameKind),
    /// More credit than window bytes in use.
    #[error("credit for messages that were never sent")]
    Credit,
    /// Data or a refusal for a read that is not in flight, or more data than was requested.
    #[error("data for a read {0} that did not request it")]
    Read(u32),
    /// More reads at once than a rank starts.
    #[error("more reads at once than a rank starts")]
    Requests,
}

wire_struct! {
    /// The start of a frame.
    pub struct FrameHeader [HEADER_BYTES] {
        /// Its kind.
        pub kind: FrameKind,
        /// Zero.
        pub unused: u8,
        /// The region that a request names; 0 otherwise.
        pub region: RegionNumber,
        /// Bytes of the body without padding.
        pub length: u32,
        /// Bytes of the window that are returned.
        pub credit: u32,
        /// The reader's number of a read; 0 where the frame concerns no read.
        pub slot: u32,
    }
}

impl FrameHeader {
    /// The header of a frame that concerns no read, without credit.
    pub fn new(kind: FrameKind, length: usize) -> FrameHeader {
        FrameHeader { kind, unused: 0, region: 0, length: length as u32, credit: 0, slot: 0 }
    }

    /// Decodes bytes that a peer sent.
    ///
    /// # Errors
    /// Where the kind, or its length, is invalid.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<FrameHeader, FrameError> {
        let header = FrameHeader::parse(bytes).ok_or(FrameError::Kind(bytes[0]))?;
        let (kind, length) = (header.kind, header.body_bytes());
        if kind.lengths().contains(&length) { Ok(header) } else { Err(FrameError::Length { kind, length }) }
    }

    /// Bytes of the body without padding.
    pub fn body_bytes(&self) -> usize {
        self.length as usize
    }
}

wire_struct! {
    /// The range that a request names.
    pub struct ReadRange [REQUEST_BYTES] {
        /// Bytes from the start of the region.
        pub offset: u64,
        /// Length of the range in bytes.
        pub bytes: u64,
    }
}

impl ReadRange {
    /// Decodes the body of a read request.
    ///
    /// # Errors
    /// Where it does not have the length of one.
    pub fn decode(body: &[u8]) -> Result<ReadRange, FrameError> {
        let range = body.try_into().ok().and_then(ReadRange::parse);
        range.ok_or(FrameError::Length { kind: FrameKind::ReadRequest, length: body.len() })
    }
}

/// Zeros after `length` bytes, so that the next frame begins at a multiple of 8.
pub fn padding(length: usize) -> usize {
    length.next_multiple_of(8) - length
}

/// Bytes of the window that a message of `length` takes: its header counts too, so that the window bounds the number of
/// messages as well.
pub fn window_bytes(length: usize) -> usize {
    HEADER_BYTES + length.next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_headers_decode_to_themselves() {
        for (kind, length) in
            [(FrameKind::Message, 77), (FrameKind::ReadData, PIECE_BYTES_MAX), (FrameKind::ReadRefused, 3)]
        {
            let header = FrameHeader { region: 7, credit: 1 << 20, slot: 63, ..FrameHeader::new(kind, length) };
            assert_eq!(FrameHeader::decode(&header.encode()), Ok(header));
        }
        let request = ReadRange { offset: u64::MAX - 7, bytes: 1 << 40 };
        assert_eq!(ReadRange::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn invalid_kinds_and_lengths_are_rejected() {
        for kind in [0, 9, 255] {
            let mut bytes = FrameHeader::new(FrameKind::Credit, 0).encode();
            bytes[0] = kind;
            assert_eq!(FrameHeader::decode(&bytes), Err(FrameError::Kind(kind)));
        }
        for (kind, length) in [
            (FrameKind::Message, MESSAGE_BYTES_MAX + 1),
            (FrameKind::ReadData, PIECE_BYTES_MAX + 1),
            (FrameKind::ReadRequest, 8),
            (FrameKind::Goodbye, 1),
            (FrameKind::ReadRefused, u32::MAX as usize),
        ] {
            assert_eq!(
                FrameHeader::decode(&FrameHeader::new(kind, length).encode()),
                Err(FrameError::Length { kind, length })
            );
        }
        assert!(ReadRange::decode(&[0; 8]).is_err());
    }

    #[test]
    fn padded_frames_begin_at_multiples_of_8() {
        assert_eq!([0, 1, 7, 8, 9].map(padding), [0, 7, 1, 0, 7]);
        assert_eq!([0, 1, 8].map(window_bytes), [16, 24, 24]);
    }
}
