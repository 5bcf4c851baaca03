//! `/proc/PID/stat`: what the kernel says of a process or a thread.

use std::str::FromStr;

/// Numbers of fields, as proc_pid_stat(5) counts them.
pub const PARENT: usize = 4;
/// In clock ticks.
pub const USER_TIME: usize = 14;
/// In clock ticks.
pub const SYSTEM_TIME: usize = 15;
/// In clock ticks since the start of the system.
pub const START_TIME: usize = 22;
/// As `wait` reports it; readable only by those who may trace the process.
pub const EXIT_CODE: usize = 52;

/// One line of the kernel about a process or a thread.
#[derive(Debug, PartialEq, Eq)]
pub struct ProcessStat {
    /// Its name, as the kernel keeps it: the first 15 bytes.
    pub name: String,
    /// What follows the name: field 3 and on.
    rest: String,
}

impl ProcessStat {
    /// Of a process; `None` where there is none, or it is hidden.
    pub fn of_process(pid: u32) -> Option<ProcessStat> {
        ProcessStat::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Of a thread of this process.
    pub fn of_thread(number: u32) -> Option<ProcessStat> {
        ProcessStat::parse(&std::fs::read(format!("/proc/self/task/{number}/stat")).ok()?)
    }

    /// `PID (NAME) STATE PARENT ..`. The name may hold any bytes.
    fn parse(line: &[u8]) -> Option<ProcessStat> {
        let line = String::from_utf8_lossy(line);
        let (before, rest) = line.rsplit_once(')')?;
        let (_, name) = before.split_once('(')?;
        Some(ProcessStat { name: name.to_string(), rest: rest.to_string() })
    }

    /// `R`: it runs or waits for a CPU; `S`, `D`: it sleeps in the kernel; `T`, `t`: a signal or a debugger stopped it;
    /// `Z`: it ended, and its parent has not waited for it.
    pub fn state(&self) -> char {
        self.field(3).unwrap_or('?')
    }

    /// The field of that number, from 3 on.
    pub fn field<T: FromStr>(&self, number: usize) -> Option<T> {
        self.rest.split_ascii_whitespace().nth(number - 3)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_may_hold_any_bytes() {
        let stat = ProcessStat::parse(b"12 (a) \xff (c)) S 7 1 2").expect("a line");
        assert_eq!((stat.name.as_str(), stat.state()), ("a) \u{fffd} (c)", 'S'));
        assert_eq!((stat.field(PARENT), stat.field::<u64>(START_TIME)), (Some(7), None));
        assert_eq!(ProcessStat::parse(b"12 (sh"), None);
    }

    #[test]
    fn this_process_and_thread_are_known() {
        let stat = ProcessStat::of_process(std::process::id()).expect("it runs");
        assert_eq!(stat.field(PARENT), Some(std::os::unix::process::parent_id()));
        assert!(stat.field::<u64>(START_TIME).is_some_and(|ticks| ticks > 0));
        // The first thread has the number of its process.
        assert_eq!(ProcessStat::of_thread(std::process::id()).map(|stat| stat.name), Some(stat.name));
        assert_eq!(ProcessStat::of_process(u32::MAX), None);
    }
}
