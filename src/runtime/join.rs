//! From everybody's cards to a rank that can reach everybody: what it maps, and which road leads where.

use crate::base::{Config, Error, Rank, Result};
use crate::boot::World;
use crate::memory::{Access, Arena, Bell, PeerArena, Region, Segment};
use crate::runtime::Runtime;
use crate::runtime::board::Board;
use crate::runtime::choice::{self, RoadKind};
use crate::runtime::local::{Cards, Local, Station};
use crate::runtime::roads::Roads;
use crate::runtime::sentry::Mate;
use crate::runtime::table::Table;
use crate::scheduling::UNIT;
use crate::topology::WorkerPlace;
use crate::transport::Fabric;
use crate::transport::shm::ShmFabric;
use crate::transport::tcp::{TcpCard, TcpFabric};
use crate::transport::verbs::{SideRoad, VerbsEndpoint, VerbsFabric};
use std::sync::Arc;
use std::time::Duration;

/// How long a waiting thread spins where every rank has a core of its own.
const SPIN: Duration = Duration::from_micros(50);

/// What a rank has once it has joined the others.
pub(super) struct Joined {
    pub arena: Arc<Arena>,
    pub arenas: Vec<Option<Arc<PeerArena>>>,
    pub table: Table,
    pub roads: Roads,
    pub host_bells: Vec<Option<Arc<Bell>>>,
    pub places: Vec<WorkerPlace>,
    /// The CPUs of this rank's share of its host.
    pub cpus: Vec<u32>,
    pub workers: usize,
    pub fabrics: Vec<String>,
}

/// Maps what the host's ranks share, and makes the roads that are taken.
pub(super) fn join(
    config: &Config,
    local: Local,
    world: &World,
    station: &Station<'_>,
    cards: &[Cards],
) -> Result<Joined> {
    let (rank, host_ranks) = (station.rank, station.host_ranks);
    // They live: each takes part in the exchange that follows.
    let mates = host_ranks.iter().filter(|other| **other != rank);
    let mates = mates.filter_map(|other| Mate::open(*other, cards[*other as usize].arena.pid)).collect();
    let first = &cards[host_ranks[0] as usize];
    let (Some(board_card), Some(host)) = (&first.board, &first.host) else {
        return Err(Error::fabric(format!("rank {} did not say what its host has", host_ranks[0])));
    };
    let board = match &local.board {
        Some(segment) => segment.clone(),
        None => Arc::new(Segment::open(board_card, Access::Write)?),
    };
    let board = Board::new(board, station.place, host_ranks.len());
    let workers = config.workers.unwrap_or_else(|| {
        let cpus = (host.totals.cpu + UNIT - 1) / UNIT;
        (cpus as usize).div_ceil(host_ranks.len()).clamp(1, crate::base::limits::WORKERS_MAX)
    });
    let topology = &local.host.topology;
    let crowded = host_ranks.len() > topology.allowed.len().max(1);
    let spin = config.spin_us.map_or(if crowded { Duration::ZERO } else { SPIN }, Duration::from_micros);
    let places = crate::topology::plan(topology, station.bound, station.place, workers);
    let share = crate::topology::share(topology, station.bound, station.place);
    let cpus = share.into_iter().flat_map(|core| core.pus).collect();

    let ways = ways(world, rank, cards)?;
    let arena = local.arena.clone();
    let mut made = Made::default();
    made.shm(local, rank, host_ranks, cards)?;
    let job = Job { world, config, rank, cards };
    made.far(&job, &ways, &arena)?;
    made.verbs(&job)?;
    let to: Vec<Vec<u8>> =
        ways.iter().map(|way| way.iter().filter_map(|kind| made.place_of(*kind)).collect()).collect();
    let bell = made.bell.unwrap_or_else(|| Arc::new(Bell::private()));
    let bell_of =
        |other: &Rank| if *other == rank { Some(bell.clone()) } else { made.host_bells[*other as usize].clone() };
    let table = Table::new(board, host.totals.clone(), host_ranks.iter().map(bell_of).collect());
    Ok(Joined {
        arena,
        arenas: made.arenas,
        table,
        fabrics: made.kinds.iter().map(|kind| kind.name().to_string()).collect(),
        roads: Roads::new(made.fabrics, made.laid, &to, mates, bell, spin),
        host_bells: made.host_bells,
        places,
        cpus,
        workers,
    })
}

/// By rank: the kinds of roads that lead there, best first; none to itself.
fn ways(world: &World, rank: Rank, cards: &[Cards]) -> Result<Vec<Vec<RoadKind>>> {
    let mine = &cards[rank as usize].standing;
    let to = |(other, card): (usize, &Cards)| {
        if other == rank as usize {
            return Ok(Vec::new());
        }
        choice::way(mine, &card.standing).map_err(|reason| {
            Error::fabric(format!(
                "there is no road from rank {rank} to rank {other}: {reason} (launcher: {})",
                world.launcher
            ))
        })
    };
    cards.iter().enumerate().map(to).collect()
}

/// What every rank knows of the job before its roads are made.
struct Job<'a> {
    world: &'a World,
    config: &'a Config,
    rank: Rank,
    cards: &'a [Cards],
}

/// The roads made so far.
#[derive(Default)]
struct Made {
    fabrics: Vec<Arc<dyn Fabric>>,
    /// Of each of them.
    kinds: Vec<RoadKind>,
    arenas: Vec<Option<Arc<PeerArena>>>,
    host_bells: Vec<Option<Arc<Bell>>>,
    bell: Option<Arc<Bell>>,
    tcp: Option<crate::transport::tcp::Listener>,
    endpoint: Option<VerbsEndpoint>,
    laid: Option<Arc<VerbsFabric>>,
}

/// Links over verbs are agreed upon over the road that goes on when they fail.
struct Beside;

impl SideRoad for Beside {
    fn send(&self, peer: Rank, bytes: &[u8]) {
        // Before the node is there nothing is sent, and so no link is needed.
        if let Some(runtime) = Runtime::current() {
            runtime.roads.say_beside(peer, bytes);
        }
    }
}

impl Made {
    fn place_of(&self, kind: RoadKind) -> Option<u8> {
        self.kinds.iter().position(|made| *made == kind).map(|place| place as u8)
    }

    fn add(&mut self, kind: RoadKind, fabric: Arc<dyn Fabric>) {
        self.kinds.push(kind);
        self.fabrics.push(fabric);
    }

    /// Shared memory with the host's other ranks, where they share it.
    fn shm(&mut self, local: Local, rank: Rank, host_ranks: &[Rank], cards: &[Cards]) -> Result<()> {
        self.arenas = vec![None; cards.len()];
        self.host_bells = vec![None; cards.len()];
        self.tcp = local.tcp;
        self.endpoint = local.verbs;
        let Some(inbox) = local.inbox else { return Ok(()) };
        let others = || host_ranks.iter().copied().filter(|other| *other != rank);
        self.bell = Some(inbox.bell());
        let mut inboxes = Vec::new();
        for other in others() {
            let card = &cards[other as usize];
            let inbox = card.inbox.clone().ok_or_else(|| {
                Error::fabric(format!("rank {other} made no memory to share with rank {rank}: MOBULA_FABRIC differs"))
            })?;
            inboxes.push((other, inbox));
            self.arenas[other as usize] = Some(PeerArena::open(&card.arena)?);
        }
        let road = ShmFabric::join(inbox, &inboxes)?;
        road.set_arenas(others().filter_map(|other| Some((other, self.arenas[other as usize].clone()?))).collect());
        for other in others() {
            self.host_bells[other as usize] = Some(road.bell_of(other));
        }
        self.add(RoadKind::Shm, Arc::new(road));
        Ok(())
    }

    /// The roads that some way needs. Those over MPI are opened by all ranks alike.
    fn far(&mut self, job: &Job<'_>, ways: &[Vec<RoadKind>], arena: &Arc<Arena>) -> Result<()> {
        let Job { world, config, rank, cards } = *job;
        let needed = |kind: RoadKind| ways.iter().any(|way| way.contains(&kind));
        let store = Region::Host(arena.clone());
        if let Ok(mpi) = &world.mpi {
            mpi.offer(&store).map_err(Error::fabric)?;
            if needed(RoadKind::Mpi) {
                self.add(RoadKind::Mpi, mpi.clone());
            }
        }
        if let Some(listener) = self.tcp.take() {
            let cards: Vec<Option<TcpCard>> = cards.iter().map(|card| card.tcp.clone()).collect();
            let Some(cards) = cards.into_iter().collect::<Option<Vec<_>>>() else {
                return Err(Error::fabric(format!("rank {rank} listens for TCP, and not every rank does")));
            };
            let tcp = TcpFabric::start(listener, rank, cards, &world.secret, config.peer_timeout)?;
            tcp.offer(&store).map_err(Error::fabric)?;
            self.add(RoadKind::Tcp, Arc::new(tcp));
        }
        Ok(())
    }

    /// RDMA, where this rank has a device and some way takes it.
    fn verbs(&mut self, job: &Job<'_>) -> Result<()> {
        let Job { config, rank, cards, .. } = *job;
        let Some(endpoint) = self.endpoint.take() else { return Ok(()) };
        let cards = cards.iter().map(|card| card.standing.verbs.clone().ok()).collect();
        let road = Arc::new(VerbsFabric::start(endpoint, rank, cards, Arc::new(Beside), config.peer_timeout)?);
        self.laid = Some(road.clone());
        self.add(RoadKind::Verbs, road);
        Ok(())
    }
}
