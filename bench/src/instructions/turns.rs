//! The processes of a count, and turns between them: one rank runs until all of its threads sleep, then the next.
//!
//! A rank polls while it waits, so two ranks that run side by side count how long each waits for the other, which
//! changes from run to run. In turns the other one is stopped (SIGSTOP) meanwhile: a rank finds everything that was
//! sent to it, does it, polls as often as it does before it sleeps, and sleeps.

use crate::cpus;
use crate::failure::{Failure, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How the ranks of a count run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// All at once.
    Together,
    /// One at a time, each until it sleeps.
    InTurns,
}

/// The longest that a count may take, on a busy machine: then its ranks are killed.
const LIMIT: Duration = Duration::from_secs(300);

/// Between two looks at a rank.
const LOOK: Duration = Duration::from_micros(400);

/// Looks in sequence that must find every thread of a rank asleep: a thread that hands work to another is asleep
/// before the other one runs.
const LOOKS: u32 = 3;

/// The processes of one count. Those that still run are killed with it. If this process is killed, the kernel wakes and
/// ends stopped ranks: their process group has lost its parent then.
#[derive(Default)]
pub struct Ranks(Vec<Child>);

impl Ranks {
    /// Starts the next rank, on any CPU.
    ///
    /// # Errors
    /// `Failure::Program` if it does not start.
    pub fn start(&mut self, mut command: Command) -> Result<()> {
        let child = cpus::on_all(|| command.spawn()).map_err(|error| failed(&error.to_string()))?;
        self.0.push(child);
        Ok(())
    }

    /// Waits until all ranks have ended.
    ///
    /// # Errors
    /// `Failure::Program` if one fails, or they take too long.
    pub fn run(mut self, pace: Pace) -> Result<()> {
        let until = Instant::now() + LIMIT;
        if pace == Pace::InTurns {
            self.take_turns(until)?;
        }
        for rank in 0..self.0.len() {
            let status = loop {
                match self.ended(rank)? {
                    Some(status) => break status,
                    None => pause(until)?,
                }
            };
            if !status.success() {
                return Err(failed(&format!("rank {rank} of the counted program ended with {status}")));
            }
        }
        Ok(())
    }

    /// Lets one rank run at a time, until one has ended; then the others run.
    fn take_turns(&mut self, until: Instant) -> Result<()> {
        let mut turn = 0;
        for rank in 1..self.0.len() {
            self.signal(rank, Signal::STOP);
        }
        loop {
            for rank in 0..self.0.len() {
                if self.ended(rank)?.is_some() {
                    (0..self.0.len()).for_each(|rank| self.signal(rank, Signal::CONT));
                    return Ok(());
                }
            }
            pause(until)?;
            if self.sleeps(turn) {
                self.signal(turn, Signal::STOP);
                turn = (turn + 1) % self.0.len();
                self.signal(turn, Signal::CONT);
            }
        }
    }

    /// True if every thread of a rank sleeps, and goes on doing so.
    fn sleeps(&self, rank: usize) -> bool {
        (0..LOOKS).all(|look| {
            if look > 0 {
                thread::sleep(LOOK);
            }
            all_asleep(self.0[rank].id())
        })
    }

    /// How a rank ended, if it has.
    fn ended(&mut self, rank: usize) -> Result<Option<ExitStatus>> {
        self.0[rank].try_wait().map_err(|error| failed(&error.to_string()))
    }

    fn signal(&self, rank: usize, signal: Signal) {
        // It has not been waited for, or has ended: then there is nobody to stop.
        let _ = kill_process(Pid::from_child(&self.0[rank]), signal);
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn failed(reason: &str) -> Failure {
    Failure::Program { program: "valgrind".to_string(), reason: reason.to_string() }
}

fn pause(until: Instant) -> Result<()> {
    if Instant::now() >= until {
        return Err(failed(&format!("the count did not end within {} s", LIMIT.as_secs())));
    }
    thread::sleep(LOOK);
    Ok(())
}

/// True if every thread of a process sleeps in a system call, or the process has ended.
fn all_asleep(process: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return true };
    let mut stats = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.all(|stat| matches!(state(&stat), Some('S' | 'Z' | 'X')))
}

/// The state of a thread: the first field behind its name, which is in parentheses and may hold anything.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn the_state_stands_behind_the_name() {
        assert_eq!(state("12 (a) R (b) S 1 2 3"), Some('S'));
        assert_eq!(state("12 (valgrind) R 1"), Some('R'));
        assert_eq!(state("nothing"), None);
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    #[test]
    fn ranks_that_wait_for_each_other_end_in_turns_too() {
        let folder = std::env::temp_dir().join(format!("mobula-bench-turns-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let pipe = |name: &str| folder.join(name).display().to_string();
        assert!(Command::new("mkfifo").args([pipe("to"), pipe("from")]).status().unwrap().success());
        let mut ranks = Ranks::default();
        ranks.start(shell(&format!("echo 1 >{}; read x <{}", pipe("to"), pipe("from")))).unwrap();
        ranks.start(shell(&format!("read x <{}; echo 2 >{}", pipe("to"), pipe("from")))).unwrap();
        ranks.run(Pace::InTurns).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_rank_that_fails_is_named() {
        let mut ranks = Ranks::default();
        ranks.start(shell("exit 0")).unwrap();
        ranks.start(shell("exit 3")).unwrap();
        let failure = ranks.run(Pace::InTurns).unwrap_err().to_string();
        assert!(failure.contains("rank 1") && failure.contains('3'), "{failure}");
    }
}
