//! The nodes of a tree: the splittable generator, and how many children a node has.

use super::parameters::{Kind, Parameters, Shape};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::f64::consts::PI;

/// Most children of a node; only the root of a binomial tree may have more.
const CHILDREN_MAX: i32 = 100;

/// A node: its depth and the state that decides everything below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    state: [u8; 20],
    depth: u32,
}

impl TreeNode {
    /// The root of the tree with this seed: the hash of sixteen zero bytes and the seed, big-endian.
    pub fn root(parameters: &Parameters) -> TreeNode {
        let mut hash = Sha1::new();
        hash.update([0u8; 16]);
        hash.update(parameters.seed.to_be_bytes());
        TreeNode { state: hash.finalize().into(), depth: 0 }
    }

    /// Edges between the node and the root.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The child of this index: the hash of the parent's state and the index, big-endian.
    ///
    /// The benchmark repeats the hash `granularity` times to make nodes more expensive; the result is the same.
    pub fn child(&self, index: u32, parameters: &Parameters) -> TreeNode {
        let mut seed = [0u8; 24];
        seed[..20].copy_from_slice(&self.state);
        seed[20..].copy_from_slice(&index.to_be_bytes());
        let mut state = Sha1::digest(seed);
        for _ in 1..parameters.granularity {
            state = Sha1::digest(std::hint::black_box(seed));
        }
        TreeNode { state: state.into(), depth: self.depth + 1 }
    }

    /// How many children the node has.
    pub fn children(&self, parameters: &Parameters) -> u32 {
        let count = match parameters.kind {
            Kind::Binomial if self.depth == 0 => return parameters.root_children as u32,
            Kind::Balanced if self.depth < parameters.depth => return parameters.root_children as u32,
            Kind::Balanced => 0,
            Kind::Binomial => self.binomial(parameters),
            Kind::Hybrid if f64::from(self.depth) >= parameters.shift * f64::from(parameters.depth) => {
                self.binomial(parameters)
            }
            Kind::Geometric | Kind::Hybrid => self.geometric(parameters),
        };
        count.clamp(0, CHILDREN_MAX) as u32
    }

    /// All or nothing, with one probability everywhere below the root.
    fn binomial(&self, parameters: &Parameters) -> i32 {
        if self.probability() < parameters.inner_probability { parameters.inner_children as i32 } else { 0 }
    }

    /// The inverse of the geometric distribution whose mean the shape gives for this depth.
    fn geometric(&self, parameters: &Parameters) -> i32 {
        let mean = self.mean_children(parameters);
        let stop = 1.0 / (1.0 + mean);
        ((1.0 - self.probability()).ln() / (1.0 - stop).ln()).floor() as i32
    }

    /// The expected number of children at this depth.
    fn mean_children(&self, parameters: &Parameters) -> f64 {
        let root = parameters.root_children;
        let (depth, limit) = (f64::from(self.depth), f64::from(parameters.depth));
        if self.depth == 0 {
            return root;
        }
        match parameters.shape {
            Shape::Linear => root * (1.0 - depth / limit),
            Shape::Exponential => root * depth.powf(-root.ln() / limit.ln()),
            Shape::Cyclic if depth > 5.0 * limit => 0.0,
            Shape::Cyclic => root.powf((2.0 * PI * depth / limit).sin()),
            Shape::Fixed if depth < limit => root,
            Shape::Fixed => 0.0,
        }
    }

    /// A uniform number in `0..1`: the low 31 bits of the state's last four bytes.
    fn probability(&self) -> f64 {
        let [.., a, b, c, d] = self.state;
        f64::from(u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff) / 2_147_483_648.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_hash_of_its_seed() {
        // SHA-1 of twenty zero bytes.
        let root = TreeNode::root(&Parameters { seed: 0, ..Parameters::default() });
        let hex: String = root.state.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6768033e216468247bd031a0a2d9876d79818f8f");
    }

    #[test]
    fn children_differ_and_repeat() {
        let parameters = Parameters::default();
        let root = TreeNode::root(&parameters);
        assert_ne!(root.child(0, &parameters), root.child(1, &parameters));
        assert_eq!(root.child(3, &parameters), root.child(3, &Parameters { granularity: 5, ..parameters }));
        assert_eq!(root.child(0, &parameters).depth(), 1);
    }

    #[test]
    fn a_balanced_tree_is_balanced() {
        let parameters = Parameters { kind: Kind::Balanced, root_children: 3.0, depth: 2, ..Parameters::default() };
        let root = TreeNode::root(&parameters);
        let child = root.child(0, &parameters);
        assert_eq!(root.children(&parameters), 3);
        assert_eq!(child.children(&parameters), 3);
        assert_eq!(child.child(2, &parameters).children(&parameters), 0);
    }

    #[test]
    fn only_a_binomial_root_may_have_more_than_the_most() {
        let binomial = Parameters { kind: Kind::Binomial, root_children: 2000.0, ..Parameters::default() };
        assert_eq!(TreeNode::root(&binomial).children(&binomial), 2000);
        let many = Parameters { root_children: 1e9, shape: Shape::Fixed, ..Parameters::default() };
        assert_eq!(TreeNode::root(&many).children(&many), CHILDREN_MAX as u32);
    }
}
