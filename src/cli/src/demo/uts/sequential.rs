//! The search on one core, against which every other search is measured.

use super::parameters::Parameters;
use super::tree::TreeNode;
use serde::{Deserialize, Serialize};

/// Nodes between two calls of the watcher.
const WATCH_EVERY: u64 = 1 << 16;

/// What a search has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Nodes visited.
    pub nodes: u64,
    /// Those without children.
    pub leaves: u64,
    /// Greatest depth met.
    pub depth: u32,
}

impl Count {
    /// Counts the node on top of the stack and puts its children there; false when the stack is empty.
    pub fn visit(&mut self, stack: &mut Vec<TreeNode>, parameters: &Parameters) -> bool {
        let Some(node) = stack.pop() else { return false };
        let children = node.children(parameters);
        self.nodes += 1;
        self.leaves += u64::from(children == 0);
        self.depth = self.depth.max(node.depth());
        stack.extend((0..children).map(|index| node.child(index, parameters)));
        true
    }

    /// Takes in what another search has counted.
    pub fn add(&mut self, other: Count) {
        self.nodes += other.nodes;
        self.leaves += other.leaves;
        self.depth = self.depth.max(other.depth);
    }
}

/// Counts the whole tree depth-first. `watch` is called now and then with the number of nodes so far.
pub fn search(parameters: &Parameters, mut watch: impl FnMut(u64)) -> Count {
    let mut count = Count::default();
    let mut stack = vec![TreeNode::root(parameters)];
    while count.visit(&mut stack, parameters) {
        if count.nodes.is_multiple_of(WATCH_EVERY) {
            watch(count.nodes);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::parameters::samples;
    use super::*;

    /// The five trees of four million nodes, in every published number.
    #[test]
    fn counts_are_the_published_ones() {
        for sample in samples().iter().filter(|sample| sample.nodes < 5_000_000) {
            let published = Count { nodes: sample.nodes, leaves: sample.leaves, depth: sample.depth };
            assert_eq!(search(&sample.parameters, |_| ()), published, "{}", sample.name);
        }
    }

    #[test]
    #[ignore = "three trees of a hundred million nodes: half a minute"]
    fn large_counts_are_the_published_ones() {
        for sample in samples().iter().filter(|sample| sample.nodes >= 5_000_000) {
            let published = Count { nodes: sample.nodes, leaves: sample.leaves, depth: sample.depth };
            assert_eq!(search(&sample.parameters, |_| ()), published, "{}", sample.name);
        }
    }

    #[test]
    fn the_watcher_sees_it_grow() {
        let sample = &samples()[0];
        let mut seen = Vec::new();
        search(&sample.parameters, |nodes| seen.push(nodes));
        assert_eq!(seen.len() as u64, sample.nodes / WATCH_EVERY);
        assert!(seen.is_sorted());
    }
}
