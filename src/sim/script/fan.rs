//! A task that starts many and waits for all of them.

use crate::sim::random::mix;
use crate::sim::script::{Asks, Deed, Load, Outcome, Program, Script, Spec};

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
    fn next(&mut self) -> Deed<R, A> {
        if self.started < self.children {
            let index = self.started;
            self.started += 1;
            let spec = Spec::new(mix(self.seed, u64::from(index)), self.child.clone());
            let asks = if self.placed { Asks::Rank(index) } else { Asks::Nothing };
            return Deed::Spawn { spec, given: Vec::new(), asks };
        }
        match self.references.get(self.awaited) {
            Some(reference) => {
                self.awaited += 1;
                Deed::Get(reference.clone())
            }
            None => Deed::Finish(vec![Load::of(self.sum)]),
        }
    }
    fn keep(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.sum = self.sum.wrapping_add(outcome.map_or(0, |load| load.number));
    }
}
