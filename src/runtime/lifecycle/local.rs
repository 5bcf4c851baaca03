//! What a rank creates before it knows the others: memory, sockets, devices, and the address that leads to them.

use crate::base::cgroup::cpu_quota;
use crate::base::config::{MEMORY, Pages};
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::base::{Config, Error, Rank, Result, process_limits};
use crate::boot::{self, JobGrant, World};
use crate::memory::{Arena, HUGE_PAGE_BYTES, Region, Segment, SegmentHandle};
use crate::runtime::cluster::HostResources;
use crate::runtime::resources::SHARED_TABLE_BYTES;
use crate::runtime::router::transport_choice::{self, Capabilities, NotOffered};
use crate::scheduling::{Totals, UNIT, fixed_of};
use crate::topology::{self, Topology};
use crate::transport::shm::Inbox;
use crate::transport::tcp::{Addresses, Listener, TcpAddress};
use crate::transport::verbs::{self, OpenPort, VerbsError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Part of a host's memory that its stores may take by default: 3 in 10.
const STORE_SHARE: (u64, u64) = (3, 10);

/// The least default store of a rank.
const STORE_LEAST: u64 = 64 << 20;

/// What the other ranks of the host and of the cluster need to reach a rank.
#[derive(Serialize, Deserialize)]
pub struct WorkerAddress {
    pub inbox: Option<SegmentHandle>,
    pub arena: SegmentHandle,
    /// Only from the host's first rank.
    pub shared_table: Option<SegmentHandle>,
    /// Only from the host's first rank.
    pub host: Option<HostResources>,
    pub capabilities: Capabilities,
    pub tcp: Option<TcpAddress>,
}

/// The position of a rank among the others of its host.
pub struct HostPosition<'a> {
    pub rank: Rank,
    /// The index of its host, and how many hosts there are.
    pub host: usize,
    pub hosts: usize,
    pub host_ranks: &'a [Rank],
    /// The index of this rank among those.
    pub index: usize,
    /// The ranks of its machine: those of its host, and others with which it cannot share memory.
    pub machine_ranks: &'a [Rank],
    /// The CPUs that each rank of the machine is bound to.
    pub bound: &'a [Vec<u32>],
}

impl HostPosition<'_> {
    /// The index of this rank among those of its machine.
    pub fn machine_index(&self) -> usize {
        self.machine_index_of(self.rank)
    }

    fn machine_index_of(&self, rank: Rank) -> usize {
        self.machine_ranks.iter().position(|other| *other == rank).unwrap_or_default()
    }

    /// The host's part of what its machine has: all, or as much as it has of the machine's ranks.
    fn part_of(&self, bytes: u64) -> u64 {
        bytes / self.machine_ranks.len() as u64 * self.host_ranks.len() as u64
    }

    /// The cores that the host's ranks may run on. If other ranks of the machine are on another host, these are the
    /// cores of each rank's share, so that the machine's are counted once.
    fn cores(&self, topology: &Topology) -> usize {
        let of_rank = |rank: &Rank| topology::share(topology, self.bound, self.machine_index_of(*rank));
        let shares = self.host_ranks.iter().flat_map(of_rank).flat_map(|core| core.pus);
        let cpus: Vec<u32> =
            if self.machine_ranks.len() == self.host_ranks.len() { self.bound.concat() } else { shares.collect() };
        topology.cores_among(&cpus)
    }
}

pub struct LocalResources {
    pub host: HostResources,
    pub inbox: Option<Inbox>,
    pub arena: Arc<Arena>,
    /// Only on the host's first rank.
    pub shared_table: Option<Arc<Segment>>,
    pub tcp: Option<Listener>,
    pub verbs: Option<Box<dyn OpenPort>>,
    pub capabilities: Capabilities,
    /// True if the job may use fewer CPUs of this machine than the cores to which its ranks are bound. Which of the
    /// cores are for others nobody says, so threads are not pinned: two such jobs would choose the same cores.
    pub shares_its_cores: bool,
}

impl LocalResources {
    pub fn create(
        config: &Config,
        topology: Topology,
        world: &World,
        position: &HostPosition<'_>,
    ) -> Result<LocalResources> {
        let host_ranks = position.host_ranks;
        if host_ranks.len() > RANKS_PER_HOST_MAX {
            return Err(Error::config(format!(
                "{} ranks on host {} are more than the {RANKS_PER_HOST_MAX} that share its memory",
                host_ranks.len(),
                topology.hostname
            )));
        }
        let grant = boot::job_grant(position.machine_ranks.len());
        let usable_bytes = grant.memory_bytes.unwrap_or(u64::MAX).min(topology.usable_memory_bytes());
        let limits = StoreLimits {
            memory_bytes: position.part_of(usable_bytes),
            address_space: process_limits::address_space_left(),
            file_bytes: process_limits::file_bytes_max(),
        };
        let store_bytes = config.store_bytes.unwrap_or_else(|| default_store(&limits, host_ranks.len() as u64));
        let arena = Arena::create(store_bytes, config.pages)?;
        let shares_memory = host_ranks.len() > 1 && transport_choice::shares_memory(config.fabric);
        let inbox = if shares_memory { Some(Inbox::create(position.rank, host_ranks)?) } else { None };
        let shared_table = match position.index {
            0 => Some(Arc::new(Segment::create("mobula-table", SHARED_TABLE_BYTES, Pages::Plain)?)),
            _ => None,
        };
        let tcp = open_tcp(config, world, position.hosts)?;
        let verbs = open_verbs(config, &topology, position, &arena);
        let capabilities = Capabilities {
            choice: config.fabric,
            host: position.host,
            verbs: verbs.as_ref().map(|port| port.address()).map_err(Clone::clone),
            mpi: world.mpi.as_ref().map(drop).map_err(|error| NotOffered::because(error)),
            tcp: tcp.as_ref().map(drop).ok_or(NotOffered::NotNeeded),
        };
        let cores = topology.cores_among(&position.bound.concat());
        let shares_its_cores = usable_cpus(cores, cpu_quota(), grant.cpus) < cores as i64;
        let host = host_resources(config, topology, position, &arena, (&grant, limits.memory_bytes));
        let verbs = verbs.ok();
        Ok(LocalResources { host, inbox, arena, shared_table, tcp, verbs, capabilities, shares_its_cores })
    }

    pub fn address(&self) -> WorkerAddress {
        let first = self.shared_table.as_ref();
        WorkerAddress {
            inbox: self.inbox.as_ref().map(Inbox::handle),
            arena: self.arena.handle(),
            shared_table: first.map(|segment| segment.handle()),
            host: first.map(|_| self.host.clone()),
            capabilities: self.capabilities.clone(),
            tcp: self.tcp.as_ref().map(Listener::address),
        }
    }
}

/// A listening socket, if one is needed. It is an error if one is needed and cannot be had.
fn open_tcp(config: &Config, world: &World, hosts: usize) -> Result<Option<Listener>> {
    if !transport_choice::needs_tcp(config.fabric, hosts, world.mpi.is_ok()) {
        return Ok(None);
    }
    let addresses = Addresses::choose(config.interface.as_deref())?;
    let ports = config.ports.map(|ports| ports.first..=ports.last);
    Listener::open(&addresses, ports).map(Some)
}

/// The RDMA device nearest to this rank's cores, with the store registered, or why there is none.
fn open_verbs(
    config: &Config,
    topology: &Topology,
    position: &HostPosition<'_>,
    arena: &Arc<Arena>,
) -> Result<Box<dyn OpenPort>, NotOffered> {
    if !transport_choice::needs_verbs(config.fabric, position.hosts) {
        return Err(NotOffered::NotNeeded);
    }
    let first = position.bound.get(position.machine_index()).and_then(|cpus| cpus.first());
    let numa = topology.numa.iter().find(|numa| first.is_some_and(|cpu| numa.cpus.contains(cpu)));
    let open = || {
        let mut port = verbs::open(numa.map(|numa| numa.id), config.interface.as_deref())?;
        port.register(&Region::Host(arena.clone()))?;
        Ok(port)
    };
    open().map_err(|error: VerbsError| NotOffered::because(&error))
}

/// What bounds the default size of a store.
struct StoreLimits {
    /// Memory of the host that its ranks may use.
    memory_bytes: u64,
    /// What the process may still map, if that is limited.
    address_space: Option<u64>,
    /// What a file may have, in memory too, if that is limited.
    file_bytes: Option<u64>,
}

/// The bytes of a rank's store where no setting says them. Each rank maps the stores of all `ranks` of its host, in at
/// most half of the address space that it has left: the rest is for stacks, threads and the heap.
fn default_store(limits: &StoreLimits, ranks: u64) -> u64 {
    let share = (limits.memory_bytes / STORE_SHARE.1 * STORE_SHARE.0 / ranks).max(STORE_LEAST);
    let mapped = limits.address_space.map_or(u64::MAX, |left| left / 2 / ranks);
    let fits = share.min(mapped).min(limits.file_bytes.unwrap_or(u64::MAX));
    // Whole huge pages: rounding up would pass the limit. Too little space for one is an error when it is mapped.
    if fits < share { (fits / HUGE_PAGE_BYTES as u64).max(1) * HUGE_PAGE_BYTES as u64 } else { share }
}

fn host_resources(
    config: &Config,
    topology: Topology,
    position: &HostPosition<'_>,
    arena: &Arena,
    (grant, usable_bytes): (&JobGrant, u64),
) -> HostResources {
    let gpus = crate::gpu::discover();
    let found_gpus = gpus.as_ref().map_or(0, Vec::len);
    let gpus = gpus.map(|gpus| {
        gpus.iter().map(|gpu| format!("{} ({}, {} MiB)", gpu.name, gpu.pci, gpu.memory_bytes >> 20)).collect()
    });
    let memory_bytes = config.memory_bytes.unwrap_or(usable_bytes);
    let part = position.host_ranks.len() as f64 / position.machine_ranks.len() as f64;
    let granted = grant.cpus.map(|cpus| (f64::from(cpus) * part).ceil() as u32);
    let mut custom: Vec<(String, i64)> =
        config.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect();
    custom.push((MEMORY.to_string(), fixed_of(memory_bytes as f64)));
    custom.sort();
    let totals = Totals {
        cpu: config.num_cpus.map_or_else(
            || usable_cpus(position.cores(&topology), cpu_quota().map(|cpus| cpus * part), granted) * UNIT,
            fixed_of,
        ),
        gpu: config.num_gpus.map_or(found_gpus as i64 * UNIT, fixed_of),
        custom,
    };
    HostResources { totals, topology, gpus, pages: arena.page_kind().to_string() }
}

/// CPUs of a host: the cores that its ranks may run on, or fewer where a quota grants less time, a part counted whole,
/// or the batch system granted the job fewer.
fn usable_cpus(cores: usize, quota: Option<f64>, granted: Option<u32>) -> i64 {
    let quota = quota.map_or(i64::MAX, |cpus| cpus.ceil() as i64);
    (cores as i64).min(quota).min(granted.map_or(i64::MAX, i64::from)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_of_cpu_time_limits_the_cpus_of_a_host() {
        assert_eq!(usable_cpus(8, None, None), 8);
        assert_eq!(usable_cpus(8, Some(0.2), None), 1);
        assert_eq!(usable_cpus(8, Some(1.5), None), 2);
        assert_eq!(usable_cpus(2, Some(16.0), None), 2);
        assert_eq!(usable_cpus(0, None, None), 1);
    }

    #[test]
    fn grant_of_the_batch_system_limits_the_cpus_of_a_host() {
        assert_eq!(usable_cpus(8, None, Some(3)), 3);
        assert_eq!(usable_cpus(8, Some(2.0), Some(3)), 2);
        assert_eq!(usable_cpus(2, None, Some(64)), 2);
    }

    #[test]
    fn default_store_fits_the_limits_of_the_process() {
        const MIB: u64 = 1 << 20;
        let of = |address_space: Option<u64>, file_bytes: Option<u64>, ranks| {
            let limits = StoreLimits { memory_bytes: 10_000 * MIB, address_space, file_bytes };
            default_store(&limits, ranks) / MIB
        };
        assert_eq!(of(None, None, 1), 3000);
        assert_eq!(of(None, None, 2), 1500);
        assert_eq!(of(None, None, 100), 64, "the least");
        assert_eq!(of(Some(100_000 * MIB), None, 2), 1500, "enough");
        assert_eq!(of(Some(3000 * MIB), None, 1), 1500);
        assert_eq!(of(Some(3000 * MIB), None, 2), 750, "each maps both");
        assert_eq!(of(Some(61 * MIB), None, 1), 30, "below the least too, in whole huge pages");
        assert_eq!(of(None, Some(101 * MIB), 1), 100);
        assert_eq!(of(Some(0), None, 1), 2, "an error says the limit when it is mapped");
    }
}
