//! The connection to one peer: its queue pair and the state of both directions.

use super::control::ConnectState;
use super::error::VerbsError;
use super::header::{BODY_BYTES_MAX, SegmentHeader, SegmentKind, body_of, segments_of};
use super::queue_pair::QueuePair;
use super::reads::VerbsReads;
use super::regions::RegionKeys;
use super::window::{ReceiveCount, SendWindow};
use crate::base::clock::now_ns;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::transport::Unacked;
use std::sync::Arc;

/// A message received in pieces; its bytes are aligned to 8.
#[derive(Debug, Default)]
pub struct Assembly {
    words: Vec<u64>,
    length: usize,
}

impl Assembly {
    /// True if no piece was received yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a segment's body; false if the message would become larger than one may be.
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

    /// The bytes received.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    /// The same memory, empty.
    pub fn cleared(mut self) -> Assembly {
        self.words.clear();
        self.length = 0;
        self
    }
}

/// The connection to a peer, whose queue pair is connected or about to be. `pair` is the first field, so that it is
/// destroyed before the blocks of `reads`.
#[derive(Debug)]
pub struct VerbsConnection {
    /// This rank's end.
    pub pair: QueuePair,
    /// Bulk reads from the peer.
    pub reads: VerbsReads,
    /// The state of the connection set-up.
    pub state: ConnectState,
    /// The packet sequence number at which this end starts.
    pub first_packet: u32,
    /// Segments to the peer.
    pub window: SendWindow,
    /// Segments from the peer.
    pub received: ReceiveCount,
    /// The message being received.
    pub assembly: Assembly,
    /// The peer's regions that this rank can read.
    pub regions: Vec<RegionKeys>,
    /// How many of this rank's regions the peer was sent.
    pub announced: usize,
    /// When the last completion or control message of this connection came, or when the device last had nothing to
    /// complete.
    pub last_progress_ns: u64,
    /// True if the peer had been silent for too long at the last check. The connection fails only if it still is at the
    /// next check: a rank that was itself stopped for long finds all peers silent although their messages wait to be
    /// read.
    pub suspected: bool,
    /// Why the connection failed; the poller will close it.
    pub failed: Option<Arc<VerbsError>>,
    /// The peer sent bytes that are no segment; what comes after them cannot be interpreted.
    pub malformed: bool,
}

impl VerbsConnection {
    /// A connection whose connect request was sent.
    pub fn new(pair: QueuePair, first_packet: u32) -> VerbsConnection {
        VerbsConnection {
            pair,
            reads: VerbsReads::new(1, 4096),
            state: ConnectState::Requested,
            first_packet,
            window: SendWindow::new(),
            received: ReceiveCount::default(),
            assembly: Assembly::default(),
            regions: Vec::new(),
            announced: 0,
            last_progress_ns: now_ns(),
            suspected: false,
            failed: None,
            malformed: false,
        }
    }

    /// True if segments and reads may be sent.
    pub fn is_open(&self) -> bool {
        self.state == ConnectState::Open && self.failed.is_none()
    }

    /// True if the device will report completions.
    pub fn awaits_completions(&self) -> bool {
        self.window.awaited_signals() > 0 || self.reads.is_under_way()
    }

    /// Sends the keys of regions that the peer does not know yet, as many as fit; true if the peer then knows all.
    ///
    /// # Errors
    /// What the device refused.
    pub fn announce_regions(&mut self, regions: &[RegionKeys]) -> Result<bool, VerbsError> {
        while let Some(keys) = regions.get(self.announced).filter(|_| self.window.fits(1)) {
            let body = postcard::to_allocvec(keys)?;
            self.write(SegmentKind::Offer, body.len(), false, &mut MessageParts { parts: &[&body], at: 0 });
            self.announced += 1;
        }
        self.pair.post()?;
        Ok(self.announced == regions.len())
    }

    /// True if a message of `bytes` can be sent now.
    pub fn fits(&self, bytes: usize) -> bool {
        self.window.fits(segments_of(bytes))
    }

    /// Sends the concatenation of `parts`. Call it after `fits` returned true.
    ///
    /// # Errors
    /// What the device refused. The message counts as sent: `close` returns it with the unacknowledged ones.
    pub fn send(&mut self, parts: &[&[u8]]) -> Result<(), VerbsError> {
        let mut left: usize = parts.iter().map(|part| part.len()).sum();
        let mut rest = MessageParts { parts, at: 0 };
        loop {
            let length = left.min(BODY_BYTES_MAX);
            left -= length;
            let kind = if left == 0 { SegmentKind::Message } else { SegmentKind::Piece };
            self.write(kind, length, false, &mut rest);
            if left == 0 {
                return self.pair.post();
            }
        }
    }

    /// Returns credits to the peer in a segment of their own. If `signalled`, the device reports a completion when this
    /// segment and all before it were sent.
    ///
    /// # Errors
    /// What the device refused.
    pub fn send_credits(&mut self, signalled: bool) -> Result<(), VerbsError> {
        self.write(SegmentKind::Credits, 0, signalled, &mut MessageParts { parts: &[], at: 0 });
        self.pair.post()
    }

    fn write(&mut self, kind: SegmentKind, length: usize, signalled: bool, from: &mut MessageParts<'_>) {
        let awaited = self.awaits_completions();
        let posted = self.window.push(kind, signalled);
        if posted.signalled && !awaited {
            self.last_progress_ns = now_ns();
        }
        let header = SegmentHeader { kind, credits: self.received.owed.take() as u16, length: length as u32 };
        self.pair.write_segment(posted, header, |body| from.copy_into(body));
    }

    /// Closes the connection; returns what the next transport needs to continue, and the tokens of the reads that did
    /// not finish.
    pub fn close(self) -> (Unacked, Vec<u64>) {
        let mut messages = Vec::new();
        let mut message = Vec::new();
        for (kind, slot) in self.window.unacked() {
            match kind {
                SegmentKind::Piece => message.extend_from_slice(body_of(self.pair.slot(slot))),
                SegmentKind::Message => {
                    message.extend_from_slice(body_of(self.pair.slot(slot)));
                    messages.push(std::mem::take(&mut message));
                }
                SegmentKind::Credits | SegmentKind::Offer => {}
            }
        }
        let (delivered, first) = (self.received.messages, self.window.acked_messages());
        (Unacked { delivered, first, messages }, self.reads.close(self.pair))
    }
}

/// The bytes of a message, copied from its parts one segment at a time.
struct MessageParts<'a> {
    parts: &'a [&'a [u8]],
    /// Bytes of the first part that were copied.
    at: usize,
}

impl MessageParts<'_> {
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
    fn copy_into_cuts_parts_where_a_segment_ends() {
        let parts: [&[u8]; 5] = [&[], &[1, 2, 3], &[], &[4], &[5, 6, 7, 8]];
        let mut rest = MessageParts { parts: &parts, at: 0 };
        let mut cut = Vec::new();
        for length in [2, 0, 3, 3] {
            let mut segment = vec![0; length];
            rest.copy_into(&mut segment);
            cut.push(segment);
        }
        assert_eq!(cut, [vec![1, 2], vec![], vec![3, 4, 5], vec![6, 7, 8]]);
    }

    #[test]
    fn assembly_joins_pieces_aligned_and_refuses_more_than_a_message() {
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
