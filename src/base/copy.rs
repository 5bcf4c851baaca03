//! Copies of long runs of memory.
//!
//! The C library copies up to a bound with instructions that write whole cache lines without reading them first. From
//! there on, which is the size of a core's cache on some processors, it reads each line before it writes it; that takes
//! three times as long where the line lies in another core's cache. So long runs are copied in shorter pieces.
//!
//! A long vector has new memory, and the system zeroes each page of it at the first write: in small pages that takes
//! longer than the copy. So huge pages are requested for it.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Bytes of a piece: below the bound of each processor, and so many that a call costs nothing.
const PIECE_BYTES: usize = 256 << 10;

/// Memory of at least so many bytes is requested in huge pages. The C library's allocator maps it for this vector alone
/// in most cases, and there are a few huge pages in it however it is aligned.
const HUGE_BYTES_MIN: usize = 8 << 20;

/// The pages in which memory is advised on: no system has larger base pages.
const PAGE_BYTES: usize = 64 << 10;

/// Elements of a piece.
const fn piece<T>() -> usize {
    let size = if size_of::<T>() > 0 { size_of::<T>() } else { 1 };
    if size < PIECE_BYTES { PIECE_BYTES / size } else { 1 }
}

/// Copies `source` to the beginning of `target`, which is as long or longer.
#[inline]
pub fn copy_to<T: Copy>(target: &mut [T], source: &[T]) {
    let target = &mut target[..source.len()];
    for (target, source) in target.chunks_mut(piece::<T>()).zip(source.chunks(piece::<T>())) {
        target.copy_from_slice(source);
    }
}

/// A vector of the elements.
#[inline]
pub fn copy_of<T: Copy>(list: &[T]) -> Vec<T> {
    let mut copy = Vec::with_capacity(list.len());
    if size_of_val(list) >= HUGE_BYTES_MIN {
        request_huge_pages(copy.spare_capacity_mut());
    }
    list.chunks(piece::<T>()).for_each(|piece| copy.extend_from_slice(piece));
    copy
}

/// Requests huge pages for memory that was not written yet. Where the system has none, nothing changes.
#[cold]
fn request_huge_pages<T>(memory: &mut [MaybeUninit<T>]) {
    let bytes = size_of_val(memory);
    let start = memory.as_mut_ptr().cast::<u8>();
    let skipped = start.align_offset(PAGE_BYTES);
    let Some(whole) = bytes.checked_sub(skipped).map(|left| left / PAGE_BYTES * PAGE_BYTES) else { return };
    // SAFETY: whole pages inside of memory that the caller has to itself; the advice changes no byte of it, and where
    // it is refused the pages stay as they are.
    unsafe { libc::madvise(start.wrapping_add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_any_number_of_pieces_are_equal() {
        for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 7] {
            let source: Vec<u8> = (0..length).map(|index| (index % 253) as u8).collect();
            let mut target = vec![9; length + 2];
            copy_to(&mut target, &source);
            assert_eq!((&target[..length], &target[length..]), (&source[..], &[9, 9][..]));
            let copy = copy_of(&source);
            assert_eq!((copy.capacity(), copy), (length, source));
        }
        let long: Vec<u64> = (0..HUGE_BYTES_MIN as u64 / 8 + 1).collect();
        assert_eq!(copy_of(&long), long, "in huge pages");
        let wide: Vec<u128> = (0..100_000).collect();
        assert_eq!(copy_of(&wide), wide);
    }
}
