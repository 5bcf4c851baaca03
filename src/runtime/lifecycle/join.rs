//! From the addresses of all ranks to a rank that can reach them: maps shared memory, and opens the transports to each
//! peer.

use crate::base::{Config, Error, Rank, Result};
use crate::boot::World;
use crate::memory::{Access, Arena, Doorbell, PeerArena, Region, Segment};
use crate::runtime::Runtime;
use crate::runtime::lifecycle::local::{HostPosition, LocalResources, WorkerAddress};
use crate::runtime::memory::Memory;
use crate::runtime::resources::{ResourceTable, Resources, SharedTable};
use crate::runtime::router::transport_choice::{self, TransportKind};
use crate::runtime::router::{LocalPeer, Router};
use crate::scheduling::UNIT;
use crate::topology::RankCores;
use crate::transport::Transport;
use crate::transport::shm::{Inbox, ShmTransport};
use crate::transport::tcp::{Listener, TcpAddress, TcpTransport};
use crate::transport::verbs::{ControlChannel, OpenPort, VerbsPeers};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a waiting thread spins where every rank has a core of its own.
const SPIN: Duration = Duration::from_micros(50);

/// What a rank has once it has joined the others.
pub struct JoinedRank {
    pub router: Router,
    pub control_channel: RouterChannel,
    pub memory: Memory,
    pub resources: Resources,
    /// The cores of its workers and tasks; none if nobody says which of them are for others.
    pub cores: RankCores,
    /// The CPUs of this rank's share of its host; none likewise.
    pub cpus: Vec<u32>,
    pub workers: usize,
    pub transport_names: Vec<String>,
}

/// Maps what the host's ranks share, and opens the transports in use.
pub fn join(
    config: &Config,
    local: LocalResources,
    world: &World,
    position: &HostPosition<'_>,
    addresses: &[WorkerAddress],
) -> Result<JoinedRank> {
    let (rank, host_ranks) = (position.rank, position.host_ranks);
    // They live: each takes part in the next exchange.
    let local_peers = host_ranks.iter().filter(|other| **other != rank);
    let local_peers =
        local_peers.filter_map(|other| LocalPeer::open(*other, addresses[*other as usize].arena.pid)).collect();
    let first = &addresses[host_ranks[0] as usize];
    let (Some(table_address), Some(host)) = (&first.shared_table, &first.host) else {
        return Err(Error::fabric(format!("rank {} did not send its host's resources", host_ranks[0])));
    };
    let table_segment = match &local.shared_table {
        Some(segment) => segment.clone(),
        None => Arc::new(Segment::open(table_address, Access::Write)?),
    };
    let shared_table = SharedTable::new(table_segment, position.index, host_ranks.len());
    let workers = config.workers.unwrap_or_else(|| {
        let cpus = (host.totals.cpu + UNIT - 1) / UNIT;
        (cpus as usize).div_ceil(host_ranks.len()).clamp(1, crate::base::limits::WORKERS_MAX)
    });
    let topology = &local.host.topology;
    let crowded = position.machine_ranks.len() > topology.allowed.len().max(1);
    let spin = config.spin_us.map_or(if crowded { Duration::ZERO } else { SPIN }, Duration::from_micros);
    let (cores, cpus) = if local.shares_its_cores {
        (RankCores::default(), Vec::new())
    } else {
        let share = crate::topology::share(topology, position.bound, position.machine_index());
        let cores = RankCores::of(topology, position.bound, position.machine_index(), workers);
        (cores, share.into_iter().flat_map(|core| core.pus).collect())
    };

    let routes = routes_to_all(world, rank, addresses)?;
    let LocalResources { arena, inbox, tcp, verbs, .. } = local;
    let mut transports = TransportSet::default();
    transports.add_shm(inbox, rank, host_ranks, addresses)?;
    let job = JoinInputs { world, config, rank, addresses };
    transports.add_remote(&job, &routes, &arena, tcp)?;
    transports.add_verbs(&job, verbs)?;
    let to: Vec<Vec<u8>> =
        routes.iter().map(|route| route.iter().filter_map(|kind| transports.index_of(*kind)).collect()).collect();
    let doorbell = transports.doorbell.unwrap_or_else(|| Arc::new(Doorbell::private()));
    let doorbell_of = |other: &Rank| {
        if *other == rank { Some(doorbell.clone()) } else { transports.host_doorbells[*other as usize].clone() }
    };
    let table = ResourceTable::new(shared_table, host.totals.clone(), host_ranks.iter().map(doorbell_of).collect());
    Ok(JoinedRank {
        control_channel: transports.control_channel,
        memory: Memory::new(config, arena, transports.arenas),
        resources: Resources::new(table),
        transport_names: transports.kinds.iter().map(|kind| kind.name().to_string()).collect(),
        router: Router::new(transports.transports, &to, local_peers, doorbell, spin),
        cores,
        cpus,
        workers,
    })
}

/// The kinds of transports to each rank, best first; none to itself.
fn routes_to_all(world: &World, rank: Rank, addresses: &[WorkerAddress]) -> Result<Vec<Vec<TransportKind>>> {
    let own = &addresses[rank as usize].capabilities;
    let to = |(other, address): (usize, &WorkerAddress)| {
        if other == rank as usize {
            return Ok(Vec::new());
        }
        transport_choice::transports_between(own, &address.capabilities).map_err(|reason| {
            Error::fabric(format!(
                "there is no transport from rank {rank} to rank {other}: {reason} (launcher: {})",
                world.launcher
            ))
        })
    };
    addresses.iter().enumerate().map(to).collect()
}

/// What every rank knows of the job before its transports are opened.
struct JoinInputs<'a> {
    world: &'a World,
    config: &'a Config,
    rank: Rank,
    addresses: &'a [WorkerAddress],
}

/// The transports opened so far.
#[derive(Default)]
struct TransportSet {
    transports: Vec<Arc<dyn Transport>>,
    /// The kind of each of them.
    kinds: Vec<TransportKind>,
    arenas: Vec<Option<Arc<PeerArena>>>,
    host_doorbells: Vec<Option<Arc<Doorbell>>>,
    doorbell: Option<Arc<Doorbell>>,
    control_channel: RouterChannel,
}

/// The control channel of links over verbs: they are set up over the transport to which they fail over.
///
/// The verbs transport exists before the rank, so its rank is set later. Nothing is sent before, and so no link is
/// needed.
#[derive(Clone, Default)]
pub struct RouterChannel(pub Arc<OnceLock<&'static Runtime>>);

impl ControlChannel for RouterChannel {
    fn send(&self, peer: Rank, bytes: &[u8]) {
        if let Some(runtime) = self.0.get() {
            runtime.router.send_control(peer, bytes);
        }
    }
}

impl TransportSet {
    fn index_of(&self, kind: TransportKind) -> Option<u8> {
        self.kinds.iter().position(|known| *known == kind).map(|index| index as u8)
    }

    fn add(&mut self, kind: TransportKind, fabric: Arc<dyn Transport>) {
        self.kinds.push(kind);
        self.transports.push(fabric);
    }

    /// Shared memory with the host's other ranks, where they share it.
    fn add_shm(
        &mut self,
        inbox: Option<Inbox>,
        rank: Rank,
        host_ranks: &[Rank],
        addresses: &[WorkerAddress],
    ) -> Result<()> {
        self.arenas = vec![None; addresses.len()];
        self.host_doorbells = vec![None; addresses.len()];
        let Some(inbox) = inbox else { return Ok(()) };
        let others = || host_ranks.iter().copied().filter(|other| *other != rank);
        self.doorbell = Some(inbox.doorbell());
        let mut inboxes = Vec::new();
        for other in others() {
            let address = &addresses[other as usize];
            let inbox = address.inbox.clone().ok_or_else(|| {
                Error::fabric(format!("rank {other} shares no memory with rank {rank}: MOBULA_FABRIC differs"))
            })?;
            inboxes.push((other, inbox));
            self.arenas[other as usize] = Some(PeerArena::open(&address.arena)?);
        }
        let transport = ShmTransport::join(inbox, &inboxes)?;
        transport
            .set_arenas(others().filter_map(|other| Some((other, self.arenas[other as usize].clone()?))).collect());
        for other in others() {
            self.host_doorbells[other as usize] = Some(transport.doorbell_of(other));
        }
        self.add(TransportKind::Shm, Arc::new(transport));
        Ok(())
    }

    /// Opens MPI and TCP, where a peer needs them. All ranks open MPI alike.
    fn add_remote(
        &mut self,
        job: &JoinInputs<'_>,
        routes: &[Vec<TransportKind>],
        arena: &Arc<Arena>,
        listener: Option<Listener>,
    ) -> Result<()> {
        let JoinInputs { world, config, rank, addresses } = *job;
        let needed = |kind: TransportKind| routes.iter().any(|route| route.contains(&kind));
        let store = Region::Host(arena.clone());
        if let Ok(mpi) = &world.mpi {
            mpi.register(&store)?;
            if needed(TransportKind::Mpi) {
                self.add(TransportKind::Mpi, mpi.clone());
            }
        }
        if let Some(listener) = listener {
            let addresses: Vec<Option<TcpAddress>> = addresses.iter().map(|address| address.tcp.clone()).collect();
            let Some(addresses) = addresses.into_iter().collect::<Option<Vec<_>>>() else {
                return Err(Error::fabric(format!("rank {rank} listens for TCP, and not every rank does")));
            };
            let tcp = TcpTransport::start(listener, rank, addresses, &world.secret, config.peer_timeout())?;
            tcp.register(&store)?;
            self.add(TransportKind::Tcp, Arc::new(tcp));
        }
        Ok(())
    }

    /// Opens RDMA, if this rank has a device.
    fn add_verbs(&mut self, job: &JoinInputs<'_>, port: Option<Box<dyn OpenPort>>) -> Result<()> {
        let JoinInputs { config, rank, addresses, .. } = *job;
        let Some(port) = port else { return Ok(()) };
        let addresses = addresses.iter().map(|address| address.capabilities.verbs.clone().ok()).collect();
        let control = Arc::new(self.control_channel.clone());
        let transport = port.start(VerbsPeers { me: rank, addresses, control, peer_timeout: config.peer_timeout() })?;
        self.add(TransportKind::Verbs, transport);
        Ok(())
    }
}
