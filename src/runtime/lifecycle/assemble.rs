//! The start of a rank: finds out which rank is on which host, maps memory, chooses transports, starts threads.

use crate::base::limits::RANKS_MAX;
use crate::base::log::set_level;
use crate::base::process_limits::in_force;
use crate::base::sync::lock;
use crate::base::{Config, Error, Rank, Result, stack};
use crate::boot::{Exchange, World};
use crate::registry::launch_ready_by;
use crate::runtime::cluster::ClusterInfo;
use crate::runtime::lifecycle::hello::{Hello, group_by_host, group_by_machine, refuse_other_binaries};
use crate::runtime::lifecycle::join::join;
use crate::runtime::lifecycle::launcher_watch::watch_launcher;
use crate::runtime::lifecycle::local::{HostPosition, LocalResources, WorkerAddress};
use crate::runtime::lifecycle::session::Session;
use crate::runtime::workers::{self, crash, overflow, worker};
use crate::runtime::{HostInfo, Runtime, memory, output, tasks};
use crate::topology::{RankCores, Topology};
use serde::{Deserialize, Serialize};

/// Makes this process a rank of the cluster that `world` joined.
///
/// # Errors
/// If the ranks do not match, or memory, transports or threads cannot be had; every rank gets an error then.
pub fn start(world: World, config: Config) -> Result<Session> {
    start_rank(world, config, Runtime::install)
}

/// As `start`; `install` makes the rank the one that calls of users find.
pub fn start_rank(mut world: World, config: Config, install: fn(&'static Runtime)) -> Result<Session> {
    set_level(config.log);
    stack::set_fiber_bytes(config.stack_bytes);
    let (rank, size) = (world.rank, world.size);
    if size > RANKS_MAX {
        return Err(Error::config(format!("{size} ranks are more than the {RANKS_MAX} that a cluster may have")));
    }
    let topology = Topology::discover();
    let hello = Hello::of_this_process(topology.as_ref().map(|topology| topology.allowed.clone()).unwrap_or_default());
    let hellos: Vec<Hello> = gather(&mut *world.exchange, &Ok(hello))?;
    refuse_other_binaries(&mut *world.exchange, rank, &hellos)?;
    let hosts = group_by_host(&hellos);
    let host = hosts.iter().position(|ranks| ranks.contains(&rank)).unwrap_or_default();
    let host_ranks = hosts[host].clone();
    let machines = group_by_machine(&hellos);
    let machine_ranks = machines.iter().find(|ranks| ranks.contains(&rank)).unwrap_or(&host_ranks);
    let bound: Vec<Vec<u32>> = machine_ranks.iter().map(|rank| hellos[*rank as usize].cpus.clone()).collect();
    let index = host_ranks.iter().position(|other| *other == rank).unwrap_or_default();
    let position =
        HostPosition { rank, host, hosts: hosts.len(), host_ranks: &host_ranks, index, machine_ranks, bound: &bound };

    // Each of these can fail on one rank alone: all ranks learn of it in the next exchange.
    let local = topology.and_then(|topology| LocalResources::create(&config, topology, &world, &position));
    let addresses: Vec<WorkerAddress> =
        gather(&mut *world.exchange, &local.as_ref().map(LocalResources::address).map_err(Clone::clone))?;
    let joined = join(&config, local?, &world, &position, &addresses);
    let outcome = joined.as_ref().map(|_| ()).map_err(Clone::clone);
    // Also a barrier: from here on every rank has mapped the segments that it needs.
    let _: Vec<()> = gather(&mut *world.exchange, &outcome)?;
    let (parts, launcher) = (joined?, world.launcher.clone());
    // Either every rank comes here or none does, and if one rank needs MPI, all do.
    if let Some(mpi) = world.mpi.as_ref().ok().filter(|mpi| parts.transport_names.iter().any(|name| name == mpi.name()))
    {
        mpi.open_reads();
    }

    let infos = hosts
        .iter()
        .map(|ranks| {
            let machine = machines.iter().position(|machine| machine.contains(&ranks[0])).unwrap_or_default();
            host_info(ranks, machine, &hellos, &addresses, &parts.transport_names)
        })
        .collect();
    let ranks = hellos.iter().enumerate().map(|(rank, hello)| {
        (hosts.iter().position(|ranks| ranks.contains(&(rank as Rank))).unwrap_or_default(), hello.pid)
    });
    // Binds the program's own thread, and the threads without a core of their own: on a core that another rank's worker
    // is pinned to, each would wait for the other to yield. If the system does not allow it, they run unbound.
    let saved_affinity =
        if config.pin { crate::topology::SavedAffinity::restrict(parts.cpus).ok().flatten() } else { None };
    let cores = if config.pin { parts.cores } else { RankCores::default() };
    let workers = parts.workers;
    let capabilities = addresses.into_iter().map(|address| address.capabilities).collect();
    let cluster = ClusterInfo::new(rank, config, infos, ranks.collect(), capabilities);
    let notifier = world.exchange.death_notifier();
    launch_ready_by(tasks::launch_notified);
    let runtime = Runtime::new(cluster, parts.router, parts.memory, parts.resources, cores, notifier).leak();
    let _ = parts.control_channel.0.set(runtime);
    install(runtime);
    memory::prepare_store(runtime);
    tasks::install_panic_hook();
    crash::install();
    overflow::install();
    overflow::prepare_thread();
    // Before the first task can run here.
    let captures = runtime.cluster.config.one_driver && rank != 0;
    let capture = if captures { Some(output::Capture::begin(runtime)?) } else { None };
    if let Err(error) = start_threads(runtime, workers) {
        runtime.stop();
        runtime.uninstall();
        return Err(error);
    }
    watch_launcher();
    if rank == 0 {
        output::banner(runtime, &launcher, workers);
    }
    Ok(Session::new(runtime, world, saved_affinity, capture))
}

fn start_threads(runtime: &'static Runtime, workers: usize) -> Result<()> {
    for index in 0..workers {
        runtime.workers.add(worker::spawn(runtime, index)?);
    }
    let name = format!("mobula-{}-progress", runtime.cluster.rank);
    let progress = std::thread::Builder::new().name(name).spawn(move || workers::progress(runtime));
    let progress = progress
        .map_err(|error| Error::config(format!("no thread for progress: {error}{}", in_force())).caused_by(&error))?;
    lock(&runtime.workers.threads).push(progress);
    Ok(())
}

/// The values of all ranks, or the error of the first rank that has one.
fn gather<T: Serialize + for<'de> Deserialize<'de>>(exchange: &mut dyn Exchange, own: &Result<T>) -> Result<Vec<T>> {
    let bytes = postcard::to_allocvec(own)
        .map_err(|error| Error::fabric(format!("an address does not encode: {error}")).caused_by(&error))?;
    let all = exchange.allgather(&bytes)?;
    let decode = |(rank, bytes): (usize, Vec<u8>)| {
        postcard::from_bytes::<Result<T>>(&bytes).unwrap_or_else(|error| {
            Err(Error::fabric(format!(
                "the address of rank {rank} does not decode: {error}; do all ranks run the same binary?"
            ))
            .caused_by(&error))
        })
    };
    all.into_iter().enumerate().map(decode).collect()
}

fn host_info(
    ranks: &[Rank],
    machine: usize,
    hellos: &[Hello],
    addresses: &[WorkerAddress],
    transports: &[String],
) -> HostInfo {
    let first = ranks[0] as usize;
    let Some(resources) = addresses[first].host.clone() else {
        unreachable!("the first rank of a host sends the host's resources: join checked")
    };
    let (name, ranks, transports) = (hellos[first].host.clone(), ranks.to_vec(), transports.to_vec());
    HostInfo { name, machine, ranks, resources, transports }
}
