//! Frames between a rank and rank 0 while ranks meet, and what is in them.

use crate::boot::rendezvous::frame::{Card, Fault, Frame, Kind, Reader, join, part};
use std::io::{ErrorKind, Read};

/// Far above what any input has, so that a length is refused or waited for.
const PAYLOAD_BYTES_MAX: u64 = 1 << 16;

/// Hands out so many bytes a read, then has no more for now, once; then goes on.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
    dry: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.dry = !self.dry;
        if self.dry {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.step.min(into.len());
        self.bytes.read(&mut into[..count])
    }
}

/// The first byte says how long the pieces are in which the rest comes. However a stream is cut, the same frames and the same
/// end come out of it; what a frame holds is written as it came.
pub fn rendezvous_frame(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else { return };
    let (frames, end) = decode(stream, usize::from(*step) + 1);
    assert_eq!((&frames, &end), (&decode(stream, stream.len().max(1)).0, &end));
    let written: Vec<u8> =
        frames.iter().flat_map(|frame| Frame::encode(frame.kind, frame.round, &frame.payload)).collect();
    assert!(stream.starts_with(&written), "frames are written as they came");
    for frame in frames {
        match frame.kind {
            Kind::Card => {
                if let Some(card) = Card::decode(&frame.payload) {
                    assert_eq!(card.encode(), frame.payload);
                    assert!(!card.host.chars().any(char::is_control));
                }
            }
            Kind::Gather => {
                // The number of parts is the reader's own knowledge, not the sender's word.
                let count = usize::from(*step) % 8;
                if let Some(parts) = part(&frame.payload, count) {
                    assert_eq!((parts.len(), join(&parts)), (count, frame.payload));
                }
            }
            _ => {}
        }
    }
}

/// Every frame that comes whole, and how the stream ends.
pub fn decode(bytes: &[u8], step: usize) -> (Vec<Frame>, Fault) {
    let mut trickle = Trickle { bytes, step, dry: false };
    let (mut reader, mut frames) = (Reader::new(PAYLOAD_BYTES_MAX), Vec::new());
    loop {
        match reader.read(&mut trickle) {
            Ok(frame) => frames.extend(frame),
            Err(fault) => return (frames, fault),
        }
    }
}
