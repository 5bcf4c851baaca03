//! What travels on a connection after its handshake: frames, each a header and what it announces, padded to 8.
//!
//! ```text
//!   0      1      2        4        8        12       16
//!   | kind | zero | region | length | credit | slot   | length bytes, then zeros up to a multiple of 8 |
//! ```
//!
//! Integers are little-endian. `credit` gives back bytes of the window, on any frame. `length` does not count the padding.
//!
//! | kind | slot, region | what follows |
//! |---|---|---|
//! | Message | | the message |
//! | Credit | | nothing |
//! | ReadRequest | the reader's slot, the region | offset 8, bytes 8 |
//! | ReadData | the reader's slot | the next bytes of the read, [`PIECE_BYTES_MAX`] at most |
//! | ReadRefused | the reader's slot | why, in words |
//! | Goodbye | | nothing: the sender leaves in order, and nothing follows |
//! | Welcome | | nothing: first on a connection, from who accepted it |
//! | Yield | | nothing: instead of Welcome; the other connection of the pair serves |

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::RegionNumber;
use std::fmt;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;

/// Data of a read in one frame: as long as a message may have to wait for it.
pub const PIECE_BYTES_MAX: usize = 1 << 20;

/// The text of a refusal.
pub const REASON_BYTES_MAX: usize = 512;

/// Bytes after the header of a request.
pub const REQUEST_BYTES: usize = 16;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A message for the rank.
    Message = 1,
    /// Bytes of the window that are given back.
    Credit = 2,
    /// A peer wants bytes of a region.
    ReadRequest = 3,
    /// Some of the bytes wanted.
    ReadData = 4,
    /// The bytes cannot be had.
    ReadRefused = 5,
    /// The sender leaves.
    Goodbye = 6,
    /// The connection is accepted.
    Welcome = 7,
    /// The connection is not needed.
    Yield = 8,
}

const KINDS: [Kind; 8] = [
    Kind::Message,
    Kind::Credit,
    Kind::ReadRequest,
    Kind::ReadData,
    Kind::ReadRefused,
    Kind::Goodbye,
    Kind::Welcome,
    Kind::Yield,
];

const _: () = {
    // A kind's number is its place in the list, so that decoding is an index.
    let mut at = 0;
    while at < KINDS.len() {
        assert!(KINDS[at] as usize == at + 1);
        at += 1;
    }
    assert!(HEADER_BYTES.is_multiple_of(8) && REQUEST_BYTES.is_multiple_of(8));
    assert!(MESSAGE_BYTES_MAX <= PIECE_BYTES_MAX && PIECE_BYTES_MAX <= u32::MAX as usize);
};

impl Kind {
    /// The lengths that may follow its header.
    fn lengths(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Kind::Message => 0..=MESSAGE_BYTES_MAX,
            Kind::ReadRequest => REQUEST_BYTES..=REQUEST_BYTES,
            Kind::ReadData => 0..=PIECE_BYTES_MAX,
            Kind::ReadRefused => 0..=REASON_BYTES_MAX,
            Kind::Credit | Kind::Goodbye | Kind::Welcome | Kind::Yield => 0..=0,
        }
    }
}

/// What a peer sent that no rank of this version sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such kind of frame.
    Kind(u8),
    /// A frame of a length that its kind cannot have.
    Length {
        /// The frame's kind.
        kind: Kind,
        /// The length that it announced.
        length: usize,
    },
    /// A kind of frame that cannot come at this point.
    Unexpected(Kind),
    /// More messages than the window admits.
    Window,
    /// More of the window was given back than was used.
    Credit,
    /// Data or a refusal for a read that is not under way, or more data than was asked for.
    Slot(u32),
    /// More reads at once than a rank starts.
    Requests,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Kind(kind) => write!(formatter, "a frame of kind {kind}, which there is not"),
            Fault::Length { kind, length } => write!(formatter, "a frame {kind:?} that announces {length} bytes"),
            Fault::Unexpected(kind) => write!(formatter, "a frame {kind:?} where none can come"),
            Fault::Window => write!(formatter, "more messages than its window admits"),
            Fault::Credit => write!(formatter, "credit for messages that were never sent"),
            Fault::Slot(slot) => write!(formatter, "data for a read {slot} that did not ask for it"),
            Fault::Requests => write!(formatter, "more reads at once than a rank starts"),
        }
    }
}

/// The start of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// The region that a request names; 0 otherwise.
    pub region: RegionNumber,
    /// Bytes that follow, padding aside.
    pub length: usize,
    /// Bytes of the window that are given back.
    pub credit: u32,
    /// The reader's slot; 0 where the frame is of no read.
    pub slot: u32,
}

impl Header {
    /// Of a frame that is of no read, without credit.
    pub fn new(kind: Kind, length: usize) -> Header {
        Header { kind, region: 0, length, credit: 0, slot: 0 }
    }

    /// As it travels.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = self.kind as u8;
        bytes[2..4].copy_from_slice(&self.region.to_le_bytes());
        bytes[4..8].copy_from_slice(&(self.length as u32).to_le_bytes());
        bytes[8..12].copy_from_slice(&self.credit.to_le_bytes());
        bytes[12..].copy_from_slice(&self.slot.to_le_bytes());
        bytes
    }

    /// Of bytes that a peer sent.
    ///
    /// # Errors
    /// What cannot be: the kind, or its length.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, Fault> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let place = usize::from(bytes[0]).checked_sub(1);
        let kind = *place.and_then(|place| KINDS.get(place)).ok_or(Fault::Kind(bytes[0]))?;
        let length = word(4) as usize;
        if !kind.lengths().contains(&length) {
            return Err(Fault::Length { kind, length });
        }
        let region = u16::from_le_bytes([bytes[2], bytes[3]]);
        Ok(Header { kind, region, length, credit: word(8), slot: word(12) })
    }
}

/// The range that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bytes from the start of the region.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

impl Request {
    /// As it travels.
    pub fn encode(&self) -> [u8; REQUEST_BYTES] {
        let mut bytes = [0; REQUEST_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..].copy_from_slice(&self.bytes.to_le_bytes());
        bytes
    }

    /// Of what follows a request's header.
    ///
    /// # Errors
    /// Where it is not of a request's length.
    pub fn decode(bytes: &[u8]) -> Result<Request, Fault> {
        let halves: Option<(&[u8; 8], &[u8; 8])> = bytes.first_chunk().zip(bytes.last_chunk());
        match halves {
            Some((offset, length)) if bytes.len() == REQUEST_BYTES => {
                Ok(Request { offset: u64::from_le_bytes(*offset), bytes: u64::from_le_bytes(*length) })
            }
            _ => Err(Fault::Length { kind: Kind::ReadRequest, length: bytes.len() }),
        }
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
    fn a_header_comes_back_as_it_was() {
        for (kind, length) in [(Kind::Message, 77), (Kind::ReadData, PIECE_BYTES_MAX), (Kind::ReadRefused, 3)] {
            let header = Header { kind, region: 7, length, credit: 1 << 20, slot: 63 };
            assert_eq!(Header::decode(&header.encode()), Ok(header));
        }
        let request = Request { offset: u64::MAX - 7, bytes: 1 << 40 };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for kind in [0, 9, 255] {
            let mut bytes = Header::new(Kind::Credit, 0).encode();
            bytes[0] = kind;
            assert_eq!(Header::decode(&bytes), Err(Fault::Kind(kind)));
        }
        for (kind, length) in [
            (Kind::Message, MESSAGE_BYTES_MAX + 1),
            (Kind::ReadData, PIECE_BYTES_MAX + 1),
            (Kind::ReadRequest, 8),
            (Kind::Goodbye, 1),
            (Kind::ReadRefused, u32::MAX as usize),
        ] {
            assert_eq!(Header::decode(&Header::new(kind, length).encode()), Err(Fault::Length { kind, length }));
        }
        assert!(Request::decode(&[0; 8]).is_err());
    }

    #[test]
    fn frames_begin_at_multiples_of_8() {
        assert_eq!([0, 1, 7, 8, 9].map(padding), [0, 7, 1, 0, 7]);
        assert_eq!([0, 1, 8].map(window_bytes), [16, 24, 24]);
    }
}
