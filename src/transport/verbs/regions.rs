//! Where a region lies and the keys that open it, and how a read is cut along them: pure.

use crate::memory::RegionNumber;
use serde::{Deserialize, Serialize};

/// Keys of one region: more than a store of 64 TiB needs where a device registers 1 TiB at once.
const KEYS_MAX: usize = 64;

/// How a device reaches a region: one key for each `chunk_bytes` of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionKeys {
    /// Which of the rank's regions.
    pub number: RegionNumber,
    /// Where it begins, in the address space of its device or process.
    pub address: u64,
    /// Its length.
    pub bytes: u64,
    /// How much of it one key opens.
    pub chunk_bytes: u64,
    /// In the order of the chunks: local keys for this rank's own device, remote keys for a peer's.
    pub keys: Vec<u32>,
}

impl RegionKeys {
    /// Whether what a peer says of its region can be.
    pub fn is_sound(&self) -> bool {
        self.chunk_bytes > 0
            && self.address.checked_add(self.bytes).is_some()
            && self.keys.len() <= KEYS_MAX
            && self.bytes.div_ceil(self.chunk_bytes) == self.keys.len() as u64
    }

    /// Whether `bytes` from `offset` on lie in it.
    pub fn holds(&self, offset: u64, bytes: u64) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.bytes)
    }

    /// The offset of an address of this process, where `bytes` from there on lie in it.
    pub fn offset_of(&self, address: u64, bytes: u64) -> Option<u64> {
        address.checked_sub(self.address).filter(|offset| self.holds(*offset, bytes))
    }

    /// The address and key of `offset`, and how many bytes from there that key opens.
    fn at(&self, offset: u64) -> Option<(u64, u32, u64)> {
        let chunk = offset / self.chunk_bytes;
        let key = *self.keys.get(usize::try_from(chunk).ok()?)?;
        let end = ((chunk + 1) * self.chunk_bytes).min(self.bytes);
        Some((self.address + offset, key, end.checked_sub(offset)?))
    }
}

/// The sizes of the pieces that `bytes` of a region of `bytes` are registered in, where one may have `bytes_max`.
pub fn chunk_bytes(bytes: u64, bytes_max: u64) -> u64 {
    // Whole huge pages, so that no page of the store is registered twice.
    let most = (bytes_max >> 21 << 21).max(1 << 21);
    bytes.clamp(1, most)
}

/// One work request: bytes from there to here, under one key each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where they are.
    pub from: u64,
    /// The peer's key.
    pub remote_key: u32,
    /// Where they go.
    pub to: u64,
    /// This rank's key.
    pub local_key: u32,
    /// How many.
    pub bytes: u32,
}

/// What is left of a read.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From the start of the peer's region.
    pub from: u64,
    /// From the start of this rank's store.
    pub to: u64,
    /// Bytes not yet asked for.
    pub left: u64,
}

impl Span {
    /// Takes the next piece of at most `bytes_max` off it; nothing at its end, or where a side has no key for it.
    pub fn next(&mut self, remote: &RegionKeys, local: &RegionKeys, bytes_max: u32) -> Option<Piece> {
        if self.left == 0 {
            return None;
        }
        let (from, remote_key, remote_left) = remote.at(self.from)?;
        let (to, local_key, local_left) = local.at(self.to)?;
        let bytes = self.left.min(remote_left).min(local_left).min(u64::from(bytes_max));
        self.from += bytes;
        self.to += bytes;
        self.left -= bytes;
        Some(Piece { from, remote_key, to, local_key, bytes: bytes as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(address: u64, bytes: u64, chunk_bytes: u64) -> RegionKeys {
        let keys = (0..bytes.div_ceil(chunk_bytes)).map(|chunk| chunk as u32 + 100).collect();
        RegionKeys { number: 0, address, bytes, chunk_bytes, keys }
    }

    #[test]
    fn what_no_rank_would_say_of_a_region_is_refused() {
        assert!(region(1 << 40, 10_000, 3000).is_sound());
        assert!(!RegionKeys { chunk_bytes: 0, ..region(0, 100, 10) }.is_sound());
        assert!(!RegionKeys { keys: vec![1], ..region(0, 100, 10) }.is_sound());
        assert!(!region(u64::MAX - 10, 100, 100).is_sound());
        assert!(!region(0, 1000, 1).is_sound(), "too many keys");
    }

    #[test]
    fn a_range_is_inside_or_it_is_not() {
        let region = region(1 << 20, 8192, 8192);
        assert!(region.holds(0, 8192) && region.holds(8192, 0) && region.holds(8184, 8));
        assert!(!region.holds(8185, 8) && !region.holds(u64::MAX - 7, 64));
        assert_eq!(region.offset_of((1 << 20) + 5, 8), Some(5));
        assert_eq!(region.offset_of((1 << 20) - 1, 8), None);
        assert_eq!(region.offset_of((1 << 20) + 8190, 8), None);
    }

    #[test]
    fn a_read_is_cut_where_a_key_ends_on_either_side() {
        let (remote, local) = (region(1 << 30, 100, 40), region(1 << 40, 100, 30));
        let mut span = Span { from: 10, to: 25, left: 60 };
        let mut pieces = Vec::new();
        while let Some(piece) = span.next(&remote, &local, 20) {
            pieces.push((piece.from - (1 << 30), piece.remote_key, piece.to - (1 << 40), piece.local_key, piece.bytes));
        }
        let expected = [(10, 100, 25, 100, 5), (15, 100, 30, 101, 20), (35, 100, 50, 101, 5), (40, 101, 55, 101, 5)];
        assert_eq!(pieces[..4], expected);
        assert_eq!(pieces.iter().map(|piece| u64::from(piece.4)).sum::<u64>(), 60);
        assert_eq!(span.left, 0);
    }

    #[test]
    fn chunks_are_whole_huge_pages() {
        assert_eq!(chunk_bytes(10 << 20, u64::MAX), 10 << 20);
        assert_eq!(chunk_bytes(10 << 20, (5 << 20) - 1), 4 << 20);
        assert_eq!(chunk_bytes(0, u64::MAX), 1, "never 0, which is divided by");
    }
}
