//! What a rank makes before it knows the others': memory, sockets, devices, and the cards that lead to them.

use crate::base::config::{MEMORY, Pages};
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::base::{Config, Error, Rank, Result};
use crate::boot::World;
use crate::memory::{Arena, Region, Segment, SegmentCard};
use crate::runtime::board::BOARD_BYTES;
use crate::runtime::choice::{self, Standing};
use crate::scheduling::{Totals, UNIT, fixed_of};
use crate::topology::Topology;
use crate::transport::shm::Inbox;
use crate::transport::tcp::{Addresses, Listener, TcpCard};
use crate::transport::verbs::VerbsEndpoint;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Part of a host's memory that its stores may take where nothing else is said: 3 in 10.
const STORE_SHARE: (u64, u64) = (3, 10);

/// What the others of its host and of the cluster need to reach a rank.
#[derive(Serialize, Deserialize)]
pub(super) struct Cards {
    pub inbox: Option<SegmentCard>,
    pub arena: SegmentCard,
    /// Of the host's first rank.
    pub board: Option<SegmentCard>,
    /// Of the host's first rank: what the host has.
    pub host: Option<HostCard>,
    pub standing: Standing,
    pub tcp: Option<TcpCard>,
}

/// What a host has.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct HostCard {
    pub totals: Totals,
    pub topology: Topology,
    pub gpus: Result<Vec<String>, String>,
    pub pages: String,
}

/// Where a rank stands among the others of its host.
pub(super) struct Station<'a> {
    pub rank: Rank,
    /// Its host, by place among all, and how many hosts there are.
    pub host: usize,
    pub hosts: usize,
    pub host_ranks: &'a [Rank],
    /// This rank among those.
    pub place: usize,
    /// The CPUs that each of those is bound to.
    pub bound: &'a [Vec<u32>],
}

pub(super) struct Local {
    pub host: HostCard,
    pub inbox: Option<Inbox>,
    pub arena: Arc<Arena>,
    /// Of the host's first rank.
    pub board: Option<Arc<Segment>>,
    pub tcp: Option<Listener>,
    pub verbs: Option<VerbsEndpoint>,
    pub standing: Standing,
}

impl Local {
    pub(super) fn make(config: &Config, topology: Topology, world: &World, station: &Station<'_>) -> Result<Local> {
        let host_ranks = station.host_ranks;
        if host_ranks.len() > RANKS_PER_HOST_MAX {
            return Err(Error::config(format!(
                "{} ranks on host {} are more than the {RANKS_PER_HOST_MAX} that share its memory",
                host_ranks.len(),
                topology.hostname
            )));
        }
        let share = topology.usable_memory_bytes() / STORE_SHARE.1 * STORE_SHARE.0 / host_ranks.len() as u64;
        let arena = Arena::create(config.store_bytes.unwrap_or(share.max(64 << 20)), config.pages)?;
        let shares_memory = host_ranks.len() > 1 && choice::shares_memory(config.fabric);
        let inbox = if shares_memory { Some(Inbox::create(station.rank, host_ranks)?) } else { None };
        let board = match station.place {
            0 => Some(Arc::new(Segment::create("mobula-board", BOARD_BYTES, Pages::Plain)?)),
            _ => None,
        };
        let tcp = open_tcp(config, world, station.hosts)?;
        let verbs = open_verbs(config, &topology, station, &arena);
        let standing = Standing {
            choice: config.fabric,
            host: station.host,
            verbs: verbs.as_ref().map(VerbsEndpoint::card).map_err(Clone::clone),
            mpi: world.mpi.as_ref().map(|_| ()).map_err(Clone::clone),
            tcp: tcp.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        let host = host_card(config, topology, station.bound, &arena);
        Ok(Local { host, inbox, arena, board, tcp: tcp.ok(), verbs: verbs.ok(), standing })
    }

    pub(super) fn cards(&self) -> Cards {
        let first = self.board.as_ref();
        Cards {
            inbox: self.inbox.as_ref().map(Inbox::card),
            arena: self.arena.card(),
            board: first.map(|segment| segment.card()),
            host: first.map(|_| self.host.clone()),
            standing: self.standing.clone(),
            tcp: self.tcp.as_ref().map(Listener::card),
        }
    }
}

/// A socket that listens, or why none is needed. One that is needed and cannot be had is an error.
fn open_tcp(config: &Config, world: &World, hosts: usize) -> Result<Result<Listener, String>> {
    if !choice::wants_tcp(config.fabric, hosts, world.mpi.is_ok()) {
        return Ok(Err("not needed".to_string()));
    }
    let addresses = Addresses::choose(config.interface.as_deref())?;
    let ports = config.ports.map(|ports| ports.first..=ports.last);
    Listener::open(&addresses, ports).map(Ok)
}

/// The RDMA device nearest to this rank's cores, with the store registered, or why there is none.
fn open_verbs(
    config: &Config,
    topology: &Topology,
    station: &Station<'_>,
    arena: &Arc<Arena>,
) -> Result<VerbsEndpoint, String> {
    if !choice::wants_verbs(config.fabric, station.hosts) {
        return Err("not needed".to_string());
    }
    let first = station.bound.get(station.place).and_then(|cpus| cpus.first());
    let numa = topology.numa.iter().find(|numa| first.is_some_and(|cpu| numa.cpus.contains(cpu)));
    let mut endpoint = VerbsEndpoint::open(numa.map(|numa| numa.id), config.interface.as_deref())?;
    endpoint.register(&Region::Host(arena.clone()))?;
    Ok(endpoint)
}

fn host_card(config: &Config, topology: Topology, bound: &[Vec<u32>], arena: &Arena) -> HostCard {
    let gpus = crate::gpu::discover();
    let found_gpus = gpus.as_ref().map_or(0, Vec::len);
    let gpus = gpus.map(|gpus| {
        gpus.iter().map(|gpu| format!("{} ({}, {} MiB)", gpu.name, gpu.pci, gpu.memory_bytes >> 20)).collect()
    });
    let union: Vec<u32> = bound.iter().flatten().copied().collect();
    let memory_bytes = config.memory_bytes.unwrap_or_else(|| topology.usable_memory_bytes());
    let mut custom: Vec<(String, i64)> =
        config.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect();
    custom.push((MEMORY.to_string(), fixed_of(memory_bytes as f64)));
    custom.sort();
    let totals = Totals {
        cpu: config.num_cpus.map_or(topology.cores_among(&union).max(1) as i64 * UNIT, fixed_of),
        gpu: config.num_gpus.map_or(found_gpus as i64 * UNIT, fixed_of),
        custom,
    };
    HostCard { totals, topology, gpus, pages: arena.page_kind().to_string() }
}
