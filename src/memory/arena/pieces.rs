//! Blocks that are filled in pieces, by several reads at once.
#![allow(unsafe_code)]

use super::Block;
use std::sync::Arc;

impl Block {
    /// The block in pieces of `piece_bytes`, the last one of what is left: each is its holder's alone, as a block is, and the
    /// memory is free again when the last of them is dropped.
    pub fn split(self, piece_bytes: usize) -> Vec<Block> {
        if self.length <= piece_bytes {
            return vec![self];
        }
        let whole = Arc::new(self);
        let piece = |offset: usize| {
            // SAFETY: `offset` is less than the length of the block, which the pieces keep (M3).
            let start = unsafe { whole.start.add(offset) };
            let length = piece_bytes.min(whole.length - offset);
            Block { start, length, taken: None, whole: Some(whole.clone()), arena: whole.arena.clone() }
        };
        (0..whole.length).step_by(piece_bytes).map(piece).collect()
    }

    /// The block that `pieces` were split from, where nobody has any of its other pieces. `None`, and the pieces are dropped,
    /// where somebody has, or there are none.
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
    fn pieces_are_written_apart_and_are_one_block_again() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let block = arena.allocate(1000).expect("room");
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
    fn a_piece_keeps_the_whole() {
        let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
        let before = arena.used_bytes();
        let mut pieces = arena.allocate(1 << 20).expect("room").split(1 << 18);
        let last = pieces.pop();
        assert!(Block::join(pieces).is_none(), "the last piece is elsewhere");
        assert!(arena.used_bytes() > before);
        drop(last);
        assert_eq!(arena.used_bytes(), before);
        // Pieces that were dropped are nobody's: what is left is enough to have the whole again.
        let mut pieces = arena.allocate(1 << 20).expect("room").split(1 << 18);
        pieces.truncate(2);
        assert_eq!(Block::join(pieces).expect("the others are gone").len(), 1 << 20);
        assert!(Block::join([]).is_none());
    }
}
