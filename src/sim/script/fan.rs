//! A task that starts many and waits for all of them.

use crate::sim::random::mix;
use crate::sim::script::{Load, Op, Program, Script, ScriptOptions, Spec, ValueOutcome};

/// Starts `children`, then waits for each in the order made.
pub struct Fan<R> {
    seed: u64,
    children: u32,
    placed: bool,
    child: Program,
    started: u32,
    references: Vec<R>,
    awaited: usize,
    sum: u64,
}

impl<R> Fan<R> {
    /// `placed`: child `i` goes to rank `i`.
    pub fn new(seed: u64, children: u32, placed: bool, child: Program) -> Fan<R> {
        let references = Vec::with_capacity(children as usize);
        Fan { seed, children, placed, child, started: 0, references, awaited: 0, sum: 0 }
    }
}

impl<R: Clone + Send, A: Send> Script<R, A> for Fan<R> {
    fn next(&mut self) -> Op<R, A> {
        if self.started < self.children {
            let index = self.started;
            self.started += 1;
            let spec = Spec::new(mix(self.seed, u64::from(index)), self.child.clone());
            let task_options = if self.placed { ScriptOptions::Rank(index) } else { ScriptOptions::Default };
            return Op::Spawn { spec, given: Vec::new(), task_options };
        }
        match self.references.get(self.awaited) {
            Some(reference) => {
                self.awaited += 1;
                Op::Get(reference.clone())
            }
            None => Op::Finish(vec![Load::of(self.sum)]),
        }
    }
    fn on_references(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}
