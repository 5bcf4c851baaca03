//! When a searcher gives nodes away, and which: the rule, without the tasks.

use super::parameters::Parameters;
use super::sequential::Count;
use super::tree::Node;
use serde::{Deserialize, Serialize};

/// What every task of a search knows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Search {
    /// The tree.
    pub parameters: Parameters,
    /// Nodes that a searcher visits before it gives some away.
    pub grain: u32,
}

/// Visits everything below `nodes`, except what it gives away: after every `grain` nodes, every other one of those waiting.
///
/// Both halves then hold nodes from near the root, whose subtrees are large, and from far below. Giving away the upper half
/// would hand over nearly all that is left, and gifts would nest a thousand deep in any tree; so they nest about as deep as
/// halving goes.
pub fn walk(search: &Search, nodes: Vec<Node>, mut give: impl FnMut(Vec<Node>)) -> Count {
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
fn every_other(nodes: &mut Vec<Node>) -> Vec<Node> {
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

    /// Follows every gift at once; how many searchers there were, and how deep they nested.
    fn follow(search: &Search, nodes: Vec<Node>, level: u32, count: &mut Count) -> (u64, u32) {
        let mut gifts = Vec::new();
        count.add(walk(search, nodes, |gift| gifts.push(gift)));
        gifts.into_iter().rev().fold((1, level), |(searchers, deepest), gift| {
            let (more, deeper) = follow(search, gift, level + 1, count);
            (searchers + more, deepest.max(deeper))
        })
    }

    #[test]
    fn nothing_is_lost_and_nesting_is_shallow() {
        for sample in samples().iter().filter(|sample| sample.nodes < 5_000_000) {
            let search = Search { parameters: sample.parameters, grain: 1000 };
            let mut count = Count::default();
            let (searchers, deepest) = follow(&search, vec![Node::root(&sample.parameters)], 0, &mut count);
            let published = Count { nodes: sample.nodes, leaves: sample.leaves, depth: sample.depth };
            assert_eq!(count, published, "{} (U1)", sample.name);
            assert!((1000..=1 + sample.nodes / 1000).contains(&searchers), "{} {searchers} (U2)", sample.name);
            assert!(deepest < 100, "{} nests {deepest} deep", sample.name);
        }
    }

    #[test]
    fn every_other_node_is_taken() {
        let parameters = Parameters::default();
        let root = Node::root(&parameters);
        let all: Vec<Node> = (0..5).map(|index| root.child(index, &parameters)).collect();
        let mut kept = all.clone();
        assert_eq!(every_other(&mut kept), [all[0], all[2], all[4]]);
        assert_eq!(kept, [all[1], all[3]]);
    }
}
