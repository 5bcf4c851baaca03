//! Sampling: ours and the peer's in turn, and their summary.

use crate::case::{Case, Run, Sample};
use crate::failure::Result;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Samples in three numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The least.
    pub min: f64,
    /// The one in the middle; of an even number, the mean of the two there.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Summary {
    /// Of one sample or more.
    fn of(mut samples: Vec<f64>) -> Summary {
        assert!(!samples.is_empty(), "a case is sampled at least once");
        samples.sort_by(f64::total_cmp);
        let (low, high) = (samples[(samples.len() - 1) / 2], samples[samples.len() / 2]);
        Summary { min: samples[0], median: (low + high) / 2.0, max: samples[samples.len() - 1] }
    }
}

/// The samples of a case.
pub struct Outcome {
    /// Our samples, or the first failure among them.
    pub ours: Result<Summary>,
    /// The peer's, where the case has one.
    pub peer: Option<Result<Summary>>,
    /// Ours over the peer's: the median of the ratios of each round, not the ratio of the medians. On a virtual machine
    /// whose cores move closer and further apart a round trip has two values, and two medians may fall on one of each.
    pub ratio: Option<f64>,
}

/// Samples a case and its peer in turn, so that a machine that changes its pace changes it for both. The order
/// alternates too: the second finds caches and clocks as the first left them.
pub fn alternate(case: &Case, run: &Run) -> Outcome {
    let samples = [Some(&case.ours), case.peer.as_ref().map(|peer| &peer.sample)];
    let mut series: Vec<Series<'_>> = samples.into_iter().flatten().map(Series::new).collect();
    let count = series.len();
    for round in 0..run.repeat as usize {
        for turn in 0..count {
            series[(round + turn) % count].take(run);
        }
    }
    let mut series = series.into_iter().map(|side| side.taken);
    let (ours, peer) = (series.next().expect("ours are always sampled"), series.next());
    let ratio = match (&ours, &peer) {
        (Ok(ours), Some(Ok(peer))) => {
            Some(Summary::of(ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect()).median)
        }
        _ => None,
    };
    Outcome { ours: ours.map(Summary::of), peer: peer.map(|samples| samples.map(Summary::of)), ratio }
}

/// The samples of one side.
struct Series<'a> {
    sample: &'a Sample,
    taken: Result<Vec<f64>>,
}

impl Series<'_> {
    fn new(sample: &Sample) -> Series<'_> {
        Series { sample, taken: Ok(Vec::new()) }
    }

    /// Takes one more; after the first failure none is taken.
    fn take(&mut self, run: &Run) {
        if let Ok(values) = &mut self.taken {
            match (self.sample)(run) {
                Ok(value) => values.push(value),
                Err(failure) => self.taken = Err(failure),
            }
        }
    }
}

/// Microseconds of one of `count` calls, after a tenth as many to warm up. The result of a call is dropped within its
/// time.
///
/// # Errors
/// The first of `call`'s.
pub fn us_each<T>(count: u32, mut call: impl FnMut() -> Result<T>) -> Result<f64> {
    for _ in 0..count.div_ceil(10) {
        black_box(call()?);
    }
    let start = Instant::now();
    for _ in 0..count {
        black_box(call()?);
    }
    Ok(us(start.elapsed()) / f64::from(count))
}

/// A time in microseconds.
pub fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A time in milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::case;
    use crate::failure::Failure;
    use std::sync::Mutex;

    static TURNS: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    fn take(side: &'static str, value: f64) -> Result<f64> {
        TURNS.lock().unwrap().push(side);
        Ok(value)
    }

    #[test]
    fn turns_alternate_and_so_does_the_first() {
        let case = case("turns", "us", |_| take("ours", 3.0)).peer("other", |_| take("peer", 2.0));
        let outcome = alternate(&case, &Run { repeat: 3, quick: false, seed: 0 });
        assert_eq!(*TURNS.lock().unwrap(), ["ours", "peer", "peer", "ours", "ours", "peer"]);
        assert_eq!(outcome.ratio, Some(1.5));
    }

    #[test]
    fn the_ratio_is_that_of_a_round_not_of_the_medians() {
        static OURS: Mutex<Vec<f64>> = Mutex::new(Vec::new());
        static PEER: Mutex<Vec<f64>> = Mutex::new(Vec::new());
        // The machine slowed down after two rounds of ours and one of the peer's.
        OURS.lock().unwrap().extend([20.0, 2.0, 2.0]);
        PEER.lock().unwrap().extend([10.0, 10.0, 1.0]);
        let case = case("paced", "us", |_| Ok(OURS.lock().unwrap().pop().unwrap()))
            .peer("other", |_| Ok(PEER.lock().unwrap().pop().unwrap()));
        let outcome = alternate(&case, &Run { repeat: 3, quick: false, seed: 0 });
        assert_eq!(outcome.ours.unwrap().median / outcome.peer.unwrap().unwrap().median, 0.2);
        assert_eq!(outcome.ratio, Some(2.0));
    }

    #[test]
    fn the_middle_of_a_few() {
        assert_eq!(Summary::of(vec![3.0, 1.0, 2.0]), Summary { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Summary::of(vec![4.0, 1.0]), Summary { min: 1.0, median: 2.5, max: 4.0 });
        assert_eq!(Summary::of(vec![7.0]), Summary { min: 7.0, median: 7.0, max: 7.0 });
    }

    #[test]
    fn a_failed_peer_leaves_our_summary() {
        let case = case("alone", "us", |_| Ok(1.0)).peer("missing", |_| Err(Failure::Usage("not here".to_string())));
        let outcome = alternate(&case, &Run { repeat: 2, quick: false, seed: 0 });
        assert_eq!(outcome.ours.as_ref().unwrap().median, 1.0);
        assert!(matches!(outcome.peer, Some(Err(_))));
        assert_eq!(outcome.ratio, None);
    }

    #[test]
    fn a_tenth_of_the_calls_warm_up() {
        let mut calls = 0;
        us_each(25, || {
            calls += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(calls, 25 + 3);
    }
}
