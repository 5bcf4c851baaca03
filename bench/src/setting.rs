//! The circumstances of a measurement, as far as they matter for comparing it with another.

use crate::commit;
use crate::suite::{Measures, Suite};
use std::fmt;
use std::fs;
use std::path::Path;

/// The circumstances of a run.
pub struct Setting {
    /// The suite.
    pub suite: &'static str,
    /// The revision from which what is measured was built, `-dirty` where its sources had been changed; `unknown`
    /// outside a repository.
    pub commit: String,
    /// The name of this host.
    pub host: String,
    /// The model of its processors.
    pub cpu: String,
    /// How many processors this process may use.
    pub cpus: usize,
    /// The transport that MOBULA_FABRIC forces between ranks; `auto` if it forces none.
    pub fabric: String,
    /// Processes that take part.
    pub ranks: u32,
    /// Hosts that they are on.
    pub hosts: usize,
    /// The seed of random choices.
    pub seed: u64,
}

impl Setting {
    /// The circumstances now, with this many ranks on this many hosts.
    pub fn of(suite: &Suite, ranks: u32, hosts: usize, seed: u64) -> Setting {
        Setting {
            suite: suite.name,
            commit: match suite.measures {
                Measures::Times => env!("MOBULA_BENCH_COMMIT").to_string(),
                Measures::Instructions => commit::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")),
            },
            host: first_line("/proc/sys/kernel/hostname"),
            cpu: cpu(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cpus: crate::cpus::count(),
            fabric: std::env::var("MOBULA_FABRIC").unwrap_or_else(|_| "auto".to_string()),
            ranks,
            hosts,
            seed,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { suite, commit, host, cpu, cpus, fabric, ranks, hosts, seed: _ } = self;
        write!(
            formatter,
            "{suite} at {commit}, ranks: {ranks}, hosts: {hosts}, fabric: {fabric}; {host}, {cpus} CPUs, {cpu}"
        )
    }
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_string()
}

/// The model that the kernel names; not every architecture has one.
fn cpu(cpuinfo: &str) -> String {
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_string(), |(_, name)| name.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_or_the_architecture_stands_for_it() {
        assert_eq!(cpu("processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n"), "Some CPU @ 2.00GHz");
        assert_eq!(cpu("processor\t: 0\nBogoMIPS\t: 50.00\n"), std::env::consts::ARCH);
    }
}
