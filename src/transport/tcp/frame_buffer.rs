//! Received bytes of one peer that were not handled yet, as frames. Pure: the caller reads the socket.
//!
//! A byte's offset in the buffer equals its offset in the stream modulo 8, and frames begin at multiples of 8: so every
//! message is delivered in place, aligned. Data of a read does not pass through the buffer, except for bytes that
//! arrived with the frame before it: [`FrameBuffer::raw_bytes`] is how much of the stream belongs straight into the
//! reader's block.

use super::frame::{FrameError, FrameHeader, FrameKind, HEADER_BYTES, padding};
use crate::base::limits::MESSAGE_BYTES_MAX;

/// One buffer: a frame of the largest message is never more than half of it.
const BUFFER_BYTES: usize = 2 * (HEADER_BYTES + MESSAGE_BYTES_MAX);

/// Free buffers that are kept, at most.
const FREE_BUFFERS_MAX: usize = 4;

/// Free buffers, for the next peer that sends something.
pub type FreeBuffers = Vec<Box<[u64]>>;

/// A received frame; of `ReadData` the header only.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its header, with a valid kind and length.
    pub header: FrameHeader,
    /// The bytes after the header, without padding; aligned to 8.
    pub body: &'a [u8],
}

/// Bytes of one peer's stream. It has a buffer only while it is not empty.
#[derive(Default)]
pub struct FrameBuffer {
    buffer: Option<Box<[u64]>>,
    start: usize,
    end: usize,
    /// Bytes of a read's data that come next in the stream.
    raw: usize,
    /// Padding after them.
    skip: usize,
}

impl FrameBuffer {
    /// The next whole frame. After one of `ReadData`, the data must be taken before the next call.
    ///
    /// # Errors
    /// An invalid frame; the stream after it has no meaning.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        assert_eq!(self.raw, 0, "the data of a read was not taken");
        let skipped = self.skip.min(self.end - self.start);
        self.skip -= skipped;
        self.start += skipped;
        let Some(buffer) = &self.buffer else { return Ok(None) };
        let bytes: &[u8] = &bytemuck::cast_slice(buffer)[self.start..self.end];
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let header = FrameHeader::decode(header)?;
        if header.kind == FrameKind::ReadData {
            self.start += HEADER_BYTES;
            (self.raw, self.skip) = (header.body_bytes(), padding(header.body_bytes()));
            return Ok(Some(Frame { header, body: &[] }));
        }
        let whole = HEADER_BYTES + header.body_bytes() + padding(header.body_bytes());
        if bytes.len() < whole {
            return Ok(None);
        }
        self.start += whole;
        Ok(Some(Frame { header, body: &bytes[HEADER_BYTES..HEADER_BYTES + header.body_bytes()] }))
    }

    /// Bytes of a read's data that come next in the stream.
    pub fn raw_bytes(&self) -> usize {
        self.raw
    }

    /// Copies data of a read that is already in the buffer to the start of `into`; returns how much.
    pub fn take_raw(&mut self, into: &mut [u8]) -> usize {
        let taken = self.raw.min(self.end - self.start).min(into.len());
        if let Some(buffer) = self.buffer.as_ref().filter(|_| taken > 0) {
            into[..taken].copy_from_slice(&bytemuck::cast_slice(buffer)[self.start..self.start + taken]);
        }
        self.start += taken;
        self.raw -= taken;
        taken
    }

    /// The space for the next bytes of the stream, after [`FrameBuffer::raw_bytes`] of data.
    pub fn space(&mut self, free_buffers: &mut FreeBuffers) -> &mut [u8] {
        let buffer =
            self.buffer.get_or_insert_with(|| free_buffers.pop().unwrap_or_else(|| vec![0; BUFFER_BYTES / 8].into()));
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(buffer);
        if self.start == self.end {
            // Only padding can be missing before the next frame begins.
            self.start = (8 - self.skip) % 8;
            self.end = self.start;
        } else if self.start >= 8 {
            assert_eq!((self.raw, self.skip), (0, 0), "the kept bytes begin with a frame");
            bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut bytes[self.end..]
    }

    /// Called when `count` bytes were received: first those of a read's data, stored by the caller, whose number is
    /// returned; then those in `space`.
    pub fn on_received(&mut self, count: usize) -> usize {
        let raw = count.min(self.raw);
        self.raw -= raw;
        self.end += count - raw;
        raw
    }

    /// Returns the buffer to the free list if it is empty.
    pub fn release_if_empty(&mut self, free_buffers: &mut FreeBuffers) {
        if self.start == self.end
            && let Some(buffer) = self.buffer.take()
        {
            if free_buffers.len() < FREE_BUFFERS_MAX {
                free_buffers.push(buffer);
            }
            (self.start, self.end) = (0, 0);
        }
    }

    /// True if the stream, ending here, would end between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.start == self.end && self.raw == 0 && self.skip == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_is_released_when_it_is_empty() {
        let (mut frames, mut free_buffers) = (FrameBuffer::default(), FreeBuffers::default());
        let mut stream = FrameHeader::new(FrameKind::Message, 3).encode().to_vec();
        stream.extend([1, 2, 3, 0, 0, 0, 0, 0]);
        frames.space(&mut free_buffers)[..20].copy_from_slice(&stream[..20]);
        frames.on_received(20);
        assert_eq!(frames.next(), Ok(None));
        frames.release_if_empty(&mut free_buffers);
        assert!(free_buffers.is_empty() && !frames.is_between_frames());
        frames.space(&mut free_buffers)[..4].copy_from_slice(&stream[20..]);
        frames.on_received(4);
        assert_eq!(frames.next().expect("a frame").expect("whole").body, [1, 2, 3]);
        frames.release_if_empty(&mut free_buffers);
        assert!(free_buffers.len() == 1 && frames.is_between_frames());
    }
}
