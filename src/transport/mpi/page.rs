//! The buffer of one message.
#![allow(unsafe_code)]

use super::batch::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, entry_bytes, write_entry};
use super::header::{MpiHeader, MpiKind};
use super::transfer::{ReceiveBuffer, SendBuffer};
use crate::base::Rank;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::transport::credits::HEADER_BYTES;

const PAGE_BYTES: usize = HEADER_BYTES + MESSAGE_BYTES_MAX;
const _: () = assert!(PAGE_BYTES.is_multiple_of(8), "a page is whole words, so that bodies are aligned to 8");
const _: () = assert!(BATCH_BYTES_MAX <= MESSAGE_BYTES_MAX, "a page has space for any batch");

/// Space for a header and the largest body. Reused; moving the value does not move its bytes.
#[derive(Debug)]
pub struct Page {
    words: Box<[u64]>,
    used_bytes: usize,
    /// Of a batch.
    messages: usize,
    receiver: Rank,
}

impl Page {
    /// An empty page.
    pub fn new() -> Page {
        Page { words: vec![0; PAGE_BYTES / 8].into_boxed_slice(), used_bytes: 0, messages: 0, receiver: 0 }
    }

    /// Writes a whole message for `receiver`; `header.length` is the sum of `parts`.
    pub fn fill(&mut self, receiver: Rank, header: MpiHeader, parts: &[&[u8]]) {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        let mut at = HEADER_BYTES;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        debug_assert_eq!(at, HEADER_BYTES + header.length as usize);
        self.used_bytes = at;
        self.receiver = receiver;
    }

    /// Begins a batch for `receiver`, without a message yet.
    pub fn begin_batch(&mut self, receiver: Rank) {
        (self.used_bytes, self.messages, self.receiver) = (HEADER_BYTES, 0, receiver);
    }

    /// Adds a message of `parts`, at most `SHARED_BYTES_MAX`, to the batch; false where it is full.
    pub fn append(&mut self, parts: &[&[u8]]) -> bool {
        if self.messages == BATCH_MESSAGES_MAX {
            return false;
        }
        let length = parts.iter().map(|part| part.len()).sum();
        let end = self.used_bytes + entry_bytes(length);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        write_entry(&mut bytes[self.used_bytes..end], length, parts);
        (self.used_bytes, self.messages) = (end, self.messages + 1);
        true
    }

    /// Completes the batch, which returns so many credits.
    pub fn end_batch(&mut self, credits: u16) {
        let header = MpiHeader { kind: MpiKind::Batch, credits, length: (self.used_bytes - HEADER_BYTES) as u32 };
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    }

    /// The receiver of the message.
    pub fn receiver(&self) -> Rank {
        self.receiver
    }

    /// The message of `received_bytes` that was received into this page: its header, and its body, aligned to 8. `None`
    /// if it is no message of this transport.
    pub fn message(&self, received_bytes: usize) -> Option<(MpiHeader, &[u8])> {
        MpiHeader::decode(bytemuck::cast_slice(&self.words).get(..received_bytes)?)
    }
}

// SAFETY: the bytes are in a box that is never replaced, so their address is constant while the page lives.
unsafe impl SendBuffer for Page {
    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.used_bytes]
    }
}

// SAFETY: as for `SendBuffer`.
unsafe impl ReceiveBuffer for Page {
    fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::split_first;
    use super::*;

    #[test]
    fn fill_joins_parts_to_one_aligned_body() {
        let mut page = Page::new();
        let header = MpiHeader { kind: MpiKind::Message, credits: 3, length: 5 };
        page.fill(1, header, &[b"he", b"", b"llo"]);
        let (received, body) = page.message(page.bytes().len()).expect("a message");
        assert_eq!((received, body), (header, &b"hello"[..]));
        assert!(body.as_ptr().addr().is_multiple_of(8));
    }

    #[test]
    fn batch_has_its_messages_in_order_and_ends_when_full() {
        let mut page = Page::new();
        page.begin_batch(1);
        let parts: [&[u8]; 2] = [b"he", b"llo"];
        assert!((0..BATCH_MESSAGES_MAX).all(|_| page.append(&parts)) && !page.append(&parts));
        page.end_batch(3);
        let (header, mut body) = page.message(page.bytes().len()).expect("a batch");
        assert_eq!((header.kind, header.credits), (MpiKind::Batch, 3));
        for _ in 0..BATCH_MESSAGES_MAX {
            let (message, rest) = split_first(body).expect("whole");
            assert_eq!(message, b"hello");
            body = rest;
        }
        assert!(body.is_empty());
    }

    #[test]
    fn the_largest_message_fits() {
        let mut page = Page::new();
        let body = vec![7u8; MESSAGE_BYTES_MAX];
        let header = MpiHeader { kind: MpiKind::Message, credits: 0, length: MESSAGE_BYTES_MAX as u32 };
        page.fill(1, header, &[&body]);
        assert_eq!(page.message(page.bytes().len()), Some((header, &body[..])));
    }
}
