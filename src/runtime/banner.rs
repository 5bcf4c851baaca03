//! What the driver logs about the cluster when it has started.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::registry::functions;
use crate::runtime::Runtime;
use crate::runtime::Transports;
use crate::runtime::transport_choice;

impl Runtime {
    /// The transports between all ranks, and why they are used.
    pub fn transport_table(&self) -> Transports {
        let hosts: Vec<(String, Vec<Rank>)> =
            self.hosts.iter().map(|host| (host.name.clone(), host.ranks.clone())).collect();
        transport_choice::table(&hosts, &self.capabilities)
    }

    /// Logs the cluster's ranks, transports and settings at level info.
    pub(super) fn banner(&'static self, launcher: &str, workers: usize, pages: &str, store_bytes: u64) {
        log(Level::Info, || {
            let hosts: Vec<String> =
                self.hosts().iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
            format!(
                "{} ranks on {}; launcher {launcher}; {workers} workers a rank; {}; {} functions, digest {:016x}",
                self.size,
                hosts.join(", "),
                store_of_rank(store_bytes, pages),
                functions().lines().count(),
                functions().digest()
            )
        });
        if self.size > 1 {
            for line in self.transport_table().to_string().lines() {
                log(Level::Info, || line.to_string());
            }
        }
        for line in self.config.lines() {
            log(Level::Info, || line);
        }
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
