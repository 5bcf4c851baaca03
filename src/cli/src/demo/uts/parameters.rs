//! The parameters of a tree: the benchmark's own, its sample trees, and their published sizes.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The family that a tree belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Kind {
    /// Below the root, `m` children with probability `q`, else none: deep and narrow, the same odds everywhere.
    #[value(name = "0")]
    Binomial,
    /// Geometrically many children, with a mean that depends on the depth.
    #[value(name = "1")]
    Geometric,
    /// Geometric near the root, binomial below.
    #[value(name = "2")]
    Hybrid,
    /// Every node the same, down to the depth.
    #[value(name = "3")]
    Balanced,
}

/// How the mean number of children of a geometric tree goes with depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Shape {
    /// Falls linearly to zero at the depth limit.
    #[value(name = "0")]
    Linear,
    /// Falls so that the expected size is polynomial in the depth.
    #[value(name = "1")]
    Exponential,
    /// Swings with the depth, five times.
    #[value(name = "2")]
    Cyclic,
    /// The same down to the depth limit.
    #[value(name = "3")]
    Fixed,
}

/// Everything that decides a tree, with the benchmark's letters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// `-t`: the family.
    pub kind: Kind,
    /// `-b`: children of the root, or their mean.
    pub root_children: f64,
    /// `-r`: the seed.
    pub seed: u32,
    /// `-m`: children of an inner binomial node.
    pub inner_children: u32,
    /// `-q`: probability that a binomial node is an inner one.
    pub inner_probability: f64,
    /// `-d`: depth limit of a geometric or balanced tree.
    pub depth: u32,
    /// `-a`: shape of a geometric tree.
    pub shape: Shape,
    /// `-f`: part of the depth at which a hybrid tree turns binomial.
    pub shift: f64,
    /// `-g`: hashes a node.
    pub granularity: u32,
}

impl Default for Parameters {
    /// What the benchmark takes where a flag is missing.
    fn default() -> Self {
        Parameters {
            kind: Kind::Geometric,
            root_children: 4.0,
            seed: 0,
            inner_children: 4,
            inner_probability: 15.0 / 64.0,
            depth: 6,
            shape: Shape::Linear,
            shift: 0.5,
            granularity: 1,
        }
    }
}

impl fmt::Display for Parameters {
    /// The flags that matter for this kind of tree, as the benchmark takes them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let geometric = matches!(self.kind, Kind::Geometric | Kind::Hybrid);
        let binomial = matches!(self.kind, Kind::Binomial | Kind::Hybrid);
        write!(formatter, "-t {} -b {} -r {}", self.kind as u8, self.root_children, self.seed)?;
        if geometric {
            write!(formatter, " -a {}", self.shape as u8)?;
        }
        if self.kind != Kind::Binomial {
            write!(formatter, " -d {}", self.depth)?;
        }
        if binomial {
            write!(formatter, " -q {} -m {}", self.inner_probability, self.inner_children)?;
        }
        if self.kind == Kind::Hybrid {
            write!(formatter, " -f {}", self.shift)?;
        }
        if self.granularity != 1 {
            write!(formatter, " -g {}", self.granularity)?;
        }
        Ok(())
    }
}

/// A tree that the benchmark's authors published.
pub struct Sample {
    /// Its published name.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: Parameters,
    /// Its published number of nodes.
    pub nodes: u64,
    /// Its published number of leaves.
    pub leaves: u64,
    /// Its published depth.
    pub depth: u32,
}

/// The sample trees of four million nodes, and those of a hundred million.
pub fn samples() -> Vec<Sample> {
    let base = Parameters::default();
    let geometric = |shape, depth, root_children, seed| Parameters { shape, depth, root_children, seed, ..base };
    let binomial = |inner_probability, inner_children, seed| Parameters {
        kind: Kind::Binomial,
        root_children: 2000.0,
        inner_probability,
        inner_children,
        seed,
        ..base
    };
    let hybrid = Parameters { kind: Kind::Hybrid, depth: 16, root_children: 6.0, seed: 1, ..base };
    let sample = |name, parameters, nodes, leaves, depth| Sample { name, parameters, nodes, leaves, depth };
    vec![
        sample("T1", geometric(Shape::Fixed, 10, 4.0, 19), 4_130_071, 3_305_118, 10),
        sample("T2", geometric(Shape::Cyclic, 16, 6.0, 502), 4_117_769, 2_342_762, 81),
        sample("T3", binomial(0.124875, 8, 42), 4_112_897, 3_599_034, 1572),
        sample("T4", hybrid, 4_132_453, 3_108_986, 134),
        sample("T5", geometric(Shape::Linear, 20, 4.0, 34), 4_147_582, 2_181_318, 20),
        sample("T1L", geometric(Shape::Fixed, 13, 4.0, 29), 102_181_082, 81_746_377, 13),
        sample("T2L", geometric(Shape::Cyclic, 23, 7.0, 220), 96_793_510, 53_791_152, 67),
        sample("T3L", binomial(0.200014, 5, 7), 111_345_631, 89_076_904, 17_844),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_print_as_published() {
        let printed: Vec<String> = samples()[..5].iter().map(|sample| sample.parameters.to_string()).collect();
        assert_eq!(
            printed,
            [
                "-t 1 -b 4 -r 19 -a 3 -d 10",
                "-t 1 -b 6 -r 502 -a 2 -d 16",
                "-t 0 -b 2000 -r 42 -q 0.124875 -m 8",
                "-t 2 -b 6 -r 1 -a 0 -d 16 -q 0.234375 -m 4 -f 0.5",
                "-t 1 -b 4 -r 34 -a 0 -d 20",
            ]
        );
    }

    #[test]
    fn letters_are_the_benchmark_s() {
        assert_eq!(Kind::from_str("2", false), Ok(Kind::Hybrid));
        assert_eq!(Shape::from_str("3", false), Ok(Shape::Fixed));
        assert!(Kind::from_str("4", false).is_err() && Shape::from_str("linear", false).is_err());
    }
}
