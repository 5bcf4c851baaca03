//! Reference counts across ranks, with the owner as the one place that decides.
//!
//! A *grant* is the right to one reference, given to a rank. The owner counts the grants of each borrower.
//!
//! - Owner to borrower: the owner counts the grant before the message leaves.
//! - Borrower to owner: nothing to count. The message and a later `Release` of the sender travel in order (F1), so the
//!   owner has decoded the reference before the sender's grants go.
//! - Borrower A to borrower B: A pins the object, B on arrival tells the owner (`Borrow`), the owner counts a grant for
//!   B and tells A (`Unpin`). A's pin keeps A's own grants, so the count cannot reach zero in between (C1).
//! - A borrower whose last local reference goes returns all grants it received, as a number (`Release`). A grant that was
//!   on its way meanwhile was not among them and still counts (C2).
//!
//! - C1: while a reference exists or travels, the owner counts at least one grant of some rank that will say `Release`.
//! - C2: grants received = grants released + grants held, for each borrower and object.

use crate::base::{ObjectId, Rank};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What ranks tell each other about counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CountMessage {
    /// To the owner: I hold a reference that `from` gave me.
    Borrow {
        /// The object.
        object: ObjectId,
        /// Who gave it.
        from: Rank,
    },
    /// From the owner: the reference that you passed on is counted.
    Unpin {
        /// The object.
        object: ObjectId,
    },
    /// To the owner: so many grants are over.
    Release {
        /// The object.
        object: ObjectId,
        /// How many.
        grants: u64,
    },
}

impl CountMessage {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            CountMessage::Borrow { object, from } => object.owner.max(*from),
            CountMessage::Unpin { object } | CountMessage::Release { object, .. } => object.owner,
        }
    }
}

/// What the node is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send it.
    Send(Rank, CountMessage),
    /// Nobody else holds this rank's object of that number: forget what was kept for it.
    Free(u64),
    /// The object of another rank need not be kept for a reference under way any more.
    Unpin(ObjectId),
}

/// The counts of one rank.
#[derive(Debug, Default)]
pub struct Counts {
    me: Rank,
    /// Grants by borrower, of this rank's own objects that are held elsewhere.
    exports: HashMap<u64, Vec<(Rank, u64)>>,
    /// Grants received, of objects of other ranks.
    imports: HashMap<ObjectId, u64>,
    /// References under way from this borrower to another.
    pins: HashMap<ObjectId, u64>,
}

impl Counts {
    /// Of rank `me`.
    pub fn new(me: Rank) -> Counts {
        Counts { me, ..Counts::default() }
    }

    /// A reference to `object` goes into a message to `to`. True where the node must keep the object alive until
    /// `Free` or `Unpin` says otherwise.
    pub fn sent(&mut self, object: ObjectId, to: Rank) -> bool {
        if object.owner == self.me {
            let borrowers = self.exports.entry(object.number).or_default();
            add(borrowers, to, 1);
            true
        } else if to == object.owner {
            false
        } else {
            *self.pins.entry(object).or_default() += 1;
            true
        }
    }

    /// A reference to `object` came in a message from `from`.
    pub fn received(&mut self, object: ObjectId, from: Rank) -> Option<Action> {
        if object.owner == self.me {
            return None;
        }
        *self.imports.entry(object).or_default() += 1;
        (from != object.owner).then_some(Action::Send(object.owner, CountMessage::Borrow { object, from }))
    }

    /// The last local reference to another rank's object is gone.
    pub fn dropped(&mut self, object: ObjectId) -> Option<Action> {
        let grants = self.imports.remove(&object)?;
        Some(Action::Send(object.owner, CountMessage::Release { object, grants }))
    }

    /// A message about counts came from `from`.
    pub fn handle(&mut self, from: Rank, message: CountMessage) -> Option<Action> {
        match message {
            CountMessage::Borrow { object, from: giver } => {
                if object.owner != self.me {
                    return None;
                }
                add(self.exports.entry(object.number).or_default(), from, 1);
                Some(Action::Send(giver, CountMessage::Unpin { object }))
            }
            CountMessage::Unpin { object } => {
                let pins = self.pins.get_mut(&object)?;
                *pins -= 1;
                if *pins > 0 {
                    return None;
                }
                self.pins.remove(&object);
                Some(Action::Unpin(object))
            }
            CountMessage::Release { object, grants } => {
                let borrowers = self.exports.get_mut(&object.number)?;
                if let Some(at) = borrowers.iter().position(|(rank, _)| *rank == from) {
                    borrowers[at].1 = borrowers[at].1.saturating_sub(grants);
                    if borrowers[at].1 == 0 {
                        borrowers.swap_remove(at);
                    }
                }
                if !borrowers.is_empty() {
                    return None;
                }
                self.exports.remove(&object.number);
                Some(Action::Free(object.number))
            }
        }
    }

    /// A rank is gone, and with it all that it held: what this rank need not keep any more.
    pub fn lost(&mut self, rank: Rank) -> Vec<Action> {
        let mut freed = Vec::new();
        self.exports.retain(|number, borrowers| {
            borrowers.retain(|(borrower, _)| *borrower != rank);
            if borrowers.is_empty() {
                freed.push(Action::Free(*number));
            }
            !borrowers.is_empty()
        });
        freed
    }

    /// Who holds this rank's object of that number.
    pub fn borrowers(&self, number: u64) -> Vec<Rank> {
        self.exports.get(&number).into_iter().flatten().map(|(rank, _)| *rank).collect()
    }

    /// Objects of this rank that are held elsewhere.
    #[cfg(test)]
    pub fn exported(&self) -> usize {
        self.exports.len()
    }
}

fn add(borrowers: &mut Vec<(Rank, u64)>, rank: Rank, grants: u64) {
    match borrowers.iter_mut().find(|(borrower, _)| *borrower == rank) {
        Some((_, held)) => *held += grants,
        None => borrowers.push((rank, grants)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashSet, VecDeque};

    const OBJECT: ObjectId = ObjectId { owner: 0, number: 1 };

    /// What travels between two ranks.
    enum Wire {
        Reference,
        Count(CountMessage),
    }

    /// Ranks that pass one object around in random order, each pair of ranks in order (F1).
    struct Play {
        counts: Vec<Counts>,
        /// Local references of each rank; the owner's own are not counted here.
        held: Vec<u64>,
        pinned: HashSet<usize>,
        kept: bool,
        wires: Vec<Vec<VecDeque<Wire>>>,
        random: u64,
    }

    impl Play {
        fn new(ranks: usize, seed: u64) -> Play {
            Play {
                counts: (0..ranks).map(|rank| Counts::new(rank as Rank)).collect(),
                held: vec![0; ranks],
                pinned: HashSet::new(),
                kept: false,
                wires: (0..ranks).map(|_| (0..ranks).map(|_| VecDeque::new()).collect()).collect(),
                random: seed,
            }
        }
        fn draw(&mut self, below: usize) -> usize {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.random >> 33) as usize % below
        }
        fn act(&mut self, rank: usize, action: Option<Action>) {
            match action {
                Some(Action::Send(to, message)) => self.wires[rank][to as usize].push_back(Wire::Count(message)),
                Some(Action::Free(_)) => self.kept = false,
                Some(Action::Unpin(_)) => {
                    self.pinned.remove(&rank);
                    self.drop_if_unused(rank);
                }
                None => {}
            }
        }
        fn drop_if_unused(&mut self, rank: usize) {
            if rank != 0 && self.held[rank] == 0 && !self.pinned.contains(&rank) {
                let action = self.counts[rank].dropped(OBJECT);
                self.act(rank, action);
            }
        }
        fn pass(&mut self, from: usize, to: usize) {
            if from == to || (from != 0 && self.held[from] == 0) {
                return;
            }
            if self.counts[from].sent(OBJECT, to as Rank) {
                if from == 0 {
                    self.kept = true;
                } else {
                    self.pinned.insert(from);
                }
            }
            self.wires[from][to].push_back(Wire::Reference);
        }
        fn deliver(&mut self, from: usize, to: usize) {
            match self.wires[from][to].pop_front() {
                Some(Wire::Reference) => {
                    if to == 0 {
                        assert!(self.kept, "a reference came home after the count reached zero");
                        return;
                    }
                    self.held[to] += 1;
                    let action = self.counts[to].received(OBJECT, from as Rank);
                    self.act(to, action);
                }
                Some(Wire::Count(message)) => {
                    let action = self.counts[to].handle(from as Rank, message);
                    self.act(to, action);
                }
                None => {}
            }
            self.check();
        }
        /// C1: what exists or travels is kept.
        fn check(&self) {
            let travels = self.wires.iter().flatten().flatten().any(|wire| matches!(wire, Wire::Reference));
            if travels || self.held[1..].iter().any(|held| *held > 0) {
                assert!(self.kept, "freed while it is held or travels");
            }
        }
    }

    #[test]
    fn a_count_reaches_zero_neither_early_nor_never() {
        for seed in 0..2_000 {
            let ranks = 2 + (seed % 4) as usize;
            let mut play = Play::new(ranks, seed);
            for step in 0..300 {
                let (one, other) = (play.draw(ranks), play.draw(ranks));
                match play.draw(4) {
                    0 if step < 150 => play.pass(one, other),
                    1 if one != 0 && play.held[one] > 0 => {
                        play.held[one] -= 1;
                        play.drop_if_unused(one);
                    }
                    _ => play.deliver(one, other),
                }
            }
            for rank in 1..ranks {
                if play.held[rank] > 0 {
                    play.held[rank] = 0;
                    play.drop_if_unused(rank);
                }
            }
            for _ in 0..20 {
                for (from, to) in (0..ranks * ranks).map(|pair| (pair / ranks, pair % ranks)) {
                    while !play.wires[from][to].is_empty() {
                        play.deliver(from, to);
                        if to != 0 && play.held[to] > 0 {
                            play.held[to] = 0;
                            play.drop_if_unused(to);
                        }
                    }
                }
            }
            assert!(!play.kept && play.counts[0].exported() == 0, "seed {seed} leaks");
            assert!(
                play.counts.iter().all(|counts| counts.imports.is_empty() && counts.pins.is_empty()),
                "seed {seed}"
            );
        }
    }
}
