//! Start: the ranks, the resources, and one cluster at a time.

use crate::cases::{Cases, Outcome, soon};
use mobula::prelude::*;
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// Hardware threads to which the launcher bound this process.
static THREADS: OnceLock<f64> = OnceLock::new();

/// The host's own CPUs, with declared GPUs and a declared custom resource.
pub fn config() -> Config {
    THREADS.get_or_init(|| available_parallelism().map_or(1.0, |threads| threads.get() as f64));
    Config::default().num_gpus(2.0).resource("Custom", 2.0).store_bytes(64 << 20)
}

/// The ranks of the cluster, in order.
pub fn ranks() -> Vec<u32> {
    let mut ranks: Vec<u32> = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect();
    ranks.sort_unstable();
    ranks
}

/// The last rank: another process if there are several ranks.
pub fn last_rank() -> u32 {
    *ranks().last().expect("rank 0 at least")
}

/// The number of hosts.
pub fn hosts() -> usize {
    mobula::nodes().len()
}

/// The host of a rank.
pub fn host_of(rank: u32) -> String {
    let nodes = mobula::nodes();
    let host = nodes.iter().find(|node| node.ranks().contains(&rank)).expect("every rank is on a host");
    host.name().to_string()
}

/// A placement on the host of this rank: any rank if there is one host only.
pub fn on_host_of(rank: u32) -> Placement {
    if hosts() == 1 { Placement::Auto } else { Placement::Rank(rank) }
}

#[mobula::remote]
fn process() -> (u32, u32, String) {
    let context = mobula::context();
    (context.rank(), std::process::id(), context.host().to_string())
}

#[mobula::remote]
fn is_initialized() -> bool {
    mobula::is_initialized()
}

/// Holds its resources until its last handle is dropped.
pub struct Holder {}

#[mobula::actor]
impl Holder {
    pub fn new() -> Self {
        Holder {}
    }
    pub fn ready(&self) -> bool {
        true
    }
}

pub fn run(cases: &mut Cases) {
    cases.case("the ranks are those that were launched", ranks_are_launched);
    cases.case("each rank is a process of its own", processes);
    cases.case("the driver is rank 0 and no task", the_driver);
    cases.case("a second init is an error", second_init);
    cases.case("ignore_reinit hands back the running cluster", ignored_reinit);
    cases.case("it is initialized, here and in tasks", initialized);
    cases.case("the resources are the host's and what Config says", resources);
    cases.case("available resources go down and up again", available);
    cases.case("all CPUs of an idle cluster are free", idle);
}

fn ranks_are_launched() -> Outcome {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok()).unwrap_or("1".to_string());
    let size: u32 = variable(&["MOBULA_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]).parse()?;
    assert_eq!(ranks(), (0..size).collect::<Vec<u32>>());
    // A shell and mpirun start all ranks on this host; srun sets the number of hosts.
    let nodes = mobula::nodes();
    assert_eq!(nodes.len(), variable(&["SLURM_STEP_NUM_NODES"]).parse::<usize>()?);
    assert!(nodes.iter().all(|node| !node.name().is_empty()));
    Ok(())
}

fn processes() -> Outcome {
    let mut seen = std::collections::BTreeSet::new();
    for rank in ranks() {
        let (reported, pid, host) = (*process::on(rank).remote().get()?).clone();
        assert_eq!(reported, rank);
        assert_eq!(host, host_of(rank));
        assert_eq!((pid, &host) == (std::process::id(), &host_of(0)), rank == 0);
        assert!(seen.insert((pid, host.clone())), "two ranks are process {pid} of {host}");
    }
    Ok(())
}

fn the_driver() -> Outcome {
    let context = mobula::context();
    assert_eq!(context.rank(), 0);
    assert!(context.task().is_none() && context.actor().is_none());
    assert!(context.gpus().is_empty());
    assert_eq!(context.host(), host_of(0));
    Ok(())
}

fn second_init() -> Outcome {
    let error = mobula::init(Config::default()).map(|_| ()).expect_err("a cluster runs");
    assert!(matches!(error, mobula::Error::Config { .. }), "{error:?}");
    assert!(error.to_string().contains("ignore_reinit"), "it should tell what to do: {error}");
    // The running cluster goes on.
    assert_eq!(process::on(0).remote().get()?.0, 0);
    Ok(())
}

fn ignored_reinit() -> Outcome {
    let same = mobula::init(Config::default().ignore_reinit(true))?;
    assert_eq!((same.rank(), same.size() as usize), (0, ranks().len()));
    // This drops only a handle to the running cluster.
    drop(same);
    assert_eq!(process::on(last_rank()).remote().get()?.0, last_rank());
    Ok(())
}

fn initialized() -> Outcome {
    assert!(mobula::is_initialized());
    assert!(*is_initialized::on(last_rank()).remote().get()?);
    Ok(())
}

fn resources() -> Outcome {
    let (totals, hosts) = (mobula::cluster_resources(), hosts() as f64);
    assert_eq!(totals.get("GPU"), Some(&(2.0 * hosts)));
    // Of each host, and not of each of its ranks.
    assert_eq!(totals.get("Custom"), Some(&(2.0 * hosts)));
    // All cores if unbound; if a core has two hardware threads, either may be counted. All hosts are equal. This thread
    // is bound to its rank's share of them.
    let (cpus, threads) = (totals["CPU"] / hosts, *THREADS.get().expect("set before the start"));
    assert!(cpus == threads || cpus * 2.0 == threads, "{cpus} CPUs, {threads} hardware threads");
    let (share, ranks) = (available_parallelism()?.get() as f64, ranks().len() as f64 / hosts);
    assert!(share <= (threads / ranks).ceil(), "{share} of {threads} hardware threads for one of {ranks} ranks");
    Ok(())
}

fn available() -> Outcome {
    let amount = |name: &str| mobula::available_resources().get(name).copied().unwrap_or(0.0);
    let all = 2.0 * hosts() as f64;
    soon("all of Custom is free", || amount("Custom") == all);
    let holder = Holder::options().resource("Custom", 1.5).num_gpus(1.0).remote();
    assert!(*holder.ready().get()?);
    soon("what the actor holds is not free", || amount("Custom") == all - 1.5 && amount("GPU") == all - 1.0);
    assert_eq!(mobula::cluster_resources()["Custom"], all, "the total stays");
    drop(holder);
    soon("all of Custom is free again", || amount("Custom") == all && amount("GPU") == all);
    Ok(())
}

fn idle() -> Outcome {
    let total = mobula::cluster_resources()["CPU"];
    soon("every CPU is free", || mobula::available_resources().get("CPU") == Some(&total));
    Ok(())
}
