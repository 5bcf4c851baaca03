//! The cluster's hosts, resources and failures, and what runs in the calling thread.

use crate::base::Error;
use crate::runtime::{self, EnteredContext, HostInfo, Transports};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A host of the cluster: what [`nodes`] returns.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default().num_cpus(8.0))?;
/// let node = &mobula::nodes()[0];
/// assert_eq!(node.ranks(), [0]);
/// assert_eq!(node.resources()["CPU"], 8.0);
/// println!("{}: {}", node.name(), node.topology()); // n1: 2 packages, 2 NUMA nodes, 64 cores, 515000 MiB
/// println!("transports {:?}, {}, GPUs {:?}", node.fabrics(), node.pages(), node.gpus());
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
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
        let topology = &self.host.resources.topology;
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
        &self.host.transports
    }
    /// The pages of its stores: `huge pages of 2 MiB (hugetlb)`, `transparent huge pages` or `plain pages`.
    pub fn pages(&self) -> &str {
        &self.host.resources.pages
    }
    /// Its GPUs, a line each; empty if none was found.
    pub fn gpus(&self) -> Vec<String> {
        self.host.resources.gpus.clone().unwrap_or_default()
    }
    /// Its total resources: "CPU", "GPU" and custom names.
    pub fn resources(&self) -> BTreeMap<String, f64> {
        self.host.resources.totals.amounts().into_iter().collect()
    }
}

/// The hardware of a host. `Display` prints it in one line.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default())?;
/// let topology = mobula::nodes()[0].topology();
/// assert!(topology.pus >= topology.cores && topology.cores > 0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
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

/// The hosts of the cluster with their living ranks; none outside of a running one. A rank that died leaves its host,
/// and a host leaves with its last rank.
///
/// ```
/// # use mobula::prelude::*;
/// assert!(mobula::nodes().is_empty());
/// # let cluster = mobula::init(Config::default())?;
/// let ranks: Vec<u32> = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect();
/// assert_eq!(ranks, [0]);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn nodes() -> Vec<Node> {
    let hosts = runtime::Runtime::current().map(runtime::living_hosts).unwrap_or_default();
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

/// The total resources of all hosts with a living rank, from "CPU", "GPU" and custom names to amounts; empty outside of
/// a running cluster.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default().num_cpus(8.0).num_gpus(2.0).resource("Licence", 3.0))?;
/// let total = mobula::cluster_resources();
/// assert_eq!((total["CPU"], total["GPU"], total["Licence"]), (8.0, 2.0, 3.0));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn cluster_resources() -> BTreeMap<String, f64> {
    sum(nodes().iter().map(Node::resources))
}

/// The part of [`cluster_resources`] that is free at the moment. A worker that just finished a task may hold its CPU
/// for some microseconds more.
///
/// ```
/// use mobula::prelude::*;
///
/// pub struct Solver;
///
/// #[mobula::actor(num_gpus = 1)]
/// impl Solver {
///     pub fn new() -> Self {
///         Solver
///     }
///     pub fn ready(&self) {}
/// }
///
/// # let cluster = mobula::init(Config::default().num_gpus(2.0))?;
/// let solver = Solver::remote();
/// solver.ready().get()?;
/// assert_eq!(mobula::available_resources()["GPU"], 1.0);
/// # drop(solver);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn available_resources() -> BTreeMap<String, f64> {
    let Some(runtime) = runtime::Runtime::current() else { return BTreeMap::new() };
    sum(runtime.cluster.hosts.iter().filter_map(|host| runtime::available_on(runtime, host).ok()))
}

fn sum(maps: impl Iterator<Item = BTreeMap<String, f64>>) -> BTreeMap<String, f64> {
    let mut total = BTreeMap::new();
    for (name, amount) in maps.flatten() {
        *total.entry(name).or_insert(0.0) += amount;
    }
    total
}

/// Failures of tasks so far, oldest first: those that were reported to rank 0's driver, at most the last 10,000, and of
/// long ones the last 16 MiB. [`error_count`] says how many there were in all.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn fail() {
///     panic!("on purpose");
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// assert!(fail::remote().get().is_err());
/// let errors = mobula::error_info();
/// assert!(matches!(&errors[..], [Error::Task { task, .. }] if task == "fail"));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn error_info() -> Vec<Error> {
    runtime::Runtime::current().map(|runtime| runtime::errors_of(runtime, 0).unwrap_or_default()).unwrap_or_default()
}

/// How many failures of tasks there were so far: of those that were reported to rank 0's driver, also the ones that
/// [`error_info`] no longer lists; 0 outside of a running cluster.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn fail() {
///     panic!("on purpose");
/// }
///
/// assert_eq!(mobula::error_count(), 0); // no cluster runs
/// # let cluster = mobula::init(Config::default())?;
/// let failed: Vec<_> = (0..3).map(|_| fail::remote()).collect();
/// assert!(failed.iter().all(|failed| failed.get().is_err()));
/// assert_eq!(mobula::error_count(), 3);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn error_count() -> u64 {
    let count = |runtime: &'static runtime::Runtime| runtime::error_count_of(runtime, 0).unwrap_or_default();
    runtime::Runtime::current().map(count).unwrap_or_default()
}

/// Where and as what the calling code runs: what [`context`] returns.
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

    /// The calling thread takes on this context, until what is returned is dropped: for threads that a task starts by
    /// itself, which do not know their task. Then [`context`] there is this one; what the thread submits is the task's,
    /// the lines that it prints carry the task's name, and its waits end when the task is cancelled.
    ///
    /// A thread that runs a task has that one's context and keeps it, and a driver's context changes nothing. Of
    /// several guards, the last is dropped first.
    ///
    /// ```
    /// #[mobula::remote]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// #[mobula::remote(num_cpus = 2)]
    /// fn in_two_threads() -> mobula::Result<u64> {
    ///     let context = mobula::context();
    ///     let on_thread = move || {
    ///         let _entered = context.enter();
    ///         assert_eq!(mobula::context().task(), Some("in_two_threads"));
    ///         square::remote(3).get().map(|square| *square)
    ///     };
    ///     let other = std::thread::spawn(on_thread);
    ///     Ok(*square::remote(4).get()? + other.join().expect("it does not panic")?)
    /// }
    ///
    /// # let cluster = mobula::init(mobula::Config::default().num_cpus(4.0))?;
    /// assert_eq!(*in_two_threads::remote().get()?, 25);
    /// # cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    pub fn enter(&self) -> EnteredContext {
        runtime::enter(Arc::new(self.running.clone()))
    }
}

/// Where and as what the calling code runs; rank 0 and an empty host outside of a running cluster.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote(num_cpus = 2, num_gpus = 1)]
/// fn describe() -> String {
///     let context = mobula::context();
///     println!("on host {}, by worker {}", context.host(), context.worker());
///     format!(
///         "{} on rank {} with {} CPUs and GPUs {:?}, actor {:?}",
///         context.task().unwrap_or("driver"),
///         context.rank(),
///         context.cpus(),
///         context.gpus(),
///         context.actor(),
///     )
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(2.0).num_gpus(1.0))?;
/// assert_eq!(*describe::remote().get()?, "describe on rank 0 with 2 CPUs and GPUs [0], actor None");
/// assert_eq!(mobula::context().task(), None); // a driver
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn context() -> Context {
    let here = |runtime: &runtime::Runtime| (runtime.cluster.rank, runtime.cluster.host.clone());
    let (rank, host) = runtime::Runtime::current().map(here).unwrap_or_default();
    Context { rank, host, running: runtime::snapshot() }
}
