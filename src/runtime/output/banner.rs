//! What the driver logs about the cluster when it has started.

use crate::base::log::{Level, log};
use crate::registry::functions;
use crate::runtime::Runtime;

/// Logs the cluster's ranks, transports and settings at level info.
pub fn banner(runtime: &'static Runtime, launcher: &str, workers: usize) {
    let Some(arena) = runtime.memory.arena() else { return };
    let (pages, store_bytes) = (arena.page_kind(), arena.bytes());
    log(Level::Info, || {
        let hosts: Vec<String> =
            runtime.cluster.hosts.iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
        format!(
            "{} ranks on {}; launcher {launcher}; {workers} workers a rank; {}; {} functions, digest {:016x}",
            runtime.cluster.size,
            hosts.join(", "),
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

/// The size of a rank's store, and its pages as `PageKind` prints them.
fn store_of_rank(bytes: u64, pages: &str) -> String {
    format!("store of {} MiB a rank on {pages}", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_names_its_pages_once() {
        assert_eq!(store_of_rank(64 << 20, "plain pages"), "store of 64 MiB a rank on plain pages");
    }
}
