use super::*;
use crate::memory::PeerArena;

const MIB: usize = 1 << 20;

fn arena(bytes: usize) -> Arc<Arena> {
    Arena::create(bytes as u64, Pages::Auto).expect("made")
}

#[test]
fn peer_mapping_reads_the_bytes_of_a_block() {
    let arena = arena(64 * MIB);
    let peer = PeerArena::open(&arena.handle()).expect("opened");
    let mut block = arena.allocate(20 * MIB).expect("space");
    let pattern = |index: usize| (index * 31 % 251) as u8;
    block.as_mut_slice().iter_mut().enumerate().for_each(|(index, byte)| *byte = pattern(index));
    let seen = peer.slice(block.offset(), block.len()).expect("inside");
    assert!(seen.iter().enumerate().all(|(index, byte)| *byte == pattern(index)));
    assert_eq!(arena.slice(block.offset(), block.len()), Some(seen));
    assert_ne!(seen.as_ptr(), block.as_slice().as_ptr(), "two mappings");
    assert_eq!(peer.bytes(), arena.bytes());
}

#[test]
fn slices_outside_are_refused() {
    let arena = arena(4 * MIB);
    let peer = PeerArena::open(&arena.handle()).expect("opened");
    assert!(arena.slice(0, 1).is_none(), "nothing was handed out yet");
    let _block = arena.allocate(3 * MIB).expect("space");
    for (offset, length) in [(4 * MIB as u64, 1), (4 * MIB as u64 - 1, 2), (u64::MAX, 2), (1, usize::MAX)] {
        assert!(arena.slice(offset, length).is_none() && peer.slice(offset, length).is_none(), "{offset}+{length}");
    }
    assert_eq!(arena.slice(4 * MIB as u64, 0).map(<[u8]>::len), Some(0));
}

#[test]
fn full_arena_can_be_emptied_and_filled_again() {
    let arena = arena(16 * MIB);
    for _ in 0..3 {
        let blocks: Vec<Block> = std::iter::from_fn(|| arena.allocate(MIB)).collect();
        assert_eq!(blocks.len(), 16);
        assert_eq!(arena.used_bytes(), 16 * MIB as u64);
        assert!(arena.allocate(1).is_none());
        assert_eq!(arena.allocate(0).expect("always").as_slice(), b"");
        drop(blocks);
        assert_eq!(arena.used_bytes(), 0);
    }
    assert!(arena.allocate(17 * MIB).is_none());
}

#[test]
fn allocating_in_a_loop_reuses_the_same_pages() {
    let arena = arena(256 * MIB);
    for _ in 0..1000 {
        arena.allocate(5 * MIB + 1).expect("space").as_mut_slice().fill(1);
    }
    assert!(arena.populated.load(Ordering::Relaxed) <= 16 * MIB as u64, "one block's pages serve them all");
}

#[test]
fn blocks_of_concurrent_threads_do_not_overlap() {
    let arena = arena(64 * MIB);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let arena = &arena;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for round in 0..2000_usize {
                    let mut block = arena.allocate(1 + round * 37 % 9000).expect("space");
                    assert!(block.offset().is_multiple_of(64) && block.as_slice().as_ptr().addr().is_multiple_of(64));
                    block.as_mut_slice().fill(thread);
                    kept.push(block);
                    if kept.len() > 50 {
                        let block = kept.swap_remove(round % 50);
                        assert!(block.as_slice().iter().all(|byte| *byte == thread));
                    }
                }
            });
        }
    });
    assert_eq!(arena.used_bytes(), 0);
}

#[test]
fn store_larger_than_memory_is_refused_with_the_numbers() {
    let text = Arena::create(u64::MAX / 2, Pages::Auto).expect_err("too large").to_string();
    assert!(text.contains(&memory_total_bytes().to_string()) && text.contains("MOBULA_STORE_BYTES"), "{text}");
}
