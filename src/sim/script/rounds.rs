//! Tasks that take results of others by reference: many into one, and near the blocks that they read.

use crate::sim::random::mix;
use crate::sim::script::{Given, Length, Load, Op, Program, Script, ScriptOptions, Spec, ValueOutcome};

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
    fn next(&mut self) -> Op<R, A> {
        if let Some(joined) = self.joined.take() {
            self.rounds -= 1;
            self.started = 0;
            return Op::Get(joined);
        }
        if self.rounds == 0 {
            return Op::Finish(vec![Load::of(self.sum)]);
        }
        self.started += 1;
        if self.started <= self.width {
            let spec = Spec::new(self.fresh_seed(), self.child.clone());
            return Op::Spawn { spec, given: Vec::new(), task_options: ScriptOptions::Default };
        }
        let spec = Spec::new(self.fresh_seed(), Program::Leaf(Length::Even { mean_ns: 0 }));
        let given = std::mem::take(&mut self.given).into_iter().map(Given::Reference).collect();
        Op::Spawn { spec, given, task_options: ScriptOptions::Default }
    }
    fn on_references(&mut self, mut references: Vec<R>) {
        if self.started > self.width {
            self.joined = references.pop();
        } else {
            self.given.append(&mut references);
        }
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}

/// How long a script pauses after the last block was requested.
const PAUSE_NS: u64 = 1_000_000;

/// Starts a task on each rank that makes a block, then tasks that take one block each, and waits for those.
pub struct Near<R> {
    seed: u64,
    blocks: u32,
    bytes: u32,
    uses: u32,
    length: Length,
    produced: Vec<R>,
    started: u32,
    pause_ns: Option<u64>,
    used: Vec<R>,
    awaited: usize,
    sum: u64,
}

impl<R> Near<R> {
    /// `uses` tasks for each of `blocks`.
    pub fn new(seed: u64, blocks: u32, bytes: u32, uses: u32, length: Length) -> Near<R> {
        let (produced, used) = (Vec::new(), Vec::new());
        Near {
            seed,
            blocks,
            bytes,
            uses,
            length,
            produced,
            started: 0,
            pause_ns: Some(PAUSE_NS),
            used,
            awaited: 0,
            sum: 0,
        }
    }
}

impl<R: Clone + Send, A: Send> Script<R, A> for Near<R> {
    fn next(&mut self) -> Op<R, A> {
        let index = self.started;
        let seed = mix(self.seed, u64::from(index));
        if index < self.blocks {
            self.started += 1;
            let spec = Spec::new(seed, Program::Block { bytes: self.bytes });
            return Op::Spawn { spec, given: Vec::new(), task_options: ScriptOptions::Rank(index) };
        }
        if let Some(pause_ns) = self.pause_ns.take() {
            // By then the locations of the blocks are known: waiting for the blocks would fetch them.
            return Op::Compute(pause_ns);
        }
        if index < self.blocks + self.blocks * self.uses {
            self.started += 1;
            let spec = Spec::new(seed, Program::Leaf(self.length));
            let block = self.produced[(index % self.blocks) as usize].clone();
            return Op::Spawn { spec, given: vec![Given::Reference(block)], task_options: ScriptOptions::Default };
        }
        match self.used.get(self.awaited) {
            Some(reference) => {
                self.awaited += 1;
                Op::Get(reference.clone())
            }
            None => Op::Finish(vec![Load::of(self.sum)]),
        }
    }
    fn on_references(&mut self, mut references: Vec<R>) {
        if self.started <= self.blocks {
            self.produced.append(&mut references)
        } else {
            self.used.append(&mut references)
        }
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}
