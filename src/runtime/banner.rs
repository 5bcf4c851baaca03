//! What the driver says of the cluster when it has started.

use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::registry::functions;
use crate::runtime::Runtime;
use crate::runtime::choice;

impl Runtime {
    /// The roads between all ranks: a table, then what its letters stand for and why those roads are taken.
    pub fn road_table(&self) -> Vec<String> {
        let hosts: Vec<(String, Vec<Rank>)> =
            self.hosts.iter().map(|host| (host.name.clone(), host.ranks.clone())).collect();
        choice::table(&hosts, &self.standings)
    }

    /// Says what there is, at the level of information.
    pub(super) fn banner(&'static self, launcher: &str, workers: usize, pages: &str, store_bytes: u64) {
        say(Level::Info, || {
            let hosts: Vec<String> =
                self.hosts().iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
            format!(
                "{} ranks on {}; launcher {launcher}; {workers} workers a rank; store {} MiB a rank on {pages} pages; \
                 {} functions, digest {:016x}",
                self.size,
                hosts.join(", "),
                store_bytes >> 20,
                functions().lines().count(),
                functions().digest()
            )
        });
        if self.size > 1 {
            for line in self.road_table() {
                say(Level::Info, || line);
            }
        }
        for line in self.config.lines() {
            say(Level::Info, || line);
        }
    }
}
