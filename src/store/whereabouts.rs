//! Where an owner's blocks lie beside its own store, and who is to bring one from whom: so that a block that every host
//! needs goes out as a tree.
//!
//! Each holder, the owner among them, serves at most [`READERS_MAX`] at a time. A copy that is still on its way is a holder
//! too: who is sent there is told when it is whole. So the readers of a block that all hosts want at once form a tree in
//! which every inner node has that many children, N hosts are served after log N rounds, and two of the N reads are of
//! the original.
//!
//! - W1: who waits for a copy does not, over any number of steps, wait for itself: a reader is never sent to a copy that is
//!   on its way from that reader. Somebody is always free, at worst the owner beyond its number. What a reader waits for is
//!   what it was told last; so that stays written down until it is told something else or has the copy, also where the
//!   holder has left meanwhile and comes again.

use crate::base::Rank;
use rustc_hash::FxHashMap as HashMap;
use std::collections::BTreeSet;

/// Readers that a holder serves at a time. With two, the last host of a tree has the least to wait for: a third child would
/// make each level half as long again, and the tree shorter by less than that.
pub const READERS_MAX: u32 = 2;

/// Finished holders that one reader reads from at once, each a part.
const SOURCES_MAX: usize = 2;

/// How soon a holder could have served one more reader; the smallest first. The owner comes after others that are as good:
/// it has work beside this block, and its copy is the one that must be read at least once anyway.
type Turn = (u32, bool, Rank);

/// A rank that has the block, or will have it.
struct Holder {
    /// How many copies before it are on their way; 0 where it is whole.
    level: u32,
    /// Who brings it from here now.
    readers: Vec<Rank>,
    /// Where it is brought from while it is on its way.
    sources: Vec<Rank>,
}

impl Holder {
    fn is_whole(&self) -> bool {
        self.level == 0
    }

    fn turn(&self, rank: Rank, owner: Rank) -> Option<Turn> {
        let readers = self.readers.len() as u32;
        let cost = if self.is_whole() { readers } else { READERS_MAX * (1 + self.level) + readers };
        (readers < READERS_MAX).then_some((cost, rank == owner, rank))
    }
}

/// One block's holders.
struct Spread {
    owner: Rank,
    holders: HashMap<Rank, Holder>,
    /// Those that may serve one more.
    free: BTreeSet<Turn>,
}

impl Spread {
    fn new(owner: Rank) -> Spread {
        let mut spread = Spread { owner, holders: HashMap::default(), free: BTreeSet::new() };
        spread.change(owner, |_| {});
        spread
    }

    /// Changes a holder, which is made where it is none yet, and its turn with it.
    fn change(&mut self, rank: Rank, change: impl FnOnce(&mut Holder)) {
        let holder = self.holders.entry(rank).or_insert(Holder { level: 0, readers: Vec::new(), sources: Vec::new() });
        if let Some(turn) = holder.turn(rank, self.owner) {
            self.free.remove(&turn);
        }
        change(holder);
        if let Some(turn) = holder.turn(rank, self.owner) {
            self.free.insert(turn);
        }
    }

    /// What `reader` was brought from serves one less.
    fn release_sources(&mut self, reader: Rank) {
        let Some(holder) = self.holders.get_mut(&reader) else { return };
        for source in std::mem::take(&mut holder.sources) {
            if self.holders.contains_key(&source) {
                self.change(source, |holder| holder.readers.retain(|other| *other != reader));
            }
        }
    }

    /// A reader says that `rank` had no copy for it. Where one is on its way by now, it began after that was said.
    fn refused(&mut self, rank: Rank) {
        if self.holders.get(&rank).is_some_and(Holder::is_whole) {
            self.remove(rank);
        }
    }

    /// `rank` holds it no more, nor will.
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

    /// Whether the copy of `rank` comes from `reader`, over however many others (W1).
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

    /// Whom `reader` is to bring it from; several where it is in parts.
    fn choose(&self, reader: Rank, in_parts: bool, without: &[Rank]) -> Vec<Rank> {
        let may = |rank: &Rank| !without.contains(rank) && !self.comes_from(*rank, reader);
        let mut turns = self.free.iter().filter(|(_, _, rank)| may(rank));
        let Some((_, _, first)) = turns.next() else { return vec![self.owner] };
        let mut sources = vec![*first];
        if in_parts && self.holders[first].is_whole() {
            // Only those with nothing else to do: others would serve two halves slower than one whole.
            let idle = turns.map(|(_, _, rank)| *rank).filter(|rank| {
                let holder = &self.holders[rank];
                holder.is_whole() && holder.readers.is_empty()
            });
            sources.extend(idle.take(SOURCES_MAX - 1));
        }
        sources
    }

    fn assign(&mut self, reader: Rank, in_parts: bool, without: &[Rank]) -> Vec<Rank> {
        self.release_sources(reader);
        let sources = self.choose(reader, in_parts, without);
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

/// Where one rank's blocks lie, by number.
#[derive(Default)]
pub struct Whereabouts {
    me: Rank,
    spreads: HashMap<u64, Spread>,
}

impl Whereabouts {
    /// Of rank `me`.
    pub fn new(me: Rank) -> Whereabouts {
        Whereabouts { me, ..Whereabouts::default() }
    }

    /// `reader` wants a block: whom it is to bring it from. `in_parts` where it is worth reading from several at once;
    /// `without` names holders that could not serve it.
    pub fn locate(&mut self, number: u64, reader: Rank, in_parts: bool, without: &[Rank]) -> Vec<Rank> {
        let me = self.me;
        let spread = self.spreads.entry(number).or_insert_with(|| Spread::new(me));
        without.iter().for_each(|rank| spread.refused(*rank));
        spread.assign(reader, in_parts, without)
    }

    /// The copy of `holder` is whole. False where the block is gone: nobody was sent anywhere for it yet, and it is not `known`.
    pub fn holds(&mut self, number: u64, holder: Rank, known: bool) -> bool {
        if !known && !self.spreads.contains_key(&number) {
            return false;
        }
        let me = self.me;
        let spread = self.spreads.entry(number).or_insert_with(|| Spread::new(me));
        spread.release_sources(holder);
        spread.change(holder, |holder| holder.level = 0);
        true
    }

    /// `holder` has no copy, or no more.
    pub fn left(&mut self, number: u64, holder: Rank) {
        if let Some(spread) = self.spreads.get_mut(&number) {
            spread.remove(holder);
        }
    }

    /// A block is gone: the ranks that have copies of it, or will have.
    pub fn freed(&mut self, number: u64) -> Vec<Rank> {
        let Some(spread) = self.spreads.remove(&number) else { return Vec::new() };
        spread.holders.into_keys().filter(|rank| *rank != self.me).collect()
    }

    /// A rank is gone, and with it its copies.
    pub fn lost(&mut self, rank: Rank) {
        self.spreads.values_mut().for_each(|spread| spread.remove(rank));
    }

    /// Whether any block has been asked for.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.spreads.is_empty()
    }

    /// What holds at any time: numbers of readers and turns agree with who reads from whom, and nobody waits for itself.
    #[cfg(test)]
    pub fn check(&self) {
        for spread in self.spreads.values() {
            for (rank, holder) in &spread.holders {
                for reader in &holder.readers {
                    let known = spread.holders.get(reader).is_some_and(|reader| reader.sources.contains(rank));
                    assert!(known, "rank {reader} reads from rank {rank} and does not know");
                }
                assert!(holder.is_whole() == holder.sources.is_empty(), "rank {rank} is whole, and waits");
                assert!(*rank == spread.owner || holder.readers.len() as u32 <= READERS_MAX);
                let others = holder.sources.iter().all(|source| !spread.comes_from(*source, *rank));
                assert!(others, "W1: rank {rank} waits for itself");
            }
            let turns: BTreeSet<Turn> =
                spread.holders.iter().filter_map(|(rank, holder)| holder.turn(*rank, spread.owner)).collect();
            assert_eq!(turns, spread.free);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_at_once_form_a_tree() {
        let mut whereabouts = Whereabouts::new(0);
        let sources: Vec<Rank> = (1..=6).map(|reader| whereabouts.locate(9, reader, false, &[])[0]).collect();
        assert_eq!(sources, [0, 0, 1, 2, 1, 2]);
        whereabouts.check();
    }

    #[test]
    fn one_after_the_other_reads_copies_rather_than_the_original() {
        let mut whereabouts = Whereabouts::new(0);
        assert_eq!(whereabouts.locate(9, 1, false, &[]), [0]);
        assert!(whereabouts.holds(9, 1, false));
        assert_eq!(whereabouts.locate(9, 2, false, &[]), [1]);
        assert!(whereabouts.holds(9, 2, false));
        assert_eq!(whereabouts.locate(9, 3, true, &[]), [1, 2], "in halves from two that have nothing else to do");
        whereabouts.left(9, 1);
        assert_eq!(whereabouts.locate(9, 4, false, &[]), [0]);
        whereabouts.check();
        let mut holders = whereabouts.freed(9);
        holders.sort_unstable();
        assert_eq!(holders, [2, 3, 4]);
        assert!(!whereabouts.holds(9, 3, false) && whereabouts.is_empty());
    }

    #[test]
    fn who_is_sent_elsewhere_never_waits_for_itself() {
        let mut whereabouts = Whereabouts::new(0);
        (1..=6).for_each(|reader| drop(whereabouts.locate(9, reader, false, &[])));
        // Rank 1 is the source of 3 and 5, and 2 could not be read from: all that is left is the owner and what comes from 1.
        assert_eq!(whereabouts.locate(9, 1, false, &[2]), [0]);
        whereabouts.check();
        whereabouts.lost(0);
        whereabouts.lost(1);
        assert_eq!(whereabouts.locate(9, 3, false, &[1]), [0]);
        whereabouts.check();
    }

    #[test]
    fn random_readers_holders_and_deaths_agree() {
        for seed in 1..200u64 {
            let mut random = seed;
            let mut draw = move |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            let mut whereabouts = Whereabouts::new(0);
            for _ in 0..120 {
                let (number, rank) = (draw(2), 1 + draw(12) as Rank);
                match draw(6) {
                    0..=2 => {
                        let without = [1 + draw(12) as Rank];
                        let refused = if draw(3) == 0 && without[0] != rank { &without[..] } else { &[] };
                        let sources = whereabouts.locate(number, rank, draw(2) == 0, refused);
                        assert!(!sources.is_empty() && !sources.contains(&rank));
                        assert!(refused.iter().all(|refused| !sources.contains(refused)));
                    }
                    3 => drop(whereabouts.holds(number, rank, draw(2) == 0)),
                    4 => whereabouts.left(number, rank),
                    _ => whereabouts.lost(rank),
                }
                whereabouts.check();
            }
        }
    }
}
