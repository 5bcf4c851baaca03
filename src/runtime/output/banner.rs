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
            runtime.cluster.hosts().iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
        format!(
            "{} ranks on {}; launcher {launcher}; {workers} workers a rank; store {} MiB a rank on {pages} pages; \
             {} functions, digest {:016x}",
            runtime.cluster.size,
            hosts.join(", "),
            store_bytes >> 20,
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
