//! Who asks whom for work, and what the asked one answers.
//!
//! A thief asks one victim at a time, in this order:
//! 1. ranks that it knows to have surplus, those of its own host first (`heard`): request and answer, two messages;
//! 2. a rank of its host, then two of all, at random: these find work that nobody spoke of;
//! 3. its lifelines, neighbours of a hypercube over the ranks, the near ones first. Each remembers it (Saraswat et al.,
//!    PPoPP'11, "Lifeline-based global load balancing").
//!
//! Then it is silent (D2): a neighbour that comes to have surplus sends some of it unasked, one message, and forgets. The
//! victim gives half of what it can spare; who is remembered gets an even share.
//!
//! What a rank knows of others is a table of [`HINTS_MAX`] entries, whatever the size of the cluster. It is told by
//! messages that go anyway: each says its sender's load, and who gets it calls `heard`. Words may be late: a victim that gave nothing is struck off, and after [`LED_TRIES`] of them in a row a thief
//! believes none until it has had work again, so that two ranks with old news cannot send a thief to and fro.

mod gone;
#[cfg(test)]
mod tests;

use crate::base::Rank;
use gone::Gone;

/// How many ranks of all are asked at random before the lifelines.
const RANDOM_TRIES: u32 = 2;

/// How many ranks with surplus are known at a time.
pub const HINTS_MAX: usize = 8;

/// How many ranks that were said to have surplus are asked in vain, between two times of having work.
const LED_TRIES: u32 = 4;

/// The answer to a request for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Give this many tasks.
    Give(usize),
    /// Say that there is nothing; the thief is remembered where it asked to be.
    Nothing,
}

/// The stealing protocol of one rank. Its state is [`HINTS_MAX`] hints, log2 of the size lifelines, the ranks of its host,
/// who is remembered here (at most who has this rank as a lifeline), and a bit a rank once one has died.
#[derive(Debug)]
pub struct Stealing {
    me: Rank,
    size: u32,
    random: u64,
    /// Other ranks of this host.
    host: Vec<Rank>,
    /// Requests answered with nothing since the rank last had work, hints not counted.
    tries: u32,
    /// The same of requests that a hint led to.
    led: u32,
    /// Whom the request under way was sent to (D2), and whether a hint led there.
    asking: Option<(Rank, bool)>,
    /// Ranks that are gone.
    gone: Gone,
    /// Whom to ask at last, near ones first; changes only when a rank is lost.
    lifelines: Vec<Rank>,
    /// Ranks known to have surplus, with its class.
    hints: Vec<(Rank, u8)>,
    /// Who is remembered here.
    thieves: Vec<Rank>,
}

impl Stealing {
    /// Of rank `me` of `size`; `seed` makes the choice of victims repeatable.
    pub fn new(me: Rank, size: u32, seed: u64) -> Stealing {
        let random = (seed ^ (u64::from(me) << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut stealing = Stealing {
            me,
            size,
            random,
            host: Vec::new(),
            tries: 0,
            led: 0,
            asking: None,
            gone: Gone::default(),
            lifelines: Vec::new(),
            hints: Vec::new(),
            thieves: Vec::new(),
        };
        stealing.lifelines = stealing.drawn_lifelines();
        stealing
    }

    /// As it is, with the ranks of its host: they are asked first.
    #[must_use]
    pub fn on_host(mut self, ranks: &[Rank]) -> Stealing {
        self.host = ranks.iter().copied().filter(|rank| *rank != self.me).collect();
        self
    }

    /// The rank has a free worker and no work: whom to ask now, and whether to be remembered there. `None` while an answer is
    /// awaited, and once everybody that it should ask has been asked in vain: then work comes by itself.
    pub fn idle(&mut self) -> Option<(Rank, bool)> {
        if self.asking.is_some() || self.size < 2 {
            return None;
        }
        if let Some(victim) = self.known_victim() {
            self.asking = Some((victim, true));
            return Some((victim, false));
        }
        let everybody_is_a_lifeline = self.size as usize - 1 <= self.lifelines.len();
        let host_tries = u32::from(!self.host.is_empty() && !everybody_is_a_lifeline);
        let random_tries = if everybody_is_a_lifeline { 0 } else { host_tries + RANDOM_TRIES };
        loop {
            let (victim, remember) = if self.tries < host_tries {
                let drawn = self.draw(self.host.len() as u64) as usize;
                (self.host[drawn], false)
            } else if self.tries < random_tries {
                (self.random_other(), false)
            } else {
                (*self.lifelines.get((self.tries - random_tries) as usize)?, true)
            };
            if !self.gone.contains(victim) {
                self.asking = Some((victim, false));
                return Some((victim, remember));
            }
            self.tries += 1;
        }
    }

    /// Who was asked and has not answered.
    pub fn awaited(&self) -> Option<Rank> {
        self.asking.map(|(victim, _)| victim)
    }

    /// The answer to the request under way: how many tasks came.
    pub fn answered(&mut self, tasks: usize) {
        let Some((victim, led)) = self.asking.take() else { return };
        if tasks > 0 {
            // It gave half: as many are left there.
            self.heard(victim, Stealing::my_load(tasks));
            return self.found_work();
        }
        self.hints.retain(|(rank, _)| *rank != victim);
        if led {
            self.led += 1;
        } else {
            self.tries += 1;
        }
    }

    /// Work came without a request of this rank's: from a lifeline, or made here.
    pub fn found_work(&mut self) {
        (self.tries, self.led) = (0, 0);
    }

    /// `thief` asks while this rank could give `surplus` tasks.
    pub fn asked(&mut self, thief: Rank, remember: bool, surplus: usize) -> Verdict {
        self.hints.retain(|(rank, _)| *rank != thief);
        if surplus > 0 {
            self.thieves.retain(|known| *known != thief);
            return Verdict::Give(surplus.div_ceil(2));
        }
        if remember {
            self.disappointed(thief);
        }
        Verdict::Nothing
    }

    /// `thief` was to be given something, and there was nothing after all: it is remembered.
    pub fn disappointed(&mut self, thief: Rank) {
        if !self.thieves.contains(&thief) && !self.gone.contains(thief) {
            self.thieves.push(thief);
        }
    }

    /// Whether anybody is remembered.
    pub fn has_thieves(&self) -> bool {
        !self.thieves.is_empty()
    }

    /// This rank has `surplus` tasks to give: to whom, and how many. To be called until it says `None`, with what is left: each
    /// of those remembered, and this rank, get the same.
    pub fn surplus(&mut self, surplus: usize) -> Option<(Rank, usize)> {
        if surplus == 0 {
            return None;
        }
        let shares = self.thieves.len() + 1;
        let thief = self.thieves.pop()?;
        Some((thief, surplus.div_ceil(shares)))
    }

    /// The class of a surplus, for `heard` elsewhere: 0 for none, else the number of binary digits.
    pub fn my_load(surplus: usize) -> u8 {
        (usize::BITS - surplus.leading_zeros()) as u8
    }

    /// Somebody says that `rank` has a surplus of that class; 0 strikes it off.
    pub fn heard(&mut self, rank: Rank, class: u8) {
        self.hints.retain(|(known, _)| *known != rank);
        if class == 0 || rank == self.me || rank >= self.size || self.gone.contains(rank) {
            return;
        }
        if self.hints.len() < HINTS_MAX {
            return self.hints.push((rank, class));
        }
        // Where there is no room, the least of those known makes room for more.
        if let Some(least) = self.hints.iter_mut().min_by_key(|(_, class)| *class)
            && least.1 < class
        {
            *least = (rank, class);
        }
    }

    /// The class of surplus that `rank` was last heard to have; 0 where nothing is known.
    pub fn load_of(&self, rank: Rank) -> u8 {
        self.hints.iter().find(|(known, _)| *known == rank).map_or(0, |(_, class)| *class)
    }

    /// `rank` is gone: it is neither asked nor remembered, and an answer that it owes never comes. An idle rank begins anew:
    /// who should have remembered it may be the one that is gone.
    pub fn lost(&mut self, rank: Rank) {
        self.thieves.retain(|known| *known != rank);
        self.hints.retain(|(known, _)| *known != rank);
        self.host.retain(|known| *known != rank);
        if self.gone.insert(rank, self.size) {
            self.lifelines = self.drawn_lifelines();
        }
        if self.asking.is_some_and(|(victim, _)| victim == rank) {
            self.asking = None;
        }
        self.found_work();
    }

    /// The rank with the largest surplus known, one of this host where there is any.
    fn known_victim(&self) -> Option<Rank> {
        if self.led >= LED_TRIES {
            return None;
        }
        let best = self.hints.iter().max_by_key(|(rank, class)| (self.host.contains(rank), *class));
        best.map(|(rank, _)| *rank)
    }

    /// Neighbours of this rank in a hypercube over all ranks: log2(size) of them. In the place of one that is gone stands the
    /// next rank that lives, so that whoever lives is remembered by somebody while anybody else lives.
    fn drawn_lifelines(&self) -> Vec<Rank> {
        let neighbours = (0..32)
            .map(|bit| 1u32 << bit)
            .take_while(|step| *step < self.size)
            .map(|step| (self.me + step) % self.size);
        let mut lifelines = Vec::new();
        for neighbour in neighbours {
            let lives = self.gone.next_living(neighbour, self.size);
            lifelines.extend(lives.filter(|rank| *rank != self.me && !lifelines.contains(rank)));
        }
        lifelines
    }

    /// A rank other than this one.
    fn random_other(&mut self) -> Rank {
        (self.me + 1 + self.draw(u64::from(self.size - 1)) as u32) % self.size
    }

    /// A number below `bound` (xorshift64*).
    fn draw(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}
