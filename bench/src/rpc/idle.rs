//! The cost of an idle rank.

use crate::case::Run;
use crate::failure::{Failure, Result};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How long the cluster is idle.
const IDLE_TIME: Duration = Duration::from_secs(2);

/// Ticks of the kernel's accounting a second, as Linux shows them to every program.
const TICKS_A_SECOND: f64 = 100.0;

/// The kernel's statistics of the process that runs this.
#[mobula::remote]
fn stat() -> String {
    fs::read_to_string("/proc/self/stat").unwrap_or_default()
}

/// Percent of a core that a rank uses over two seconds.
pub fn percent<const RANK: u32>(_: &Run) -> Result<f64> {
    let before = ticks_of(RANK)?;
    let start = Instant::now();
    thread::sleep(IDLE_TIME);
    let used = ticks_of(RANK)?.saturating_sub(before);
    Ok(100.0 * used as f64 / TICKS_A_SECOND / start.elapsed().as_secs_f64())
}

/// Processor time of a rank so far.
fn ticks_of(rank: u32) -> Result<u64> {
    let stat = stat::on(rank).remote().get()?;
    ticks(&stat).ok_or_else(|| Failure::Wrong(format!("/proc/self/stat of rank {rank} reads `{}`", stat.trim())))
}

/// `utime` and `stime`: fields 14 and 15 of proc(5). Field 2 is a name that may hold anything, in parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_after_a_name_that_may_hold_anything() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 37 5 0 0 20 0 4 0 1000 1 1 18446744073709551615";
        assert_eq!(ticks(line), Some(42));
        assert_eq!(ticks("42 (short) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn this_process_has_ticks() {
        assert!(ticks(&fs::read_to_string("/proc/self/stat").unwrap()).is_some());
    }
}
