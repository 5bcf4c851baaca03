//! Work stealing: which rank is asked for work next, and how a rank replies.
//!
//! A stealer asks one victim at a time, in this order:
//! 1. ranks that it knows to have surplus, those of its own host first (`record_load`): request and reply, two
//!    messages;
//! 2. a rank of its host, then two of all, at random: these find work of which no message told;
//! 3. its lifelines, neighbours of a hypercube over the ranks, the near ones first. Each remembers it (Saraswat et al.,
//!    PPoPP'11, "Lifeline-based global load balancing").
//!
//! Then it is silent (SCHEDULING-2): a neighbour that gets surplus sends some of it without a request, one message, and
//! forgets the stealer. The victim gives half of what it can spare; each remembered stealer gets an even share.
//!
//! What a rank knows of others is a table of [`HINTS_MAX`] entries, whatever the size of the cluster. It is filled by
//! other messages: each carries its sender's load, and its receiver calls `record_load`. Hints may be outdated: a
//! victim that gave nothing is removed, and after [`HINT_TRIES`] of them in a row a stealer ignores hints until it has
//! had work again, so that two ranks with outdated hints cannot send a stealer to and fro.

mod dead_ranks;
#[cfg(test)]
mod tests;

use crate::base::Rank;
use dead_ranks::DeadRanks;
use fastrand::Rng;

/// How many ranks of all are asked at random before the lifelines.
const RANDOM_TRIES: u32 = 2;

/// How many ranks with surplus are known at a time.
pub const HINTS_MAX: usize = 8;

/// How many ranks are asked in vain because of a hint, between two times of having work.
const HINT_TRIES: u32 = 4;

/// The reply to a request for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StealDecision {
    /// Give this many tasks.
    Give(usize),
    /// Reply that there is nothing; the stealer is remembered if it asked to be.
    Nothing,
}

/// The stealing protocol of one rank. Its state is [`HINTS_MAX`] hints, log2 of the size lifelines, the ranks of its
/// host, the waiting stealers (at most those that have this rank as a lifeline), and a bit per rank once one has died.
#[derive(Debug, Default)]
pub struct StealState {
    me: Rank,
    size: u32,
    random: Rng,
    /// Other ranks of this host.
    host: Vec<Rank>,
    /// Requests refused since the rank last had work, requests because of hints not counted.
    tries: u32,
    /// The same of requests because of hints.
    hint_tries: u32,
    /// The receiver of the request in flight (SCHEDULING-2), and if it was chosen because of a hint.
    in_flight: Option<(Rank, bool)>,
    /// Ranks that are dead.
    dead: DeadRanks,
    /// The victims to ask last, near ones first; changes only when a rank dies.
    lifelines: Vec<Rank>,
    /// Ranks known to have surplus, with its class.
    hints: Vec<(Rank, u8)>,
    /// The stealers remembered here.
    waiting: Vec<Rank>,
}

impl StealState {
    /// For rank `me` of `size`; `seed` makes the choice of victims repeatable.
    pub fn new(me: Rank, size: u32, seed: u64) -> StealState {
        let random = Rng::with_seed(seed ^ (u64::from(me) << 32));
        let mut stealing = StealState { me, size, random, ..StealState::default() };
        stealing.lifelines = stealing.compute_lifelines();
        stealing
    }

    /// With the ranks of its host: they are asked first.
    #[must_use]
    pub fn on_host(mut self, ranks: &[Rank]) -> StealState {
        self.host = ranks.iter().copied().filter(|rank| *rank != self.me).collect();
        self
    }

    /// The rank has a free worker and no work: the victim to ask now, and if it is to remember this rank. `None` while
    /// a reply is awaited, and once all victims have been asked in vain: then a lifeline sends work by itself.
    pub fn next_victim(&mut self) -> Option<(Rank, bool)> {
        if self.in_flight.is_some() || self.size < 2 {
            return None;
        }
        if let Some(victim) = self.known_victim() {
            self.in_flight = Some((victim, true));
            return Some((victim, false));
        }
        let all_are_lifelines = self.size as usize - 1 <= self.lifelines.len();
        let host_tries = u32::from(!self.host.is_empty() && !all_are_lifelines);
        let random_tries = if all_are_lifelines { 0 } else { host_tries + RANDOM_TRIES };
        loop {
            let (victim, remember) = if self.tries < host_tries {
                (self.host[self.random.usize(..self.host.len())], false)
            } else if self.tries < random_tries {
                (self.random_other(), false)
            } else {
                (*self.lifelines.get((self.tries - random_tries) as usize)?, true)
            };
            if !self.dead.contains(victim) {
                self.in_flight = Some((victim, false));
                return Some((victim, remember));
            }
            self.tries += 1;
        }
    }

    /// The victim that was asked and has not replied.
    pub fn awaited(&self) -> Option<Rank> {
        self.in_flight.map(|(victim, _)| victim)
    }

    /// The reply to the request in flight: how many tasks it brought.
    pub fn on_reply(&mut self, tasks: usize) {
        let Some((victim, by_hint)) = self.in_flight.take() else { return };
        if tasks > 0 {
            // The victim gave half: as many are left there.
            self.record_load(victim, StealState::load_class(tasks));
            return self.found_work();
        }
        self.hints.retain(|(rank, _)| *rank != victim);
        if by_hint {
            self.hint_tries += 1;
        } else {
            self.tries += 1;
        }
    }

    /// Work came without a request: from a lifeline, or submitted here.
    pub fn found_work(&mut self) {
        (self.tries, self.hint_tries) = (0, 0);
    }

    /// `stealer` asks while this rank could give `surplus` tasks.
    pub fn on_request(&mut self, stealer: Rank, remember: bool, surplus: usize) -> StealDecision {
        self.hints.retain(|(rank, _)| *rank != stealer);
        if surplus > 0 {
            self.waiting.retain(|known| *known != stealer);
            return StealDecision::Give(surplus.div_ceil(2));
        }
        if remember {
            self.add_waiting(stealer);
        }
        StealDecision::Nothing
    }

    /// `stealer` was to be given tasks, and there were none after all: it is remembered.
    pub fn add_waiting(&mut self, stealer: Rank) {
        if !self.waiting.contains(&stealer) && !self.dead.contains(stealer) {
            self.waiting.push(stealer);
        }
    }

    /// True if a stealer is remembered.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// This rank has `surplus` tasks to give: the receiver and how many it gets. To be called until it returns `None`,
    /// with what is left: each remembered stealer, and this rank, get the same.
    pub fn next_share(&mut self, surplus: usize) -> Option<(Rank, usize)> {
        if surplus == 0 {
            return None;
        }
        let shares = self.waiting.len() + 1;
        let stealer = self.waiting.pop()?;
        Some((stealer, surplus.div_ceil(shares)))
    }

    /// The class of a surplus, for `record_load` elsewhere: 0 for none, else the number of binary digits.
    pub fn load_class(surplus: usize) -> u8 {
        (usize::BITS - surplus.leading_zeros()) as u8
    }

    /// A message told that `rank` has a surplus of that class; 0 removes its hint.
    pub fn record_load(&mut self, rank: Rank, class: u8) {
        self.hints.retain(|(known, _)| *known != rank);
        if class == 0 || rank == self.me || rank >= self.size || self.dead.contains(rank) {
            return;
        }
        if self.hints.len() < HINTS_MAX {
            return self.hints.push((rank, class));
        }
        // If the table is full, the smallest class is replaced by a larger one.
        if let Some(least) = self.hints.iter_mut().min_by_key(|(_, class)| *class)
            && least.1 < class
        {
            *least = (rank, class);
        }
    }

    /// The class of surplus that `rank` was last known to have; 0 if nothing is known.
    pub fn load_of(&self, rank: Rank) -> u8 {
        self.hints.iter().find(|(known, _)| *known == rank).map_or(0, |(_, class)| *class)
    }

    /// `rank` is dead: it is neither asked nor remembered, and its outstanding reply never comes. An idle rank begins
    /// again: the rank that should have remembered it may be the dead one.
    pub fn on_rank_failed(&mut self, rank: Rank) {
        self.waiting.retain(|known| *known != rank);
        self.hints.retain(|(known, _)| *known != rank);
        self.host.retain(|known| *known != rank);
        if self.dead.insert(rank, self.size) {
            self.lifelines = self.compute_lifelines();
        }
        if self.in_flight.is_some_and(|(victim, _)| victim == rank) {
            self.in_flight = None;
        }
        self.found_work();
    }

    /// The rank with the largest surplus known, one of this host if there is any.
    fn known_victim(&self) -> Option<Rank> {
        let best = self.hints.iter().max_by_key(|(rank, class)| (self.host.contains(rank), *class));
        best.map(|(rank, _)| *rank).filter(|_| self.hint_tries < HINT_TRIES)
    }

    /// Neighbours of this rank in a hypercube over all ranks: log2(size) of them. A dead neighbour is replaced by the
    /// next living rank, so that each living rank is remembered by some rank while any other lives.
    fn compute_lifelines(&self) -> Vec<Rank> {
        let neighbours = (0..32)
            .map(|bit| 1u32 << bit)
            .take_while(|step| *step < self.size)
            .map(|step| (self.me + step) % self.size);
        let mut lifelines = Vec::new();
        for neighbour in neighbours {
            let lives = self.dead.next_living(neighbour, self.size);
            lifelines.extend(lives.filter(|rank| *rank != self.me && !lifelines.contains(rank)));
        }
        lifelines
    }

    /// A rank other than this one.
    fn random_other(&mut self) -> Rank {
        (self.me + 1 + self.random.u32(..self.size - 1)) % self.size
    }
}
