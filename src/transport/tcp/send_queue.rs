//! Output that waits to be written to one peer: frames in order, then data of reads that the peer requested, a piece at
//! a time. Pure: the function that writes is an argument.
//!
//! A piece that was begun is finished first, since a frame cannot stand inside another; then come the waiting frames,
//! and then the next piece, of the read that waits longest. So a message waits for one piece at most.

use super::frame::{
    FrameError, FrameHeader, FrameKind, HEADER_BYTES, REASON_BYTES_MAX, ReadRange, padding, window_bytes,
};
use super::frame::{PIECE_BYTES_MAX, REQUEST_BYTES};
use super::reads::READS_MAX;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::{RegionNumber, STORE};
use crate::transport::credits::SendCredits;
use std::collections::VecDeque;
use std::io::{self, IoSlice};

/// Bytes of messages, headers included, that one rank may have in flight to another: four of the largest.
pub const WINDOW_BYTES: usize = 4 * (HEADER_BYTES + MESSAGE_BYTES_MAX);

/// The receiver returns this many handled bytes as credit at once, with the next frame that it sends or in a frame of
/// its own.
pub const CREDIT_BYTES_MIN: usize = WINDOW_BYTES / 4;

const _: () = assert!(
    WINDOW_BYTES - CREDIT_BYTES_MIN >= HEADER_BYTES + MESSAGE_BYTES_MAX,
    "a largest message fits, whatever credit is still to come"
);

/// Bytes of frames that can wait for a peer that respects its limits: messages, requests, refusals, and credit.
const QUEUE_BYTES_MAX: usize = WINDOW_BYTES
    + READS_MAX * (HEADER_BYTES + REQUEST_BYTES)
    + READS_MAX * (HEADER_BYTES + REASON_BYTES_MAX)
    + 2 * (WINDOW_BYTES / CREDIT_BYTES_MIN) * HEADER_BYTES;

/// A queue buffer larger than this is freed when it is empty.
const QUEUE_BYTES_KEPT: usize = 16 << 10;

/// A message of at most this many parts is written without a copy.
const DIRECT_PARTS_MAX: usize = 6;

const ZEROS: [u8; 8] = [0; 8];

/// Returns the bytes of this rank's store at an offset; `None` where they are not inside.
pub type ReadStore<'a> = &'a dyn Fn(u64, usize) -> Option<&'a [u8]>;

/// Writes to the peer as much as the socket takes; returns how much. `WouldBlock` where it takes nothing now.
pub type Writer<'a> = &'a mut dyn FnMut(&[IoSlice<'_>]) -> io::Result<usize>;

/// The rest of a read that the peer requested.
struct ServedRead {
    slot: u32,
    offset: u64,
    remaining: usize,
}

/// Data of one read, with its header, of which `written` bytes are written.
struct DataPiece {
    header: [u8; HEADER_BYTES],
    offset: u64,
    length: usize,
    written: usize,
}

impl DataPiece {
    fn whole(&self) -> usize {
        HEADER_BYTES + self.length + padding(self.length)
    }
}

/// The output that waits for one peer, and the credits of its window, in bytes.
#[derive(Default)]
pub struct SendQueue {
    /// Whole frames, of which the first `written` bytes are written.
    queue: Vec<u8>,
    written: usize,
    serves: VecDeque<ServedRead>,
    piece: Option<DataPiece>,
    credits: SendCredits<{ WINDOW_BYTES as u32 }>,
    /// Bytes of the peer's window to return as credit.
    credit: u32,
}

impl SendQueue {
    /// Takes a message of `parts`, `length` bytes in all; false where the window has no space for it. Where nothing
    /// waits, `write` may be called with the message itself, which saves a copy.
    ///
    /// # Errors
    /// An error of `write` other than `WouldBlock`. The message counts as taken.
    pub fn send(&mut self, parts: &[&[u8]], length: usize, write: Option<Writer<'_>>) -> io::Result<bool> {
        if !self.credits.take(window_bytes(length) as u32) {
            return Ok(false);
        }
        let header = self.header(FrameKind::Message, length, 0, 0);
        let mut written_bytes = 0;
        if let Some(write) = write.filter(|_| self.is_empty() && parts.len() <= DIRECT_PARTS_MAX) {
            let mut slices = [IoSlice::new(&[]); DIRECT_PARTS_MAX + 2];
            slices[0] = IoSlice::new(&header);
            for (slice, part) in slices[1..].iter_mut().zip(parts) {
                *slice = IoSlice::new(part);
            }
            slices[parts.len() + 1] = IoSlice::new(&ZEROS[..padding(length)]);
            written_bytes = unless_blocked(write(&slices[..parts.len() + 2]))?;
        }
        let whole = window_bytes(length);
        if written_bytes < whole {
            // The written bytes of the frame are counted in `written`, so that the queue holds whole frames.
            self.written += written_bytes;
            self.push(&header, parts);
        }
        Ok(true)
    }

    /// Requests bytes of one of the peer's regions.
    pub fn request(&mut self, slot: u32, region: RegionNumber, request: ReadRange) {
        let header = self.header(FrameKind::ReadRequest, REQUEST_BYTES, slot, region);
        self.push(&header, &[&request.encode()]);
    }

    /// Handles the peer's request for bytes of a region of this rank; queues the bytes or a refusal.
    ///
    /// # Errors
    /// Where the peer requests more reads at once than a rank starts.
    pub fn serve(
        &mut self,
        slot: u32,
        region: RegionNumber,
        request: ReadRange,
        store: ReadStore<'_>,
    ) -> Result<(), FrameError> {
        if self.serves.len() >= READS_MAX || self.queue.len() - self.written > QUEUE_BYTES_MAX {
            return Err(FrameError::Requests);
        }
        let ReadRange { offset, bytes } = request;
        let inside = usize::try_from(bytes).ok().filter(|bytes| region == STORE && store(offset, *bytes).is_some());
        match inside {
            Some(remaining) => self.serves.push_back(ServedRead { slot, offset, remaining }),
            None if region == STORE => {
                self.refuse(slot, &format!("{bytes} bytes at {offset} are outside of the store of the serving rank"));
            }
            None => self.refuse(slot, &format!("TCP reaches the store only, not region {region}")),
        }
        Ok(())
    }

    fn refuse(&mut self, slot: u32, reason: &str) {
        let reason = &reason.as_bytes()[..reason.len().min(REASON_BYTES_MAX)];
        let header = self.header(FrameKind::ReadRefused, reason.len(), slot, 0);
        self.push(&header, &[reason]);
    }

    /// Queues the notice that this rank closes the connection.
    pub fn queue_goodbye(&mut self) {
        let header = self.header(FrameKind::Goodbye, 0, 0, 0);
        self.push(&header, &[]);
    }

    /// Handles credit: the peer returns some of the window.
    ///
    /// # Errors
    /// Where that is more than is in use.
    pub fn on_credit(&mut self, bytes: u32) -> Result<(), FrameError> {
        if self.credits.on_returned(bytes) { Ok(()) } else { Err(FrameError::Credit) }
    }

    /// Called when this rank handled messages of the peer that took `bytes` of its window.
    pub fn give_credit(&mut self, bytes: u32) {
        self.credit += bytes;
    }

    /// Writes until nothing is left, or the socket takes no more for now, or about `budget` bytes are written; true
    /// where nothing is left.
    ///
    /// # Errors
    /// An error of `write` other than `WouldBlock`.
    pub fn flush(&mut self, store: ReadStore<'_>, budget: usize, write: Writer<'_>) -> io::Result<bool> {
        if self.credit > 0 {
            let header = self.header(FrameKind::Credit, 0, 0, 0);
            self.push(&header, &[]);
        }
        let mut flushed = 0;
        loop {
            self.begin_piece();
            if self.is_empty() {
                return Ok(true);
            }
            if flushed >= budget {
                return Ok(false);
            }
            let count = unless_blocked(self.write_once(store, write))?;
            if count == 0 {
                return Ok(false);
            }
            flushed += count;
        }
    }

    fn write_once(&mut self, store: ReadStore<'_>, write: Writer<'_>) -> io::Result<usize> {
        let queue = &self.queue[self.written..];
        let Some(piece) = &mut self.piece else {
            let count = write(&[IoSlice::new(queue)])?;
            self.queue_written(count);
            return Ok(count);
        };
        let data = store(piece.offset, piece.length).ok_or_else(|| io::Error::other("the store shrank"))?;
        let parts = [&piece.header[..], data, &ZEROS[..padding(piece.length)]];
        let [header, data, zeros] = remaining_of(parts, piece.written);
        let begun = piece.written > 0;
        let before = if begun { &[][..] } else { queue };
        let after = if begun { queue } else { &[][..] };
        let count = write(&[before, header, data, zeros, after].map(IoSlice::new))?;
        let of_before = count.min(before.len());
        let of_piece = (count - of_before).min(piece.whole() - piece.written);
        piece.written += of_piece;
        if piece.written == piece.whole() {
            self.piece = None;
        }
        self.queue_written(of_before + (count - of_before - of_piece));
        Ok(count)
    }

    fn queue_written(&mut self, count: usize) {
        self.written += count;
        if self.written == self.queue.len() {
            self.queue.clear();
            if self.queue.capacity() > QUEUE_BYTES_KEPT {
                self.queue = Vec::new();
            }
            self.written = 0;
        } else if self.written > WINDOW_BYTES {
            self.queue.drain(..self.written);
            self.written = 0;
        }
    }

    fn begin_piece(&mut self) {
        if self.piece.is_none()
            && let Some(mut serve) = self.serves.pop_front()
        {
            let length = serve.remaining.min(PIECE_BYTES_MAX);
            let header = self.header(FrameKind::ReadData, length, serve.slot, 0);
            self.piece = Some(DataPiece { header, offset: serve.offset, length, written: 0 });
            serve.offset += length as u64;
            serve.remaining -= length;
            if serve.remaining > 0 {
                self.serves.push_back(serve);
            }
        }
    }

    /// True if nothing waits to be written except credit.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.piece.is_none() && self.serves.is_empty()
    }

    /// True if there are messages that were not written, or for which more credit is missing than a peer may hold back.
    pub fn has_unread(&self) -> bool {
        !self.queue.is_empty() || self.credits.in_use() as usize >= CREDIT_BYTES_MIN
    }

    /// The header of a frame, with the credit due to the peer.
    fn header(&mut self, kind: FrameKind, length: usize, slot: u32, region: RegionNumber) -> [u8; HEADER_BYTES] {
        let credit = std::mem::take(&mut self.credit);
        FrameHeader { kind, unused: 0, region, length: length as u32, credit, slot }.encode()
    }

    fn push(&mut self, header: &[u8; HEADER_BYTES], body: &[&[u8]]) {
        self.queue.extend_from_slice(header);
        body.iter().for_each(|part| self.queue.extend_from_slice(part));
        self.queue.resize(self.queue.len().next_multiple_of(8), 0);
    }
}

/// The unwritten rest of consecutive parts after `written` bytes.
fn remaining_of(parts: [&[u8]; 3], mut written: usize) -> [&[u8]; 3] {
    parts.map(|part| {
        let done = written.min(part.len());
        written -= done;
        &part[done..]
    })
}

fn unless_blocked(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that takes at most `most` bytes at once.
    fn taking(stream: &mut Vec<u8>, most: usize) -> impl FnMut(&[IoSlice<'_>]) -> io::Result<usize> {
        move |slices| {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let count = all.len().min(most);
            stream.extend(&all[..count]);
            Ok(count)
        }
    }

    fn frames(mut stream: &[u8]) -> Vec<(FrameKind, u32, Vec<u8>)> {
        let mut found = Vec::new();
        while let Some(header) = stream.first_chunk() {
            let header = FrameHeader::decode(header).expect("a header");
            let body = stream[HEADER_BYTES..HEADER_BYTES + header.body_bytes()].to_vec();
            found.push((header.kind, header.slot, body));
            stream = &stream[HEADER_BYTES + header.body_bytes() + padding(header.body_bytes())..];
        }
        assert!(stream.is_empty());
        found
    }

    #[test]
    fn message_overtakes_reads_and_partial_writes_keep_frames_whole() {
        let memory: Vec<u8> = (0..3 << 20).map(|index| (index % 251) as u8).collect();
        let store: ReadStore<'_> = &|offset, length| memory.get(offset as usize..offset as usize + length);
        for most in [1009, 70_001, usize::MAX] {
            let (mut queue, mut stream) = (SendQueue::default(), Vec::new());
            for (slot, bytes) in [(0, (2 << 20) + 5), (1, 3)] {
                queue.serve(slot, STORE, ReadRange { offset: 1, bytes }, store).expect("few reads");
            }
            queue.flush(store, 1, &mut taking(&mut stream, most.min(1 << 20))).expect("written");
            assert!(queue.send(&[b"early", b""], 5, Some(&mut taking(&mut stream, most))).expect("taken"));
            while !queue.flush(store, usize::MAX, &mut taking(&mut stream, most)).expect("written") {}
            let found = frames(&stream);
            let kinds: Vec<_> = found.iter().map(|(kind, slot, _)| (*kind, *slot)).collect();
            let data = |slot| (FrameKind::ReadData, slot);
            assert_eq!(kinds, [data(0), (FrameKind::Message, 0), data(1), data(0), data(0)]);
            let long: Vec<u8> = [0, 3, 4].iter().flat_map(|at| found[*at as usize].2.clone()).collect();
            assert!(long == memory[1..(2 << 20) + 6] && found[2].2 == memory[1..4] && found[1].2 == b"early");
        }
    }

    #[test]
    fn send_beyond_the_window_is_refused_until_credit_comes() {
        let nothing: ReadStore<'_> = &|_, _| None;
        let (mut queue, mut stream) = (SendQueue::default(), Vec::new());
        let message = [7; 1000];
        let mut sent = 0;
        while queue.send(&[&message], 1000, None).expect("no write") {
            sent += 1;
        }
        assert_eq!(sent, WINDOW_BYTES / window_bytes(1000));
        assert_eq!(queue.on_credit(WINDOW_BYTES as u32 + 1), Err(FrameError::Credit));
        queue.on_credit(window_bytes(1000) as u32).expect("in use");
        queue.give_credit(4096);
        assert!(queue.send(&[&message], 1000, None).expect("no write"));
        assert!(queue.flush(nothing, usize::MAX, &mut taking(&mut stream, 99)).expect("written"));
        let last = stream.len() - window_bytes(1000);
        assert_eq!(FrameHeader::decode(stream[last..].first_chunk().expect("a header")).expect("decodes").credit, 4096);
        assert_eq!(frames(&stream).len(), sent + 1);
    }

    #[test]
    fn read_outside_the_store_is_refused_and_too_many_reads_are_an_error() {
        let store: ReadStore<'_> =
            &|offset, length| [0_u8; 8].get(offset as usize..offset as usize + length).map(|_| &[][..]);
        let (mut queue, mut stream) = (SendQueue::default(), Vec::new());
        queue.serve(3, STORE, ReadRange { offset: 4, bytes: 5 }, store).expect("refused with a reason");
        queue.serve(4, 9, ReadRange { offset: 0, bytes: 1 }, store).expect("refused with a reason");
        queue.flush(store, usize::MAX, &mut taking(&mut stream, 10)).expect("written");
        let texts: Vec<_> =
            frames(&stream).into_iter().map(|(kind, slot, text)| (kind, slot, text.len() > 20)).collect();
        assert_eq!(texts, [(FrameKind::ReadRefused, 3, true), (FrameKind::ReadRefused, 4, true)]);
        for slot in 0..READS_MAX {
            queue.serve(slot as u32, STORE, ReadRange { offset: 0, bytes: 8 }, store).expect("few reads");
        }
        let one_more = queue.serve(0, STORE, ReadRange { offset: 0, bytes: 8 }, store);
        assert_eq!(one_more, Err(FrameError::Requests));
    }

    #[test]
    fn queued_refusals_are_bounded_when_the_peer_reads_nothing() {
        let mut queue = SendQueue::default();
        let refused_at = (0..100_000).find(|_| {
            queue.serve(0, STORE, ReadRange { offset: 0, bytes: 8 }, &|_, _| None) == Err(FrameError::Requests)
        });
        assert!(refused_at.is_some_and(|count| count >= READS_MAX));
        assert!(queue.queue.len() <= QUEUE_BYTES_MAX + HEADER_BYTES + REASON_BYTES_MAX);
    }
}
