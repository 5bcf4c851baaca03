//! One peer's connection: its queue pair and what is known of both directions.

use super::completion::Status;
use super::greeting::Joining;
use super::header::{BODY_BYTES_MAX, HEADER_BYTES, Header, Kind, body_of, segments_of};
use super::queue_pair::QueuePair;
use super::reads::Reads;
use super::regions::RegionKeys;
use super::window::{Posted, ReceiveCount, SendWindow};
use crate::base::clock::now_ns;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::transport::Salvage;

/// A message that came in pieces; kept aligned to 8.
#[derive(Debug, Default)]
pub struct Assembly {
    words: Vec<u64>,
    length: usize,
}

impl Assembly {
    /// Whether nothing came yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a segment's body; false where that makes more than a message.
    pub fn append(&mut self, body: &[u8]) -> bool {
        let end = self.length + body.len();
        if end > MESSAGE_BYTES_MAX {
            return false;
        }
        self.words.resize(end.div_ceil(8), 0);
        bytemuck::cast_slice_mut(&mut self.words)[self.length..end].copy_from_slice(body);
        self.length = end;
        true
    }

    /// What came.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    /// Empty again, with its memory.
    pub fn cleared(mut self) -> Assembly {
        self.words.clear();
        self.length = 0;
        self
    }
}

/// A peer that a queue pair leads, or will lead, to. The pair stands first, so that it is destroyed before the blocks
/// of `reads`.
#[derive(Debug)]
pub struct Connection {
    /// This rank's end.
    pub pair: QueuePair,
    /// Bulk reads.
    pub reads: Reads,
    /// How far the two ends are joined.
    pub joining: Joining,
    /// The number of this end's first packet.
    pub first_packet: u32,
    /// Segments to the peer.
    pub window: SendWindow,
    /// Segments from it.
    pub received: ReceiveCount,
    /// The message that is coming.
    pub assembly: Assembly,
    /// What of the peer can be read.
    pub regions: Vec<RegionKeys>,
    /// How many of this rank's regions the peer knows of.
    pub announced: usize,
    /// When the device was last heard of, or had nothing to tell.
    pub heard_ns: u64,
    /// Whether it was silent for too long when somebody looked last. A rank that was itself stopped for long finds
    /// everybody silent, and has what they said still before it.
    pub suspected: bool,
    /// Why it is about to end.
    pub failed: Option<String>,
    /// It sent what is no segment: nothing that comes after that is a message in its place.
    pub nonsense: bool,
}

impl Connection {
    /// Not joined yet.
    pub fn new(pair: QueuePair, first_packet: u32) -> Connection {
        Connection {
            pair,
            reads: Reads::new(1, 4096),
            joining: Joining::Greeted,
            first_packet,
            window: SendWindow::new(),
            received: ReceiveCount::default(),
            assembly: Assembly::default(),
            regions: Vec::new(),
            announced: 0,
            heard_ns: now_ns(),
            suspected: false,
            failed: None,
            nonsense: false,
        }
    }

    /// Whether segments and reads may go.
    pub fn is_open(&self) -> bool {
        self.joining == Joining::Open && self.failed.is_none()
    }

    /// Whether the device has anything that it will tell of.
    pub fn awaits(&self) -> bool {
        self.window.awaited() > 0 || self.reads.is_under_way()
    }

    /// Tells the peer of regions that it does not know yet, as many as may go; true where it then knows all.
    ///
    /// # Errors
    /// What the device said.
    pub fn announce(&mut self, regions: &[RegionKeys]) -> Result<bool, String> {
        let mut batch = Batch::new();
        while let Some(keys) = regions.get(self.announced).filter(|_| self.window.fits(1) && batch.has_room()) {
            let body = postcard::to_allocvec(keys).map_err(|error| error.to_string())?;
            self.write(&mut batch, Kind::Offer, body.len(), &mut Parts { parts: &[&body], at: 0 });
            self.announced += 1;
        }
        self.post(&batch)?;
        Ok(self.announced == regions.len())
    }

    /// Whether `bytes` in one message may go now.
    pub fn fits(&self, bytes: usize) -> bool {
        self.window.fits(segments_of(bytes))
    }

    /// Sends the concatenation of `parts`. After `fits`.
    ///
    /// # Errors
    /// What the device said. The message counts as sent then: `end` has it.
    pub fn send(&mut self, parts: &[&[u8]]) -> Result<(), String> {
        let mut batch = Batch::new();
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let mut left = bytes;
        let mut rest = Parts { parts, at: 0 };
        loop {
            let length = left.min(BODY_BYTES_MAX);
            left -= length;
            let kind = if left == 0 { Kind::Message } else { Kind::Piece };
            self.write(&mut batch, kind, length, &mut rest);
            if left == 0 {
                break;
            }
        }
        self.post(&batch)
    }

    /// Tells the peer of its deliveries; with `signalled` the device is to tell when it has gone, and all before it.
    ///
    /// # Errors
    /// What the device said.
    pub fn give_credits(&mut self, signalled: bool) -> Result<(), String> {
        let mut batch = Batch::new();
        self.write(&mut batch, Kind::Credits, 0, &mut Parts { parts: &[], at: 0 });
        let last = &mut batch.segments[0].0;
        if signalled && !last.signalled {
            last.signalled = true;
            self.window.signalled();
        }
        self.post(&batch)
    }

    fn write(&mut self, batch: &mut Batch, kind: Kind, length: usize, from: &mut Parts<'_>) {
        let awaited = self.awaits();
        let posted = self.window.push(kind);
        if posted.signalled && !awaited {
            self.heard_ns = now_ns();
        }
        let header = Header { kind, credits: self.received.settle(), length: length as u32 };
        let slot = self.pair.slot_mut(posted.position);
        slot[..HEADER_BYTES].copy_from_slice(&header.encode());
        from.copy_into(&mut slot[HEADER_BYTES..HEADER_BYTES + length]);
        batch.segments[batch.count] = (posted, (HEADER_BYTES + length) as u32);
        batch.count += 1;
    }

    fn post(&mut self, batch: &Batch) -> Result<(), String> {
        self.pair.send(&batch.segments[..batch.count])
    }

    /// Ends it: what another road needs, and the tokens of the reads that will not end.
    pub fn end(self) -> (Salvage, Vec<u64>) {
        let mut unconfirmed = Vec::new();
        let mut message = Vec::new();
        for (kind, slot) in self.window.unconfirmed() {
            match kind {
                Kind::Piece => message.extend_from_slice(body_of(self.pair.slot(slot))),
                Kind::Message => {
                    message.extend_from_slice(body_of(self.pair.slot(slot)));
                    unconfirmed.push(std::mem::take(&mut message));
                }
                Kind::Credits | Kind::Offer => {}
            }
        }
        let (delivered, first) = (self.received.messages, self.window.confirmed_messages());
        (Salvage { delivered, first, unconfirmed }, self.reads.give_up(self.pair))
    }
}

/// Why a work request failed, for people.
pub fn failure(device: &str, status: Status) -> String {
    if status.is_flush() {
        return format!("{device}: the queue pair was stopped ({})", status.text());
    }
    format!("{device}: {}", status.text())
}

/// Segments of the largest message.
const BATCH_SEGMENTS: usize = MESSAGE_BYTES_MAX.div_ceil(BODY_BYTES_MAX);

/// Segments that go at once.
struct Batch {
    segments: [(Posted, u32); BATCH_SEGMENTS],
    count: usize,
}

impl Batch {
    fn new() -> Batch {
        Batch { segments: [(Posted { position: 0, signalled: false }, 0); BATCH_SEGMENTS], count: 0 }
    }

    fn has_room(&self) -> bool {
        self.count < BATCH_SEGMENTS
    }
}

/// The bytes of a message, taken off its parts one segment at a time.
struct Parts<'a> {
    parts: &'a [&'a [u8]],
    /// How much of the first part is taken.
    at: usize,
}

impl Parts<'_> {
    fn copy_into(&mut self, mut to: &mut [u8]) {
        while let Some(part) = self.parts.first().filter(|_| !to.is_empty()) {
            let rest = &part[self.at..];
            let count = rest.len().min(to.len());
            let (now, later) = to.split_at_mut(count);
            now.copy_from_slice(&rest[..count]);
            to = later;
            self.at += count;
            if self.at == part.len() {
                (self.parts, self.at) = (&self.parts[1..], 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_wherever_a_segment_ends() {
        let parts: [&[u8]; 5] = [&[], &[1, 2, 3], &[], &[4], &[5, 6, 7, 8]];
        let mut rest = Parts { parts: &parts, at: 0 };
        let mut cut = Vec::new();
        for length in [2, 0, 3, 3] {
            let mut segment = vec![0; length];
            rest.copy_into(&mut segment);
            cut.push(segment);
        }
        assert_eq!(cut, [vec![1, 2], vec![], vec![3, 4, 5], vec![6, 7, 8]]);
    }

    #[test]
    fn a_message_in_pieces_is_whole_aligned_and_no_larger_than_one_may_be() {
        let mut assembly = Assembly::default();
        assert!(assembly.is_empty());
        assert!(assembly.append(&[1; 11]) && assembly.append(&[2; 6]) && !assembly.is_empty());
        assert_eq!(assembly.bytes(), [[1; 11].as_slice(), &[2; 6]].concat());
        assert_eq!(assembly.bytes().as_ptr().addr() % 8, 0);
        assert!(!assembly.append(&vec![0; MESSAGE_BYTES_MAX]));
        let mut again = assembly.cleared();
        assert!(again.is_empty() && again.append(&vec![3; MESSAGE_BYTES_MAX]));
        assert_eq!(again.bytes().len(), MESSAGE_BYTES_MAX);
    }
}
