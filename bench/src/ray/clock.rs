//! Ray's way of counting: how often an action fits into a fixed time.

use crate::case::Run;
use crate::failure::Result;
use std::time::{Duration, Instant};

/// How long a sample takes at least, and a quick one.
const FULL: Duration = Duration::from_millis(300);
const QUICK: Duration = Duration::from_millis(20);

/// How often a second `act` runs, each time counting for `multiplier`.
///
/// # Errors
/// The first of `act`'s.
pub fn rate(run: &Run, multiplier: f64, mut act: impl FnMut() -> Result<()>) -> Result<f64> {
    act()?;
    let least = if run.quick { QUICK } else { FULL };
    let (start, mut count) = (Instant::now(), 0u64);
    // The clock is read ever less often, so that its cost does not count.
    let mut chunk = 1;
    loop {
        for _ in 0..chunk {
            act()?;
        }
        count += chunk;
        let time = start.elapsed();
        if time >= least {
            return Ok(count as f64 * multiplier / time.as_secs_f64());
        }
        if time < least / 16 {
            chunk *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_counts() {
        let mut acts = 0;
        let run = Run { repeat: 1, quick: true, seed: 0 };
        let rate = rate(&run, 10.0, || {
            acts += 1;
            std::thread::sleep(Duration::from_millis(1));
            Ok(())
        });
        assert!(acts > 1 && (1.0..10_000.0).contains(&rate.unwrap()), "at most ten times a thousand");
    }
}
