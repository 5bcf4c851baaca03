//! A tree whose shape only its nodes know.

use crate::sim::random::{Random, mix};
use crate::sim::script::{Asks, Deed, Length, Load, Outcome, Program, Script, Spec};

/// A node: computes, starts a task for each child, and counts what is below it.
pub struct Tree<R> {
    seed: u64,
    child: Program,
    children: u32,
    burn_ns: Option<u64>,
    started: u32,
    references: Vec<R>,
    nodes: u64,
}

impl<R> Tree<R> {
    /// The node of that seed, `depth` levels above the deepest.
    pub fn new(seed: u64, mean_milli: u32, depth: u32, length: Length) -> Tree<R> {
        let child = Program::Tree { mean_milli, depth: depth.saturating_sub(1), length };
        let children = if depth == 0 { 0 } else { children(seed, mean_milli) };
        let burn_ns = Some(length.burn_ns(seed));
        Tree { seed, child, children, burn_ns, started: 0, references: Vec::new(), nodes: 1 }
    }
}

/// Geometrically distributed, as in the trees T1 and T3 of UTS: many nodes have none, a few have dozens.
fn children(seed: u64, mean_milli: u32) -> u32 {
    let mean = f64::from(mean_milli) / 1_000.0;
    let draw = 1.0 - Random::of(seed, 0x7472_6565).fraction();
    (draw.ln() / (mean / (1.0 + mean)).ln()) as u32
}

impl<R: Clone + Send, A: Send> Script<R, A> for Tree<R> {
    fn next(&mut self) -> Deed<R, A> {
        if let Some(burn_ns) = self.burn_ns.take() {
            return Deed::Burn(burn_ns);
        }
        if self.started < self.children {
            let spec = Spec::new(mix(self.seed, u64::from(self.started)), self.child.clone());
            self.started += 1;
            return Deed::Spawn { spec, given: Vec::new(), asks: Asks::Nothing };
        }
        // The newest first: those are still in this rank's own queue.
        match self.references.pop() {
            Some(reference) => Deed::Get(reference),
            None => Deed::Finish(vec![Load::of(self.nodes)]),
        }
    }
    fn keep(&mut self, references: Vec<R>) {
        self.references.extend(references);
    }
    fn got(&mut self, outcome: Outcome<R, A>) {
        self.nodes += outcome.map_or(0, |load| load.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_as_many_children_as_they_should_on_average() {
        let all: u64 = (0..100_000).map(|seed| u64::from(children(seed, 3_000))).sum();
        assert!((290_000..310_000).contains(&all), "{all}");
        assert!((0..100_000).any(|seed| children(seed, 3_000) > 30));
    }
}
