//! When a search gives nodes away, and which: the rule, without the tasks.

use super::parameters::Parameters;
use super::sequential::Count;
use super::tree::TreeNode;
use serde::{Deserialize, Serialize};

/// The parameters that every task of a search has.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Search {
    /// The tree.
    pub parameters: Parameters,
    /// Nodes that a task visits before it gives some away.
    pub grain: u32,
}

/// Visits everything below `nodes`, except what it gives away: after every `grain` nodes, every other one of those
/// waiting.
///
/// Both halves then hold nodes from near the root, whose subtrees are large, and from far below. Giving away the upper
/// half would hand over nearly all that is left, and in any tree tasks would nest a thousand deep; with every other
/// node they nest about as deep as repeated halving.
pub fn walk(search: &Search, nodes: Vec<TreeNode>, mut give: impl FnMut(Vec<TreeNode>)) -> Count {
    let mut count = Count::default();
    let mut waiting = nodes;
    loop {
        for _ in 0..search.grain.max(1) {
            if !count.visit(&mut waiting, &search.parameters) {
                return count;
            }
        }
        if waiting.len() > 1 {
            give(every_other(&mut waiting));
        }
    }
}

/// Takes the first of `nodes`, the third, and so on; both halves keep their order.
fn every_other(nodes: &mut Vec<TreeNode>) -> Vec<TreeNode> {
    let taken = nodes.iter().copied().step_by(2).collect();
    let mut index = 0;
    nodes.retain(|_| {
        index += 1;
        index % 2 == 0
    });
    taken
}

#[cfg(test)]
mod tests {
    use super::super::parameters::samples;
    use super::*;

    /// Follows every node given away at once; returns how many searchers there were, and how deep they nested.
    fn follow(search: &Search, nodes: Vec<TreeNode>, level: u32, count: &mut Count) -> (u64, u32) {
        let mut given = Vec::new();
        count.add(walk(search, nodes, |nodes| given.push(nodes)));
        given.into_iter().rev().fold((1, level), |(searchers, deepest), nodes| {
            let (more, deeper) = follow(search, nodes, level + 1, count);
            (searchers + more, deepest.max(deeper))
        })
    }

    #[test]
    fn every_node_is_counted_once_and_nesting_is_shallow() {
        for sample in samples().iter().filter(|sample| sample.nodes < 5_000_000) {
            let search = Search { parameters: sample.parameters, grain: 1000 };
            let mut count = Count::default();
            let (searchers, deepest) = follow(&search, vec![TreeNode::root(&sample.parameters)], 0, &mut count);
            let published = Count { nodes: sample.nodes, leaves: sample.leaves, depth: sample.depth };
            assert_eq!(count, published, "{} (UTS-1)", sample.name);
            assert!((1000..=1 + sample.nodes / 1000).contains(&searchers), "{} {searchers} (UTS-2)", sample.name);
            assert!(deepest < 100, "{} nests {deepest} deep", sample.name);
        }
    }

    #[test]
    fn every_other_node_is_taken() {
        let parameters = Parameters::default();
        let root = TreeNode::root(&parameters);
        let all: Vec<TreeNode> = (0..5).map(|index| root.child(index, &parameters)).collect();
        let mut remaining = all.clone();
        assert_eq!(every_other(&mut remaining), [all[0], all[2], all[4]]);
        assert_eq!(remaining, [all[1], all[3]]);
    }
}
