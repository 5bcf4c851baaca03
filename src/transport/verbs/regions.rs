//! The location and keys of regions, and how a read is split into pieces at key boundaries. Pure functions.

use crate::memory::RegionNumber;
use serde::{Deserialize, Serialize};

/// The most keys of one region: more than a store of 64 TiB needs with a device that registers 1 TiB at once.
const KEYS_MAX: usize = 64;

/// How a device reaches a region: one key for each `chunk_bytes` of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionKeys {
    /// The number of the region.
    pub number: RegionNumber,
    /// Its start, in the address space of its device or process.
    pub address: u64,
    /// Its length.
    pub bytes: u64,
    /// The length that one key covers.
    pub chunk_bytes: u64,
    /// The keys in the order of the chunks: local keys for this rank's own device, remote keys for a peer's.
    pub keys: Vec<u32>,
}

impl RegionKeys {
    /// True if a peer's description of its region is consistent.
    pub fn is_valid(&self) -> bool {
        self.chunk_bytes > 0
            && self.address.checked_add(self.bytes).is_some()
            && self.keys.len() <= KEYS_MAX
            && self.bytes.div_ceil(self.chunk_bytes) == self.keys.len() as u64
    }

    /// True if `bytes` from `offset` on lie in the region.
    pub fn contains(&self, offset: u64, bytes: u64) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.bytes)
    }

    /// The offset of an address of this process, if `bytes` from there on lie in the region.
    pub fn offset_of(&self, address: u64, bytes: u64) -> Option<u64> {
        address.checked_sub(self.address).filter(|offset| self.contains(*offset, bytes))
    }

    /// The address and key of `offset`, and how many bytes from there that key covers.
    fn at(&self, offset: u64) -> Option<(u64, u32, u64)> {
        let chunk = offset / self.chunk_bytes;
        let key = *self.keys.get(usize::try_from(chunk).ok()?)?;
        let end = ((chunk + 1) * self.chunk_bytes).min(self.bytes);
        Some((self.address + offset, key, end.checked_sub(offset)?))
    }
}

/// The chunk size in which a region of `bytes` is registered if one registration may have `bytes_max`.
pub fn chunk_bytes(bytes: u64, bytes_max: u64) -> u64 {
    // A multiple of a huge page, so that no page of the store is registered twice.
    let most = (bytes_max >> 21 << 21).max(1 << 21);
    bytes.clamp(1, most)
}

/// One work request: remote and local range, each under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPiece {
    /// The remote address.
    pub from: u64,
    /// The peer's key.
    pub remote_key: u32,
    /// The local address.
    pub to: u64,
    /// This rank's key.
    pub local_key: u32,
    /// The length.
    pub bytes: u32,
}

/// The rest of a read.
#[derive(Clone, Copy, Debug)]
pub struct ReadSpan {
    /// The offset in the peer's region.
    pub from: u64,
    /// The offset in this rank's store.
    pub to: u64,
    /// Bytes not yet posted.
    pub remaining: u64,
}

impl ReadSpan {
    /// Takes the next piece of at most `bytes_max`; `None` at the end, or if a side has no key for it.
    pub fn next(&mut self, remote: &RegionKeys, local: &RegionKeys, bytes_max: u32) -> Option<ReadPiece> {
        if self.remaining == 0 {
            return None;
        }
        let (from, remote_key, remote_left) = remote.at(self.from)?;
        let (to, local_key, local_left) = local.at(self.to)?;
        let bytes = self.remaining.min(remote_left).min(local_left).min(u64::from(bytes_max));
        self.from += bytes;
        self.to += bytes;
        self.remaining -= bytes;
        Some(ReadPiece { from, remote_key, to, local_key, bytes: bytes as u32 })
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
    fn inconsistent_region_is_invalid() {
        assert!(region(1 << 40, 10_000, 3000).is_valid());
        assert!(!RegionKeys { chunk_bytes: 0, ..region(0, 100, 10) }.is_valid());
        assert!(!RegionKeys { keys: vec![1], ..region(0, 100, 10) }.is_valid());
        assert!(!region(u64::MAX - 10, 100, 100).is_valid());
        assert!(!region(0, 1000, 1).is_valid(), "too many keys");
    }

    #[test]
    fn contains_and_offset_of_check_the_whole_range() {
        let region = region(1 << 20, 8192, 8192);
        assert!(region.contains(0, 8192) && region.contains(8192, 0) && region.contains(8184, 8));
        assert!(!region.contains(8185, 8) && !region.contains(u64::MAX - 7, 64));
        assert_eq!(region.offset_of((1 << 20) + 5, 8), Some(5));
        assert_eq!(region.offset_of((1 << 20) - 1, 8), None);
        assert_eq!(region.offset_of((1 << 20) + 8190, 8), None);
    }

    #[test]
    fn span_is_cut_where_a_key_ends_on_either_side() {
        let (remote, local) = (region(1 << 30, 100, 40), region(1 << 40, 100, 30));
        let mut span = ReadSpan { from: 10, to: 25, remaining: 60 };
        let mut pieces = Vec::new();
        while let Some(piece) = span.next(&remote, &local, 20) {
            pieces.push((piece.from - (1 << 30), piece.remote_key, piece.to - (1 << 40), piece.local_key, piece.bytes));
        }
        let expected = [(10, 100, 25, 100, 5), (15, 100, 30, 101, 20), (35, 100, 50, 101, 5), (40, 101, 55, 101, 5)];
        assert_eq!(pieces[..4], expected);
        assert_eq!(pieces.iter().map(|piece| u64::from(piece.4)).sum::<u64>(), 60);
        assert_eq!(span.remaining, 0);
    }

    #[test]
    fn chunk_bytes_rounds_down_to_huge_pages() {
        assert_eq!(chunk_bytes(10 << 20, u64::MAX), 10 << 20);
        assert_eq!(chunk_bytes(10 << 20, (5 << 20) - 1), 4 << 20);
        assert_eq!(chunk_bytes(0, u64::MAX), 1, "never 0, because it is a divisor");
    }
}
