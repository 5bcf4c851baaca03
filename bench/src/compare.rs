//! `compare A B`: what is slower or faster in the second file, and whether the noise of either explains it.

use crate::case::less_is_better;
use crate::failure::{Failure, Result};
use crate::results::{self, Line};
use crate::table::number;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `mobula-bench compare`.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Results before
    #[arg(value_name = "A")]
    before: PathBuf,
    /// Results after
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Changes of a median by no more percent than this are none
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    tolerance: f64,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The change is within the tolerance, or the samples of the two overlap.
    Same,
    /// Every sample after is better than every one before.
    Better,
    /// Every sample after is worse than every one before.
    Worse,
    /// A number is missing.
    Unknown,
    /// One of the two has a single sample, whose noise nobody knows.
    Single,
}

/// Compares; a regression makes it fail.
///
/// # Errors
/// `Failure::Results` for a file that cannot be read, `Failure::Usage` where the two have no case in common.
pub fn run(options: &Options) -> Result<ExitCode> {
    let (before, after) = (results::read(&options.before)?, results::read(&options.after)?);
    let pairs: Vec<(&Line, &Line)> =
        after.iter().filter_map(|line| Some((before.iter().find(|other| other.is_of_the_same(line))?, line))).collect();
    let Some((first, second)) = pairs.first() else {
        return Err(Failure::Usage("the two files have no case in common".to_string()));
    };
    println!("A: {} on {}, {}", first.commit, first.host, first.cpu);
    println!("B: {} on {}, {}", second.commit, second.host, second.cpu);
    if (&first.host, &first.cpu) != (&second.host, &second.cpu) {
        println!("these are different machines: ratios to a peer compare better than values");
    }
    print_row(["suite", "case", "unit", "A", "(min..max)", "B", "(min..max)", "B/A", "peer A", "peer B", ""]);
    let (mut worse, mut better) = (0, 0);
    for (a, b) in &pairs {
        let verdict = verdict(a, b, options.tolerance);
        worse += u32::from(verdict == Verdict::Worse);
        better += u32::from(verdict == Verdict::Better);
        print_pair(a, b, verdict);
    }
    println!("{} cases compared: {worse} worse, {better} better", pairs.len());
    let only = |some: &[Line], others: &[Line]| {
        some.iter().filter(|line| !others.iter().any(|other| other.is_of_the_same(line))).count()
    };
    let (gone, new) = (only(&before, &after), only(&after, &before));
    if gone + new > 0 {
        println!("only in A: {gone} cases; only in B: {new}");
    }
    Ok(if worse == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Worse is what has moved by more than the tolerance, and whose samples do not overlap: else the noise explains it.
fn verdict(before: &Line, after: &Line, tolerance: f64) -> Verdict {
    let numbers = |line: &Line| Some((line.min?, line.median?, line.max?));
    let (Some((a_min, a, a_max)), Some((b_min, b, b_max))) = (numbers(before), numbers(after)) else {
        return Verdict::Unknown;
    };
    if before.repeat < 2 || after.repeat < 2 {
        return Verdict::Single;
    }
    let apart = b_min > a_max || b_max < a_min;
    if !apart || (b - a).abs() <= a.abs() * tolerance / 100.0 {
        Verdict::Same
    } else if (b < a) == less_is_better(&after.unit) {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

fn print_pair(before: &Line, after: &Line, verdict: Verdict) {
    let shown = |value: Option<f64>| value.map_or("-".to_string(), number);
    let spread = |line: &Line| format!("({}..{})", shown(line.min), shown(line.max));
    let peer = |line: &Line| line.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio)));
    let change = before.median.zip(after.median).map(|(a, b)| b / a).filter(|change| change.is_finite());
    let verdict = match verdict {
        Verdict::Same => "",
        Verdict::Better => "better",
        Verdict::Worse => "WORSE",
        Verdict::Unknown => "not measured",
        Verdict::Single => "one sample",
    };
    print_row([
        &after.suite,
        &after.case,
        &after.unit,
        &shown(before.median),
        &spread(before),
        &shown(after.median),
        &spread(after),
        &shown(change),
        &peer(before),
        &peer(after),
        verdict,
    ]);
}

fn print_row(columns: [&str; 11]) {
    let [suite, case, unit, a, a_spread, b, b_spread, change, a_peer, b_peer, verdict] = columns;
    let line = format!(
        "{suite:<10} {case:<46} {unit:<9} {a:>7} {a_spread:<18} {b:>7} {b_spread:<18} {change:>6} {a_peer:>7} {b_peer:>7} \
         {verdict}"
    );
    println!("{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::line;

    /// A result of this unit with these three samples.
    fn of(unit: &str, min: f64, median: f64, max: f64) -> Line {
        let numbers = line("a", median);
        Line { unit: unit.to_string(), min: Some(min), max: Some(max), ..numbers }
    }

    #[test]
    fn what_the_noise_explains_is_no_change() {
        let before = of("us", 1.0, 1.5, 2.0);
        assert_eq!(verdict(&before, &of("us", 1.9, 2.5, 3.0), 5.0), Verdict::Same, "the samples overlap");
        assert_eq!(verdict(&of("us", 1.0, 1.0, 1.0), &of("us", 1.03, 1.04, 1.05), 5.0), Verdict::Same, "too little");
    }

    #[test]
    fn times_get_worse_upwards_and_rates_downwards() {
        let (low, high) = ((1.0, 1.1, 1.2), (2.0, 2.1, 2.2));
        let both = |unit: &str| (of(unit, low.0, low.1, low.2), of(unit, high.0, high.1, high.2));
        let (fast, slow) = both("us");
        assert_eq!((verdict(&fast, &slow, 5.0), verdict(&slow, &fast, 5.0)), (Verdict::Worse, Verdict::Better));
        let (few, many) = both("M/s");
        assert_eq!((verdict(&few, &many, 5.0), verdict(&many, &few, 5.0)), (Verdict::Better, Verdict::Worse));
    }

    #[test]
    fn a_single_sample_has_no_noise_to_judge_by() {
        let single = Line { repeat: 1, ..of("us", 1.0, 1.0, 1.0) };
        assert_eq!(verdict(&single, &of("us", 9.0, 9.0, 9.0), 5.0), Verdict::Single);
    }

    #[test]
    fn a_missing_number_is_no_verdict() {
        let missing = Line { median: None, ..line("a", 1.0) };
        assert_eq!(verdict(&missing, &line("a", 1.0), 5.0), Verdict::Unknown);
    }
}
