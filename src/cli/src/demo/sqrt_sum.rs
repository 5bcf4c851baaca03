//! Sums of squares, in sequence and as tasks: shows that equal work takes less time.

use super::progress;
use crate::failure::{Result, check};
use std::hint::black_box;
use std::time::Instant;

/// Options of `mobula demo sqrt-sum`.
#[derive(clap::Args)]
pub struct Options {
    /// How often the sum is taken
    #[arg(long, default_value_t = 12)]
    repetitions: usize,
    /// Upper end of the range, itself left out
    #[arg(long, default_value_t = 10_000_000)]
    end: u64,
}

/// The root of the sum of `x * x` for `x` from `begin` to `end`, `end` left out.
///
/// The squares to ten million add up to 3.3e20, more than fits in 64 bits. The range is hidden from the optimiser,
/// which would otherwise replace the work by the closed formula.
#[mobula::remote]
fn sqrt_sum(begin: u64, end: u64) -> f64 {
    let sum: u128 = (begin..end).map(|x| u128::from(black_box(x)) * u128::from(x)).sum();
    (sum as f64).sqrt()
}

/// The same by the closed formula `n (n + 1) (2 n + 1) / 6`, for a range from 1.
fn expected(end: u64) -> f64 {
    let n = u128::from(end.saturating_sub(1));
    ((n * (n + 1) * (2 * n + 1) / 6) as f64).sqrt()
}

/// Takes the sums in sequence, then as tasks, and checks them all.
///
/// # Errors
/// `CommandError::Check` for a wrong sum, and errors of the runtime.
pub fn run(options: &Options) -> Result<()> {
    let right = expected(options.end);
    let judge = |value: f64| check(value == right, || format!("{value:.2} where {right:.2} is right"));

    let bar = progress::bar(options.repetitions as u64, "in sequence");
    let start = Instant::now();
    let serial: Vec<f64> = (0..options.repetitions)
        .map(|_| {
            let value = sqrt_sum(1, options.end);
            bar.inc(1);
            value
        })
        .collect();
    let serial_time = start.elapsed();
    bar.finish_and_clear();
    for value in serial {
        println!("local value: {value:.2}");
        judge(value)?;
    }
    println!("time in sequence: {:.3} s", serial_time.as_secs_f64());

    let start = Instant::now();
    let refs: Vec<_> = (0..options.repetitions).map(|_| sqrt_sum::remote(1, options.end)).collect();
    let parallel = mobula::get_all(&refs)?;
    let parallel_time = start.elapsed();
    for value in parallel {
        println!("remote task's value: {:.2}", *value);
        judge(*value)?;
    }
    println!(
        "time as tasks: {:.3} s, {:.2} times as fast",
        parallel_time.as_secs_f64(),
        serial_time.as_secs_f64() / parallel_time.as_secs_f64()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_start_s_value() {
        assert_eq!(format!("{:.2}", expected(10_000_000)), "18257417214.20");
        assert_eq!(sqrt_sum(1, 1000), expected(1000));
        assert_eq!(sqrt_sum(1, 1), 0.0);
    }
}
