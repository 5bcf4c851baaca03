//! Frames between a rank and rank 0 at the rendezvous, and their payloads.

use crate::boot::rendezvous::frame::{FrameReader, ParticipantInfo, RendezvousFault, RendezvousFrame, RendezvousKind};
use crate::boot::rendezvous::frame::{decode_parts, encode_parts};
use std::io::{ErrorKind, Read};

/// Far above the length of any input, so that the reader either refuses a length or waits for more bytes.
const PAYLOAD_BYTES_MAX: u64 = 1 << 16;

/// Alternates between `WouldBlock` and a read of at most `step` bytes.
struct SlowStream<'a> {
    bytes: &'a [u8],
    step: usize,
    dry: bool,
}

impl Read for SlowStream<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.dry = !self.dry;
        if self.dry {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.step.min(into.len());
        self.bytes.read(&mut into[..count])
    }
}

/// The first byte gives the length of the pieces in which the rest arrives. However a stream is cut, the reader yields
/// the same frames and the same end; a frame is encoded to the bytes it was decoded from.
pub fn rendezvous_frame(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else { return };
    let (frames, end) = decode(stream, usize::from(*step) + 1);
    assert_eq!((&frames, &end), (&decode(stream, stream.len().max(1)).0, &end));
    let written: Vec<u8> =
        frames.iter().flat_map(|frame| RendezvousFrame::encode(frame.kind, frame.round, &frame.payload)).collect();
    assert!(stream.starts_with(&written), "frames are encoded as they came");
    for frame in frames {
        match frame.kind {
            RendezvousKind::Join => {
                if let Some(info) = ParticipantInfo::decode(&frame.payload) {
                    assert_eq!(info.encode(), frame.payload);
                    assert!(!info.host.chars().any(char::is_control));
                }
            }
            RendezvousKind::Gather => {
                // The reader knows the number of parts; it does not take it from the sender.
                let count = usize::from(*step) % 8;
                if let Some(parts) = decode_parts(&frame.payload, count) {
                    assert_eq!((parts.len(), encode_parts(&parts)), (count, frame.payload));
                }
            }
            _ => {}
        }
    }
}

/// Every complete frame, and how the stream ends.
pub fn decode(bytes: &[u8], step: usize) -> (Vec<RendezvousFrame>, RendezvousFault) {
    let mut stream = SlowStream { bytes, step, dry: false };
    let (mut reader, mut frames) = (FrameReader::new(PAYLOAD_BYTES_MAX), Vec::new());
    loop {
        match reader.read(&mut stream) {
            Ok(frame) => frames.extend(frame),
            Err(fault) => return (frames, fault),
        }
    }
}
