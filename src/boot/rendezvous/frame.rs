//! Frames, the messages after the handshake: a header and a payload.
//!
//! ```text
//!   kind 1 | zero 3 | round 4 | payload bytes 8 | payload
//! ```
//!
//! All numbers are little-endian. A payload is buffered as it comes: a length alone causes no allocation.

use crate::base::host::host_name;
use crate::transport::framing::{Zeros, wire_enum, wire_struct};
use std::io::{ErrorKind, Read, Write};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;

/// The longest payload of one rank: far more than a rank sends at start.
pub const PART_BYTES_MAX: u64 = 16 << 20;

/// The most bytes read from a socket at once.
const CHUNK_BYTES: usize = 64 << 10;

wire_enum! {
    /// The kind of a frame.
    pub enum RendezvousKind: u8 {
        /// To rank 0, the first frame: a [`ParticipantInfo`].
        Join = 1,
        /// From rank 0: the rank is accepted; it waits for the others.
        Taken = 2,
        /// From rank 0: all ranks have met.
        AllMet = 3,
        /// To rank 0: one part of an allgather; from it: all parts.
        Gather = 4,
        /// To rank 0: the rank is in the barrier; from it: all are.
        Barrier = 5,
        /// From rank 0: why the collective failed.
        Failed = 6,
    }
}

wire_struct! {
    /// The start of a frame.
    pub struct RendezvousHeader [HEADER_BYTES] {
        pub kind: RendezvousKind,
        pub zeros: Zeros<3>,
        /// As in [`RendezvousFrame`].
        pub round: u32,
        pub payload_bytes: u64,
    }
}

/// A complete frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RendezvousFrame {
    pub kind: RendezvousKind,
    /// The number of collectives before, which detects ranks that are out of step.
    pub round: u32,
    pub payload: Vec<u8>,
}

impl RendezvousFrame {
    /// Header and payload in one buffer.
    pub fn encode(kind: RendezvousKind, round: u32, payload: &[u8]) -> Vec<u8> {
        let header = RendezvousHeader { kind, zeros: Zeros, round, payload_bytes: payload.len() as u64 };
        [&header.encode()[..], payload].concat()
    }
}

/// Why no frame came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RendezvousFault {
    /// The connection is closed, with the system's error.
    #[error("{0}")]
    Closed(String),
    /// The bytes received are no frame.
    #[error("it sent malformed data ({0})")]
    Malformed(String),
}

/// Assembles a frame from pieces, never reading past its end.
pub struct FrameReader {
    bytes: Vec<u8>,
    payload_bytes_max: u64,
}

impl FrameReader {
    /// A reader of frames with payloads of at most `payload_bytes_max`.
    pub fn new(payload_bytes_max: u64) -> FrameReader {
        FrameReader { bytes: Vec::new(), payload_bytes_max }
    }

    /// Continues to read; `None` if the socket has no more bytes now.
    ///
    /// # Errors
    /// If the connection is closed or the bytes are no frame; the connection cannot be used further.
    pub fn read(&mut self, stream: &mut impl Read) -> Result<Option<RendezvousFrame>, RendezvousFault> {
        loop {
            let whole = match self.bytes.first_chunk() {
                None => HEADER_BYTES,
                Some(header) => {
                    let RendezvousHeader { kind, round, payload_bytes, .. } = self.header(header)?;
                    let whole = HEADER_BYTES + payload_bytes as usize;
                    if self.bytes.len() == whole {
                        let payload = std::mem::take(&mut self.bytes).split_off(HEADER_BYTES);
                        return Ok(Some(RendezvousFrame { kind, round, payload }));
                    }
                    whole
                }
            };
            let begin = self.bytes.len();
            self.bytes.resize(whole.min(begin + CHUNK_BYTES), 0);
            let read = stream.read(&mut self.bytes[begin..]);
            self.bytes.truncate(begin + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Err(RendezvousFault::Closed("it closed the connection".to_string())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(RendezvousFault::Closed(error.to_string())),
            }
        }
    }

    fn header(&self, bytes: &[u8; HEADER_BYTES]) -> Result<RendezvousHeader, RendezvousFault> {
        let header = RendezvousHeader::parse(bytes);
        let header = header.ok_or_else(|| RendezvousFault::Malformed("no frame begins like this".to_string()))?;
        let (payload_bytes, most) = (header.payload_bytes, self.payload_bytes_max);
        if payload_bytes > most {
            return Err(RendezvousFault::Malformed(format!(
                "a frame of {payload_bytes} bytes, where {most} are the most"
            )));
        }
        Ok(header)
    }
}

/// Writes the rest of `bytes` from `sent` on; true if all is written.
///
/// # Errors
/// If the connection is closed.
pub fn write_remaining(stream: &mut impl Write, bytes: &[u8], sent: &mut usize) -> Result<bool, RendezvousFault> {
    while *sent < bytes.len() {
        match stream.write(&bytes[*sent..]) {
            Ok(count) => *sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(RendezvousFault::Closed(error.to_string())),
        }
    }
    Ok(true)
}

/// Encodes all parts of an allgather as one payload: their number, their lengths, their bytes.
pub fn encode_parts(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * (parts.len() + 1) + parts.iter().map(Vec::len).sum::<usize>());
    bytes.extend_from_slice(&(parts.len() as u64).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(&(part.len() as u64).to_le_bytes()));
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Decodes the parts, if there are exactly `count` of them.
pub fn decode_parts(bytes: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    let lengths = bytes.get(..8 * (count + 1))?;
    let mut remaining = &bytes[lengths.len()..];
    let mut lengths = lengths.as_chunks::<8>().0.iter().map(|length| u64::from_le_bytes(*length));
    if lengths.next()? != count as u64 {
        return None;
    }
    let mut parts = Vec::with_capacity(count);
    for length in lengths {
        let (part, after) = remaining.split_at_checked(usize::try_from(length).ok()?)?;
        parts.push(part.to_vec());
        remaining = after;
    }
    remaining.is_empty().then_some(parts)
}

/// What a rank tells rank 0 about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantInfo {
    /// The number of ranks it expects.
    pub size: u32,
    /// Its process id.
    pub pid: u32,
    /// Its host's name.
    pub host: String,
}

impl ParticipantInfo {
    /// The most bytes of an encoded info: a host's name has at most 64.
    pub const BYTES_MAX: u64 = 8 + 256;

    /// The info of this process.
    pub fn of_this_process(size: u32) -> ParticipantInfo {
        ParticipantInfo { size, pid: std::process::id(), host: host_name().chars().take(64).collect() }
    }

    pub fn encode(&self) -> Vec<u8> {
        [&self.size.to_le_bytes(), &self.pid.to_le_bytes(), self.host.as_bytes()].concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<ParticipantInfo> {
        let (size, remaining) = bytes.split_first_chunk()?;
        let (pid, host) = remaining.split_first_chunk()?;
        // The host is printed: no line breaks, no escapes.
        let host = std::str::from_utf8(host).ok().filter(|host| !host.chars().any(char::is_control))?;
        Some(ParticipantInfo { size: u32::from_le_bytes(*size), pid: u32::from_le_bytes(*pid), host: host.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `step` bytes a read; every other read would block.
    struct PausingReader<'a> {
        bytes: &'a [u8],
        step: usize,
        paused: bool,
    }

    impl Read for PausingReader<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.paused = !self.paused;
            if self.paused {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = self.step.min(into.len());
            self.bytes.read(&mut into[..count])
        }
    }

    fn whole(bytes: &[u8], step: usize) -> Result<RendezvousFrame, RendezvousFault> {
        let (mut reader, mut pausing) =
            (FrameReader::new(PART_BYTES_MAX), PausingReader { bytes, step, paused: false });
        loop {
            if let Some(frame) = reader.read(&mut pausing)? {
                assert!(pausing.bytes.is_empty() || pausing.bytes[0] == 0xee, "never past its end");
                return Ok(frame);
            }
        }
    }

    #[test]
    fn reader_assembles_frames_from_pieces_of_any_size() {
        for payload in [vec![], vec![7; 1], vec![7; 100_000]] {
            let frame = RendezvousFrame { kind: RendezvousKind::Gather, round: 9, payload: payload.clone() };
            let mut bytes = RendezvousFrame::encode(frame.kind, frame.round, &frame.payload);
            bytes.push(0xee);
            for step in [1, 15, 16, 17, 4096, 1 << 20] {
                assert_eq!(whole(&bytes, step), Ok(frame.clone()));
            }
        }
    }

    #[test]
    fn reader_distinguishes_closed_and_malformed() {
        let bytes = RendezvousFrame::encode(RendezvousKind::Barrier, 1, b"payload");
        for length in 0..bytes.len() {
            assert!(matches!(whole(&bytes[..length], 5), Err(RendezvousFault::Closed(_))), "{length}");
        }
        let mut unknown = bytes.clone();
        unknown[0] = 77;
        assert!(matches!(whole(&unknown, 5), Err(RendezvousFault::Malformed(_))));
        let mut padded = bytes.clone();
        padded[2] = 1;
        assert!(matches!(whole(&padded, 5), Err(RendezvousFault::Malformed(_))));
        let mut long = bytes;
        long[8..16].copy_from_slice(&(PART_BYTES_MAX + 1).to_le_bytes());
        let fault = whole(&long, 5).unwrap_err();
        assert!(fault.to_string().contains("16777217 bytes"), "{fault}");
    }

    #[test]
    fn decode_parts_returns_exactly_the_encoded_parts() {
        let parts = vec![b"one".to_vec(), Vec::new(), b"three".to_vec()];
        let bytes = encode_parts(&parts);
        assert_eq!(decode_parts(&bytes, 3), Some(parts));
        assert_eq!(decode_parts(&bytes, 2), None);
        assert_eq!(decode_parts(&bytes, usize::MAX >> 8), None);
        for length in 0..bytes.len() {
            assert_eq!(decode_parts(&bytes[..length], 3), None);
        }
        let mut long = bytes.clone();
        long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(decode_parts(&long, 3), None);
        assert_eq!(decode_parts(&[bytes, vec![0]].concat(), 3), None, "something more");
    }

    #[test]
    fn info_with_control_characters_is_refused() {
        let info = ParticipantInfo::of_this_process(4);
        assert!(!info.host.is_empty() && info.encode().len() as u64 <= ParticipantInfo::BYTES_MAX);
        assert_eq!(ParticipantInfo::decode(&info.encode()), Some(info));
        let info = |host: &str| ParticipantInfo { size: 1, pid: 2, host: host.to_string() }.encode();
        assert_eq!(ParticipantInfo::decode(&info("n\x1b[2J")), None);
        assert_eq!(ParticipantInfo::decode(&info("")[..7]), None);
    }
}
