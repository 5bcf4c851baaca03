//! The locations of an owner's blocks outside its own store, and which rank fetches a block from which: so that a block
//! that every host needs is broadcast as a tree.
//!
//! Each holder, the owner among them, serves at most [`READERS_MAX`] at a time. A copy that is still being fetched is a
//! holder too: a reader directed there is notified when it is complete. So the readers of a block that all hosts need
//! at once form a tree in which every inner node has that many children, N hosts are served after log N rounds, and two
//! of the N reads are of the original.
//!
//! - LOCATIONS-1: a rank that waits for a copy does not, over any number of steps, wait for itself: a reader is never
//!   directed to a copy that is being fetched from that reader. Some holder is always free, at worst the owner beyond
//!   its number. A reader waits for what it was told last; that stays recorded until it is told something else or has
//!   the copy, also if the holder has left meanwhile and comes again.

use crate::base::Rank;
use rustc_hash::FxHashMap as HashMap;
use std::collections::BTreeSet;

/// Readers that a holder serves at a time. With two, the last host of a tree has the least to wait for: a third child
/// would make each level half as long again, and the tree shorter by less than that.
pub const READERS_MAX: u32 = 2;

/// Complete holders that one reader reads from at once, each a part.
const SOURCES_MAX: usize = 2;

/// How soon a holder could have served one more reader; the smallest first. The owner comes after others that are as
/// good: it has other work than this block, and its copy must be read at least once anyway.
type ServeTurn = (u32, bool, Rank);

/// A rank that has the block, or is fetching it.
struct BlockHolder {
    /// How many copies before it are still being fetched; 0 if it is complete.
    level: u32,
    /// The ranks that fetch it from here now.
    readers: Vec<Rank>,
    /// The ranks that it is fetched from, until it is complete.
    sources: Vec<Rank>,
}

impl BlockHolder {
    fn is_complete(&self) -> bool {
        self.level == 0
    }

    fn turn(&self, rank: Rank, owner: Rank) -> Option<ServeTurn> {
        let readers = self.readers.len() as u32;
        let cost = if self.is_complete() { readers } else { READERS_MAX * (1 + self.level) + readers };
        (readers < READERS_MAX).then_some((cost, rank == owner, rank))
    }
}

/// One block's holders.
struct BlockHolders {
    owner: Rank,
    holders: HashMap<Rank, BlockHolder>,
    /// Those that may serve one more.
    free: BTreeSet<ServeTurn>,
}

impl BlockHolders {
    fn new(owner: Rank) -> BlockHolders {
        let mut spread = BlockHolders { owner, holders: HashMap::default(), free: BTreeSet::new() };
        spread.change(owner, |_| {});
        spread
    }

    /// Changes a holder, which is created if it does not exist, and its turn with it.
    fn change(&mut self, rank: Rank, change: impl FnOnce(&mut BlockHolder)) {
        let holder =
            self.holders.entry(rank).or_insert(BlockHolder { level: 0, readers: Vec::new(), sources: Vec::new() });
        if let Some(turn) = holder.turn(rank, self.owner) {
            self.free.remove(&turn);
        }
        change(holder);
        if let Some(turn) = holder.turn(rank, self.owner) {
            self.free.insert(turn);
        }
    }

    /// The sources of `reader` serve one reader less.
    fn release_sources(&mut self, reader: Rank) {
        let Some(holder) = self.holders.get_mut(&reader) else { return };
        for source in std::mem::take(&mut holder.sources) {
            if self.holders.contains_key(&source) {
                self.change(source, |holder| holder.readers.retain(|other| *other != reader));
            }
        }
    }

    /// `rank` no longer has the block, nor fetches it.
    fn remove(&mut self, rank: Rank) {
        if rank == self.owner {
            return;
        }
        self.release_sources(rank);
        if let Some(holder) = self.holders.remove(&rank)
            && let Some(turn) = holder.turn(rank, self.owner)
        {
            self.free.remove(&turn);
        }
    }

    /// True if the copy of `rank` is fetched from `reader`, over any number of others (LOCATIONS-1).
    fn comes_from(&self, rank: Rank, reader: Rank) -> bool {
        let mut seen = vec![rank];
        let mut next = 0;
        while let Some(rank) = seen.get(next).copied() {
            if rank == reader {
                return true;
            }
            let sources = self.holders.get(&rank).map_or(&[][..], |holder| &holder.sources);
            let new: Vec<Rank> = sources.iter().copied().filter(|source| !seen.contains(source)).collect();
            seen.extend(new);
            next += 1;
        }
        false
    }

    /// The holders that `reader` is to fetch from; several if it is read in parts.
    fn choose(&self, reader: Rank, in_parts: bool, excluded: &[Rank]) -> Vec<Rank> {
        let may = |rank: &Rank| !excluded.contains(rank) && !self.comes_from(*rank, reader);
        let mut turns = self.free.iter().filter(|(_, _, rank)| may(rank));
        let Some((_, _, first)) = turns.next() else { return vec![self.owner] };
        let mut sources = vec![*first];
        if in_parts && self.holders[first].is_complete() {
            // Only those with nothing else to do: others would serve two halves slower than one whole.
            let idle = turns.map(|(_, _, rank)| *rank).filter(|rank| {
                let holder = &self.holders[rank];
                holder.is_complete() && holder.readers.is_empty()
            });
            sources.extend(idle.take(SOURCES_MAX - 1));
        }
        sources
    }

    fn assign(&mut self, reader: Rank, in_parts: bool, excluded: &[Rank]) -> Vec<Rank> {
        self.release_sources(reader);
        let sources = self.choose(reader, in_parts, excluded);
        for source in &sources {
            self.change(*source, |holder| holder.readers.push(reader));
        }
        let level = sources.iter().filter_map(|source| self.holders.get(source)).map(|holder| holder.level).max();
        self.change(reader, |holder| {
            holder.level = 1 + level.unwrap_or_default();
            holder.sources.clone_from(&sources);
        });
        sources
    }
}

/// The locations of one rank's blocks, by number.
#[derive(Default)]
pub struct ObjectLocations {
    me: Rank,
    blocks: HashMap<u64, BlockHolders>,
}

impl ObjectLocations {
    /// Of rank `me`.
    pub fn new(me: Rank) -> ObjectLocations {
        ObjectLocations { me, ..ObjectLocations::default() }
    }

    /// `reader` needs a block: returns the holders to fetch it from. `in_parts` if it is worth reading from several at
    /// once; `excluded` names holders that could not serve it: they stay holders until they report themselves that they
    /// are none, since they may have fetched the block again meanwhile.
    pub fn locate(&mut self, number: u64, reader: Rank, in_parts: bool, excluded: &[Rank]) -> Vec<Rank> {
        let me = self.me;
        let spread = self.blocks.entry(number).or_insert_with(|| BlockHolders::new(me));
        spread.assign(reader, in_parts, excluded)
    }

    /// The copy of `holder` is complete. False if the block was freed: no rank was directed to it yet, and it is not
    /// `known`.
    pub fn on_copy_complete(&mut self, number: u64, holder: Rank, known: bool) -> bool {
        if !known && !self.blocks.contains_key(&number) {
            return false;
        }
        let me = self.me;
        let spread = self.blocks.entry(number).or_insert_with(|| BlockHolders::new(me));
        spread.release_sources(holder);
        spread.change(holder, |holder| holder.level = 0);
        true
    }

    /// `holder` has no copy, or no longer.
    pub fn on_copy_dropped(&mut self, number: u64, holder: Rank) {
        if let Some(spread) = self.blocks.get_mut(&number) {
            spread.remove(holder);
        }
    }

    /// A block was freed: returns the ranks that have copies of it, or are fetching one.
    pub fn on_freed(&mut self, number: u64) -> Vec<Rank> {
        let Some(spread) = self.blocks.remove(&number) else { return Vec::new() };
        spread.holders.into_keys().filter(|rank| *rank != self.me).collect()
    }

    /// A rank failed, and its copies are lost.
    pub fn on_rank_failed(&mut self, rank: Rank) {
        self.blocks.values_mut().for_each(|spread| spread.remove(rank));
    }

    /// True if no block has been requested.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The invariants: numbers of readers and turns agree with the reads, and no rank waits for itself.
    #[cfg(test)]
    pub fn check(&self) {
        for spread in self.blocks.values() {
            for (rank, holder) in &spread.holders {
                for reader in &holder.readers {
                    let known = spread.holders.get(reader).is_some_and(|reader| reader.sources.contains(rank));
                    assert!(known, "rank {reader} reads from rank {rank} and does not know");
                }
                assert!(holder.is_complete() == holder.sources.is_empty(), "rank {rank} is complete, and waits");
                assert!(*rank == spread.owner || holder.readers.len() as u32 <= READERS_MAX);
                let others = holder.sources.iter().all(|source| !spread.comes_from(*source, *rank));
                assert!(others, "LOCATIONS-1: rank {rank} waits for itself");
            }
            let turns: BTreeSet<ServeTurn> =
                spread.holders.iter().filter_map(|(rank, holder)| holder.turn(*rank, spread.owner)).collect();
            assert_eq!(turns, spread.free);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simultaneous_readers_form_a_tree() {
        let mut locations = ObjectLocations::new(0);
        let sources: Vec<Rank> = (1..=6).map(|reader| locations.locate(9, reader, false, &[])[0]).collect();
        assert_eq!(sources, [0, 0, 1, 2, 1, 2]);
        locations.check();
    }

    #[test]
    fn sequential_readers_read_copies_rather_than_the_original() {
        let mut locations = ObjectLocations::new(0);
        assert_eq!(locations.locate(9, 1, false, &[]), [0]);
        assert!(locations.on_copy_complete(9, 1, false));
        assert_eq!(locations.locate(9, 2, false, &[]), [1]);
        assert!(locations.on_copy_complete(9, 2, false));
        assert_eq!(locations.locate(9, 3, true, &[]), [1, 2], "in halves from two that have nothing else to do");
        locations.on_copy_dropped(9, 1);
        assert_eq!(locations.locate(9, 4, false, &[]), [0]);
        locations.check();
        let mut holders = locations.on_freed(9);
        holders.sort_unstable();
        assert_eq!(holders, [2, 3, 4]);
        assert!(!locations.on_copy_complete(9, 3, false) && locations.is_empty());
    }

    #[test]
    fn redirected_reader_never_waits_for_itself() {
        let mut locations = ObjectLocations::new(0);
        (1..=6).for_each(|reader| drop(locations.locate(9, reader, false, &[])));
        // Rank 1 is the source of 3 and 5, and 2 could not be read from: the owner and readers of 1 are left.
        assert_eq!(locations.locate(9, 1, false, &[2]), [0]);
        locations.check();
        locations.on_rank_failed(0);
        locations.on_rank_failed(1);
        assert_eq!(locations.locate(9, 3, false, &[1]), [0]);
        locations.check();
    }

    /// A copy was dropped and fetched again before its owner handled the report of a reader that had found none: the
    /// owner forgot the new copy, which then stayed cached after the block was freed (COPIES-2).
    #[test]
    fn late_report_of_a_missing_copy_does_not_concern_a_newer_one() {
        let mut locations = ObjectLocations::new(0);
        locations.locate(9, 1, false, &[]);
        assert!(locations.on_copy_complete(9, 1, true));
        assert_eq!(locations.locate(9, 2, false, &[]), [1]);
        locations.on_copy_dropped(9, 1);
        locations.locate(9, 1, false, &[]);
        assert!(locations.on_copy_complete(9, 1, true));
        assert_eq!(locations.locate(9, 2, false, &[1]), [0]);
        locations.check();
        let mut holders = locations.on_freed(9);
        holders.sort_unstable();
        assert_eq!(holders, [1, 2]);
    }

    #[test]
    fn random_reads_and_deaths_keep_the_invariants() {
        for seed in 1..200u64 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut draw = move |below: u64| random.u64(..below);
            let mut locations = ObjectLocations::new(0);
            for _ in 0..120 {
                let (number, rank) = (draw(2), 1 + draw(12) as Rank);
                match draw(6) {
                    0..=2 => {
                        let excluded = [1 + draw(12) as Rank];
                        let refused = if draw(3) == 0 && excluded[0] != rank { &excluded[..] } else { &[] };
                        let sources = locations.locate(number, rank, draw(2) == 0, refused);
                        assert!(!sources.is_empty() && !sources.contains(&rank));
                        assert!(refused.iter().all(|refused| !sources.contains(refused)));
                    }
                    3 => drop(locations.on_copy_complete(number, rank, draw(2) == 0)),
                    4 => locations.on_copy_dropped(number, rank),
                    _ => locations.on_rank_failed(rank),
                }
                locations.check();
            }
        }
    }
}
