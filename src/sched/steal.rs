//! Who asks whom for work, and what the asked one answers.
//!
//! A thief asks one victim at a time: a few at random, then its lifelines, neighbours of a hypercube over the ranks, in
//! turn. A victim without surplus remembers who asked; when it has surplus it gives, one message, and forgets.
//! After the last lifeline the thief is silent: some neighbour will remember it (Saraswat et al., PPoPP'11, "Lifeline-based
//! global load balancing"). A thief that hears "nothing" from a random victim is not remembered there.

use crate::base::Rank;

/// How many random victims are asked before the lifelines.
const RANDOM_TRIES: u32 = 2;

/// The answer to a request for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Give this many tasks.
    Give(usize),
    /// Say that there is nothing; the thief is remembered where it asked to be.
    Nothing,
}

/// The stealing protocol of one rank.
#[derive(Debug)]
pub struct Stealing {
    me: Rank,
    size: u32,
    random: u64,
    /// Requests answered with nothing since the rank last had work.
    tries: u32,
    /// Whom the request under way was sent to (D2).
    asking: Option<Rank>,
    /// Ranks that are gone.
    gone: Vec<Rank>,
    /// Who is remembered here.
    thieves: Vec<Rank>,
}

impl Stealing {
    /// Of rank `me` of `size`; `seed` makes the choice of victims repeatable.
    pub fn new(me: Rank, size: u32, seed: u64) -> Stealing {
        let random = (seed ^ (u64::from(me) << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Stealing { me, size, random, tries: 0, asking: None, gone: Vec::new(), thieves: Vec::new() }
    }

    /// The rank has a free worker and no work: whom to ask now, and whether to be remembered there.
    pub fn idle(&mut self) -> Option<(Rank, bool)> {
        if self.asking.is_some() || self.size < 2 {
            return None;
        }
        let lifelines = self.lifelines();
        let random_tries = if self.size as usize - 1 <= lifelines.len() { 0 } else { RANDOM_TRIES };
        loop {
            let (victim, remember) = if self.tries < random_tries {
                (self.random_other(), false)
            } else {
                (*lifelines.get((self.tries - random_tries) as usize)?, true)
            };
            if !self.gone.contains(&victim) {
                self.asking = Some(victim);
                return Some((victim, remember));
            }
            self.tries += 1;
        }
    }

    /// The answer to the request under way: how many tasks came.
    pub fn answered(&mut self, tasks: usize) {
        self.asking = None;
        self.tries = if tasks > 0 { 0 } else { self.tries + 1 };
    }

    /// Work came without a request of this rank's: from a lifeline, or made here.
    pub fn found_work(&mut self) {
        self.tries = 0;
    }

    /// `thief` asks while this rank could give `surplus` tasks.
    pub fn asked(&mut self, thief: Rank, remember: bool, surplus: usize) -> Verdict {
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
        if !self.thieves.contains(&thief) {
            self.thieves.push(thief);
        }
    }

    /// Whether anybody is remembered.
    pub fn has_thieves(&self) -> bool {
        !self.thieves.is_empty()
    }

    /// This rank has `surplus` tasks to give: to whom, and how many.
    pub fn surplus(&mut self, surplus: usize) -> Option<(Rank, usize)> {
        if surplus == 0 {
            return None;
        }
        let thief = self.thieves.pop()?;
        Some((thief, surplus.div_ceil(2)))
    }

    /// `rank` is gone: it is neither asked nor remembered, and an answer that it owes never comes. An idle rank begins anew:
    /// who should have remembered it may be the one that is gone.
    pub fn lost(&mut self, rank: Rank) {
        self.thieves.retain(|known| *known != rank);
        if !self.gone.contains(&rank) {
            self.gone.push(rank);
        }
        if self.asking == Some(rank) {
            self.asking = None;
        }
        self.tries = 0;
    }

    /// Neighbours of this rank in a hypercube over all ranks: log2(size) of them. In the place of one that is gone stands the
    /// next rank that lives, so that whoever lives is remembered by somebody while anybody else lives.
    fn lifelines(&self) -> Vec<Rank> {
        let neighbours = (0..32)
            .map(|bit| 1u32 << bit)
            .take_while(|step| *step < self.size)
            .map(|step| (self.me + step) % self.size);
        let mut lifelines = Vec::new();
        for neighbour in neighbours {
            let lives = (0..self.size)
                .map(|step| (neighbour + step) % self.size)
                .find(|rank| !self.gone.contains(rank))
                .filter(|rank| *rank != self.me && !lifelines.contains(rank));
            lifelines.extend(lives);
        }
        lifelines
    }

    /// A rank other than this one (xorshift64*).
    fn random_other(&mut self) -> Rank {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let drawn = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        (self.me + 1 + (drawn % u64::from(self.size - 1)) as u32) % self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_rank_falls_silent_after_its_lifelines() {
        let mut thief = Stealing::new(3, 16, 7);
        let mut remembered = Vec::new();
        while let Some((victim, remember)) = thief.idle() {
            assert_ne!(victim, 3);
            assert!(thief.idle().is_none(), "one request at a time (D2)");
            if remember {
                remembered.push(victim);
            }
            thief.answered(0);
        }
        assert_eq!(remembered, [4, 5, 7, 11]);
        thief.found_work();
        assert!(thief.idle().is_some());
    }

    #[test]
    fn who_asked_in_vain_hears_when_there_is_work_once() {
        let mut victim = Stealing::new(0, 2, 1);
        assert_eq!(victim.asked(1, true, 0), Verdict::Nothing);
        assert_eq!(victim.asked(1, true, 0), Verdict::Nothing);
        assert_eq!(victim.surplus(5), Some((1, 3)));
        assert_eq!(victim.surplus(5), None);
    }

    /// A rank whose request a dead one owed an answer, or whose lifelines were all gone, was never given work again.
    #[test]
    fn an_idle_rank_begins_anew_when_another_is_gone() {
        let mut thief = Stealing::new(3, 5, 7);
        while thief.idle().is_some() {
            thief.answered(0);
        }
        let asked_after = |thief: &mut Stealing, gone| {
            thief.lost(gone);
            let mut remembered = Vec::new();
            while let Some((victim, remember)) = thief.idle() {
                remembered.extend(remember.then_some(victim));
                thief.answered(0);
            }
            remembered
        };
        assert_eq!(thief.lifelines(), [4, 0, 2]);
        assert_eq!(asked_after(&mut thief, 4), [0, 2]);
        assert_eq!(asked_after(&mut thief, 0), [1, 2]);
        assert_eq!(asked_after(&mut thief, 2), [1]);
        thief.found_work();
        let (victim, _) = thief.idle().unwrap();
        assert_eq!(victim, 1);
        assert_eq!(asked_after(&mut thief, 1), []);
        assert_eq!(thief.idle(), None, "it is alone");
    }

    #[test]
    fn a_rank_alone_asks_nobody() {
        assert_eq!(Stealing::new(0, 1, 1).idle(), None);
    }

    #[test]
    fn every_rank_is_the_lifeline_of_some_rank() {
        for size in 2..40u32 {
            let mut reached = vec![false; size as usize];
            for me in 0..size {
                for neighbour in Stealing::new(me, size, 1).lifelines() {
                    assert_ne!(neighbour, me);
                    reached[neighbour as usize] = true;
                }
            }
            assert!(reached.iter().all(|reached| *reached), "size {size}");
        }
    }
}
