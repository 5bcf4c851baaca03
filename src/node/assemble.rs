//! The start of a rank: who is where, memory mapped, roads chosen, threads running.

use crate::base::config::FabricChoice;
use crate::base::limits::{RANKS_MAX, RANKS_PER_HOST_MAX};
use crate::base::log::{Level, say, set_level};
use crate::base::{Config, Error, Rank, Result};
use crate::boot::{Exchange, World};
use crate::fabric::Fabric;
use crate::fabric::shm::{Inbox, ShmFabric};
use crate::mem::{Access, Arena, Bell, PeerArena, Region, Segment, SegmentCard};
use crate::node::hello::{Hello, group_by_host, refuse_strangers};
use crate::node::rank::{HostInfo, Node, Parts};
use crate::node::references::References;
use crate::node::roads::Roads;
use crate::node::stop::Session;
use crate::node::table::{TABLE_BYTES, Table};
use crate::node::{context, overflow, worker};
use crate::registry::functions;
use crate::sched::{Totals, UNIT, fixed_of};
use crate::topo::Topology;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Part of a host's memory that its stores may take where nothing else is said: 3 in 10.
const STORE_SHARE: (u64, u64) = (3, 10);

/// How long a waiting thread spins where every rank has a core of its own.
const SPIN: Duration = Duration::from_micros(50);

/// Segments of a rank that the others of its host map.
#[derive(Serialize, Deserialize)]
struct Segments {
    inbox: Option<SegmentCard>,
    arena: SegmentCard,
    /// Of the host's first rank.
    table: Option<SegmentCard>,
    /// Of the host's first rank: what the host has.
    host: Option<(Totals, Topology, Result<Vec<String>, String>, String)>,
}

/// Makes this process a rank of the cluster that `world` joined.
///
/// # Errors
/// Where the ranks do not fit together, or memory, roads or threads are not to be had; every rank gets an error then.
pub fn start(mut world: World, config: Config) -> Result<Session> {
    set_level(config.log);
    let (rank, size) = (world.rank, world.size);
    if size > RANKS_MAX {
        return Err(Error::config(format!("{size} ranks are more than the {RANKS_MAX} that a cluster may have")));
    }
    let topology = Topology::discover();
    let hello = Hello::of_this_process(topology.as_ref().map(|topology| topology.allowed.clone()).unwrap_or_default());
    let hellos: Vec<Hello> = gather(&mut *world.exchange, &Ok(hello))?;
    refuse_strangers(&mut *world.exchange, rank, &hellos)?;
    let hosts = group_by_host(&hellos);
    let mine = hosts.iter().position(|ranks| ranks.contains(&rank)).unwrap_or_default();
    let host_ranks = hosts[mine].clone();
    let place = host_ranks.iter().position(|other| *other == rank).unwrap_or_default();

    // Each of these can fail on one rank alone: all learn of it in the next exchange.
    let bound: Vec<Vec<u32>> = host_ranks.iter().map(|rank| hellos[*rank as usize].cpus.clone()).collect();
    let local = topology.and_then(|topology| Local::make(&config, topology, rank, &host_ranks, place, &bound));
    let segments: Vec<Segments> =
        gather(&mut *world.exchange, &local.as_ref().map(Local::segments).map_err(Clone::clone))?;
    let local = local?;

    let joined = join_host(&config, local, &world, rank, &host_ranks, &segments);
    let outcome = joined.as_ref().map(|_| ()).map_err(Clone::clone);
    // Also a barrier: from here on every segment is mapped by who needs it.
    let _: Vec<()> = gather(&mut *world.exchange, &outcome)?;
    let (parts, launcher) = (joined?, world.launcher.clone());

    let infos = hosts.iter().map(|ranks| host_info(ranks, &hellos, &segments, &parts.fabrics)).collect();
    let ranks = hellos.iter().enumerate().map(|(rank, hello)| {
        (hosts.iter().position(|ranks| ranks.contains(&(rank as Rank))).unwrap_or_default(), hello.pid)
    });
    let workers = parts.workers;
    let pages = parts.arena.page_kind();
    let store_bytes = parts.arena.bytes();
    let node = Node::install(Parts {
        rank,
        size,
        hosts: infos,
        ranks: ranks.collect(),
        places: parts.places,
        arena: parts.arena,
        table: parts.table,
        roads: parts.roads,
        host_bells: parts.host_bells,
        has_foreign_memory: parts
            .arenas
            .iter()
            .enumerate()
            .any(|(other, arena)| arena.is_none() && other != rank as usize),
        references: References::new(rank, parts.arenas),
        config,
    });
    context::install_panic_hook();
    overflow::install();
    overflow::prepare_thread();
    for index in 0..workers {
        node.add_worker(worker::spawn(node, index)?);
    }
    let progress = std::thread::Builder::new().name(format!("mobula-{rank}-progress")).spawn(move || node.progress());
    let progress = progress.map_err(|error| Error::config(format!("no thread for progress: {error}")))?;
    crate::base::sync::lock(&node.threads).push(progress);
    if rank == 0 {
        banner(node, &launcher, workers, &pages.to_string(), store_bytes);
    }
    Ok(Session::new(node, world))
}

/// Everybody's value, or the error that the first rank which has one met.
fn gather<T: Serialize + for<'de> Deserialize<'de>>(exchange: &mut dyn Exchange, mine: &Result<T>) -> Result<Vec<T>> {
    let bytes =
        postcard::to_allocvec(mine).map_err(|error| Error::fabric(format!("a card does not encode: {error}")))?;
    let all = exchange.allgather(&bytes)?;
    let decode = |(rank, bytes): (usize, Vec<u8>)| {
        postcard::from_bytes::<Result<T>>(&bytes).unwrap_or_else(|error| {
            Err(Error::fabric(format!(
                "the card of rank {rank} does not decode: {error}; do all ranks run the same binary?"
            )))
        })
    };
    all.into_iter().enumerate().map(decode).collect()
}

/// What a rank makes before it knows the others' segments.
struct Local {
    topology: Topology,
    totals: Totals,
    gpus: Result<Vec<String>, String>,
    inbox: Option<Inbox>,
    arena: Arc<Arena>,
    /// Of the host's first rank.
    table: Option<Arc<Segment>>,
    bound: Vec<Vec<u32>>,
    place: usize,
}

impl Local {
    fn make(
        config: &Config,
        topology: Topology,
        rank: Rank,
        host_ranks: &[Rank],
        place: usize,
        bound: &[Vec<u32>],
    ) -> Result<Local> {
        if host_ranks.len() > RANKS_PER_HOST_MAX {
            return Err(Error::config(format!(
                "{} ranks on host {} are more than the {RANKS_PER_HOST_MAX} that share its memory",
                host_ranks.len(),
                topology.hostname
            )));
        }
        let gpus = crate::gpu::discover();
        let found_gpus = gpus.as_ref().map_or(0, Vec::len);
        let lines = gpus.map(|gpus| {
            gpus.iter().map(|gpu| format!("{} ({}, {} MiB)", gpu.name, gpu.pci, gpu.memory_bytes >> 20)).collect()
        });
        let union: Vec<u32> = bound.iter().flatten().copied().collect();
        let totals = Totals {
            cpu: config.num_cpus.map_or(topology.cores_among(&union).max(1) as i64 * UNIT, fixed_of),
            gpu: config.num_gpus.map_or(found_gpus as i64 * UNIT, fixed_of),
            custom: config.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect(),
        };
        let share = topology.usable_memory_bytes() / STORE_SHARE.1 * STORE_SHARE.0 / host_ranks.len() as u64;
        let arena = Arena::create(config.store_bytes.unwrap_or(share.max(64 << 20)), config.pages)?;
        let shares_memory = host_ranks.len() > 1 && matches!(config.fabric, FabricChoice::Auto | FabricChoice::Shm);
        let inbox = if shares_memory { Some(Inbox::create(rank, host_ranks)?) } else { None };
        let table = if place == 0 {
            Some(Arc::new(Segment::create("mobula-table", TABLE_BYTES, crate::base::config::Pages::Plain)?))
        } else {
            None
        };
        Ok(Local { topology, totals, gpus: lines, inbox, arena, table, bound: bound.to_vec(), place })
    }

    fn segments(&self) -> Segments {
        let first = self.table.as_ref();
        if let Some(segment) = first {
            Table::new(segment.clone(), self.totals.clone(), 0, 1).fill();
        }
        Segments {
            inbox: self.inbox.as_ref().map(Inbox::card),
            arena: self.arena.card(),
            table: first.map(|segment| segment.card()),
            host: first.map(|_| {
                (self.totals.clone(), self.topology.clone(), self.gpus.clone(), self.arena.page_kind().to_string())
            }),
        }
    }
}

/// What a rank has once its host is joined.
struct Joined {
    arena: Arc<Arena>,
    arenas: Vec<Option<Arc<PeerArena>>>,
    table: Table,
    roads: Roads,
    host_bells: Vec<Option<Arc<Bell>>>,
    places: Vec<crate::topo::WorkerPlace>,
    workers: usize,
    fabrics: Vec<String>,
}

fn join_host(
    config: &Config,
    local: Local,
    world: &World,
    rank: Rank,
    host_ranks: &[Rank],
    segments: &[Segments],
) -> Result<Joined> {
    let size = world.size as usize;
    let first = &segments[host_ranks[0] as usize];
    let (Some(table_card), Some((totals, ..))) = (&first.table, &first.host) else {
        return Err(Error::fabric(format!("rank {} did not say what its host has", host_ranks[0])));
    };
    let table = match local.table {
        Some(segment) => segment,
        None => Arc::new(Segment::open(table_card, Access::Write)?),
    };
    let table = Table::new(table, totals.clone(), local.place, host_ranks.len());

    let mut arenas: Vec<Option<Arc<PeerArena>>> = vec![None; size];
    let mut host_bells: Vec<Option<Arc<Bell>>> = vec![None; size];
    let mut fabrics: Vec<Arc<dyn Fabric>> = Vec::new();
    let mut to: Vec<Option<usize>> = vec![None; size];
    let mut bell = Arc::new(Bell::private());
    if let Some(inbox) = local.inbox {
        let others = || host_ranks.iter().copied().filter(|other| *other != rank);
        bell = inbox.bell();
        let mut cards = Vec::new();
        for other in others() {
            let segments = &segments[other as usize];
            let card =
                segments.inbox.clone().ok_or_else(|| no_road(rank, other, "it has no inbox: MOBULA_FABRIC differs"))?;
            cards.push((other, card));
            arenas[other as usize] = Some(PeerArena::open(&segments.arena)?);
        }
        let road = ShmFabric::join(inbox, &cards)?;
        road.set_arenas(others().filter_map(|other| Some((other, arenas[other as usize].clone()?))).collect());
        for other in others() {
            to[other as usize] = Some(fabrics.len());
            host_bells[other as usize] = Some(road.bell_of(other));
        }
        fabrics.push(Arc::new(road));
    }
    if let Ok(far) = &world.mpi {
        far.offer(&Region::Host(local.arena.clone())).map_err(Error::fabric)?;
        let mut needed = false;
        for (other, road) in to.iter_mut().enumerate() {
            if road.is_none() && other != rank as usize {
                *road = Some(fabrics.len());
                needed = true;
            }
        }
        if needed {
            fabrics.push(far.clone());
        }
    }
    if let Some(other) = (0..size).find(|other| to[*other].is_none() && *other != rank as usize) {
        return Err(no_road(
            rank,
            other as Rank,
            &format!("MOBULA_FABRIC={:?}, launcher {}", config.fabric, world.launcher),
        ));
    }
    let workers = config.workers.unwrap_or_else(|| {
        let cpus = (totals.cpu + UNIT - 1) / UNIT;
        (cpus as usize).div_ceil(host_ranks.len()).clamp(1, crate::base::limits::WORKERS_MAX)
    });
    let crowded = host_ranks.len() > local.topology.allowed.len().max(1);
    let spin = config.spin_us.map_or(if crowded { Duration::ZERO } else { SPIN }, Duration::from_micros);
    Ok(Joined {
        places: crate::topo::plan(&local.topology, &local.bound, local.place, workers),
        arena: local.arena,
        arenas,
        table,
        fabrics: fabrics.iter().map(|road| road.name().to_string()).collect(),
        roads: Roads::new(fabrics, to, bell, spin),
        host_bells,
        workers,
    })
}

fn no_road(from: Rank, to: Rank, why: &str) -> Error {
    Error::fabric(format!("there is no road from rank {from} to rank {to}: {why}"))
}

fn host_info(ranks: &[Rank], hellos: &[Hello], segments: &[Segments], fabrics: &[String]) -> HostInfo {
    let first = ranks[0] as usize;
    let (totals, topology, gpus, pages) = match &segments[first].host {
        Some(host) => host.clone(),
        None => unreachable!("the first rank of a host says what the host has: join_host looked"),
    };
    HostInfo {
        name: hellos[first].host.clone(),
        ranks: ranks.to_vec(),
        totals,
        topology,
        gpus,
        pages,
        fabrics: fabrics.to_vec(),
    }
}

fn banner(node: &'static Node, launcher: &str, workers: usize, pages: &str, store_bytes: u64) {
    say(Level::Info, || {
        let hosts: Vec<String> =
            node.hosts().iter().map(|host| format!("{} ({} ranks)", host.name, host.ranks.len())).collect();
        format!(
            "{} ranks on {}; launcher {launcher}; {workers} workers a rank; store {} MiB a rank on {pages} pages; \
             {} functions, digest {:016x}",
            node.size,
            hosts.join(", "),
            store_bytes >> 20,
            functions().lines().count(),
            functions().digest()
        )
    });
    for rank in 1..node.size.min(8) {
        say(Level::Info, || format!("road to rank {rank}: {}", node.road_to(rank)));
    }
    for line in node.config.lines() {
        say(Level::Info, || line);
    }
}
