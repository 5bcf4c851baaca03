//! Blocks that are filled in pieces, by several reads at once.
#![allow(unsafe_code)]

use super::Block;
use std::sync::Arc;

impl Block {
    /// Splits the block into pieces of `piece_bytes`; the last one has the remaining bytes. Each piece has one owner,
    /// as a block has, and the memory is freed when the last piece is dropped.
    pub fn split(self, piece_bytes: usize) -> Vec<Block> {
        if self.length <= piece_bytes {
            return vec![self];
        }
        let whole = Arc::new(self);
        let piece = |offset: usize| {
            // SAFETY: `offset` is less than the length of the block, which the pieces keep (MEMORY-3).
            let start = unsafe { whole.start.add(offset) };
            let length = piece_bytes.min(whole.length - offset);
            Block { start, length, taken: None, whole: Some(whole.clone()), arena: whole.arena.clone() }
        };
        (0..whole.length).step_by(piece_bytes).map(piece).collect()
    }

    /// The block from which `pieces` were split. `None`, and the pieces are dropped, where another piece of it still
    /// exists elsewhere, or `pieces` is empty.
    pub fn join(pieces: impl IntoIterator<Item = Block>) -> Option<Block> {
        let mut pieces = pieces.into_iter();
        let mut first = pieces.next()?;
        let Some(whole) = first.whole.take() else { return Some(first) };
        drop(first);
        pieces.for_each(drop);
        Arc::into_inner(whole)
    }
}

#[cfg(test)]
mod tests {
    use crate::base::config::Pages;
    use crate::memory::{Arena, Block};

    #[test]
    fn split_block_is_written_in_pieces_and_joined_again() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let block = arena.allocate(1000).expect("space");
        let offset = block.offset();
        let mut pieces = block.split(300);
        assert_eq!(pieces.iter().map(Block::len).collect::<Vec<_>>(), [300, 300, 300, 100]);
        assert_eq!(pieces[2].offset(), offset + 600);
        for (number, piece) in pieces.iter_mut().enumerate() {
            piece.as_mut_slice().fill(number as u8);
        }
        let block = Block::join(pieces).expect("all are there");
        assert_eq!((block.len(), block.offset()), (1000, offset));
        assert!(block.as_slice().iter().enumerate().all(|(place, byte)| *byte as usize == place / 300));
    }

    #[test]
    fn remaining_piece_keeps_the_whole_block_allocated() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let before = arena.used_bytes();
        let mut pieces = arena.allocate(1 << 20).expect("space").split(1 << 18);
        let last = pieces.pop();
        assert!(Block::join(pieces).is_none(), "the last piece is elsewhere");
        assert!(arena.used_bytes() > before);
        drop(last);
        assert_eq!(arena.used_bytes(), before);
        // Dropped pieces do not count: the remaining ones are enough to join the whole block.
        let mut pieces = arena.allocate(1 << 20).expect("space").split(1 << 18);
        pieces.truncate(2);
        assert_eq!(Block::join(pieces).expect("the others were dropped").len(), 1 << 20);
        assert!(Block::join([]).is_none());
    }
}
