//! The cluster's hosts, resources and failures, and what runs in the calling thread.

use crate::base::Error;
use crate::runtime::{self, HostInfo, Transports};
use std::collections::BTreeMap;
use std::fmt;

/// A host of the cluster.
#[derive(Clone, Debug)]
pub struct Node {
    host: HostInfo,
}

impl Node {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.host.name
    }
    /// Its ranks, ascending.
    pub fn ranks(&self) -> &[u32] {
        &self.host.ranks
    }
    /// Its sockets, memory nodes, cores and memory.
    pub fn topology(&self) -> NodeTopology {
        let topology = &self.host.topology;
        NodeTopology {
            packages: topology.packages as usize,
            numa_nodes: topology.numa.len(),
            cores: topology.cores.len(),
            pus: topology.cores.iter().map(|core| core.pus.len()).sum(),
            memory_bytes: topology.memory_bytes,
        }
    }
    /// The transports that its ranks use, between each other and to other hosts.
    pub fn fabrics(&self) -> &[String] {
        &self.host.fabrics
    }
    /// The pages of its stores: `hugetlb`, `transparent` or `plain`.
    pub fn pages(&self) -> &str {
        &self.host.pages
    }
    /// Its GPUs, a line each; empty if none was found.
    pub fn gpus(&self) -> Vec<String> {
        self.host.gpus.clone().unwrap_or_default()
    }
    /// Its total resources: "CPU", "GPU" and custom names.
    pub fn resources(&self) -> BTreeMap<String, f64> {
        self.host.totals.amounts().into_iter().collect()
    }
}

/// The hardware of a host. `Display` prints it in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeTopology {
    /// Sockets.
    pub packages: usize,
    /// Memory (NUMA) nodes.
    pub numa_nodes: usize,
    /// Cores.
    pub cores: usize,
    /// Processing units: logical CPUs, or hardware threads.
    pub pus: usize,
    /// Memory, bytes.
    pub memory_bytes: u64,
}

impl fmt::Display for NodeTopology {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NodeTopology { packages, numa_nodes, cores, memory_bytes, .. } = self;
        write!(formatter, "{packages} packages, {numa_nodes} NUMA nodes, {cores} cores, {} MiB", memory_bytes >> 20)
    }
}

/// The hosts of the cluster; none outside of a running one.
pub fn nodes() -> Vec<Node> {
    let hosts = runtime::Runtime::current().map(|runtime| runtime.cluster.hosts().to_vec()).unwrap_or_default();
    hosts.into_iter().map(|host| Node { host }).collect()
}

/// The transports between all ranks, and why they are used; empty outside of a running cluster.
///
/// Printed, it is a table of letters, rank by rank (host by host for more than 32 ranks), and the meaning of each:
///
/// ```text
/// rank host    0  1  2
///    0 n1      .  s  t
///    1 n1      s  .  t
///    2 n2      t  t  .
/// s = shm: same host
/// t = tcp: other host; no verbs: no RDMA device; no mpi: not started by MPI
/// ```
///
/// ```
/// # use mobula::prelude::*;
/// let cluster = mobula::init(Config::default())?;
/// let transports = mobula::transports();
/// assert_eq!(transports.rows[0].transports, ["self"]);
/// assert!(transports.to_string().starts_with("rank"));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn transports() -> Transports {
    runtime::Runtime::current().map(|runtime| runtime.cluster.transport_table()).unwrap_or_default()
}

/// The total resources of all hosts, from "CPU", "GPU" and custom names to amounts; empty outside of a running cluster.
pub fn cluster_resources() -> BTreeMap<String, f64> {
    sum(nodes().iter().map(Node::resources))
}

/// The part of [`cluster_resources`] that is free at the moment. A worker that just finished a task may hold its CPU
/// for some microseconds more.
pub fn available_resources() -> BTreeMap<String, f64> {
    let Some(runtime) = runtime::Runtime::current() else { return BTreeMap::new() };
    sum(runtime.cluster.hosts().iter().filter_map(|host| runtime::available_on(runtime, host).ok()))
}

fn sum(maps: impl Iterator<Item = BTreeMap<String, f64>>) -> BTreeMap<String, f64> {
    let mut total = BTreeMap::new();
    for (name, amount) in maps.flatten() {
        *total.entry(name).or_insert(0.0) += amount;
    }
    total
}

/// Failures of tasks so far, oldest first: all that were reported to rank 0's driver.
pub fn error_info() -> Vec<Error> {
    runtime::Runtime::current().map(|runtime| runtime::errors_of(runtime, 0).unwrap_or_default()).unwrap_or_default()
}

/// Where and as what the calling code runs.
#[derive(Clone, Debug)]
pub struct Context {
    rank: u32,
    host: String,
    running: runtime::Snapshot,
}

impl Context {
    /// The rank of this process.
    pub fn rank(&self) -> u32 {
        self.rank
    }
    /// The name of this host.
    pub fn host(&self) -> &str {
        &self.host
    }
    /// The task's function, if a task or an actor's call runs; `None` in a driver.
    pub fn task(&self) -> Option<&str> {
        self.running.task.as_deref()
    }
    /// The actor's type, and its name if it has one, if an actor's constructor or method runs.
    pub fn actor(&self) -> Option<&str> {
        self.running.actor.as_deref()
    }
    /// The worker of this rank whose thread runs it; for a driver's thread, the first number after all workers.
    pub fn worker(&self) -> u32 {
        self.running.worker
    }
    /// CPUs that the task requested; 0 in a driver.
    pub fn cpus(&self) -> f64 {
        self.running.cpus
    }
    /// The GPUs assigned to the task, by number on this host.
    pub fn gpus(&self) -> &[u32] {
        &self.running.gpus
    }
}

/// Where and as what the calling code runs; rank 0 and an empty host outside of a running cluster.
pub fn context() -> Context {
    match runtime::Runtime::current() {
        Some(runtime) => Context { rank: runtime.cluster.rank, host: runtime.cluster.host.clone(), running: runtime::snapshot() },
        None => Context { rank: 0, host: String::new(), running: runtime::snapshot() },
    }
}
