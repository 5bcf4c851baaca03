//! The first exchange between ranks: their identity, host, and function table.

use crate::base::host::host_name;
use crate::base::{Error, Rank, Result};
use crate::boot::Exchange;
use crate::registry::functions;
use rustix::process::{DumpableBehavior, dumpable_behavior};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a rank sends first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The host's name.
    pub host: String,
    /// Equal in two processes on one machine: its boot id.
    machine: String,
    /// Equal in two processes of a machine that can map each other's memory: namespaces, user.
    memory_domain: String,
    /// The process.
    pub pid: u32,
    version: String,
    /// The digest of the function table.
    digest: u64,
    /// Logical CPUs that the launcher bound it to.
    pub cpus: Vec<u32>,
}

impl Hello {
    /// Describes this process.
    pub fn of_this_process(cpus: Vec<u32>) -> Hello {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_string();
        let link = |path: &str| std::fs::read_link(Path::new(path)).unwrap_or_default().display().to_string();
        let status = text("/proc/self/status");
        let user = status.lines().find(|line| line.starts_with("Uid:")).unwrap_or_default().to_string();
        // No other process may open the files of one that may not be dumped, as that of a binary that its user may not
        // read.
        let is_open = dumpable_behavior().is_ok_and(|behavior| behavior == DumpableBehavior::Dumpable);
        let own = if is_open { String::new() } else { format!("process {}", std::process::id()) };
        Hello {
            host: host_name(),
            machine: text("/proc/sys/kernel/random/boot_id"),
            memory_domain: [
                link("/proc/self/ns/pid"),
                link("/proc/self/ns/uts"),
                link("/proc/self/ns/user"),
                user,
                own,
            ]
            .join("|"),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            digest: functions().digest(),
            cpus,
        }
    }
}

/// The ranks of each host, ascending; hosts in the order of their first rank. The ranks of a machine that cannot share
/// memory are on several hosts.
pub fn group_by_host(hellos: &[Hello]) -> Vec<Vec<Rank>> {
    group_by(hellos, |hello| (&hello.machine, &hello.memory_domain))
}

/// The ranks of each machine, in the same order.
pub fn group_by_machine(hellos: &[Hello]) -> Vec<Vec<Rank>> {
    group_by(hellos, |hello| &hello.machine)
}

fn group_by<'a, K: PartialEq>(hellos: &'a [Hello], key: impl Fn(&'a Hello) -> K) -> Vec<Vec<Rank>> {
    let mut groups: Vec<(K, Vec<Rank>)> = Vec::new();
    for (rank, hello) in (0..).zip(hellos) {
        let key = key(hello);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, ranks)) => ranks.push(rank),
            None => groups.push((key, vec![rank])),
        }
    }
    groups.into_iter().map(|(_, ranks)| ranks).collect()
}

/// Refuses ranks that run another binary, naming them and the first function that differs. Collective if they differ.
///
/// # Errors
/// On every rank alike.
pub fn refuse_other_binaries(exchange: &mut dyn Exchange, rank: Rank, hellos: &[Hello]) -> Result<()> {
    if let Some((one, other)) = functions().collision() {
        return Err(Error::config(format!(
            "two remote functions have the same path and signature: {} at {} and {} at {}",
            one.name, one.path, other.name, other.path
        )));
    }
    let alike = |hello: &Hello| hello.version == hellos[0].version && hello.digest == hellos[0].digest;
    let Some(different) = hellos.iter().position(|hello| !alike(hello)) else { return Ok(()) };
    if hellos[different].version != hellos[0].version {
        return Err(Error::fabric(format!(
            "rank 0 runs mobula {} and rank {different} mobula {}: start the same binary on every rank",
            hellos[0].version, hellos[different].version
        )));
    }
    let is_compared = rank == 0 || rank as usize == different;
    let lines: Vec<String> = if is_compared { functions().lines().collect() } else { Vec::new() };
    let all = exchange.allgather(lines.join("\n").as_bytes())?;
    let text = |rank: usize| String::from_utf8_lossy(&all[rank]).into_owned();
    let different_ranks: Vec<String> =
        (0..hellos.len()).filter(|rank| !alike(&hellos[*rank])).map(|rank| rank.to_string()).collect();
    Err(Error::fabric(format!(
        "rank 0 and rank {} run different binaries, or register different functions in C: {}; start the same binary on \
         every rank",
        different_ranks.join(", "),
        first_difference(&text(0), &text(different), different)
    )))
}

/// The first function that only one of two sorted tables has.
fn first_difference(zero: &str, other: &str, rank: usize) -> String {
    let (mut left, mut right) = (zero.lines(), other.lines());
    loop {
        return match (left.next(), right.next()) {
            (Some(one), Some(two)) if one == two => continue,
            (Some(one), Some(two)) if one < two => format!("only rank 0 has the function `{one}`"),
            (Some(_), Some(two)) => format!("only rank {rank} has the function `{two}`"),
            (Some(one), None) => format!("only rank 0 has the function `{one}`"),
            (None, Some(two)) => format!("only rank {rank} has the function `{two}`"),
            (None, None) => "their tables have the same lines in another order".to_string(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_differing_function_is_named() {
        assert_eq!(first_difference("a\nb\nc", "a\nc", 3), "only rank 0 has the function `b`");
        assert_eq!(first_difference("a", "a\nz", 3), "only rank 3 has the function `z`");
        assert_eq!(first_difference("b", "a\nb", 1), "only rank 1 has the function `a`");
    }

    #[test]
    fn ranks_with_different_memory_domains_are_on_different_hosts() {
        let mut hello = Hello::of_this_process(vec![0]);
        let mut different = hello.clone();
        different.memory_domain.push('x');
        hello.pid += 1;
        let ranks = [hello.clone(), different, hello.clone()];
        assert_eq!(group_by_host(&ranks), [vec![0, 2], vec![1]]);
        assert_eq!(group_by_machine(&ranks), [vec![0, 1, 2]], "their CPUs are counted once");
        let elsewhere = Hello { machine: "another".to_string(), ..hello.clone() };
        assert_eq!(group_by_host(&[hello.clone(), elsewhere.clone()]), [vec![0], vec![1]]);
        assert_eq!(group_by_machine(&[hello, elsewhere]), [vec![0], vec![1]]);
    }
}
