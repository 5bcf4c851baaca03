//! The start of a rank: who is where, memory mapped, roads chosen, threads running.

use crate::base::limits::RANKS_MAX;
use crate::base::log::set_level;
use crate::base::{Config, Error, Rank, Result};
use crate::boot::{Exchange, World};
use crate::runtime::hello::{Hello, group_by_host, refuse_strangers};
use crate::runtime::join::join;
use crate::runtime::local::{Cards, Local, Station};
use crate::runtime::rank::{HostInfo, Parts, Runtime};
use crate::runtime::stop::Session;
use crate::runtime::{context, overflow, worker};
use crate::topology::Topology;
use serde::{Deserialize, Serialize};

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
    let host = hosts.iter().position(|ranks| ranks.contains(&rank)).unwrap_or_default();
    let host_ranks = hosts[host].clone();
    let bound: Vec<Vec<u32>> = host_ranks.iter().map(|rank| hellos[*rank as usize].cpus.clone()).collect();
    let place = host_ranks.iter().position(|other| *other == rank).unwrap_or_default();
    let station = Station { rank, host, hosts: hosts.len(), host_ranks: &host_ranks, place, bound: &bound };

    // Each of these can fail on one rank alone: all learn of it in the next exchange.
    let local = topology.and_then(|topology| Local::make(&config, topology, &world, &station));
    let cards: Vec<Cards> = gather(&mut *world.exchange, &local.as_ref().map(Local::cards).map_err(Clone::clone))?;
    let joined = join(&config, local?, &world, &station, &cards);
    let outcome = joined.as_ref().map(|_| ()).map_err(Clone::clone);
    // Also a barrier: from here on every segment is mapped by who needs it.
    let _: Vec<()> = gather(&mut *world.exchange, &outcome)?;
    let (parts, launcher) = (joined?, world.launcher.clone());
    // Every rank comes here or none does, and where one rank needs the far road, all do.
    if let Some(far) = world.mpi.as_ref().ok().filter(|far| parts.fabrics.iter().any(|name| name == far.name())) {
        far.open_reads();
    }

    let infos = hosts.iter().map(|ranks| host_info(ranks, &hellos, &cards, &parts.fabrics)).collect();
    let ranks = hellos.iter().enumerate().map(|(rank, hello)| {
        (hosts.iter().position(|ranks| ranks.contains(&(rank as Rank))).unwrap_or_default(), hello.pid)
    });
    // The program's own thread, and the threads without a core of their own: on a core that another rank's worker is pinned
    // to, each would wait for the other to yield. Who may not be kept there runs where the system puts it.
    let kept = if config.pin { crate::topology::Kept::to(parts.cpus).ok().flatten() } else { None };
    let workers = parts.workers;
    let pages = parts.arena.page_kind();
    let store_bytes = parts.arena.bytes();
    let foreign = |(other, arena): (usize, &Option<_>)| arena.is_none() && other != rank as usize;
    let runtime = Runtime::install(Parts {
        rank,
        size,
        hosts: infos,
        ranks: ranks.collect(),
        standings: cards.into_iter().map(|card| card.standing).collect(),
        places: parts.places,
        arena: parts.arena,
        table: parts.table,
        roads: parts.roads,
        host_bells: parts.host_bells,
        has_foreign_memory: parts.arenas.iter().enumerate().any(foreign),
        arenas: parts.arenas,
        vigil: world.exchange.vigil(),
        config,
    });
    runtime.prepare_store();
    context::install_panic_hook();
    overflow::install();
    overflow::prepare_thread();
    for index in 0..workers {
        runtime.add_worker(worker::spawn(runtime, index)?);
    }
    let progress =
        std::thread::Builder::new().name(format!("mobula-{rank}-progress")).spawn(move || runtime.progress());
    let progress = progress.map_err(|error| Error::config(format!("no thread for progress: {error}")))?;
    crate::base::sync::lock(&runtime.threads).push(progress);
    if rank == 0 {
        runtime.banner(&launcher, workers, &pages.to_string(), store_bytes);
    }
    Ok(Session::new(runtime, world, kept))
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

fn host_info(ranks: &[Rank], hellos: &[Hello], cards: &[Cards], fabrics: &[String]) -> HostInfo {
    let first = ranks[0] as usize;
    let host = match &cards[first].host {
        Some(host) => host.clone(),
        None => unreachable!("the first rank of a host says what the host has: join looked"),
    };
    HostInfo {
        name: hellos[first].host.clone(),
        ranks: ranks.to_vec(),
        totals: host.totals,
        topology: host.topology,
        gpus: host.gpus,
        pages: host.pages,
        fabrics: fabrics.to_vec(),
    }
}
