//! What travels after the handshake: frames, a head and a payload.
//!
//! ```text
//!   kind 1 | zero 3 | round 4 | payload bytes 8 | payload
//! ```
//!
//! All numbers little-endian. A payload is taken in as it comes: a length alone makes nobody allocate.

use std::io::{ErrorKind, Read, Write};

/// Bytes of a head.
pub const HEAD_BYTES: usize = 16;

/// The payload of one rank: far above what a rank says at start.
pub const PART_BYTES_MAX: u64 = 16 << 20;

/// The most taken from a socket at once.
const CHUNK_BYTES: usize = 64 << 10;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// To rank 0, first: a [`Card`].
    Card = 1,
    /// From rank 0: the card was taken; wait for the others.
    Taken = 2,
    /// From rank 0: all met.
    Met = 3,
    /// To rank 0: a part of an allgather; from it: all parts.
    Gather = 4,
    /// To rank 0: has come; from it: all have.
    Barrier = 5,
    /// From rank 0: why nobody goes on.
    Failed = 6,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::{Barrier, Card, Failed, Gather, Met, Taken};
        [Card, Taken, Met, Gather, Barrier, Failed].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    /// How many collectives came before, so that ranks that are out of step notice.
    pub round: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// Head and payload in one piece.
    pub fn encode(kind: Kind, round: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len());
        bytes.extend_from_slice(&[kind as u8, 0, 0, 0]);
        bytes.extend_from_slice(&round.to_le_bytes());
        bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }
}

/// Why no frame came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The other end is gone, in the words of the system.
    Gone(String),
    /// What came is no frame.
    Malformed(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Gone(how) => write!(formatter, "it is gone ({how})"),
            Fault::Malformed(how) => write!(formatter, "what it sent is not understood ({how})"),
        }
    }
}

/// Puts a frame together from pieces, never reading past its end.
pub struct Reader {
    bytes: Vec<u8>,
    payload_bytes_max: u64,
}

impl Reader {
    /// For frames whose payload is not longer than this.
    pub fn new(payload_bytes_max: u64) -> Reader {
        Reader { bytes: Vec::new(), payload_bytes_max }
    }

    /// Reads on; `None` where the socket has no more for now.
    ///
    /// # Errors
    /// Where the other end is gone or sent no frame; the connection is of no use then.
    pub fn read(&mut self, stream: &mut impl Read) -> Result<Option<Frame>, Fault> {
        loop {
            let whole = match self.bytes.first_chunk() {
                None => HEAD_BYTES,
                Some(head) => {
                    let (kind, round, payload_bytes) = self.head(head)?;
                    let whole = HEAD_BYTES + payload_bytes;
                    if self.bytes.len() == whole {
                        let payload = std::mem::take(&mut self.bytes).split_off(HEAD_BYTES);
                        return Ok(Some(Frame { kind, round, payload }));
                    }
                    whole
                }
            };
            let begin = self.bytes.len();
            self.bytes.resize(whole.min(begin + CHUNK_BYTES), 0);
            let read = stream.read(&mut self.bytes[begin..]);
            self.bytes.truncate(begin + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Err(Fault::Gone("it closed the connection".to_string())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(Fault::Gone(error.to_string())),
            }
        }
    }

    fn head(&self, head: &[u8; HEAD_BYTES]) -> Result<(Kind, u32, usize), Fault> {
        let [kind, zero @ .., r0, r1, r2, r3, l0, l1, l2, l3, l4, l5, l6, l7] = *head;
        let zero: [u8; 3] = zero;
        let kind = Kind::from_byte(kind).filter(|_| zero == [0; 3]);
        let kind = kind.ok_or_else(|| Fault::Malformed("no frame begins like this".to_string()))?;
        let payload_bytes = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        if payload_bytes > self.payload_bytes_max {
            let most = self.payload_bytes_max;
            return Err(Fault::Malformed(format!("a frame of {payload_bytes} bytes, where {most} are the most")));
        }
        Ok((kind, u32::from_le_bytes([r0, r1, r2, r3]), payload_bytes as usize))
    }
}

/// Writes what is left of `bytes` from `sent` on; whether all is out.
///
/// # Errors
/// Where the other end is gone.
pub fn write_on(stream: &mut impl Write, bytes: &[u8], sent: &mut usize) -> Result<bool, Fault> {
    while *sent < bytes.len() {
        match stream.write(&bytes[*sent..]) {
            Ok(count) => *sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(Fault::Gone(error.to_string())),
        }
    }
    Ok(true)
}

/// All parts of an allgather as one payload: their number, their lengths, their bytes.
pub fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * (parts.len() + 1) + parts.iter().map(Vec::len).sum::<usize>());
    bytes.extend_from_slice(&(parts.len() as u64).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(&(part.len() as u64).to_le_bytes()));
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// The parts again, where there are `count` of them and nothing else.
pub fn part(bytes: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    let lengths = bytes.get(..8 * (count + 1))?;
    let mut rest = &bytes[lengths.len()..];
    let mut lengths = lengths.as_chunks::<8>().0.iter().map(|length| u64::from_le_bytes(*length));
    if lengths.next()? != count as u64 {
        return None;
    }
    let mut parts = Vec::with_capacity(count);
    for length in lengths {
        let (part, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        parts.push(part.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(parts)
}

/// Who a rank is, as it tells rank 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// How many ranks it expects.
    pub size: u32,
    /// Its process.
    pub pid: u32,
    /// Its host's name.
    pub host: String,
}

impl Card {
    /// Bytes of a card at most: a host's name has at most 64.
    pub const BYTES_MAX: u64 = 8 + 256;

    /// This process's.
    pub fn of_this_process(size: u32) -> Card {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Card { size, pid: std::process::id(), host: name.trim().chars().take(64).collect() }
    }

    pub fn encode(&self) -> Vec<u8> {
        [&self.size.to_le_bytes(), &self.pid.to_le_bytes(), self.host.as_bytes()].concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<Card> {
        let (size, rest) = bytes.split_first_chunk()?;
        let (pid, host) = rest.split_first_chunk()?;
        // It is printed: no line breaks, no escapes.
        let host = std::str::from_utf8(host).ok().filter(|host| !host.chars().any(char::is_control))?;
        Some(Card { size: u32::from_le_bytes(*size), pid: u32::from_le_bytes(*pid), host: host.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn whole(bytes: &[u8], step: usize) -> Result<Frame, Fault> {
        let (mut reader, mut trickle) = (Reader::new(PART_BYTES_MAX), Trickle { bytes, step, dry: false });
        loop {
            if let Some(frame) = reader.read(&mut trickle)? {
                assert!(trickle.bytes.is_empty() || trickle.bytes[0] == 0xee, "never past its end");
                return Ok(frame);
            }
        }
    }

    #[test]
    fn frames_come_together_from_pieces_of_any_size() {
        for payload in [vec![], vec![7; 1], vec![7; 100_000]] {
            let frame = Frame { kind: Kind::Gather, round: 9, payload: payload.clone() };
            let mut bytes = Frame::encode(frame.kind, frame.round, &frame.payload);
            bytes.push(0xee);
            for step in [1, 15, 16, 17, 4096, 1 << 20] {
                assert_eq!(whole(&bytes, step), Ok(frame.clone()));
            }
        }
    }

    #[test]
    fn what_is_cut_off_unknown_or_too_long_is_told_apart() {
        let bytes = Frame::encode(Kind::Barrier, 1, b"payload");
        for length in 0..bytes.len() {
            assert!(matches!(whole(&bytes[..length], 5), Err(Fault::Gone(_))), "{length}");
        }
        let mut unknown = bytes.clone();
        unknown[0] = 77;
        assert!(matches!(whole(&unknown, 5), Err(Fault::Malformed(_))));
        let mut padded = bytes.clone();
        padded[2] = 1;
        assert!(matches!(whole(&padded, 5), Err(Fault::Malformed(_))));
        let mut long = bytes;
        long[8..16].copy_from_slice(&(PART_BYTES_MAX + 1).to_le_bytes());
        let fault = whole(&long, 5).unwrap_err();
        assert!(fault.to_string().contains("16777217 bytes"), "{fault}");
    }

    #[test]
    fn parts_come_back_and_nothing_else_does() {
        let parts = vec![b"one".to_vec(), Vec::new(), b"three".to_vec()];
        let bytes = join(&parts);
        assert_eq!(part(&bytes, 3), Some(parts));
        assert_eq!(part(&bytes, 2), None);
        assert_eq!(part(&bytes, usize::MAX >> 8), None);
        for length in 0..bytes.len() {
            assert_eq!(part(&bytes[..length], 3), None);
        }
        let mut long = bytes.clone();
        long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(part(&long, 3), None);
        assert_eq!(part(&[bytes, vec![0]].concat(), 3), None, "something more");
    }

    #[test]
    fn a_card_comes_back_and_a_name_that_would_spoil_the_terminal_does_not() {
        let card = Card::of_this_process(4);
        assert!(!card.host.is_empty() && card.encode().len() as u64 <= Card::BYTES_MAX);
        assert_eq!(Card::decode(&card.encode()), Some(card));
        let card = |host: &str| Card { size: 1, pid: 2, host: host.to_string() }.encode();
        assert_eq!(Card::decode(&card("n\x1b[2J")), None);
        assert_eq!(Card::decode(&card("")[..7]), None);
    }
}
