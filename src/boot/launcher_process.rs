//! The process of the launcher on this host, which outlives its ranks unless something ends it.

use crate::base::process_stat::{PARENT, ProcessStat};
use std::fs;

/// The names of programs that start ranks: what a user calls, and what serves it on each host.
const NAMES: &[&str] = &[
    "mpirun",
    "mpiexec",
    "orterun",
    "orted",
    "prterun",
    "prted",
    "mpiexec.hydra",
    "hydra_pmi_proxy",
    "slurmstepd",
    "srun",
];

/// Ancestors that are looked at. A rank has a few: shells and wrappers between the launcher and the program.
const ANCESTORS_MAX: usize = 64;

/// The kernel's name of the first PID namespace, in which every process is visible.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// The process of a launcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LauncherProcess {
    /// Its number.
    pub pid: u32,
    /// Its name, as the kernel has it.
    pub name: String,
}

/// The nearest ancestor of this process that is a launcher; `None` if there is none, or this process cannot see it.
pub fn launcher_process() -> Option<LauncherProcess> {
    nearest(std::process::id(), stat_of)
}

/// True if an ancestor of this process has this name; `None` if this process does not see all of its ancestors.
pub(super) fn is_below(name: &str) -> Option<bool> {
    // In another PID namespace the first process has no parent either.
    let sees_all = fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST_PID_NAMESPACE);
    let mut pid = std::process::id();
    for _ in 0..ANCESTORS_MAX {
        // Other users' processes may be hidden.
        let (parent, found) = stat_of(pid)?;
        match (found == name, parent) {
            (true, _) => return Some(true),
            (false, 0) => return sees_all.then_some(false),
            (false, _) => pid = parent,
        }
    }
    None
}

/// The parent and the name of a process.
fn stat_of(pid: u32) -> Option<(u32, String)> {
    let stat = ProcessStat::of_process(pid)?;
    Some((stat.field(PARENT)?, stat.name))
}

/// As `launcher_process`, for any process, by what `read` tells of each.
fn nearest(pid: u32, read: impl Fn(u32) -> Option<(u32, String)>) -> Option<LauncherProcess> {
    let (mut pid, _) = read(pid)?;
    for _ in 0..ANCESTORS_MAX {
        let (parent, name) = read(pid)?;
        if is_launcher(&name) {
            return Some(LauncherProcess { pid, name });
        }
        pid = parent;
    }
    None
}

/// Debian's names have the library behind a dot, and the kernel keeps 15 bytes of a name.
fn is_launcher(name: &str) -> bool {
    let is = |known: &str| name == known || name == &known[..known.len().min(15)];
    NAMES.iter().any(|known| is(known))
        || ["mpirun.", "mpiexec.", "orterun."].iter().any(|known| name.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_launcher_is_found_behind_shells() {
        let processes = |pid| match pid {
            9 => Some((8, "app".to_string())),
            8 => Some((7, "sh".to_string())),
            7 => Some((6, "orted".to_string())),
            6 => Some((1, "mpirun.openmpi".to_string())),
            1 => Some((0, "init".to_string())),
            _ => None,
        };
        assert_eq!(nearest(9, processes), Some(LauncherProcess { pid: 7, name: "orted".to_string() }));
        assert_eq!(nearest(7, processes).map(|launcher| launcher.pid), Some(6));
        assert_eq!(nearest(6, processes), None);
        assert!(is_launcher("hydra_pmi_proxy") && is_launcher("mpiexec.hydra") && !is_launcher("mpirunner"));
    }
}
