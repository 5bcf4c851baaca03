//! `compare A B`: which cases are slower or faster in the second file, and whether the noise of either explains it.

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
    /// Changes of a median by no more percent than this are ignored
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    tolerance: f64,
}

/// How a case changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The change is within the tolerance, or the samples of the two overlap.
    Same,
    /// Every sample after is better than every one before.
    Better,
    /// Every sample after is worse than every one before.
    Worse,
    /// A number is missing.
    Unknown,
    /// One of the two has a single sample, whose noise is unknown.
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
    for (name, lines) in [("A", &before), ("B", &after)] {
        if lines.iter().any(|line| line.quiet == Some(false)) {
            println!("something else ran on the machine of {name} while some of it was measured: NOT QUIET");
        }
    }
    print_row(["suite", "case", "unit", "A", "(min..max)", "B", "(min..max)", "B/A", "peer A", "peer B", ""]);
    let (mut worse, mut better) = (0, 0);
    for (a, b) in &pairs {
        let change = classify(a, b, options.tolerance);
        worse += u32::from(change == Change::Worse);
        better += u32::from(change == Change::Better);
        print_pair(a, b, change);
    }
    println!("{} cases compared: {worse} worse, {better} better", pairs.len());
    let only = |some: &[Line], others: &[Line]| {
        some.iter().filter(|line| !others.iter().any(|other| other.is_of_the_same(line))).count()
    };
    let (removed, added) = (only(&before, &after), only(&after, &before));
    if removed + added > 0 {
        println!("only in A: {removed} cases; only in B: {added}");
    }
    Ok(if worse == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Worse is a median that moved by more than the tolerance and whose samples do not overlap: else the noise explains
/// it.
fn classify(before: &Line, after: &Line, tolerance: f64) -> Change {
    let numbers = |line: &Line| Some((line.min?, line.median?, line.max?));
    let (Some((a_min, a, a_max)), Some((b_min, b, b_max))) = (numbers(before), numbers(after)) else {
        return Change::Unknown;
    };
    if before.repeat < 2 || after.repeat < 2 {
        return Change::Single;
    }
    let apart = b_min > a_max || b_max < a_min;
    if !apart || (b - a).abs() <= a.abs() * tolerance / 100.0 {
        Change::Same
    } else if (b < a) == less_is_better(&after.unit) {
        Change::Better
    } else {
        Change::Worse
    }
}

fn print_pair(before: &Line, after: &Line, change: Change) {
    let shown = |value: Option<f64>| value.map_or("-".to_string(), number);
    let spread = |line: &Line| format!("({}..{})", shown(line.min), shown(line.max));
    let peer = |line: &Line| line.ratio.map_or(String::new(), |ratio| format!("{}x", number(ratio)));
    let factor = before.median.zip(after.median).map(|(a, b)| b / a).filter(|factor| factor.is_finite());
    let change_text = match change {
        Change::Same => "",
        Change::Better => "better",
        Change::Worse => "WORSE",
        Change::Unknown => "not measured",
        Change::Single => "one sample",
    };
    print_row([
        &after.suite,
        &after.case,
        &after.unit,
        &shown(before.median),
        &spread(before),
        &shown(after.median),
        &spread(after),
        &shown(factor),
        &peer(before),
        &peer(after),
        change_text,
    ]);
}

fn print_row(columns: [&str; 11]) {
    let [suite, case, unit, a, a_spread, b, b_spread, change, a_peer, b_peer, text] = columns;
    let line = format!(
        "{suite:<10} {case:<46} {unit:<9} {a:>7} {a_spread:<18} {b:>7} {b_spread:<18} {change:>6} {a_peer:>7} \
         {b_peer:>7} \
         {text}"
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
    fn a_change_within_the_noise_is_none() {
        let before = of("us", 1.0, 1.5, 2.0);
        assert_eq!(classify(&before, &of("us", 1.9, 2.5, 3.0), 5.0), Change::Same, "the samples overlap");
        assert_eq!(classify(&of("us", 1.0, 1.0, 1.0), &of("us", 1.03, 1.04, 1.05), 5.0), Change::Same, "too little");
    }

    #[test]
    fn times_get_worse_upwards_and_rates_downwards() {
        let (low, high) = ((1.0, 1.1, 1.2), (2.0, 2.1, 2.2));
        let both = |unit: &str| (of(unit, low.0, low.1, low.2), of(unit, high.0, high.1, high.2));
        let (fast, slow) = both("us");
        assert_eq!((classify(&fast, &slow, 5.0), classify(&slow, &fast, 5.0)), (Change::Worse, Change::Better));
        let (few, many) = both("M/s");
        assert_eq!((classify(&few, &many, 5.0), classify(&many, &few, 5.0)), (Change::Better, Change::Worse));
    }

    #[test]
    fn a_single_sample_has_no_known_noise() {
        let single = Line { repeat: 1, ..of("us", 1.0, 1.0, 1.0) };
        assert_eq!(classify(&single, &of("us", 9.0, 9.0, 9.0), 5.0), Change::Single);
    }

    #[test]
    fn a_missing_number_is_unknown() {
        let missing = Line { median: None, ..line("a", 1.0) };
        assert_eq!(classify(&missing, &line("a", 1.0), 5.0), Change::Unknown);
    }
}
