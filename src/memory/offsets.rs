//! Which ranges of an arena are taken: bookkeeping outside the arena's memory, by offset.

use offset_allocator::{Allocation, Allocator};

/// Blocks begin at multiples of this, a cache line.
pub(super) const ALIGNMENT: u64 = 64;

/// Blocks that an arena can have at once. Their records are allocated with the arena: 4 MiB.
const BLOCKS_MAX: u32 = 128 << 10;

/// A range that is in use.
pub(super) struct TakenRange {
    pub(super) offset: u64,
    allocation: Allocation,
    units: u32,
}

/// The free and taken ranges of `0..bytes`, by size class (Aaltonen's OffsetAllocator: constant time).
///
/// Eight classes per doubling. A request is rounded up to its class, by at most 12.5 %, so that the hole it leaves
/// serves the next request of its size: the allocator looks only into classes whose every hole is large enough. Of
/// those it takes the smallest class and in it the hole freed last, so that memory that was in use, and is in the
/// caches, is used first, and the never used end of the arena last.
pub(super) struct Offsets {
    allocator: Allocator,
    /// Bytes of a unit: 64, and more beyond 256 GiB, where 32 bits of units run out.
    unit_bytes: u64,
    used_bytes: u64,
    /// True if a thread waits for a range to be given back.
    pub(super) notify_on_free: bool,
}

impl Offsets {
    pub(super) fn new(bytes: u64) -> Offsets {
        let unit_bytes = bytes.div_ceil(u64::from(u32::MAX)).next_power_of_two().max(ALIGNMENT);
        let units = u32::try_from(bytes / unit_bytes).expect("units chosen to fit 32 bits");
        Offsets {
            allocator: Allocator::with_max_allocs(units, BLOCKS_MAX),
            unit_bytes,
            used_bytes: 0,
            notify_on_free: false,
        }
    }

    /// The bytes that a range of `bytes`, not zero, occupies after rounding; `None` where no arena is so large.
    pub(super) fn rounded_bytes(&self, bytes: u64) -> Option<u64> {
        let units = class_units(u32::try_from(bytes.div_ceil(self.unit_bytes)).ok()?)?;
        Some(u64::from(units) * self.unit_bytes)
    }

    /// Takes a range of at least `bytes`, not zero; `None` where no hole is large enough.
    pub(super) fn take(&mut self, bytes: u64) -> Option<TakenRange> {
        let units = class_units(u32::try_from(bytes.div_ceil(self.unit_bytes)).ok()?)?;
        let allocation = self.allocator.allocate(units)?;
        self.used_bytes += u64::from(units) * self.unit_bytes;
        Some(TakenRange { offset: u64::from(allocation.offset) * self.unit_bytes, allocation, units })
    }

    pub(super) fn give_back(&mut self, taken: &TakenRange) {
        self.used_bytes -= u64::from(taken.units) * self.unit_bytes;
        self.allocator.free(taken.allocation);
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.used_bytes
    }
}

/// The smallest size class that holds `units`.
fn class_units(units: u32) -> Option<u32> {
    let step = 1 << units.checked_ilog2()?.saturating_sub(3);
    units.checked_next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_round_up_to_eight_classes_per_doubling() {
        let classes: Vec<_> =
            [1, 7, 9, 16, 17, 18, 31, 32, 33, 1000, 1024].map(|units| class_units(units).unwrap()).into();
        assert_eq!(classes, [1, 7, 9, 16, 18, 18, 32, 32, 36, 1024, 1024]);
        assert_eq!(class_units(u32::MAX), None);
        assert_eq!(class_units(0), None);
    }

    #[test]
    fn freed_range_serves_the_next_request_of_its_size() {
        let mut offsets = Offsets::new(1 << 30);
        let first = offsets.take(100_000_000).expect("space");
        let second = offsets.take(100_000_000).expect("space");
        offsets.give_back(&first);
        let third = offsets.take(100_000_000).expect("space");
        assert_eq!(third.offset, first.offset);
        offsets.give_back(&second);
        offsets.give_back(&third);
        assert_eq!(offsets.used_bytes(), 0);
    }

    #[test]
    fn random_ranges_never_overlap_and_merge_when_all_are_freed() {
        let mut offsets = Offsets::new(64 << 20);
        let mut live: Vec<(TakenRange, u64)> = Vec::new();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            if live.is_empty() || random.bool() {
                let bytes_log2 = random.u32(8..21);
                let bytes = random.u64(1..=1 << bytes_log2);
                let Some(taken) = offsets.take(bytes) else { continue };
                let (start, end) = (taken.offset, taken.offset + bytes);
                assert!(end <= 64 << 20 && start.is_multiple_of(ALIGNMENT));
                for (other, length) in &live {
                    assert!(end <= other.offset || other.offset + length <= start, "{start}..{end} is taken");
                }
                live.push((taken, bytes));
            } else {
                let (taken, _) = live.swap_remove(random.usize(..live.len()));
                offsets.give_back(&taken);
            }
        }
        live.iter().for_each(|(taken, _)| offsets.give_back(taken));
        assert_eq!(offsets.used_bytes(), 0);
        assert_eq!(offsets.take(64 << 20).expect("whole again").offset, 0);
    }

    #[test]
    fn arena_beyond_256_gib_uses_larger_units() {
        let mut offsets = Offsets::new(1 << 40);
        assert_eq!(offsets.take(1).expect("space").offset, 0);
        let taken = offsets.take(900 << 30).expect("space");
        assert!(taken.offset.is_multiple_of(ALIGNMENT));
    }

    #[test]
    fn allocation_beyond_the_block_limit_is_refused() {
        let mut offsets = Offsets::new(1 << 30);
        let taken: Vec<TakenRange> = std::iter::from_fn(|| offsets.take(64)).collect();
        assert!(taken.len() >= BLOCKS_MAX as usize - 4, "{}", taken.len());
        taken.iter().for_each(|taken| offsets.give_back(taken));
        assert!(offsets.take(64).is_some());
    }
}
