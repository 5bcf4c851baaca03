//! A search of a tree of unknown shape (after UTS, Olivier et al., LCPC 2006): tasks submit tasks, which are stolen.
//!
//! A node is a number, and its subtree depends on that number alone; so a task that runs twice counts the same nodes.

use crate::Outcome;

/// Children of the root; children of an inner node; how many of 1000 nodes are inner. The expected size of a subtree is
/// 1 / (1 - 4 * 0.247), about 80 nodes; some are a hundred times as large.
const ROOT_CHILDREN: u64 = 3000;
const CHILDREN: u64 = 4;
const INNER_OF_1000: u64 = 247;

/// Hash steps for a node: a microsecond.
const STEPS: u32 = 500;

/// Nodes that a task visits before it submits half of its remaining nodes.
const GRAIN: usize = 64;

/// `STEPS` steps of splitmix64 (Steele et al., OOPSLA 2014).
fn mixed(mut node: u64) -> u64 {
    for _ in 0..STEPS {
        node = node.wrapping_add(0x9e37_79b9_7f4a_7c15);
        node = (node ^ (node >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        node = (node ^ (node >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        node ^= node >> 31;
    }
    node
}

fn children(node: u64) -> impl Iterator<Item = u64> {
    let mixed = mixed(node);
    let count = if mixed % 1000 < INNER_OF_1000 { CHILDREN } else { 0 };
    (0..count).map(move |child| mixed.wrapping_add(child + 1))
}

/// The number of nodes in these subtrees, their roots included.
#[mobula::remote]
fn explore(mut nodes: Vec<u64>) -> mobula::Result<u64> {
    let (mut count, mut submitted) = (0, Vec::new());
    while let Some(node) = nodes.pop() {
        count += 1;
        nodes.extend(children(node));
        if (count as usize).is_multiple_of(GRAIN) && nodes.len() > 1 {
            submitted.push(explore::remote(nodes.split_off(nodes.len() / 2)));
        }
    }
    while let Some(part) = submitted.pop() {
        count += *part.get()?;
    }
    Ok(count)
}

fn counted(mut nodes: Vec<u64>) -> u64 {
    let mut count = 0;
    while let Some(node) = nodes.pop() {
        count += 1;
        nodes.extend(children(node));
    }
    count
}

pub fn run() -> Outcome {
    let roots: Vec<u64> = (0..ROOT_CHILDREN).map(|child| child.wrapping_mul(0x2545_f491_4f6c_dd1d)).collect();
    let parts: Vec<_> = roots.chunks(50).map(|part| explore::remote(part.to_vec())).collect();
    let mut count = 0;
    for part in &parts {
        count += *part.get().map_err(|error| error.to_string())?;
    }
    let expected = counted(roots);
    if count == expected { Ok(format!("{count} nodes")) } else { Err(format!("{count} nodes instead of {expected}")) }
}
