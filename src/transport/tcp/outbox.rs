//! What waits to be written to one peer: frames in order, then data of reads that it asked for, a piece at a time. Pure:
//! who writes is an argument.
//!
//! A piece that was begun is finished first, since a frame cannot stand inside another; then come the frames that wait,
//! and then the next piece, of the read that waits longest. So a message waits for one piece at most.

use super::frame::{Fault, HEADER_BYTES, Header, Kind, REASON_BYTES_MAX, Request, padding, window_bytes};
use super::frame::{PIECE_BYTES_MAX, REQUEST_BYTES};
use super::reads::READS_MAX;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::{RegionNumber, STORE};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

/// Bytes of messages, headers included, that one rank may have on the way to another: four of the largest.
pub const WINDOW_BYTES: usize = 4 * (HEADER_BYTES + MESSAGE_BYTES_MAX);

/// The receiver gives back what it handled when it is this much, with the next frame that it sends or with one of its own.
pub const CREDIT_BYTES_MIN: usize = WINDOW_BYTES / 4;

const _: () = assert!(
    WINDOW_BYTES - CREDIT_BYTES_MIN >= HEADER_BYTES + MESSAGE_BYTES_MAX,
    "a largest message fits whatever was not given back yet"
);

/// Frames that can wait for a peer that keeps to its own limits: messages, requests and refusals, and what gives back its
/// window.
const QUEUE_BYTES_MAX: usize = WINDOW_BYTES
    + READS_MAX * (HEADER_BYTES + REQUEST_BYTES)
    + READS_MAX * (HEADER_BYTES + REASON_BYTES_MAX)
    + 2 * (WINDOW_BYTES / CREDIT_BYTES_MIN) * HEADER_BYTES;

/// A queue of frames larger than this is freed when it is empty.
const QUEUE_BYTES_KEPT: usize = 16 << 10;

/// Parts of a message up to which they are written from where they lie.
const DIRECT_PARTS_MAX: usize = 6;

const ZEROS: [u8; 8] = [0; 8];

/// The bytes of this rank's store at an offset, where there are such.
pub type Store<'a> = &'a dyn Fn(u64, usize) -> Option<&'a [u8]>;

/// Writes to the peer as much as it takes; returns how much. `WouldBlock` where it takes nothing now.
pub type Write<'a> = &'a mut dyn FnMut(&[IoSlice<'_>]) -> io::Result<usize>;

/// What is left of a read that the peer asked for.
struct Serve {
    slot: u32,
    offset: u64,
    left: usize,
}

/// Data of one read, with its header, of which `written` bytes are gone.
struct Piece {
    header: [u8; HEADER_BYTES],
    offset: u64,
    length: usize,
    written: usize,
}

impl Piece {
    fn whole(&self) -> usize {
        HEADER_BYTES + self.length + padding(self.length)
    }
}

/// What waits for one peer, and what it may still be sent.
#[derive(Default)]
pub struct Outbox {
    /// Whole frames, of which the first `written` bytes are gone.
    queue: Vec<u8>,
    written: usize,
    serves: VecDeque<Serve>,
    piece: Option<Piece>,
    /// Bytes of the window in use.
    in_flight: usize,
    /// Bytes of the peer's window to give back.
    credit: usize,
}

impl Outbox {
    /// Takes a message of `parts`, `length` bytes in all; false where the window has no room for it. Where nothing waits,
    /// `write` may be called with the message itself, which spares a copy.
    ///
    /// # Errors
    /// What `write` says, `WouldBlock` aside. The message counts as taken.
    pub fn send(&mut self, parts: &[&[u8]], length: usize, write: Option<Write<'_>>) -> io::Result<bool> {
        if self.in_flight + window_bytes(length) > WINDOW_BYTES {
            return Ok(false);
        }
        self.in_flight += window_bytes(length);
        let header = self.header(Header::new(Kind::Message, length)).encode();
        let mut gone = 0;
        if let Some(write) = write.filter(|_| self.is_empty() && parts.len() <= DIRECT_PARTS_MAX) {
            let mut slices = [IoSlice::new(&[]); DIRECT_PARTS_MAX + 2];
            slices[0] = IoSlice::new(&header);
            for (slice, part) in slices[1..].iter_mut().zip(parts) {
                *slice = IoSlice::new(part);
            }
            slices[parts.len() + 1] = IoSlice::new(&ZEROS[..padding(length)]);
            gone = unless_blocked(write(&slices[..parts.len() + 2]))?;
        }
        let whole = window_bytes(length);
        if gone < whole {
            // What is gone of the frame is counted as written, so that the queue holds whole frames.
            self.written += gone;
            self.queue.extend_from_slice(&header);
            parts.iter().for_each(|part| self.queue.extend_from_slice(part));
            self.pad();
        }
        Ok(true)
    }

    /// Asks the peer for bytes of a region of its.
    pub fn request(&mut self, slot: u32, region: RegionNumber, request: Request) {
        let header = self.header(Header { region, slot, ..Header::new(Kind::ReadRequest, REQUEST_BYTES) });
        self.push(header, &request.encode());
    }

    /// The peer asks for bytes of a region of ours; they follow, or the refusal does.
    ///
    /// # Errors
    /// Where it asks for more reads at once than a rank does.
    pub fn serve(&mut self, slot: u32, region: RegionNumber, request: Request, store: Store<'_>) -> Result<(), Fault> {
        if self.serves.len() >= READS_MAX || self.queue.len() - self.written > QUEUE_BYTES_MAX {
            return Err(Fault::Requests);
        }
        let Request { offset, bytes } = request;
        let inside = usize::try_from(bytes).ok().filter(|bytes| region == STORE && store(offset, *bytes).is_some());
        match inside {
            Some(left) => self.serves.push_back(Serve { slot, offset, left }),
            None if region == STORE => {
                self.refuse(slot, &format!("{bytes} bytes at {offset} are outside of the store of the rank asked"));
            }
            None => self.refuse(slot, &format!("TCP reaches the store only, not region {region}")),
        }
        Ok(())
    }

    fn refuse(&mut self, slot: u32, reason: &str) {
        let reason = &reason.as_bytes()[..reason.len().min(REASON_BYTES_MAX)];
        let header = self.header(Header { slot, ..Header::new(Kind::ReadRefused, reason.len()) });
        self.push(header, reason);
    }

    /// This rank leaves.
    pub fn say_goodbye(&mut self) {
        let header = self.header(Header::new(Kind::Goodbye, 0));
        self.push(header, &[]);
    }

    /// The peer gives back some of the window.
    ///
    /// # Errors
    /// Where that is more than is in use.
    pub fn credited(&mut self, bytes: u32) -> Result<(), Fault> {
        self.in_flight = self.in_flight.checked_sub(bytes as usize).ok_or(Fault::Credit)?;
        Ok(())
    }

    /// This rank handled messages of the peer that took so much of its window.
    pub fn give_credit(&mut self, bytes: usize) {
        self.credit += bytes;
    }

    /// Writes until nothing is left, or the peer takes no more for now, or about `budget` bytes are gone; true where
    /// nothing is left.
    ///
    /// # Errors
    /// What `write` says, `WouldBlock` aside.
    pub fn flush(&mut self, store: Store<'_>, budget: usize, write: Write<'_>) -> io::Result<bool> {
        if self.credit > 0 {
            let header = self.header(Header::new(Kind::Credit, 0));
            self.push(header, &[]);
        }
        let mut gone = 0;
        loop {
            self.begin_piece();
            if self.is_empty() {
                return Ok(true);
            }
            if gone >= budget {
                return Ok(false);
            }
            let count = unless_blocked(self.write_once(store, write))?;
            if count == 0 {
                return Ok(false);
            }
            gone += count;
        }
    }

    fn write_once(&mut self, store: Store<'_>, write: Write<'_>) -> io::Result<usize> {
        let queue = &self.queue[self.written..];
        let Some(piece) = &mut self.piece else {
            let count = write(&[IoSlice::new(queue)])?;
            self.queue_written(count);
            return Ok(count);
        };
        let data = store(piece.offset, piece.length).ok_or_else(|| io::Error::other("the store shrank"))?;
        let parts = [&piece.header[..], data, &ZEROS[..padding(piece.length)]];
        let [header, data, zeros] = rest_of(parts, piece.written);
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
            let length = serve.left.min(PIECE_BYTES_MAX);
            let header = self.header(Header { slot: serve.slot, ..Header::new(Kind::ReadData, length) });
            self.piece = Some(Piece { header: header.encode(), offset: serve.offset, length, written: 0 });
            serve.offset += length as u64;
            serve.left -= length;
            if serve.left > 0 {
                self.serves.push_back(serve);
            }
        }
    }

    /// Whether nothing waits to be written, credit aside.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.piece.is_none() && self.serves.is_empty()
    }

    /// Whether there are messages that were not written, or not given back beyond what the peer may keep.
    pub fn has_unread(&self) -> bool {
        !self.queue.is_empty() || self.in_flight >= CREDIT_BYTES_MIN
    }

    /// The header, with what is to be given back of the peer's window.
    fn header(&mut self, header: Header) -> Header {
        let credit = u32::try_from(std::mem::take(&mut self.credit)).expect("no more than a window is owed");
        Header { credit, ..header }
    }

    fn push(&mut self, header: Header, body: &[u8]) {
        self.queue.extend_from_slice(&header.encode());
        self.queue.extend_from_slice(body);
        self.pad();
    }

    fn pad(&mut self) {
        self.queue.resize(self.queue.len().next_multiple_of(8), 0);
    }
}

/// Of parts in a row, what is left after `written` bytes.
fn rest_of(parts: [&[u8]; 3], mut written: usize) -> [&[u8]; 3] {
    parts.map(|part| {
        let gone = written.min(part.len());
        written -= gone;
        &part[gone..]
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

    /// A peer that takes so much at once.
    fn taking(stream: &mut Vec<u8>, most: usize) -> impl FnMut(&[IoSlice<'_>]) -> io::Result<usize> {
        move |slices| {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let count = all.len().min(most);
            stream.extend(&all[..count]);
            Ok(count)
        }
    }

    fn frames(mut stream: &[u8]) -> Vec<(Kind, u32, Vec<u8>)> {
        let mut found = Vec::new();
        while let Some(header) = stream.first_chunk() {
            let header = Header::decode(header).expect("a header");
            let body = stream[HEADER_BYTES..HEADER_BYTES + header.length].to_vec();
            found.push((header.kind, header.slot, body));
            stream = &stream[HEADER_BYTES + header.length + padding(header.length)..];
        }
        assert!(stream.is_empty());
        found
    }

    #[test]
    fn messages_pass_reads_and_frames_stay_whole_however_little_is_taken() {
        let memory: Vec<u8> = (0..3 << 20).map(|index| (index % 251) as u8).collect();
        let store: Store<'_> = &|offset, length| memory.get(offset as usize..offset as usize + length);
        for most in [1009, 70_001, usize::MAX] {
            let (mut outbox, mut stream) = (Outbox::default(), Vec::new());
            for (slot, bytes) in [(0, (2 << 20) + 5), (1, 3)] {
                outbox.serve(slot, STORE, Request { offset: 1, bytes }, store).expect("few reads");
            }
            outbox.flush(store, 1, &mut taking(&mut stream, most.min(1 << 20))).expect("written");
            assert!(outbox.send(&[b"early", b""], 5, Some(&mut taking(&mut stream, most))).expect("taken"));
            while !outbox.flush(store, usize::MAX, &mut taking(&mut stream, most)).expect("written") {}
            let found = frames(&stream);
            let kinds: Vec<_> = found.iter().map(|(kind, slot, _)| (*kind, *slot)).collect();
            let data = |slot| (Kind::ReadData, slot);
            assert_eq!(kinds, [data(0), (Kind::Message, 0), data(1), data(0), data(0)]);
            let long: Vec<u8> = [0, 3, 4].iter().flat_map(|at| found[*at as usize].2.clone()).collect();
            assert!(long == memory[1..(2 << 20) + 6] && found[2].2 == memory[1..4] && found[1].2 == b"early");
        }
    }

    #[test]
    fn the_window_is_a_bound_and_credit_opens_it() {
        let nothing: Store<'_> = &|_, _| None;
        let (mut outbox, mut stream) = (Outbox::default(), Vec::new());
        let message = [7; 1000];
        let mut sent = 0;
        while outbox.send(&[&message], 1000, None).expect("no write") {
            sent += 1;
        }
        assert_eq!(sent, WINDOW_BYTES / window_bytes(1000));
        assert_eq!(outbox.credited(WINDOW_BYTES as u32 + 1), Err(Fault::Credit));
        outbox.credited(window_bytes(1000) as u32).expect("in use");
        outbox.give_credit(4096);
        assert!(outbox.send(&[&message], 1000, None).expect("no write"));
        assert!(outbox.flush(nothing, usize::MAX, &mut taking(&mut stream, 99)).expect("written"));
        let last = stream.len() - window_bytes(1000);
        assert_eq!(Header::decode(stream[last..].first_chunk().expect("a header")).expect("decodes").credit, 4096);
        assert_eq!(frames(&stream).len(), sent + 1);
    }

    #[test]
    fn what_is_outside_is_refused_and_too_many_reads_are_a_fault() {
        let store: Store<'_> =
            &|offset, length| [0_u8; 8].get(offset as usize..offset as usize + length).map(|_| &[][..]);
        let (mut outbox, mut stream) = (Outbox::default(), Vec::new());
        outbox.serve(3, STORE, Request { offset: 4, bytes: 5 }, store).expect("refused in words");
        outbox.serve(4, 9, Request { offset: 0, bytes: 1 }, store).expect("refused in words");
        outbox.flush(store, usize::MAX, &mut taking(&mut stream, 10)).expect("written");
        let texts: Vec<_> =
            frames(&stream).into_iter().map(|(kind, slot, text)| (kind, slot, text.len() > 20)).collect();
        assert_eq!(texts, [(Kind::ReadRefused, 3, true), (Kind::ReadRefused, 4, true)]);
        for slot in 0..READS_MAX {
            outbox.serve(slot as u32, STORE, Request { offset: 0, bytes: 8 }, store).expect("few reads");
        }
        let one_more = outbox.serve(0, STORE, Request { offset: 0, bytes: 8 }, store);
        assert_eq!(one_more, Err(Fault::Requests));
    }

    #[test]
    fn refusals_that_a_peer_does_not_take_are_bounded() {
        let mut outbox = Outbox::default();
        let asked = (0..100_000)
            .find(|_| outbox.serve(0, STORE, Request { offset: 0, bytes: 8 }, &|_, _| None) == Err(Fault::Requests));
        assert!(asked.is_some_and(|asked| asked >= READS_MAX));
        assert!(outbox.queue.len() <= QUEUE_BYTES_MAX + HEADER_BYTES + REASON_BYTES_MAX);
    }
}
