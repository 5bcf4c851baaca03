//! What every rank knows of the cluster from its start on: which ranks are on which host, and what each host has.

use crate::base::{Config, Rank};
use crate::gpu::GpuError;
use crate::runtime::router::Transports;
use crate::runtime::router::transport_choice::{self, Capabilities};
use crate::scheduling::Totals;
use crate::topology::Topology;
use serde::{Deserialize, Serialize};

/// What every rank knows of a host.
#[derive(Clone, Debug)]
pub struct HostInfo {
    /// Its name.
    pub name: String,
    /// The index of its machine: ranks of one machine that cannot share memory are on several hosts.
    pub machine: usize,
    /// Its ranks, ascending.
    pub ranks: Vec<Rank>,
    /// What its first rank found there.
    pub resources: HostResources,
    /// The transports between its ranks and to other hosts.
    pub transports: Vec<String>,
}

/// What a host has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostResources {
    /// What it has in all.
    pub totals: Totals,
    /// Its cores and memory.
    pub topology: Topology,
    /// Its GPUs, a line each, or why there are none.
    pub gpus: Result<Vec<String>, GpuError>,
    /// The pages of its first rank's store.
    pub pages: String,
}

/// The cluster as it started, from the point of view of one rank. Nothing of it changes.
pub struct ClusterInfo {
    /// This process.
    pub rank: Rank,
    /// How many ranks there are.
    pub size: u32,
    /// This host's name.
    pub host: String,
    /// The settings.
    pub config: Config,
    /// The hosts, as every rank knows them.
    pub hosts: Vec<HostInfo>,
    /// By rank: its host, and its process.
    ranks: Vec<(usize, u32)>,
    /// By rank: the transports that it offers.
    capabilities: Vec<Capabilities>,
}

impl ClusterInfo {
    /// As `rank` knows it; `ranks` gives for each rank the index of its host and its process, `capabilities` the
    /// transports that it offers.
    pub(super) fn new(
        rank: Rank,
        config: Config,
        hosts: Vec<HostInfo>,
        ranks: Vec<(usize, u32)>,
        capabilities: Vec<Capabilities>,
    ) -> ClusterInfo {
        let host = hosts[ranks[rank as usize].0].name.clone();
        ClusterInfo { rank, size: ranks.len() as u32, host, config, hosts, ranks, capabilities }
    }

    /// A rank's host.
    pub fn host_info_of(&self, rank: Rank) -> &HostInfo {
        &self.hosts[self.ranks[rank as usize].0]
    }

    /// The name of a rank's host.
    pub fn host_of(&self, rank: Rank) -> &str {
        self.ranks.get(rank as usize).map_or("?", |(host, _)| &self.hosts[*host].name)
    }

    /// A rank's process.
    pub fn pid_of(&self, rank: Rank) -> u32 {
        self.ranks.get(rank as usize).map_or(0, |(_, pid)| *pid)
    }

    /// What a rank's host has in all.
    pub fn totals_of(&self, rank: Rank) -> &Totals {
        &self.host_info_of(rank).resources.totals
    }

    /// The ranks of this host.
    pub fn host_ranks(&self) -> &[Rank] {
        &self.host_info_of(self.rank).ranks
    }

    /// The index of a rank among those of this host; `None` if it is on another.
    pub fn host_index_of(&self, rank: Rank) -> Option<usize> {
        self.host_ranks().iter().position(|other| *other == rank)
    }

    /// True if the two are on one host.
    pub fn share_host(&self, one: Rank, other: Rank) -> bool {
        let host = |rank: Rank| self.ranks.get(rank as usize).map(|(host, _)| *host);
        host(one) == host(other)
    }

    /// The ranks of the host of that name.
    pub fn ranks_of_host(&self, name: &str) -> Option<&[Rank]> {
        self.hosts.iter().find(|host| host.name == name).map(|host| host.ranks.as_slice())
    }

    /// The names of all hosts.
    pub fn host_names(&self) -> String {
        self.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The transports between all ranks, and why they are used.
    pub fn transport_table(&self) -> Transports {
        let hosts: Vec<(String, Vec<Rank>)> =
            self.hosts.iter().map(|host| (host.name.clone(), host.ranks.clone())).collect();
        transport_choice::table(&hosts, &self.capabilities)
    }
}
