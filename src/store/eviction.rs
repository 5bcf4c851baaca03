//! What is evicted from a full store, and how: the decision alone.
//!
//! Candidates are blocks without a reader. They are evicted in this order, the least recently used first, until enough
//! bytes are free: copies of blocks that can be fetched again; blocks that can be recomputed; blocks that are on disk
//! already; then blocks that must be written to disk first. A block whose eviction costs nothing goes before one that
//! costs a write, however recently it was used.

/// What would be lost with a block's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvictionClass {
    /// Nothing: its owner has it too.
    Copy,
    /// A result that its task can recompute, as far as its owner says so.
    Rebuildable,
    /// Nothing: it is on disk too.
    OnDisk,
    /// The only copy.
    Original,
}

/// A block without a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionCandidate {
    /// Bytes that its eviction frees.
    pub bytes: u64,
    /// When it was used last, on any clock.
    pub last_use: u64,
    /// What would be lost.
    pub class: EvictionClass,
}

/// How a block is evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// Its memory is freed.
    Drop,
    /// Its owner is asked to release it.
    RequestOwner,
    /// It is written to disk first.
    Spill,
}

/// Selects the candidates to evict so that `requested` bytes are free, by index, in the order of eviction. Fewer bytes
/// if that is all there is; originals stay if nothing can be written to disk.
pub fn choose_evictions(candidates: &[EvictionCandidate], requested: u64, may_spill: bool) -> Vec<(usize, Eviction)> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.retain(|index| may_spill || candidates[*index].class != EvictionClass::Original);
    order.sort_unstable_by_key(|index| (candidates[*index].class, candidates[*index].last_use, *index));
    let mut freed = 0;
    let enough = order.iter().position(|index| {
        freed += candidates[*index].bytes;
        freed >= requested
    });
    order.truncate(enough.map_or(order.len(), |last| last + 1));
    // The last one may be so large that some before it need not be evicted: those that were used last stay.
    let mut surplus = freed.saturating_sub(requested);
    let mut spared = vec![false; order.len()];
    for (turn, index) in order.iter().enumerate().rev().skip(1) {
        let bytes = candidates[*index].bytes;
        if bytes <= surplus {
            surplus -= bytes;
            spared[turn] = true;
        }
    }
    let leaves = |(turn, index): (usize, usize)| {
        let eviction = match candidates[index].class {
            EvictionClass::Copy | EvictionClass::OnDisk => Eviction::Drop,
            EvictionClass::Rebuildable => Eviction::RequestOwner,
            EvictionClass::Original => Eviction::Spill,
        };
        (!spared[turn]).then_some((index, eviction))
    };
    order.into_iter().enumerate().filter_map(leaves).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(bytes: u64, last_use: u64, class: EvictionClass) -> EvictionCandidate {
        EvictionCandidate { bytes, last_use, class }
    }

    fn indices(candidates: &[EvictionCandidate], requested: u64, may_spill: bool) -> Vec<usize> {
        choose_evictions(candidates, requested, may_spill).into_iter().map(|(index, _)| index).collect()
    }

    #[test]
    fn cheapest_class_is_evicted_first_then_least_recently_used() {
        let all = [
            candidate(10, 1, EvictionClass::Original),
            candidate(10, 9, EvictionClass::Copy),
            candidate(10, 8, EvictionClass::Copy),
            candidate(10, 2, EvictionClass::OnDisk),
            candidate(10, 7, EvictionClass::Rebuildable),
        ];
        assert_eq!(indices(&all, 50, true), [2, 1, 4, 3, 0]);
        assert_eq!(indices(&all, 20, true), [2, 1]);
        assert_eq!(choose_evictions(&all, 50, true).last(), Some(&(0, Eviction::Spill)));
        let without_writing: Vec<Eviction> =
            choose_evictions(&all, 40, true).into_iter().map(|(_, eviction)| eviction).collect();
        assert_eq!(without_writing, [Eviction::Drop, Eviction::Drop, Eviction::RequestOwner, Eviction::Drop]);
    }

    #[test]
    fn originals_stay_when_spilling_is_off() {
        let all = [candidate(10, 1, EvictionClass::Original), candidate(10, 2, EvictionClass::Copy)];
        assert_eq!(indices(&all, 20, false), [1]);
        assert!(indices(&[], 20, true).is_empty());
    }

    #[test]
    fn large_block_spares_blocks_that_are_not_needed() {
        let all = [
            candidate(10, 1, EvictionClass::Original),
            candidate(10, 2, EvictionClass::Original),
            candidate(100, 3, EvictionClass::Original),
        ];
        assert_eq!(indices(&all, 100, true), [2]);
        assert_eq!(indices(&all, 105, true), [0, 2]);
        assert_eq!(indices(&all, 15, true), [0, 1]);
    }

    /// Compares with the definition, over random stores: enough is freed if there is enough, nothing could be spared,
    /// and nothing is evicted before all of a cheaper class was evicted or was not needed.
    #[test]
    fn random_evictions_free_enough_and_nothing_superfluous() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut draw = move |below: u64| random.u64(..below);
        let classes = [EvictionClass::Copy, EvictionClass::Rebuildable, EvictionClass::OnDisk, EvictionClass::Original];
        for _ in 0..5_000 {
            let all: Vec<EvictionCandidate> =
                (0..draw(12)).map(|_| candidate(1 + draw(100), draw(20), classes[draw(4) as usize])).collect();
            let (requested, may_spill) = (1 + draw(400), draw(2) == 0);
            let chosen = choose_evictions(&all, requested, may_spill);
            let may = |candidate: &EvictionCandidate| may_spill || candidate.class != EvictionClass::Original;
            let there: u64 = all.iter().filter(|candidate| may(candidate)).map(|candidate| candidate.bytes).sum();
            let freed: u64 = chosen.iter().map(|(index, _)| all[*index].bytes).sum();
            assert!(freed >= requested.min(there), "{all:?} {requested}");
            assert!(chosen.iter().all(|(index, _)| may(&all[*index])));
            if freed >= requested {
                let least = chosen.iter().map(|(index, _)| all[*index].bytes).min();
                assert!(least.is_some_and(|least| freed - least < requested), "one too many left: {all:?} {requested}");
            }
            let worst = chosen.iter().map(|(index, _)| all[*index].class).max();
            let cheaper: u64 =
                all.iter().filter(|candidate| Some(candidate.class) < worst).map(|candidate| candidate.bytes).sum();
            assert!(cheaper < requested, "a class that costs less was enough: {all:?} {requested}");
        }
    }
}
