//! Tasks that take results of others by reference: many into one, and next to the blocks that they read.

use crate::sim::random::mix;
use crate::sim::script::{Asks, Deed, Given, Length, Load, Outcome, Program, Script, Spec};

/// Starts `width` children and one task that takes all their results, waits for that one, and does so again.
pub struct Rounds<R> {
    seed: u64,
    width: u32,
    rounds: u32,
    child: Program,
    started: u32,
    given: Vec<R>,
    joined: Option<R>,
    sum: u64,
}

impl<R> Rounds<R> {
    /// So many rounds.
    pub fn new(seed: u64, width: u32, rounds: u32, child: Program) -> Rounds<R> {
        Rounds { seed, width, rounds, child, started: 0, given: Vec::new(), joined: None, sum: 0 }
    }

    fn fresh_seed(&self) -> u64 {
        mix(self.seed, u64::from(self.rounds) << 32 | u64::from(self.started))
    }
}

impl<R: Clone + Send, A: Send> Script<R, A> for Rounds<R> {
    fn next(&mut self) -> Deed<R, A> {
        if let Some(joined) = self.joined.take() {
            self.rounds -= 1;
            self.started = 0;
            return Deed::Get(joined);
        }
        if self.rounds == 0 {
            return Deed::Finish(vec![Load::of(self.sum)]);
        }
        self.started += 1;
        if self.started <= self.width {
            let spec = Spec::new(self.fresh_seed(), self.child.clone());
            return Deed::Spawn { spec, given: Vec::new(), asks: Asks::Nothing };
        }
        let spec = Spec::new(self.fresh_seed(), Program::Leaf(Length::Even { mean_ns: 0 }));
        let given = std::mem::take(&mut self.given).into_iter().map(Given::Reference).collect();
        Deed::Spawn { spec, given, asks: Asks::Nothing }
    }
    fn keep(&mut self, mut references: Vec<R>) {
        if self.started > self.width {
            self.joined = references.pop();
        } else {
            self.given.append(&mut references);
        }
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}

/// How long after it had the last block made a script goes on.
const PAUSE_NS: u64 = 1_000_000;

/// Has blocks made on all ranks, then starts tasks that take one block each, and waits for them.
pub struct Near<R> {
    seed: u64,
    blocks: u32,
    bytes: u32,
    uses: u32,
    length: Length,
    made: Vec<R>,
    started: u32,
    pause_ns: Option<u64>,
    used: Vec<R>,
    awaited: usize,
    sum: u64,
}

impl<R> Near<R> {
    /// `uses` tasks for each of `blocks`.
    pub fn new(seed: u64, blocks: u32, bytes: u32, uses: u32, length: Length) -> Near<R> {
        let (made, used) = (Vec::new(), Vec::new());
        Near { seed, blocks, bytes, uses, length, made, started: 0, pause_ns: Some(PAUSE_NS), used, awaited: 0, sum: 0 }
    }
}

impl<R: Clone + Send, A: Send> Script<R, A> for Near<R> {
    fn next(&mut self) -> Deed<R, A> {
        let index = self.started;
        let seed = mix(self.seed, u64::from(index));
        if index < self.blocks {
            self.started += 1;
            let spec = Spec::new(seed, Program::Block { bytes: self.bytes });
            return Deed::Spawn { spec, given: Vec::new(), asks: Asks::Rank(index) };
        }
        if let Some(pause_ns) = self.pause_ns.take() {
            // By then it is known where the blocks are: to wait for them would bring them here.
            return Deed::Burn(pause_ns);
        }
        if index < self.blocks + self.blocks * self.uses {
            self.started += 1;
            let spec = Spec::new(seed, Program::Leaf(self.length));
            let block = self.made[(index % self.blocks) as usize].clone();
            return Deed::Spawn { spec, given: vec![Given::Reference(block)], asks: Asks::Nothing };
        }
        match self.used.get(self.awaited) {
            Some(reference) => {
                self.awaited += 1;
                Deed::Get(reference.clone())
            }
            None => Deed::Finish(vec![Load::of(self.sum)]),
        }
    }
    fn keep(&mut self, mut references: Vec<R>) {
        if self.started <= self.blocks { self.made.append(&mut references) } else { self.used.append(&mut references) }
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}
