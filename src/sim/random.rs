//! Random numbers that are the same in every run of a seed.

use fastrand::Rng;

/// Random numbers of one stream.
#[derive(Clone, Debug)]
pub struct Random(Rng);

/// Mixes two numbers into one.
pub fn mix(one: u64, other: u64) -> u64 {
    finish(one.rotate_left(23) ^ finish(other.wrapping_add(GOLDEN)))
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA'14).
fn finish(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl Random {
    /// The stream of that seed.
    pub fn new(seed: u64) -> Random {
        Random(Rng::with_seed(seed))
    }

    /// The stream of that seed for one purpose. Streams of different purposes are independent, so that one more draw
    /// for one of them leaves the others as they were.
    pub fn of(seed: u64, purpose: u64) -> Random {
        Random::new(mix(seed, purpose))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number below `limit`; 0 if `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.0.u64(..limit) }
    }

    /// An index into something of that length.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// True with this probability, in thousandths.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }

    /// Evenly from 0 up to 1, never 1.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// Exponentially distributed with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.fraction()).ln()
    }

    /// Pareto distributed with this mean: few are very large, the more so the nearer `shape` is to 1.
    pub fn pareto(&mut self, mean: f64, shape: f64) -> f64 {
        let least = mean * (shape - 1.0) / shape;
        least / (1.0 - self.fraction()).powf(1.0 / shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_purposes_differ() {
        let draw = |seed, purpose| {
            let mut random = Random::of(seed, purpose);
            [random.number(), random.number()]
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn numbers_stay_below_their_limit_and_reach_all_of_it() {
        let mut random = Random::new(1);
        let mut seen = [0u32; 7];
        (0..7_000).for_each(|_| seen[random.index(7)] += 1);
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn distributions_have_their_means() {
        let mut random = Random::new(3);
        let mean = |mut draw: Box<dyn FnMut() -> f64 + '_>| (0..100_000).map(|_| draw()).sum::<f64>() / 100_000.0;
        let exponential = mean(Box::new(|| random.exponential(5.0)));
        assert!((4.9..5.1).contains(&exponential), "{exponential}");
        let pareto = mean(Box::new(|| random.pareto(5.0, 2.5)));
        assert!((4.8..5.2).contains(&pareto), "{pareto}");
    }
}
