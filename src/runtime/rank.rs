//! A rank: everything that it is made of, and who its neighbours are.
#![allow(unsafe_code)]

use crate::base::limits::WORKERS_MAX;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, statics};
use crate::base::{Config, Rank};
use crate::memory::{Arena, PeerArena};
use crate::objects::Links;
use crate::protocol::{ActorRef, Protocol, ProtocolLinks};
use crate::registry::Header;
use crate::runtime::backpressure::Pressure;
use crate::runtime::choice::Standing;
use crate::runtime::groups::OwnGroups;
use crate::runtime::holdings::Holdings;
use crate::runtime::idle::Idle;
use crate::runtime::load::Load;
use crate::runtime::notes::Notes;
use crate::runtime::output::Output;
use crate::runtime::parting::Parting;
use crate::runtime::questions::Questions;
use crate::runtime::queues::Queues;
use crate::runtime::reports::Reports;
use crate::runtime::roads::Roads;
use crate::runtime::room::Room;
use crate::runtime::roomless::RoomlessReads;
use crate::runtime::spill::Spill;
use crate::runtime::stall::StallWatch;
use crate::runtime::table::Table;
use crate::runtime::timers::Timers;
use crate::runtime::traces::Traces;
use crate::runtime::waits::Roll;
use crate::runtime::watch::Watch;
use crate::runtime::worker::WorkerShared;
use crate::scheduling::{Stealing, Totals};
use crate::topology::{Topology, WorkerPlace};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::thread::{JoinHandle, Thread};

/// Copies of other hosts' arrays that nobody uses just now take at most one of so many parts of the store.
const IDLE_COPIES_PART: u64 = 4;

/// What every rank knows of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostInfo {
    /// Its name.
    pub name: String,
    /// Its ranks, ascending.
    pub ranks: Vec<Rank>,
    /// What it has in all.
    pub totals: Totals,
    /// Its cores and memory.
    pub topology: Topology,
    /// Its GPUs, a line each, or why there are none.
    pub gpus: Result<Vec<String>, String>,
    /// The pages of its first rank's store.
    pub pages: String,
    /// The roads between its ranks and to others.
    pub fabrics: Vec<String>,
}

/// One rank of a running cluster. It lives as long as the process: references may outlive the cluster.
pub struct Runtime {
    /// This process.
    pub rank: Rank,
    /// How many ranks there are.
    pub size: u32,
    /// This host's name.
    pub host: String,
    /// The settings.
    pub config: Config,
    pub(super) hosts: Vec<HostInfo>,
    /// By rank: its host, and its process.
    pub(super) ranks: Vec<(usize, u32)>,
    /// By rank: which roads it has.
    pub(super) standings: Vec<Standing>,
    pub(super) arena: RwLock<Option<Arc<Arena>>>,
    /// The blocks that packed values need.
    pub(super) holdings: Holdings,
    /// Who waits for room in the store.
    pub(super) room: Room,
    pub(super) roomless: RoomlessReads,
    /// Whether drivers that submit are to wait for some.
    pub(super) pressure: Pressure,
    /// Who made what is in it.
    pub(super) notes: Notes,
    /// What has no room there.
    pub(super) spill: Spill,
    pub(super) table: Table,
    pub(super) queues: Queues,
    pub(super) idle: Idle,
    workers: Box<[OnceLock<&'static WorkerShared>]>,
    worker_count: AtomicUsize,
    pub(super) places: Vec<WorkerPlace>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    pub(super) roads: Roads,
    /// The shared-memory road, for the bells of the host's other ranks.
    pub(super) host_bells: Vec<Option<Arc<crate::memory::Bell>>>,
    /// By rank: the stores of this host's other ranks.
    pub(super) arenas: Mutex<Vec<Option<Arc<PeerArena>>>>,
    pub(super) protocol: Protocol,
    links: OnceLock<Arc<dyn Links>>,
    pub(super) own_groups: OwnGroups,
    pub(super) load: Load,
    pub(super) roll: Roll,
    pub(super) stall: StallWatch,
    pub(super) questions: Questions<crate::base::Result<Vec<u8>>>,
    pub(super) handles: Questions<Result<Option<Arc<ActorRef>>, String>>,
    pub(super) timers: Timers,
    pub(super) watch: Watch,
    pub(super) reports: Reports,
    pub(super) traces: Traces,
    /// Where the next spread-out task or actor goes.
    pub(super) spread: AtomicU32,
    /// Fibers that can go on once there are CPUs for them.
    pub(super) hungry: AtomicUsize,
    /// Fibers put aside.
    pub(super) blocked: AtomicUsize,
    /// What tells of ranks that die, where the launch has such a thing.
    pub(super) vigil: Mutex<Option<Box<dyn crate::boot::Vigil>>>,
    /// Which ranks are through.
    pub(super) parting: Parting,
    /// What rank 0 has not decided yet.
    pub(super) verdicts: Mutex<crate::runtime::verdicts::Verdicts>,
    /// How much had come from rank 0 when somebody said that it says nothing any more.
    pub(super) driver_doubted: Mutex<Option<u32>>,
    /// Why the cluster ended for this rank, where that was rank 0's death, or the others gave this rank up.
    pub(super) orphaned: OnceLock<crate::base::Error>,
    stopping: AtomicBool,
    /// The thread that waits for the end.
    pub(super) leaver: OnceLock<Thread>,
    /// The lines that tasks print, where they are forwarded.
    pub(super) output: Output,
    last_task: AtomicPtr<crate::registry::TableEntry>,
}

/// The parts of a node that `assemble` makes.
pub struct Parts {
    pub rank: Rank,
    pub size: u32,
    pub config: Config,
    pub hosts: Vec<HostInfo>,
    pub ranks: Vec<(usize, u32)>,
    pub arena: Arc<Arena>,
    pub table: Table,
    pub standings: Vec<Standing>,
    pub places: Vec<WorkerPlace>,
    pub roads: Roads,
    pub host_bells: Vec<Option<Arc<crate::memory::Bell>>>,
    pub arenas: Vec<Option<Arc<PeerArena>>>,
    pub has_foreign_memory: bool,
    pub vigil: Option<Box<dyn crate::boot::Vigil>>,
}

static CURRENT: statics::AtomicPtr<Runtime> = statics::AtomicPtr::new(std::ptr::null_mut());

impl Runtime {
    /// The running cluster's rank in this process.
    #[inline]
    pub fn current() -> Option<&'static Runtime> {
        let pointer = CURRENT.load(Ordering::Acquire);
        // SAFETY: a non-null pointer was leaked by `install` and is never freed.
        (!pointer.is_null()).then(|| unsafe { &*pointer })
    }

    /// Makes the node and lets the process find it.
    pub(super) fn install(parts: Parts) -> &'static Runtime {
        let host = parts.hosts[parts.ranks[parts.rank as usize].0].name.clone();
        let seed = u64::from(std::process::id());
        let host_ranks = &parts.hosts[parts.ranks[parts.rank as usize].0].ranks;
        let stealing = Stealing::new(parts.rank, parts.size, seed).on_host(host_ranks);
        let protocol = Protocol::new(parts.rank, parts.size, parts.has_foreign_memory, stealing);
        protocol.copies.keep_at_most(parts.arena.bytes() / IDLE_COPIES_PART);
        let runtime: &'static Runtime = Box::leak(Box::new(Runtime {
            rank: parts.rank,
            size: parts.size,
            host,
            traces: Traces::new(parts.config.trace_tasks),
            spill: Spill::new(&parts.config),
            config: parts.config,
            hosts: parts.hosts,
            ranks: parts.ranks,
            standings: parts.standings,
            arena: RwLock::new(Some(parts.arena)),
            holdings: Holdings::default(),
            room: Room::default(),
            roomless: RoomlessReads::default(),
            pressure: Pressure::default(),
            notes: Notes::default(),
            table: parts.table,
            queues: Queues::new(),
            idle: Idle::new(),
            workers: (0..WORKERS_MAX).map(|_| OnceLock::new()).collect(),
            worker_count: AtomicUsize::new(0),
            places: parts.places,
            threads: Mutex::default(),
            roads: parts.roads,
            host_bells: parts.host_bells,
            arenas: Mutex::new(parts.arenas),
            protocol,
            links: OnceLock::new(),
            own_groups: OwnGroups::new(seed),
            load: Load::default(),
            roll: Roll::default(),
            stall: StallWatch::default(),
            questions: Questions::default(),
            handles: Questions::default(),
            timers: Timers::default(),
            watch: Watch::default(),
            reports: Reports::default(),
            spread: AtomicU32::new(0),
            hungry: AtomicUsize::new(0),
            blocked: AtomicUsize::new(0),
            vigil: Mutex::new(parts.vigil),
            parting: Parting::new(parts.size),
            verdicts: Mutex::default(),
            driver_doubted: Mutex::default(),
            orphaned: OnceLock::new(),
            stopping: AtomicBool::new(false),
            leaver: OnceLock::new(),
            output: Output::default(),
            last_task: AtomicPtr::new(std::ptr::null_mut()),
        }));
        CURRENT.store(std::ptr::from_ref(runtime).cast_mut(), Ordering::Release);
        runtime
    }

    /// From now on the process has no cluster.
    pub(super) fn uninstall(&'static self) {
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// Whether the end has begun.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The end begins: everything that waits is woken.
    pub(super) fn stop(&'static self) {
        self.stopping.store(true, Ordering::Release);
        self.workers().iter().for_each(|worker| worker.unpark());
        self.roads.bell.ring();
        if let Some(thread) = self.leaver.get() {
            thread.unpark();
        }
    }

    /// This rank's workers.
    #[inline]
    pub(super) fn workers(&self) -> Workers<'_> {
        Workers { slots: &self.workers[..self.worker_count.load(Ordering::Acquire)] }
    }

    /// One worker more. Only one thread at a time calls it: the starting one, then the progress thread.
    pub(super) fn add_worker(&self, worker: &'static WorkerShared) {
        let count = self.worker_count.load(Ordering::Relaxed);
        let _ = self.workers[count].set(worker);
        self.worker_count.store(count + 1, Ordering::Release);
    }

    /// Pins the calling thread, worker `index`, where it is to be pinned.
    pub(super) fn pin_worker(&self, index: usize) {
        if !self.config.pin {
            return;
        }
        // Workers that were started for tasks that block run wherever there is room.
        let Some(place) = self.places.get(index).filter(|place| !place.cpus.is_empty()) else { return };
        if let Err(error) = crate::topology::bind_this_thread(&place.cpus) {
            crate::base::log::say(crate::base::log::Level::Warn, || format!("worker {index} is not pinned: {error}"));
        }
    }

    /// The links that references of other ranks use.
    pub(super) fn links(&'static self) -> Arc<dyn Links> {
        self.links.get_or_init(|| Arc::new(ProtocolLinks(self))).clone()
    }

    /// The name of a rank's host.
    pub fn host_of(&self, rank: Rank) -> &str {
        self.ranks.get(rank as usize).map_or("?", |(host, _)| &self.hosts[*host].name)
    }

    /// A rank's process.
    pub(super) fn pid_of(&self, rank: Rank) -> u32 {
        self.ranks.get(rank as usize).map_or(0, |(_, pid)| *pid)
    }

    /// What a rank's host has in all.
    pub(super) fn totals_of(&self, rank: Rank) -> &Totals {
        &self.hosts[self.ranks[rank as usize].0].totals
    }

    /// The ranks of this host.
    pub(super) fn host_ranks(&self) -> &[Rank] {
        &self.hosts[self.ranks[self.rank as usize].0].ranks
    }

    /// The ranks of the host of that name.
    pub(super) fn ranks_of_host(&self, name: &str) -> Option<&[Rank]> {
        self.hosts.iter().find(|host| host.name == name).map(|host| host.ranks.as_slice())
    }

    /// The names of all hosts.
    pub(super) fn host_names(&self) -> String {
        self.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The hosts, as every rank knows them.
    pub fn hosts(&self) -> &[HostInfo] {
        &self.hosts
    }

    /// Wakes a sleeping rank of this host.
    pub(super) fn ring(&self, rank: Rank) {
        if let Some(Some(bell)) = self.host_bells.get(rank as usize) {
            bell.ring();
        }
    }

    /// A task begins here: its lines are its own.
    #[inline]
    pub(super) fn mark_running(&self, header: &Header) {
        if let Some(entry) = header.entry {
            self.last_task.store(std::ptr::from_ref(entry).cast_mut(), Ordering::Relaxed);
        }
    }

    /// The task that printed a line that just came: the last one that began, which a line of a rank with several workers
    /// may be wrong about.
    pub(super) fn printing_task(&self) -> String {
        let entry = self.last_task.load(Ordering::Relaxed);
        if entry.is_null() {
            return String::new();
        }
        // SAFETY: only `&'static TableEntry`s are stored.
        unsafe { &*entry }.name.to_string()
    }
}

/// The workers of a rank, as a list.
#[derive(Clone, Copy)]
pub(super) struct Workers<'a> {
    slots: &'a [OnceLock<&'static WorkerShared>],
}

impl Workers<'_> {
    pub(super) fn len(self) -> usize {
        self.slots.len()
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static WorkerShared> + '_ {
        self.slots.iter().filter_map(|slot| slot.get().copied())
    }
}

impl std::ops::Index<usize> for Workers<'_> {
    type Output = &'static WorkerShared;
    fn index(&self, index: usize) -> &Self::Output {
        match self.slots[index].get() {
            Some(worker) => worker,
            None => unreachable!("a counted worker is there"),
        }
    }
}
