//! What the driver logs about the cluster when it has started.

use crate::base::log::{Level, log};
use crate::registry::functions;
use crate::runtime::Runtime;
use std::collections::BTreeSet;

/// Logs the cluster's ranks, transports and settings at level info.
pub fn banner(runtime: &'static Runtime, launcher: &str, workers: usize) {
    let Some(arena) = runtime.memory.arena() else { return };
    let (pages, store_bytes) = (arena.page_kind(), arena.bytes());
    log(Level::Info, || {
        let hosts: Vec<String> =
            runtime.cluster.hosts.iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
        format!(
            "{} ranks on {}{}; launcher {launcher}; {workers} workers a rank; {}; {} functions, digest {:016x}",
            runtime.cluster.size,
            hosts.join(", "),
            divided_machines(runtime.cluster.hosts.iter().map(|host| (host.machine, host.ranks.len()))),
            store_of_rank(store_bytes, &pages.to_string()),
            functions().lines().count(),
            functions().digest()
        )
    });
    if runtime.cluster.size > 1 {
        for line in runtime.cluster.transport_table().to_string().lines() {
            log(Level::Info, || line.to_string());
        }
    }
    for line in runtime.cluster.config.lines() {
        log(Level::Info, || line);
    }
}

/// A text about machines whose ranks share no memory, from each host's machine and number of ranks.
fn divided_machines(hosts: impl Iterator<Item = (usize, usize)> + Clone) -> String {
    let machines: BTreeSet<usize> = hosts.clone().map(|(machine, _)| machine).collect();
    let divided: Vec<usize> =
        machines.into_iter().filter(|of| hosts.clone().filter(|(machine, _)| machine == of).count() > 1).collect();
    if divided.is_empty() {
        return String::new();
    }
    let ranks: usize = hosts.filter(|(machine, _)| divided.contains(machine)).map(|(_, ranks)| ranks).sum();
    format!(
        " ({ranks} of them on {} whose ranks cannot share memory, because they have namespaces or users of their own \
         or may not be dumped: they count as several hosts, and divide the machine's CPUs and memory)",
        if divided.len() == 1 { "a machine".to_string() } else { format!("{} machines", divided.len()) }
    )
}

/// The size of a rank's store, and its pages as `PageKind` prints them.
fn store_of_rank(bytes: u64, pages: &str) -> String {
    format!("store of {} MiB a rank on {pages}", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_whose_ranks_share_no_memory_is_mentioned() {
        assert_eq!(divided_machines([(0, 2), (1, 2)].into_iter()), "");
        let text = divided_machines([(0, 2), (1, 1), (0, 3)].into_iter());
        assert!(text.starts_with(" (5 of them on a machine whose"), "{text}");
        let text = divided_machines([(0, 1), (1, 1), (0, 1), (1, 1)].into_iter());
        assert!(text.starts_with(" (4 of them on 2 machines whose"), "{text}");
    }

    #[test]
    fn store_names_its_pages_once() {
        assert_eq!(store_of_rank(64 << 20, "plain pages"), "store of 64 MiB a rank on plain pages");
    }
}
