//! What there is: hosts, resources, failures, and what runs here.

use crate::base::Error;
use crate::runtime::{self, HostInfo};
use std::collections::BTreeMap;

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
    /// Its cores and memory, in a line.
    pub fn topology(&self) -> String {
        let topology = &self.host.topology;
        format!(
            "{} packages, {} NUMA nodes, {} cores, {} MiB",
            topology.packages,
            topology.numa.len(),
            topology.cores.len(),
            topology.memory_bytes >> 20
        )
    }
    /// The roads that lead to its ranks and from them.
    pub fn fabrics(&self) -> &[String] {
        &self.host.fabrics
    }
    /// The pages of its stores: `hugetlb`, `transparent` or `plain`.
    pub fn pages(&self) -> &str {
        &self.host.pages
    }
    /// Its GPUs, a line each; empty where none was found.
    pub fn gpus(&self) -> Vec<String> {
        self.host.gpus.clone().unwrap_or_default()
    }
    /// What it has in all: "CPU", "GPU" and custom names.
    pub fn resources(&self) -> BTreeMap<String, f64> {
        self.host.totals.amounts().into_iter().collect()
    }
}

/// The hosts of the cluster; none outside of a running one.
pub fn nodes() -> Vec<Node> {
    let hosts = runtime::Runtime::current().map(|runtime| runtime.hosts().to_vec()).unwrap_or_default();
    hosts.into_iter().map(|host| Node { host }).collect()
}

/// The roads between all ranks, as lines to print: a table of letters, rank by rank (host by host for more than 32 ranks),
/// then what each letter stands for and why that road is taken; nothing outside of a running cluster.
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
/// assert!(mobula::roads()[0].starts_with("rank"));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn roads() -> Vec<String> {
    runtime::Runtime::current().map(|runtime| runtime.road_table()).unwrap_or_default()
}

/// What all hosts have together, from "CPU", "GPU" and custom names to amounts; empty outside of a running cluster.
pub fn cluster_resources() -> BTreeMap<String, f64> {
    sum(nodes().iter().map(Node::resources))
}

/// As [`cluster_resources`], what nobody uses at the moment. A worker that just ended a task may hold its CPU for some
/// microseconds more.
pub fn available_resources() -> BTreeMap<String, f64> {
    let Some(runtime) = runtime::Runtime::current() else { return BTreeMap::new() };
    sum(runtime.hosts().iter().filter_map(|host| runtime.available_on(host).ok()))
}

fn sum(maps: impl Iterator<Item = BTreeMap<String, f64>>) -> BTreeMap<String, f64> {
    let mut total = BTreeMap::new();
    for (name, amount) in maps.flatten() {
        *total.entry(name).or_insert(0.0) += amount;
    }
    total
}

/// Failures of tasks so far, oldest first: all of the cluster's, as rank 0's driver was told.
pub fn error_info() -> Vec<Error> {
    runtime::Runtime::current().map(|runtime| runtime.errors_of(0).unwrap_or_default()).unwrap_or_default()
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
    /// The task's function, where a task or an actor's call runs; `None` in a driver.
    pub fn task(&self) -> Option<&str> {
        self.running.task.as_deref()
    }
    /// The actor's type, and its name where it has one, where an actor's constructor or method runs.
    pub fn actor(&self) -> Option<&str> {
        self.running.actor.as_deref()
    }
    /// The worker of this rank whose thread runs it; the first number past them for a driver's thread.
    pub fn worker(&self) -> u32 {
        self.running.worker
    }
    /// CPUs that the task asked for; 0 in a driver.
    pub fn cpus(&self) -> f64 {
        self.running.cpus
    }
    /// The GPUs that the task was given, by number on this host.
    pub fn gpus(&self) -> &[u32] {
        &self.running.gpus
    }
}

/// Where and as what the calling code runs; rank 0 and an empty host outside of a running cluster.
pub fn context() -> Context {
    match runtime::Runtime::current() {
        Some(runtime) => Context { rank: runtime.rank, host: runtime.host.clone(), running: runtime::snapshot() },
        None => Context { rank: 0, host: String::new(), running: runtime::snapshot() },
    }
}
