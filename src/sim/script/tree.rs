//! A tree whose shape only its nodes know.

use crate::sim::random::{Random, mix};
use crate::sim::script::{Length, Load, Op, Program, Script, ScriptOptions, Spec, ValueOutcome};

/// A node: computes, starts a task for each child, and counts what is below it.
pub struct Tree<R> {
    seed: u64,
    child: Program,
    children: u32,
    compute_ns: Option<u64>,
    started: u32,
    references: Vec<R>,
    nodes: u64,
}

impl<R> Tree<R> {
    /// The node of that seed, `depth` levels above the deepest.
    pub fn new(seed: u64, mean_milli: u32, depth: u32, length: Length) -> Tree<R> {
        let child = Program::Tree { mean_milli, depth: depth.saturating_sub(1), length };
        let children = if depth == 0 { 0 } else { children(seed, mean_milli) };
        let compute_ns = Some(length.compute_ns(seed));
        Tree { seed, child, children, compute_ns, started: 0, references: Vec::new(), nodes: 1 }
    }
}

/// Geometrically distributed, as in the trees T1 and T3 of UTS: many nodes have none, a few have dozens.
fn children(seed: u64, mean_milli: u32) -> u32 {
    let mean = f64::from(mean_milli) / 1_000.0;
    let draw = 1.0 - Random::of(seed, 0x7472_6565).fraction();
    (draw.ln() / (mean / (1.0 + mean)).ln()) as u32
}

impl<R: Clone + Send, A: Send> Script<R, A> for Tree<R> {
    fn next(&mut self) -> Op<R, A> {
        if let Some(compute_ns) = self.compute_ns.take() {
            return Op::Compute(compute_ns);
        }
        if self.started < self.children {
            let spec = Spec::new(mix(self.seed, u64::from(self.started)), self.child.clone());
            self.started += 1;
            return Op::Spawn { spec, given: Vec::new(), task_options: ScriptOptions::Default };
        }
        // The newest first: those are still in this rank's own queue.
        match self.references.pop() {
            Some(reference) => Op::Get(reference),
            None => Op::Finish(vec![Load::of(self.nodes)]),
        }
    }
    fn on_references(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn on_value(&mut self, outcome: ValueOutcome<R, A>) {
        self.nodes += outcome.map_or(0, |load| load.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_the_mean_number_of_children() {
        let all: u64 = (0..100_000).map(|seed| u64::from(children(seed, 3_000))).sum();
        assert!((290_000..310_000).contains(&all), "{all}");
        assert!((0..100_000).any(|seed| children(seed, 3_000) > 30));
    }
}
