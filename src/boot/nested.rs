//! Programs that a rank starts: they inherit the variables by which the launcher numbered the rank, and are no ranks.
//!
//! A rank leaves a mark in its environment when it joins the others: its process, its launcher's process, and a
//! digest of each variable that numbers it. A program whose variables are still those of the mark, in another process
//! and below no other launcher, was started by the rank, directly or through shells and other programs. What runs
//! before the rank joins (`sh -c 'exec ./app'`, `numactl`) bears no mark. A launcher that a task starts gives its ranks
//! other variables.
#![allow(unsafe_code)]

use super::launcher::environment;
use super::launcher_process::launcher_process;
use crate::base::Config;
use crate::base::config::RANK_PROCESS;
use crate::base::process_stat::{ProcessStat, START_TIME};
use crate::transport::tcp::handshake::Secret;
use std::sync::Once;

/// The variables by which launchers number ranks and name jobs.
const VARIABLES: &[&str] = &[
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "PMIX_NAMESPACE",
    "PMIX_RANK",
    "PMIX_SERVER_URI41",
    "PMIX_SERVER_URI4",
    "PMIX_SERVER_URI2",
    "PMI_RANK",
    "PMI_SIZE",
    "SLURM_JOB_ID",
    "SLURM_STEP_ID",
    "SLURM_PROCID",
    "SLURM_STEP_NUM_TASKS",
];

/// Settings that number a rank: the meeting point, rank and size.
const CONFIGURED: usize = 3;

/// What stands for a variable that is not set.
const UNSET: &str = "-";

/// A rank as its launcher, or the user, numbered it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    pid: u32,
    /// When the process started: tells it from a later one of the same number.
    started: u64,
    /// The process of the nearest launcher, 0 where none is seen.
    launcher: u32,
    /// Digests of `VARIABLES`, and of the configured meeting point, rank and size.
    digests: Vec<String>,
}

/// The process of the rank that started this program, directly or not; `None` if this process may itself be a rank.
pub fn starting_rank(config: &Config) -> Option<u32> {
    let mark = Mark::decode(&environment(RANK_PROCESS)?)?;
    Mark::of_this_process(config).is_below(&mark).then_some(mark.pid)
}

/// Marks this process as a rank, for the programs that it starts.
pub fn mark_rank(config: &Config) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mark = Mark::of_this_process(config).encode();
        // SAFETY: threads of Rust reach the environment under the standard library's lock. A thread in C may be in
        // `getenv` now; the C libraries of Linux leave the array that it walks as it is when a first variable is added,
        // and this is done once. Programs that call `mobula::init` first have no other thread.
        unsafe { std::env::set_var(RANK_PROCESS, mark) };
    });
}

impl Mark {
    fn of_this_process(config: &Config) -> Mark {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let place = config.rendezvous.as_ref().map(ToString::to_string);
        let configured = [place, number(config.rank), number(config.size)];
        let values = VARIABLES.iter().map(|name| environment(name)).chain(configured);
        let pid = std::process::id();
        Mark {
            pid,
            started: ProcessStat::of_process(pid).and_then(|stat| stat.field(START_TIME)).unwrap_or_default(),
            launcher: launcher_process().map_or(0, |launcher| launcher.pid),
            digests: values.map(|value| value.map_or(UNSET.to_string(), |value| digest(&value))).collect(),
        }
    }

    /// True if this process was started by the marked rank. Variables that were removed on the way do not count.
    fn is_below(&self, rank: &Mark) -> bool {
        let is_rank = (self.pid, self.started) == (rank.pid, rank.started);
        let other_launcher = self.launcher != 0 && self.launcher != rank.launcher;
        let alike = |(mine, of_rank): (&String, &String)| mine == UNSET || mine == of_rank;
        !is_rank && !other_launcher && self.digests.iter().zip(&rank.digests).all(alike)
    }

    fn encode(&self) -> String {
        format!("{} {} {} {}", self.pid, self.started, self.launcher, self.digests.join(" "))
    }

    fn decode(text: &str) -> Option<Mark> {
        let mut words = text.split(' ');
        let (pid, started) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let launcher = words.next()?.parse().ok()?;
        let digests: Vec<String> = words.map(str::to_string).collect();
        (digests.len() == VARIABLES.len() + CONFIGURED).then_some(Mark { pid, started, launcher, digests })
    }
}

/// Eight bytes suffice: values of one job and of another are compared.
fn digest(value: &str) -> String {
    super::private::hex(&Secret::from_text(value).bytes()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(pid: u32, launcher: u32, values: &[(usize, &str)]) -> Mark {
        let mut digests = vec![UNSET.to_string(); VARIABLES.len() + CONFIGURED];
        values.iter().for_each(|(index, value)| digests[*index] = digest(value));
        Mark { pid, started: 7, launcher, digests }
    }

    #[test]
    fn decode_returns_what_encode_wrote() {
        let written = mark(12, 3, &[(0, "1"), (2, "a name")]);
        assert_eq!(Mark::decode(&written.encode()), Some(written));
        for malformed in ["", "1", "1 2 3", "1 2 3 -", &format!("x 2 3{}", " -".repeat(VARIABLES.len() + CONFIGURED))] {
            assert_eq!(Mark::decode(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn program_below_a_rank_is_none() {
        let rank = mark(12, 3, &[(0, "1"), (1, "2")]);
        assert!(!mark(12, 3, &[(0, "1"), (1, "2")]).is_below(&rank), "the rank itself");
        assert!(mark(13, 3, &[(0, "1"), (1, "2")]).is_below(&rank));
        assert!(mark(13, 0, &[(0, "1"), (1, "2")]).is_below(&rank), "in a PID namespace, or after its parents ended");
        assert!(mark(13, 3, &[(1, "2")]).is_below(&rank), "variables were removed");
        let later = Mark { started: 8, ..mark(12, 3, &[(0, "1")]) };
        assert!(later.is_below(&rank), "another process of the same number");
    }

    #[test]
    fn ranks_that_a_task_launches_are_ranks() {
        let rank = mark(12, 3, &[(0, "1"), (1, "2")]);
        assert!(!mark(13, 4, &[(0, "1"), (1, "2")]).is_below(&rank), "another launcher gives the same numbers");
        assert!(!mark(13, 0, &[(0, "0"), (1, "2")]).is_below(&rank), "another number");
        assert!(!mark(13, 3, &[(0, "1"), (1, "2"), (13, "/tmp/meet")]).is_below(&rank), "a meeting point was added");
    }
}
