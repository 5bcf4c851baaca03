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
//! # Why a count reaches zero neither early nor never
//!
//! *Not early, while nobody dies.* Say a reference exists on rank B or travels to it. It came from the owner, and B's grant
//! was counted before it left; or from a borrower A. Then either the owner has handled B's `Borrow`, and counts B; or it has
//! not, then A has no `Unpin` for it and its pin keeps A's grants, which by induction over the hops the owner counts. Delays
//! change nothing: each step waits for the message that allows it.
//!
//! *Not early, when ranks die.* A dead rank X took its pins along: references that it passed on are covered by nothing but the
//! grants that the owner counted for X, or for who gave it to X. So neither goes when X dies, but only after a *round*: the
//! owner asks every living rank to listen to X no more (`Mourn`) and waits for all answers (`Mourned`). What a rank got from
//! X before that, it has told the owner in a `Borrow` that travels ahead of its answer; what it has not got by then, it never
//! will. Whoever is found dead during a round may have passed on what it got from X: the round begins anew and asks for
//! both. At its end no living rank holds a reference by the grace of a dead one, and the grants of the dead go. A borrower
//! whose pin waits for a dead rank's `Borrow` asks the owner for such a round (`Bereft`) and keeps its pin until that is over
//! (`Consoled`).
//!
//! *Not never.* Every grant is returned by who has it, or goes with the round after that one's death; every pin by the owner's
//! `Unpin`, by `Consoled`, or with the owner's own death. Rounds end: who does not answer is found dead, and the dead are
//! finitely many. A message to a rank that is known to be dead counts nothing, as it is never sent. Messages that come twice
//! are dropped by their number (`protocol::envelope`), before they are counted.
//!
//! - C1: while a reference exists or travels, the owner counts at least one grant of some rank that will say `Release`, or
//!   that is dead and whose round is not over.
//! - C2: grants received = grants released + grants held, for each borrower and object.

use crate::base::{ObjectId, Rank};
use rustc_hash::FxHashMap as HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
        /// To whom.
        by: Rank,
    },
    /// To the owner: so many grants are over.
    Release {
        /// The object.
        object: ObjectId,
        /// How many.
        grants: u64,
    },
    /// From an owner: listen to that rank no more, it is dead; and say so.
    Mourn {
        /// The dead rank.
        gone: Rank,
        /// The owner's number for the answer.
        round: u64,
        /// More of them follow: the answer is to the last one.
        more: bool,
    },
    /// To that owner: what that rank gave me, you have heard of.
    Mourned {
        /// As asked.
        round: u64,
    },
    /// To an owner: I passed references to your objects on to that rank, which is dead.
    Bereft {
        /// The dead rank.
        gone: Rank,
    },
    /// From the owner: whoever got something from that rank is counted.
    Consoled {
        /// The dead rank.
        gone: Rank,
    },
}

impl CountMessage {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            CountMessage::Borrow { object, from } => object.owner.max(*from),
            CountMessage::Unpin { object, by } => object.owner.max(*by),
            CountMessage::Release { object, .. } => object.owner,
            CountMessage::Mourn { gone, .. } | CountMessage::Bereft { gone } | CountMessage::Consoled { gone } => *gone,
            CountMessage::Mourned { .. } => 0,
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
    /// References under way from this borrower to others.
    pins: HashMap<ObjectId, Vec<(Rank, u64)>>,
    mourning: Mourning,
}

/// The dead whose grants still count.
#[derive(Debug, Default)]
struct Mourning {
    /// Found dead since the last round that ended.
    gone: Vec<Rank>,
    /// The number of the last round.
    round: u64,
    /// Who has not answered in the round under way; empty where none is.
    silent: BTreeSet<Rank>,
    /// Who asked to be told of its end, and about whom.
    bereft: Vec<(Rank, Rank)>,
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
            add(self.pins.entry(object).or_default(), to, 1);
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

    /// A message about counts came from `from`, which lives; `living` are all others that do.
    pub fn handle(&mut self, from: Rank, message: CountMessage, living: impl Iterator<Item = Rank>) -> Vec<Action> {
        match message {
            CountMessage::Borrow { object, from: giver } => {
                if object.owner != self.me {
                    return Vec::new();
                }
                add(self.exports.entry(object.number).or_default(), from, 1);
                vec![Action::Send(giver, CountMessage::Unpin { object, by: from })]
            }
            CountMessage::Unpin { object, by } => self.unpin(object, |to| to == by, 1).into_iter().collect(),
            CountMessage::Release { object, grants } => self.release(object.number, from, grants).into_iter().collect(),
            CountMessage::Mourn { more: true, .. } => Vec::new(),
            CountMessage::Mourn { round, .. } => vec![Action::Send(from, CountMessage::Mourned { round })],
            CountMessage::Mourned { round } if round == self.mourning.round => {
                if self.mourning.silent.remove(&from) {
                    self.end_round()
                } else {
                    Vec::new()
                }
            }
            CountMessage::Mourned { .. } => Vec::new(),
            CountMessage::Bereft { gone } if self.mourning.gone.contains(&gone) => {
                self.mourning.bereft.push((from, gone));
                if self.mourning.silent.is_empty() { self.begin_round(living) } else { Vec::new() }
            }
            CountMessage::Bereft { gone } => vec![Action::Send(from, CountMessage::Consoled { gone })],
            CountMessage::Consoled { gone } => {
                let objects: Vec<_> = self.pins.keys().filter(|object| object.owner == from).copied().collect();
                objects.into_iter().filter_map(|object| self.unpin(object, |to| to == gone, u64::MAX)).collect()
            }
        }
    }

    fn unpin(&mut self, object: ObjectId, whose: impl Fn(Rank) -> bool, count: u64) -> Option<Action> {
        let pins = self.pins.get_mut(&object)?;
        let at = pins.iter().position(|(to, _)| whose(*to))?;
        pins[at].1 = pins[at].1.saturating_sub(count);
        if pins[at].1 == 0 {
            pins.swap_remove(at);
        }
        if !pins.is_empty() {
            return None;
        }
        self.pins.remove(&object);
        Some(Action::Unpin(object))
    }

    fn release(&mut self, number: u64, from: Rank, grants: u64) -> Option<Action> {
        let borrowers = self.exports.get_mut(&number)?;
        if let Some(at) = borrowers.iter().position(|(rank, _)| *rank == from) {
            borrowers[at].1 = borrowers[at].1.saturating_sub(grants);
            if borrowers[at].1 == 0 {
                borrowers.swap_remove(at);
            }
        }
        if !borrowers.is_empty() {
            return None;
        }
        self.exports.remove(&number);
        Some(Action::Free(number))
    }

    /// A rank is gone; `living` are all others but this one that are not. What it held goes when its round is over; what
    /// this rank kept of its objects, at once.
    pub fn lost(&mut self, rank: Rank, living: impl Iterator<Item = Rank>) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut owners = BTreeSet::new();
        let mut objects: Vec<_> = self.pins.keys().copied().collect();
        objects.sort_unstable();
        for object in objects {
            if object.owner == rank {
                self.pins.remove(&object);
                actions.push(Action::Unpin(object));
            } else if self.pins[&object].iter().any(|(to, _)| *to == rank) {
                owners.insert(object.owner);
            }
        }
        actions.extend(owners.into_iter().map(|owner| Action::Send(owner, CountMessage::Bereft { gone: rank })));
        self.mourning.gone.push(rank);
        self.mourning.bereft.retain(|(asker, _)| *asker != rank);
        let holds = self.exports.values().any(|borrowers| borrowers.iter().any(|(borrower, _)| *borrower == rank));
        if holds || !self.mourning.silent.is_empty() {
            actions.extend(self.begin_round(living));
        }
        actions
    }

    /// Asks everybody to listen to the dead no more.
    fn begin_round(&mut self, living: impl Iterator<Item = Rank>) -> Vec<Action> {
        let me = self.me;
        let mourning = &mut self.mourning;
        mourning.round += 1;
        mourning.silent = living.filter(|rank| *rank != me).collect();
        let (round, last) = (mourning.round, mourning.gone.last().copied());
        let mut actions = Vec::new();
        for rank in &mourning.silent {
            for gone in &mourning.gone {
                let message = CountMessage::Mourn { gone: *gone, round, more: Some(*gone) != last };
                actions.push(Action::Send(*rank, message));
            }
        }
        actions.extend(self.end_round());
        actions
    }

    /// Where everybody has answered: the grants of the dead go.
    fn end_round(&mut self) -> Vec<Action> {
        if !self.mourning.silent.is_empty() {
            return Vec::new();
        }
        let gone = std::mem::take(&mut self.mourning.gone);
        let consoled = std::mem::take(&mut self.mourning.bereft).into_iter();
        let mut actions: Vec<_> =
            consoled.map(|(asker, gone)| Action::Send(asker, CountMessage::Consoled { gone })).collect();
        let mut freed = Vec::new();
        self.exports.retain(|number, borrowers| {
            borrowers.retain(|(borrower, _)| !gone.contains(borrower));
            if borrowers.is_empty() {
                freed.push(*number);
            }
            !borrowers.is_empty()
        });
        freed.sort_unstable();
        actions.extend(freed.into_iter().map(Action::Free));
        actions
    }

    /// Who holds this rank's object of that number.
    pub fn borrowers(&self, number: u64) -> Vec<Rank> {
        self.exports.get(&number).into_iter().flatten().map(|(rank, _)| *rank).collect()
    }

    /// Whether others hold this rank's object of that number.
    pub fn exports(&self, number: u64) -> bool {
        self.exports.contains_key(&number)
    }

    /// Whether grants for that object of another rank are held here.
    pub fn imports(&self, object: ObjectId) -> bool {
        self.imports.contains_key(&object)
    }

    /// Whether references to that object are under way from here to a third rank.
    pub fn pins(&self, object: ObjectId) -> bool {
        self.pins.contains_key(&object)
    }

    /// How many objects are held elsewhere, how many of others here, and how many are under way.
    pub fn census(&self) -> [usize; 3] {
        [self.exports.len(), self.imports.len(), self.pins.len()]
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
    #[derive(Clone, Copy)]
    enum Wire {
        Reference,
        Count(CountMessage),
    }

    /// Ranks that pass one object around in random order, each pair of ranks in order (F1), and die.
    struct Play {
        counts: Vec<Counts>,
        /// Local references of each rank; the owner's own are not counted here.
        held: Vec<u64>,
        pinned: HashSet<usize>,
        kept: bool,
        dead: Vec<bool>,
        /// By rank: whom it knows to be dead.
        knows: Vec<Vec<bool>>,
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
                dead: vec![false; ranks],
                knows: vec![vec![false; ranks]; ranks],
                wires: (0..ranks).map(|_| (0..ranks).map(|_| VecDeque::new()).collect()).collect(),
                random: seed,
            }
        }
        fn draw(&mut self, below: usize) -> usize {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.random >> 33) as usize % below
        }
        fn living(&self, rank: usize) -> std::vec::IntoIter<Rank> {
            let others = (0..self.dead.len()).filter(|other| *other != rank && !self.knows[rank][*other]);
            others.map(|other| other as Rank).collect::<Vec<_>>().into_iter()
        }
        fn act(&mut self, rank: usize, actions: impl IntoIterator<Item = Action>) {
            for action in actions {
                match action {
                    Action::Send(to, _) if self.knows[rank][to as usize] => {}
                    Action::Send(to, message) => self.wires[rank][to as usize].push_back(Wire::Count(message)),
                    Action::Free(_) => self.kept = false,
                    Action::Unpin(_) => {
                        self.pinned.remove(&rank);
                        self.drop_if_unused(rank);
                    }
                }
            }
        }
        fn drop_if_unused(&mut self, rank: usize) {
            if rank != 0 && self.held[rank] == 0 && !self.pinned.contains(&rank) {
                let action = self.counts[rank].dropped(OBJECT);
                self.act(rank, action);
            }
        }
        fn pass(&mut self, from: usize, to: usize) {
            let has = from == 0 || self.held[from] > 0;
            if from == to || !has || self.dead[from] || self.knows[from][to] {
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
        fn die(&mut self, rank: usize) {
            if rank != 0 && !self.dead[rank] {
                self.dead[rank] = true;
                self.held[rank] = 0;
                self.pinned.remove(&rank);
            }
        }
        fn notice(&mut self, rank: usize, gone: usize) {
            if self.dead[rank] || !self.dead[gone] || std::mem::replace(&mut self.knows[rank][gone], true) {
                return;
            }
            let living = self.living(rank);
            let actions = self.counts[rank].lost(gone as Rank, living);
            self.act(rank, actions);
            self.check();
        }
        fn deliver(&mut self, from: usize, to: usize) {
            let Some(wire) = self.wires[from][to].pop_front() else { return };
            if self.dead[to] || self.knows[to][from] {
                return;
            }
            match wire {
                Wire::Reference if to == 0 => {
                    assert!(self.kept, "a reference came home after the count reached zero");
                    return;
                }
                Wire::Reference => {
                    self.held[to] += 1;
                    let action = self.counts[to].received(OBJECT, from as Rank);
                    self.act(to, action);
                }
                Wire::Count(message) => {
                    if let CountMessage::Mourn { gone, .. } | CountMessage::Bereft { gone } = message {
                        self.notice(to, gone as usize);
                    }
                    let living = self.living(to);
                    let actions = self.counts[to].handle(from as Rank, message, living);
                    self.act(to, actions);
                }
            }
            self.check();
        }
        /// C1: what exists, or travels to who will listen, is kept.
        fn check(&self) {
            let ranks = 0..self.dead.len();
            let mut pairs = ranks.clone().flat_map(|from| ranks.clone().map(move |to| (from, to)));
            let travels = pairs.any(|(from, to)| {
                let heard = !self.dead[to] && !self.knows[to][from];
                heard && self.wires[from][to].iter().any(|wire| matches!(wire, Wire::Reference))
            });
            if travels || ranks.skip(1).any(|rank| self.held[rank] > 0) {
                assert!(self.kept, "freed while it is held or travels");
            }
        }
        /// Everybody drops what they have, everything arrives: nothing may be left.
        fn end(&mut self, seed: u64) {
            let ranks = self.dead.len();
            for _ in 0..40 {
                for (one, other) in (0..ranks * ranks).map(|pair| (pair / ranks, pair % ranks)) {
                    self.notice(one, other);
                    while !self.wires[one][other].is_empty() {
                        self.deliver(one, other);
                    }
                }
                for rank in 1..ranks {
                    if !self.dead[rank] {
                        self.held[rank] = 0;
                        self.drop_if_unused(rank);
                    }
                }
            }
            assert!(!self.kept && self.counts[0].exported() == 0, "seed {seed} leaks");
            let left = |rank: usize| !self.counts[rank].imports.is_empty() || !self.counts[rank].pins.is_empty();
            assert!(!(0..ranks).any(|rank| !self.dead[rank] && left(rank)), "seed {seed}");
        }
    }

    fn play(seeds: std::ops::Range<u64>, deaths: bool) {
        for seed in seeds {
            let ranks = 2 + (seed % 5) as usize;
            let mut play = Play::new(ranks, seed);
            let mut deaths_left = 2;
            for step in 0..300 {
                let (one, other) = (play.draw(ranks), play.draw(ranks));
                match play.draw(if deaths { 60 } else { 36 }) {
                    0..9 if step < 150 => play.pass(one, other),
                    9..18 if one != 0 && play.held[one] > 0 => {
                        play.held[one] -= 1;
                        play.drop_if_unused(one);
                    }
                    36 if step > 20 && deaths_left > 0 => {
                        deaths_left -= 1;
                        play.die(one);
                    }
                    37..60 => play.notice(one, other),
                    _ => play.deliver(one, other),
                }
            }
            play.end(seed);
        }
    }

    #[test]
    fn a_count_reaches_zero_neither_early_nor_never() {
        play(0..2_000, false);
    }

    #[test]
    fn nor_where_ranks_die_at_any_moment() {
        play(0..20_000, true);
    }
}
