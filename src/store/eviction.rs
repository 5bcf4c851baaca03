//! What leaves a full store, and how: the decision alone.
//!
//! Candidates are blocks that nobody reads. In this order, the least recently used first, until there is room for what is
//! wanted: copies of what can be fetched again; what can be made again; what lies on disk already; then what must be written
//! to disk first. What costs nothing goes before what costs a write, however recently it was used.

/// What would be lost with a block's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nothing: its owner has it too.
    Copy,
    /// A result that its task can make again, as far as who owns it says so.
    Rebuildable,
    /// Nothing: it lies on disk too.
    OnDisk,
    /// The only one there is.
    Original,
}

/// A block that nobody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Bytes that are free when it is gone.
    pub bytes: u64,
    /// When it was used last, on any clock.
    pub last_use: u64,
    /// What would be lost.
    pub class: Class,
}

/// How a block leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Its memory is given back.
    Drop,
    /// Its owner is asked to let it go.
    Ask,
    /// It is written to disk first.
    Spill,
}

/// Which of the candidates leave so that `wanted` bytes are free, by their places, in the order in which they go. Fewer bytes
/// than wanted where that is all there is; originals stay where nothing can be written.
pub fn choose(candidates: &[Candidate], wanted: u64, may_spill: bool) -> Vec<(usize, Exit)> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.retain(|place| may_spill || candidates[*place].class != Class::Original);
    order.sort_unstable_by_key(|place| (candidates[*place].class, candidates[*place].last_use, *place));
    let mut freed = 0;
    let enough = order.iter().position(|place| {
        freed += candidates[*place].bytes;
        freed >= wanted
    });
    order.truncate(enough.map_or(order.len(), |last| last + 1));
    // The last one may have been so large that some before it need not go: those that were used last stay.
    let mut surplus = freed.saturating_sub(wanted);
    let mut kept = vec![false; order.len()];
    for (turn, place) in order.iter().enumerate().rev().skip(1) {
        let bytes = candidates[*place].bytes;
        if bytes <= surplus {
            surplus -= bytes;
            kept[turn] = true;
        }
    }
    let leaves = |(turn, place): (usize, usize)| {
        let exit = match candidates[place].class {
            Class::Copy | Class::OnDisk => Exit::Drop,
            Class::Rebuildable => Exit::Ask,
            Class::Original => Exit::Spill,
        };
        (!kept[turn]).then_some((place, exit))
    };
    order.into_iter().enumerate().filter_map(leaves).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(bytes: u64, last_use: u64, class: Class) -> Candidate {
        Candidate { bytes, last_use, class }
    }

    fn places(candidates: &[Candidate], wanted: u64, may_spill: bool) -> Vec<usize> {
        choose(candidates, wanted, may_spill).into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn what_costs_nothing_goes_first_and_the_least_recently_used_before_others() {
        let all = [
            candidate(10, 1, Class::Original),
            candidate(10, 9, Class::Copy),
            candidate(10, 8, Class::Copy),
            candidate(10, 2, Class::OnDisk),
            candidate(10, 7, Class::Rebuildable),
        ];
        assert_eq!(places(&all, 50, true), [2, 1, 4, 3, 0]);
        assert_eq!(places(&all, 20, true), [2, 1]);
        assert_eq!(choose(&all, 50, true).last(), Some(&(0, Exit::Spill)));
        let without_writing: Vec<Exit> = choose(&all, 40, true).into_iter().map(|(_, exit)| exit).collect();
        assert_eq!(without_writing, [Exit::Drop, Exit::Drop, Exit::Ask, Exit::Drop]);
    }

    #[test]
    fn without_a_disk_originals_stay() {
        let all = [candidate(10, 1, Class::Original), candidate(10, 2, Class::Copy)];
        assert_eq!(places(&all, 20, false), [1]);
        assert!(places(&[], 20, true).is_empty());
    }

    #[test]
    fn a_large_one_spares_those_that_are_not_needed_beside_it() {
        let all =
            [candidate(10, 1, Class::Original), candidate(10, 2, Class::Original), candidate(100, 3, Class::Original)];
        assert_eq!(places(&all, 100, true), [2]);
        assert_eq!(places(&all, 105, true), [0, 2]);
        assert_eq!(places(&all, 15, true), [0, 1]);
    }

    /// Against the definition, over random stores: enough is freed where there is enough, nothing could be spared, and nothing
    /// leaves before all of a class that costs less has left or was not needed.
    #[test]
    fn random_stores_free_enough_and_nothing_in_vain() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = move |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let classes = [Class::Copy, Class::Rebuildable, Class::OnDisk, Class::Original];
        for _ in 0..5_000 {
            let all: Vec<Candidate> =
                (0..draw(12)).map(|_| candidate(1 + draw(100), draw(20), classes[draw(4) as usize])).collect();
            let (wanted, may_spill) = (1 + draw(400), draw(2) == 0);
            let chosen = choose(&all, wanted, may_spill);
            let may = |candidate: &Candidate| may_spill || candidate.class != Class::Original;
            let there: u64 = all.iter().filter(|candidate| may(candidate)).map(|candidate| candidate.bytes).sum();
            let freed: u64 = chosen.iter().map(|(place, _)| all[*place].bytes).sum();
            assert!(freed >= wanted.min(there), "{all:?} {wanted}");
            assert!(chosen.iter().all(|(place, _)| may(&all[*place])));
            if freed >= wanted {
                let least = chosen.iter().map(|(place, _)| all[*place].bytes).min();
                assert!(least.is_some_and(|least| freed - least < wanted), "one too many left: {all:?} {wanted}");
            }
            let worst = chosen.iter().map(|(place, _)| all[*place].class).max();
            let cheaper: u64 =
                all.iter().filter(|candidate| Some(candidate.class) < worst).map(|candidate| candidate.bytes).sum();
            assert!(cheaper < wanted, "a class that costs less was enough: {all:?} {wanted}");
        }
    }
}
