//! What came from one peer and was not handled yet, as frames. Pure: somebody else reads the socket.
//!
//! A byte lies in the buffer at its place in the stream, modulo 8, and frames begin at multiples of 8: so every message
//! is handed over where it lies, aligned. Data of a read does not pass through the buffer, but for what happened to come
//! with the frame before it: [`Inbox::raw_bytes`] says how much of the stream belongs straight into the reader's block.

use super::frame::{Fault, HEADER_BYTES, Header, Kind, padding};
use crate::base::limits::MESSAGE_BYTES_MAX;

/// One buffer: a frame of the largest message is never more than half of it.
const BUFFER_BYTES: usize = 2 * (HEADER_BYTES + MESSAGE_BYTES_MAX);

/// Buffers that lie ready.
const SPARES_MAX: usize = 4;

/// Buffers of nobody, for the next peer that sends something.
#[derive(Default)]
pub struct Spares(Vec<Box<[u64]>>);

impl Spares {
    fn take(&mut self) -> Box<[u64]> {
        self.0.pop().unwrap_or_else(|| vec![0; BUFFER_BYTES / 8].into())
    }

    fn give_back(&mut self, buffer: Box<[u64]>) {
        if self.0.len() < SPARES_MAX {
            self.0.push(buffer);
        }
    }
}

/// A frame that came; of `ReadData` the header only.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its header, checked for what a header can tell.
    pub header: Header,
    /// What followed, without padding; aligned to 8.
    pub body: &'a [u8],
}

/// Bytes of one peer's stream. It has a buffer only while there is something in it.
#[derive(Default)]
pub struct Inbox {
    buffer: Option<Box<[u64]>>,
    start: usize,
    end: usize,
    /// Bytes of a read's data that come next.
    raw: usize,
    /// Padding that comes after them.
    skip: usize,
}

impl Inbox {
    /// The next whole frame. After one of `ReadData`, the data must be taken before the next call.
    ///
    /// # Errors
    /// What the peer sent that cannot be; nothing after it means anything.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        assert_eq!(self.raw, 0, "the data of a read was not taken");
        let skipped = self.skip.min(self.end - self.start);
        self.skip -= skipped;
        self.start += skipped;
        let Some(buffer) = &self.buffer else { return Ok(None) };
        let bytes: &[u8] = &bytemuck::cast_slice(buffer)[self.start..self.end];
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let header = Header::decode(header)?;
        if header.kind == Kind::ReadData {
            self.start += HEADER_BYTES;
            (self.raw, self.skip) = (header.length, padding(header.length));
            return Ok(Some(Frame { header, body: &[] }));
        }
        let whole = HEADER_BYTES + header.length + padding(header.length);
        if bytes.len() < whole {
            return Ok(None);
        }
        self.start += whole;
        Ok(Some(Frame { header, body: &bytes[HEADER_BYTES..HEADER_BYTES + header.length] }))
    }

    /// Bytes of a read's data that come next in the stream.
    pub fn raw_bytes(&self) -> usize {
        self.raw
    }

    /// Copies data of a read that is in the buffer already to the start of `into`; returns how much.
    pub fn take_raw(&mut self, into: &mut [u8]) -> usize {
        let taken = self.raw.min(self.end - self.start).min(into.len());
        if let Some(buffer) = self.buffer.as_ref().filter(|_| taken > 0) {
            into[..taken].copy_from_slice(&bytemuck::cast_slice(buffer)[self.start..self.start + taken]);
        }
        self.start += taken;
        self.raw -= taken;
        taken
    }

    /// Where bytes of the stream go that come next, after [`Inbox::raw_bytes`] of data.
    pub fn room(&mut self, spares: &mut Spares) -> &mut [u8] {
        let buffer = self.buffer.get_or_insert_with(|| spares.take());
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(buffer);
        if self.start == self.end {
            // Nothing but padding can be missing before the next frame's begin.
            self.start = (8 - self.skip) % 8;
            self.end = self.start;
        } else if self.start >= 8 {
            assert_eq!((self.raw, self.skip), (0, 0), "what is kept begins with a frame");
            bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut bytes[self.end..]
    }

    /// `count` bytes came: first those of a read's data, placed by the caller, whose number is returned; then those in
    /// `room`.
    pub fn came(&mut self, count: usize) -> usize {
        let raw = count.min(self.raw);
        self.raw -= raw;
        self.end += count - raw;
        raw
    }

    /// Gives the buffer back where there is nothing in it.
    pub fn rest(&mut self, spares: &mut Spares) {
        if self.start == self.end
            && let Some(buffer) = self.buffer.take()
        {
            spares.give_back(buffer);
            (self.start, self.end) = (0, 0);
        }
    }

    /// Whether the stream ends between two frames, if it ends here.
    pub fn is_between_frames(&self) -> bool {
        self.start == self.end && self.raw == 0 && self.skip == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_held_only_while_something_is_in_it() {
        let (mut inbox, mut spares) = (Inbox::default(), Spares::default());
        let mut stream = Header::new(Kind::Message, 3).encode().to_vec();
        stream.extend([1, 2, 3, 0, 0, 0, 0, 0]);
        inbox.room(&mut spares)[..20].copy_from_slice(&stream[..20]);
        inbox.came(20);
        assert_eq!(inbox.next(), Ok(None));
        inbox.rest(&mut spares);
        assert!(spares.0.is_empty() && !inbox.is_between_frames());
        inbox.room(&mut spares)[..4].copy_from_slice(&stream[20..]);
        inbox.came(4);
        assert_eq!(inbox.next().expect("a frame").expect("whole").body, [1, 2, 3]);
        inbox.rest(&mut spares);
        assert!(spares.0.len() == 1 && inbox.is_between_frames());
    }
}
