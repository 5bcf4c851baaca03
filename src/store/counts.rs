//! Reference counts across ranks, which the owner alone decides.
//!
//! A *grant* is the right to one reference, given to a rank. The owner counts the grants of each borrower.
//!
//! - Owner to borrower: the owner counts the grant before the message leaves.
//! - Borrower to owner: nothing to count. The message and a later `Release` of the sender travel in order
//!   (TRANSPORT-1), so the owner has decoded the reference before the sender's grants go.
//! - Borrower A to borrower B: A pins the object, B on arrival tells the owner (`Borrow`), the owner counts a grant for
//!   B and tells A (`Unpin`). A's pin retains A's own grants, so the count cannot reach zero in between (COUNTS-1).
//! - A borrower whose last local reference is dropped returns all grants it received, as a number (`Release`). A grant
//!   that was in flight meanwhile was not among them and still counts (COUNTS-2).
//!
//! # Why these messages need no order
//!
//! A rank's threads send what they decided after they have released the lock, so a message may overtake one that was
//! decided before it. The owner's count of a borrower is therefore a signed sum: a `Release` that overtakes the
//! `Borrow` of a grant that it returns makes the sum negative until the `Borrow` arrives. `Unpin` messages are a sum
//! too, and can only follow the pin that they end. A reply to another round than the current one has no effect. Two
//! orders matter, and both hold because one thread keeps them: the requests of a round leave in one sequence, and a
//! `Borrow` for a reference that a dead rank gave leaves before the thread stops to process that rank's message, which
//! the reply to the owner waits for (RECOVERY-2).
//!
//! # Why a count reaches zero neither early nor never
//!
//! *Not early, while no rank dies.* The owner's sum for a rank is the grants that the rank holds or that travel to it,
//! plus its unhandled `Release` messages, less its unhandled `Borrow` messages. Say a reference exists on rank B or
//! travels to it. If no `Borrow` is unhandled anywhere, the sum of B is positive, or that of the borrower A from which
//! the reference travels, because A's pin retains A's grants. Otherwise look at the `Borrow` that was decided first
//! among the unhandled ones. Its giver has no `Unpin` for it and has released nothing since it pinned the object. What
//! the giver then held was no grant of an unhandled `Borrow`, because each of those was decided later. So the giver
//! holds more grants than it has unhandled `Borrow` messages, and its sum is positive. Delays change nothing: each
//! step waits for the message that allows it.
//!
//! *Not early, when ranks die.* A dead rank X no longer has its pins: references that it passed on are covered by
//! nothing but the grants that the owner counted for X, or for the rank that gave the reference to X. So neither is
//! dropped when X dies, but only after a *round*: the owner requests that every living rank stops receiving from X
//! (`DrainRequest`) and waits for all replies (`DrainAck`). What a rank received from X before that, it has reported to
//! the owner in a `Borrow` that travels ahead of its reply; what it has not received by then, it never will. A rank
//! that is found dead during a round may have passed on what it got from X: the round begins again and asks for both.
//! At its end no living rank holds a reference covered only by a dead one's grants, and the grants of the dead are
//! dropped. A borrower whose pin waits for a dead rank's `Borrow` asks the owner for such a round (`BorrowerLost`) and
//! keeps its pin until that is over (`DrainDone`).
//!
//! *Not never.* Every grant is returned by its holder, or dropped by the round after the holder's death; every pin by
//! the owner's `Unpin`, by `DrainDone`, or with the owner's own death. Rounds end: a rank that does not reply is found
//! dead, and the dead are finitely many. A message to a rank that is known to be dead counts nothing, as it is never
//! sent. Messages that come twice are dropped by their number (`protocol::header`), before they are counted.
//!
//! - COUNTS-1: while a reference exists or travels, the owner counts at least one grant of some rank that will send
//!   `Release`, or that is dead and whose round is not over.
//! - COUNTS-2: grants received = grants released + grants held, for each borrower and object.

use crate::base::{ObjectId, Rank};
use rustc_hash::FxHashMap as HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Messages between ranks about counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CountMessage {
    /// To the owner: the sender holds a reference that `from` gave it.
    Borrow {
        /// The object.
        object: ObjectId,
        /// The rank that gave it.
        from: Rank,
    },
    /// From the owner: the reference that the receiver passed on is counted.
    Unpin {
        /// The object.
        object: ObjectId,
        /// The rank that it was passed on to.
        by: Rank,
    },
    /// To the owner: so many grants are returned.
    Release {
        /// The object.
        object: ObjectId,
        /// How many.
        grants: u64,
    },
    /// From an owner: stop receiving from that rank, it is dead; and acknowledge.
    DrainRequest {
        /// The dead rank.
        dead: Rank,
        /// The owner's number for the reply.
        round: u64,
        /// More of them follow: the reply is to the last one.
        more: bool,
    },
    /// To that owner: `Borrow` messages for all references that the dead rank gave to the sender have been sent.
    DrainAck {
        /// As requested.
        round: u64,
    },
    /// To an owner: the sender passed references to its objects on to that rank, which is dead.
    BorrowerLost {
        /// The dead rank.
        dead: Rank,
    },
    /// From the owner: every rank that received a reference from that rank is counted.
    DrainDone {
        /// The dead rank.
        dead: Rank,
    },
}

impl CountMessage {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        match self {
            CountMessage::Borrow { object, from } => object.owner.max(*from),
            CountMessage::Unpin { object, by } => object.owner.max(*by),
            CountMessage::Release { object, .. } => object.owner,
            CountMessage::DrainRequest { dead, .. }
            | CountMessage::BorrowerLost { dead }
            | CountMessage::DrainDone { dead } => *dead,
            CountMessage::DrainAck { .. } => 0,
        }
    }
}

/// An action of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountAction {
    /// Send it.
    Send(Rank, CountMessage),
    /// No other rank holds this rank's object of that number: release what was retained for it.
    Free(u64),
    /// The object of another rank need not be retained for a reference in flight any more.
    Unpin(ObjectId),
}

/// The counts of one rank.
#[derive(Debug, Default)]
pub struct Counts {
    me: Rank,
    /// Grants by borrower, of this rank's own objects that are held elsewhere; none is zero.
    exports: HashMap<u64, Vec<(Rank, i64)>>,
    /// Grants received, of objects of other ranks.
    imports: HashMap<ObjectId, u64>,
    /// References in flight from this borrower to others.
    pins: HashMap<ObjectId, Vec<(Rank, i64)>>,
    drain: Drain,
}

/// The drain of references from dead ranks whose grants still count.
#[derive(Debug, Default)]
struct Drain {
    /// Ranks found dead since the last round that ended.
    dead: Vec<Rank>,
    /// The number of the last round.
    round: u64,
    /// Ranks that have not replied in the current round; empty if there is none.
    pending: BTreeSet<Rank>,
    /// Ranks that asked to be told of its end, and the dead ranks they asked about.
    waiting: Vec<(Rank, Rank)>,
}

impl Counts {
    /// Of rank `me`.
    pub fn new(me: Rank) -> Counts {
        Counts { me, ..Counts::default() }
    }

    /// A reference to `object` goes into a message to `to`. Returns true if the runtime must retain the object until
    /// `Free` or `Unpin`.
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
    pub fn received(&mut self, object: ObjectId, from: Rank) -> Option<CountAction> {
        if object.owner == self.me {
            return None;
        }
        *self.imports.entry(object).or_default() += 1;
        (from != object.owner).then_some(CountAction::Send(object.owner, CountMessage::Borrow { object, from }))
    }

    /// The last local reference to another rank's object was dropped.
    pub fn dropped(&mut self, object: ObjectId) -> Option<CountAction> {
        let grants = self.imports.remove(&object)?;
        Some(CountAction::Send(object.owner, CountMessage::Release { object, grants }))
    }

    /// A message about counts came from `from`, which is alive; `living` are all other living ranks.
    pub fn handle(
        &mut self,
        from: Rank,
        message: CountMessage,
        living: impl Iterator<Item = Rank>,
    ) -> Vec<CountAction> {
        match message {
            CountMessage::Borrow { object, from: giver } => {
                if object.owner != self.me {
                    return Vec::new();
                }
                add(self.exports.entry(object.number).or_default(), from, 1);
                vec![CountAction::Send(giver, CountMessage::Unpin { object, by: from })]
            }
            CountMessage::Unpin { object, by } => self.unpin(object, by, 1).into_iter().collect(),
            CountMessage::Release { object, grants } => self.release(object.number, from, grants).into_iter().collect(),
            CountMessage::DrainRequest { more: true, .. } => Vec::new(),
            CountMessage::DrainRequest { round, .. } => vec![CountAction::Send(from, CountMessage::DrainAck { round })],
            CountMessage::DrainAck { round } if round == self.drain.round => {
                if self.drain.pending.remove(&from) {
                    self.end_round()
                } else {
                    Vec::new()
                }
            }
            CountMessage::DrainAck { .. } => Vec::new(),
            CountMessage::BorrowerLost { dead } if self.drain.dead.contains(&dead) => {
                self.drain.waiting.push((from, dead));
                if self.drain.pending.is_empty() { self.begin_round(living) } else { Vec::new() }
            }
            CountMessage::BorrowerLost { dead } => vec![CountAction::Send(from, CountMessage::DrainDone { dead })],
            CountMessage::DrainDone { dead } => {
                let objects: Vec<_> = self.pins.keys().filter(|object| object.owner == from).copied().collect();
                objects.into_iter().filter_map(|object| self.unpin(object, dead, i64::MAX)).collect()
            }
        }
    }

    fn unpin(&mut self, object: ObjectId, by: Rank, count: i64) -> Option<CountAction> {
        let pins = self.pins.get_mut(&object)?;
        let (_, pinned) = pins.iter().find(|(to, _)| *to == by)?;
        let count = count.min(*pinned);
        add(pins, by, -count);
        if !pins.is_empty() {
            return None;
        }
        self.pins.remove(&object);
        Some(CountAction::Unpin(object))
    }

    fn release(&mut self, number: u64, from: Rank, grants: u64) -> Option<CountAction> {
        let borrowers = self.exports.get_mut(&number)?;
        add(borrowers, from, 0i64.saturating_sub_unsigned(grants));
        if !borrowers.is_empty() {
            return None;
        }
        self.exports.remove(&number);
        Some(CountAction::Free(number))
    }

    /// A rank failed; `living` are all others but this one that have not. Its grants are dropped when its round is
    /// over; what this rank retained of its objects, at once.
    pub fn on_rank_failed(&mut self, rank: Rank, living: impl Iterator<Item = Rank>) -> Vec<CountAction> {
        let mut actions = Vec::new();
        let mut owners = BTreeSet::new();
        let mut objects: Vec<_> = self.pins.keys().copied().collect();
        objects.sort_unstable();
        for object in objects {
            if object.owner == rank {
                self.pins.remove(&object);
                actions.push(CountAction::Unpin(object));
            } else if self.pins[&object].iter().any(|(to, _)| *to == rank) {
                owners.insert(object.owner);
            }
        }
        actions.extend(
            owners.into_iter().map(|owner| CountAction::Send(owner, CountMessage::BorrowerLost { dead: rank })),
        );
        self.drain.dead.push(rank);
        self.drain.waiting.retain(|(requester, _)| *requester != rank);
        let holds = self.exports.values().any(|borrowers| borrowers.iter().any(|(borrower, _)| *borrower == rank));
        if holds || !self.drain.pending.is_empty() {
            actions.extend(self.begin_round(living));
        }
        actions
    }

    /// Requests that every living rank stops receiving from the dead ones.
    fn begin_round(&mut self, living: impl Iterator<Item = Rank>) -> Vec<CountAction> {
        let me = self.me;
        let drain = &mut self.drain;
        drain.round += 1;
        drain.pending = living.filter(|rank| *rank != me).collect();
        let (round, last) = (drain.round, drain.dead.last().copied());
        let mut actions = Vec::new();
        for rank in &drain.pending {
            for dead in &drain.dead {
                let message = CountMessage::DrainRequest { dead: *dead, round, more: Some(*dead) != last };
                actions.push(CountAction::Send(*rank, message));
            }
        }
        actions.extend(self.end_round());
        actions
    }

    /// If every rank has replied: drops the grants of the dead.
    fn end_round(&mut self) -> Vec<CountAction> {
        if !self.drain.pending.is_empty() {
            return Vec::new();
        }
        let dead = std::mem::take(&mut self.drain.dead);
        let waiting = std::mem::take(&mut self.drain.waiting).into_iter();
        let mut actions: Vec<_> =
            waiting.map(|(requester, dead)| CountAction::Send(requester, CountMessage::DrainDone { dead })).collect();
        let mut freed = Vec::new();
        self.exports.retain(|number, borrowers| {
            borrowers.retain(|(borrower, _)| !dead.contains(borrower));
            if borrowers.is_empty() {
                freed.push(*number);
            }
            !borrowers.is_empty()
        });
        freed.sort_unstable();
        actions.extend(freed.into_iter().map(CountAction::Free));
        actions
    }

    /// The ranks that hold this rank's object of that number.
    pub fn borrowers(&self, number: u64) -> Vec<Rank> {
        self.exports.get(&number).into_iter().flatten().map(|(rank, _)| *rank).collect()
    }

    /// True if that rank holds this rank's object of that number, as far as is known here.
    pub fn has_grants(&self, number: u64, borrower: Rank) -> bool {
        self.exports.get(&number).is_some_and(|borrowers| borrowers.iter().any(|(rank, _)| *rank == borrower))
    }

    /// True if others hold this rank's object of that number.
    pub fn is_exported(&self, number: u64) -> bool {
        self.exports.contains_key(&number)
    }

    /// True if grants for that object of another rank are held here.
    pub fn is_imported(&self, object: ObjectId) -> bool {
        self.imports.contains_key(&object)
    }

    /// True if references to that object are in flight from here to a third rank.
    pub fn is_pinned(&self, object: ObjectId) -> bool {
        self.pins.contains_key(&object)
    }

    /// How many objects are held elsewhere, how many of others here, and how many are in flight.
    pub fn table_sizes(&self) -> [usize; 3] {
        [self.exports.len(), self.imports.len(), self.pins.len()]
    }

    /// Objects of this rank that are held elsewhere.
    #[cfg(test)]
    pub fn exported(&self) -> usize {
        self.exports.len()
    }
}

/// Adds to the count of a rank. A count of zero is left out.
fn add(counts: &mut Vec<(Rank, i64)>, rank: Rank, change: i64) {
    match counts.iter().position(|(known, _)| *known == rank) {
        Some(at) => {
            counts[at].1 = counts[at].1.saturating_add(change);
            if counts[at].1 == 0 {
                counts.swap_remove(at);
            }
        }
        None if change != 0 => counts.push((rank, change)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;
    use std::collections::{HashSet, VecDeque};

    const OBJECT: ObjectId = ObjectId { owner: 0, number: 1 };

    /// What travels between two ranks.
    #[derive(Clone, Copy)]
    enum InFlight {
        Reference,
        Count(CountMessage),
    }

    /// Ranks that pass one object around in random order, each pair of ranks in order (TRANSPORT-1), and die. The
    /// threads of a rank send what they decided later, each its own messages in order.
    struct CountSim {
        counts: Vec<Counts>,
        /// Local references of each rank; the owner's own are not counted here.
        held: Vec<u64>,
        pinned: HashSet<usize>,
        retained: bool,
        dead: Vec<bool>,
        /// By rank: which ranks it knows to be dead.
        knows: Vec<Vec<bool>>,
        /// By rank, the messages that each of its threads has decided and not sent.
        unsent: Vec<Vec<VecDeque<(Rank, CountMessage)>>>,
        wires: Vec<Vec<VecDeque<InFlight>>>,
        random: Rng,
    }

    impl CountSim {
        fn new(ranks: usize, seed: u64) -> CountSim {
            CountSim {
                counts: (0..ranks).map(|rank| Counts::new(rank as Rank)).collect(),
                held: vec![0; ranks],
                pinned: HashSet::new(),
                retained: false,
                dead: vec![false; ranks],
                knows: vec![vec![false; ranks]; ranks],
                unsent: vec![Vec::new(); ranks],
                wires: (0..ranks).map(|_| (0..ranks).map(|_| VecDeque::new()).collect()).collect(),
                random: Rng::with_seed(seed),
            }
        }
        fn draw(&mut self, below: usize) -> usize {
            self.random.usize(..below)
        }
        fn living(&self, rank: usize) -> std::vec::IntoIter<Rank> {
            let others = (0..self.dead.len()).filter(|other| *other != rank && !self.knows[rank][*other]);
            others.map(|other| other as Rank).collect::<Vec<_>>().into_iter()
        }
        fn act(&mut self, rank: usize, actions: impl IntoIterator<Item = CountAction>) {
            let mut unsent = VecDeque::new();
            for action in actions {
                match action {
                    CountAction::Send(to, message) => unsent.push_back((to, message)),
                    CountAction::Free(_) => self.retained = false,
                    CountAction::Unpin(_) => {
                        self.pinned.remove(&rank);
                        self.drop_if_unused(rank);
                    }
                }
            }
            self.unsent[rank].push(unsent);
        }
        /// One of the rank's threads sends its next message.
        fn send(&mut self, rank: usize, thread: usize) {
            if let Some((to, message)) = self.unsent[rank][thread].pop_front()
                && !self.knows[rank][to as usize]
            {
                self.wires[rank][to as usize].push_back(InFlight::Count(message));
            }
        }
        /// The threads of a rank send all that they have decided, in random order, if they match.
        fn send_all(&mut self, rank: usize, is_sent: impl Fn(&Self, &VecDeque<(Rank, CountMessage)>) -> bool) {
            loop {
                let threads: Vec<_> = (0..self.unsent[rank].len())
                    .filter(|thread| {
                        let unsent = &self.unsent[rank][*thread];
                        !unsent.is_empty() && is_sent(self, unsent)
                    })
                    .collect();
                if threads.is_empty() {
                    return;
                }
                let thread = threads[self.draw(threads.len())];
                self.send(rank, thread);
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
                    self.retained = true;
                } else {
                    self.pinned.insert(from);
                }
            }
            self.wires[from][to].push_back(InFlight::Reference);
        }
        fn die(&mut self, rank: usize) {
            if rank != 0 && !self.dead[rank] {
                self.dead[rank] = true;
                self.held[rank] = 0;
                self.unsent[rank].clear();
                self.pinned.remove(&rank);
            }
        }
        fn notice(&mut self, rank: usize, failed: usize) {
            if self.dead[rank] || !self.dead[failed] || std::mem::replace(&mut self.knows[rank][failed], true) {
                return;
            }
            let living = self.living(rank);
            let actions = self.counts[rank].on_rank_failed(failed as Rank, living);
            self.act(rank, actions);
            self.check();
        }
        fn deliver(&mut self, from: usize, to: usize) {
            let Some(wire) = self.wires[from][to].pop_front() else { return };
            if self.dead[to] || self.knows[to][from] {
                return;
            }
            match wire {
                InFlight::Reference if to == 0 => {
                    assert!(self.retained, "a reference reached the owner after the count reached zero");
                    return;
                }
                InFlight::Reference => {
                    self.held[to] += 1;
                    let action = self.counts[to].received(OBJECT, from as Rank);
                    self.act(to, action);
                }
                InFlight::Count(message) => {
                    if let CountMessage::DrainRequest { dead: failed, .. }
                    | CountMessage::BorrowerLost { dead: failed } = message
                    {
                        self.notice(to, failed as usize);
                        // The reply waits until no thread processes a message of a dead rank (RECOVERY-2).
                        self.send_all(to, |sim, unsent| {
                            unsent.iter().any(|(_, message)| {
                                matches!(message, CountMessage::Borrow { from, .. } if sim.knows[to][*from as usize])
                            })
                        });
                    }
                    let living = self.living(to);
                    let actions = self.counts[to].handle(from as Rank, message, living);
                    self.act(to, actions);
                }
            }
            self.check();
        }
        /// COUNTS-1: a reference that exists, or travels to a rank that will receive it, is retained.
        fn check(&self) {
            let ranks = 0..self.dead.len();
            let mut pairs = ranks.clone().flat_map(|from| ranks.clone().map(move |to| (from, to)));
            let travels = pairs.any(|(from, to)| {
                let is_received = !self.dead[to] && !self.knows[to][from];
                is_received && self.wires[from][to].iter().any(|wire| matches!(wire, InFlight::Reference))
            });
            if travels || ranks.skip(1).any(|rank| self.held[rank] > 0) {
                assert!(self.retained, "freed while it is held or travels");
            }
        }
        /// Every rank drops its references, and all messages arrive: nothing may be left.
        fn end(&mut self, seed: u64) {
            let ranks = self.dead.len();
            for _ in 0..40 {
                (0..ranks).for_each(|rank| self.send_all(rank, |_, _| true));
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
            assert!(!self.retained && self.counts[0].exported() == 0, "seed {seed} leaks");
            let left = |rank: usize| !self.counts[rank].imports.is_empty() || !self.counts[rank].pins.is_empty();
            assert!(!(0..ranks).any(|rank| !self.dead[rank] && left(rank)), "seed {seed}");
        }
    }

    fn run(seeds: std::ops::Range<u64>, deaths: bool) {
        for seed in seeds {
            let ranks = 2 + (seed % 5) as usize;
            let mut sim = CountSim::new(ranks, seed);
            let mut deaths_left = 2;
            for step in 0..300 {
                let (one, other) = (sim.draw(ranks), sim.draw(ranks));
                match sim.draw(if deaths { 72 } else { 48 }) {
                    0..9 if step < 150 => sim.pass(one, other),
                    9..18 if one != 0 && sim.held[one] > 0 => {
                        sim.held[one] -= 1;
                        sim.drop_if_unused(one);
                    }
                    18..30 if !sim.unsent[one].is_empty() => {
                        let thread = sim.draw(sim.unsent[one].len());
                        sim.send(one, thread);
                        sim.unsent[one].retain(|unsent| !unsent.is_empty());
                    }
                    48 if step > 20 && deaths_left > 0 => {
                        deaths_left -= 1;
                        sim.die(one);
                    }
                    49..72 => sim.notice(one, other),
                    _ => sim.deliver(one, other),
                }
            }
            sim.end(seed);
        }
    }

    #[test]
    fn count_reaches_zero_exactly_after_the_last_reference() {
        run(0..2_000, false);
    }

    #[test]
    fn count_reaches_zero_exactly_also_when_ranks_die() {
        run(0..20_000, true);
    }
}
