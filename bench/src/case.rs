//! The description of a measurement: a case, its peer, and its bar. Plain tables; nothing here runs.

use crate::failure::Result;
use std::fmt;
use std::rc::Rc;

/// How much work a sample does.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Samples of each case.
    pub repeat: u32,
    /// True if samples are a tenth as long.
    pub quick: bool,
    /// The seed of random choices.
    pub seed: u64,
}

impl Run {
    /// Rounds of a sample, given those of a full one.
    pub fn rounds(&self, full: u32) -> u32 {
        if self.quick { (full / 10).max(1) } else { full }
    }
}

/// Takes one sample: sets up, warms up, measures, checks the answers; returns the number in the case's unit.
pub type Sample = Rc<dyn Fn(&Run) -> Result<f64>>;

/// The alternative to mobula that a case is compared with.
#[derive(Clone)]
pub struct Peer {
    /// Its name in tables.
    pub name: String,
    /// Takes one sample of it, in the unit of its case.
    pub sample: Sample,
}

/// The requirement on a case, in its own unit or as a ratio to its peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// None was set.
    Open,
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// At most this many times the peer's.
    RatioAtMost(f64),
    /// At least this part of the peer's.
    RatioAtLeast(f64),
}

/// The outcome of comparing a case with its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarStatus {
    /// There is no bar, or no peer to compare with.
    Open,
    /// It is met.
    Met,
    /// It is not.
    Missed,
}

impl Bar {
    /// Compares a median, and its ratio to the peer's if there is one, with the bar. A value that is not a number
    /// misses it.
    pub fn status(self, value: f64, ratio: Option<f64>) -> BarStatus {
        let met = match self {
            Bar::Open => None,
            Bar::AtMost(limit) => Some(value <= limit),
            Bar::AtLeast(limit) => Some(value >= limit),
            Bar::RatioAtMost(limit) => ratio.map(|ratio| ratio <= limit),
            Bar::RatioAtLeast(limit) => ratio.map(|ratio| ratio >= limit),
        };
        match met {
            None => BarStatus::Open,
            Some(true) => BarStatus::Met,
            Some(false) => BarStatus::Missed,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bar::Open => Ok(()),
            Bar::AtMost(limit) => write!(formatter, "<= {limit}"),
            Bar::AtLeast(limit) => write!(formatter, ">= {limit}"),
            Bar::RatioAtMost(limit) => write!(formatter, "<= {limit}x"),
            Bar::RatioAtLeast(limit) => write!(formatter, ">= {limit}x"),
        }
    }
}

/// One number that a suite reports.
#[derive(Clone)]
pub struct Case {
    /// Its name in tables and in results: it stays, so that results can be compared.
    pub name: String,
    /// The unit of its numbers.
    pub unit: &'static str,
    /// Takes one sample of ours.
    pub ours: Sample,
    /// The peer that it is compared with.
    pub peer: Option<Peer>,
    /// Its bar.
    pub bar: Bar,
    /// Ranks that it needs at least.
    pub ranks_min: u32,
    /// Samples that are taken of it at most: fewer than usual if one takes seconds.
    pub repeat_max: u32,
}

/// A case without peer or bar.
pub fn case(name: impl Into<String>, unit: &'static str, ours: impl Fn(&Run) -> Result<f64> + 'static) -> Case {
    let (ours, name) = (Rc::new(ours), name.into());
    Case { name, unit, ours, peer: None, bar: Bar::Open, ranks_min: 1, repeat_max: u32::MAX }
}

impl Case {
    /// The same, compared with a peer.
    pub fn peer(self, name: impl Into<String>, sample: impl Fn(&Run) -> Result<f64> + 'static) -> Case {
        Case { peer: Some(Peer { name: name.into(), sample: Rc::new(sample) }), ..self }
    }

    /// The same, with a bar.
    pub fn bar(self, bar: Bar) -> Case {
        Case { bar, ..self }
    }

    /// The same, for no fewer ranks than this.
    pub fn ranks(self, least: u32) -> Case {
        Case { ranks_min: least, ..self }
    }

    /// The same, with no more samples than this.
    pub fn repeat_at_most(self, most: u32) -> Case {
        Case { repeat_max: most, ..self }
    }
}

/// Returns true if less is better in this unit: a rate's ends with "a second", an efficiency's has its own name.
pub fn less_is_better(unit: &str) -> bool {
    !(unit.ends_with("/s") || unit == "x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_compared_with_the_value_or_the_ratio() {
        assert_eq!(Bar::AtMost(2.0).status(2.0, None), BarStatus::Met);
        assert_eq!(Bar::AtMost(2.0).status(2.1, Some(0.5)), BarStatus::Missed);
        assert_eq!(Bar::AtLeast(1.0).status(0.9, None), BarStatus::Missed);
        assert_eq!(Bar::RatioAtMost(2.0).status(1e9, Some(1.5)), BarStatus::Met);
        assert_eq!(Bar::RatioAtLeast(0.8).status(0.0, Some(0.79)), BarStatus::Missed);
        assert_eq!(Bar::Open.status(1.0, Some(1.0)), BarStatus::Open);
    }

    #[test]
    fn without_a_peer_a_ratio_is_neither_met_nor_missed() {
        assert_eq!(Bar::RatioAtMost(2.0).status(1.0, None), BarStatus::Open);
    }

    #[test]
    fn a_value_that_is_not_a_number_misses_its_bar() {
        assert_eq!(Bar::AtMost(2.0).status(f64::NAN, None), BarStatus::Missed);
        assert_eq!(Bar::AtLeast(2.0).status(f64::NAN, None), BarStatus::Missed);
    }

    #[test]
    fn a_quick_run_does_at_least_one_round() {
        let quick = Run { repeat: 1, quick: true, seed: 0 };
        assert_eq!((quick.rounds(1000), quick.rounds(3)), (100, 1));
    }

    #[test]
    fn times_and_bytes_are_better_small_and_rates_big() {
        assert!(["us", "ms", "us a task", "bytes", "% CPU"].into_iter().all(less_is_better));
        assert!(!["M/s", "GB/s", "GiB/s", "1/s", "x"].into_iter().any(less_is_better));
    }
}
