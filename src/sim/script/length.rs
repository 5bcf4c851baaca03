//! How long simulated tasks compute.

use crate::sim::random::Random;
use serde::{Deserialize, Serialize};

/// How long tasks of a kind compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Length {
    /// All alike.
    Even {
        /// Nanoseconds.
        mean_ns: u64,
    },
    /// Pareto distributed, a few very long: the longest is bounded.
    Heavy {
        /// Nanoseconds, on average but for the bound.
        mean_ns: u64,
        /// The most.
        most_ns: u64,
    },
}

/// The exponent of the heavy tail: below 2, so that its variance has no bound of its own.
const TAIL: f64 = 1.5;

impl Length {
    /// How long the task of that seed computes.
    pub fn compute_ns(self, seed: u64) -> u64 {
        match self {
            Length::Even { mean_ns } => mean_ns,
            Length::Heavy { mean_ns, most_ns } => {
                (Random::of(seed, 0x6c65_6166).pareto(mean_ns as f64, TAIL) as u64).min(most_ns)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_tail_has_its_mean_and_a_few_long_tasks() {
        let length = Length::Heavy { mean_ns: 1_000, most_ns: 1_000_000 };
        let burns: Vec<u64> = (0..100_000).map(|seed| length.compute_ns(seed)).collect();
        let mean = burns.iter().sum::<u64>() / 100_000;
        assert!((900..1_050).contains(&mean), "{mean}");
        assert!(burns.iter().any(|burn| *burn > 200_000) && burns.iter().all(|burn| *burn <= 1_000_000));
        assert_eq!(length.compute_ns(5), length.compute_ns(5));
    }
}
