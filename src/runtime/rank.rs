//! A rank: all its parts, and what it knows of the other ranks.
#![allow(unsafe_code)]

use crate::base::limits::WORKERS_MAX;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, statics};
use crate::base::{Config, Rank};
use crate::memory::{Arena, PeerArena};
use crate::objects::Links;
use crate::protocol::{ActorRef, Protocol, ProtocolLinks};
use crate::registry::TaskHeader;
use crate::runtime::lifecycle::Shutdown;
use crate::runtime::memory::{AllocationTags, Pressure, ReadsWaitingForSpace, ResidentBlocks, SpaceWaiters, Spill};
use crate::runtime::output::{OutputForwarding, Reports, Traces};
use crate::runtime::resources::{OwnedGroups, RemoteLoad, ResourceTable};
use crate::runtime::router::Router;
use crate::runtime::router::transport_choice::Capabilities;
use crate::runtime::waiting::{BlockedFibers, PendingRequests, StallWatch, Timers};
use crate::runtime::workers::{IdleWorkers, Queues, WorkerWatch};
use crate::runtime::workers::worker::WorkerShared;
use crate::scheduling::{StealState, Totals};
use crate::topology::{Topology, WorkerPlacement};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::thread::{JoinHandle, Thread};

/// Copies of other hosts' arrays that are not in use take at most 1/`IDLE_COPIES_PART` of the store.
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
    /// The transports between its ranks and to other hosts.
    pub fabrics: Vec<String>,
}

/// One rank of a running cluster. It lives as long as the process: references may survive the cluster.
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
    /// By rank: the transports that it offers.
    pub(super) capabilities: Vec<Capabilities>,
    pub(super) arena: RwLock<Option<Arc<Arena>>>,
    /// The blocks that packed values need.
    pub(super) resident_blocks: ResidentBlocks,
    /// The waiters for space in the store.
    pub(super) space_waiters: SpaceWaiters,
    pub(super) waiting_reads: ReadsWaitingForSpace,
    /// Tells if drivers that submit tasks are to wait for space.
    pub(super) pressure: Pressure,
    /// Which task allocated each block of it.
    pub(super) allocation_tags: AllocationTags,
    /// Blocks on disk, for which the store has no space.
    pub(super) spill: Spill,
    pub(super) table: ResourceTable,
    pub(super) queues: Queues,
    pub(super) idle_workers: IdleWorkers,
    workers: Box<[OnceLock<&'static WorkerShared>]>,
    worker_count: AtomicUsize,
    pub(super) worker_placements: Vec<WorkerPlacement>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    pub(super) router: Router,
    /// By rank: the doorbells of the host's other ranks, in the shared-memory transport.
    pub(super) doorbells: Vec<Option<Arc<crate::memory::Doorbell>>>,
    /// By rank: the stores of this host's other ranks.
    pub(super) arenas: Mutex<Vec<Option<Arc<PeerArena>>>>,
    pub(super) protocol: Protocol,
    links: OnceLock<Arc<dyn Links>>,
    pub(super) owned_groups: OwnedGroups,
    pub(super) remote_load: RemoteLoad,
    pub(super) blocked_fibers: BlockedFibers,
    pub(super) stall: StallWatch,
    pub(super) requests: PendingRequests<crate::base::Result<Vec<u8>>>,
    pub(super) handle_requests: PendingRequests<Result<Option<Arc<ActorRef>>, String>>,
    pub(super) timers: Timers,
    pub(super) worker_watch: WorkerWatch,
    pub(super) reports: Reports,
    pub(super) traces: Traces,
    /// The turn of the next task or actor with `Placement::Spread`.
    pub(super) next_spread: AtomicU32,
    /// Fibers that can continue once there are CPUs for them.
    pub(super) waiting_for_cpu: AtomicUsize,
    /// Suspended fibers.
    pub(super) blocked_count: AtomicUsize,
    /// Reports ranks that died, if the launcher offers that.
    pub(super) death_notifier: Mutex<Option<Box<dyn crate::boot::DeathNotifier>>>,
    /// Which ranks are ready for shutdown.
    pub(super) shutdown: Shutdown,
    /// Suspicions on which rank 0 has not decided yet.
    pub(super) arbitration: Mutex<crate::runtime::membership::Arbitration>,
    /// How many messages had come from rank 0 when another rank reported that it is silent.
    pub(super) rank_0_suspected_at: Mutex<Option<u32>>,
    /// Why the cluster ended for this rank, if rank 0 died, or the others declared this rank dead.
    pub(super) ended_by: OnceLock<crate::base::Error>,
    stopping: AtomicBool,
    /// The thread that waits for the shutdown.
    pub(super) shutdown_thread: OnceLock<Thread>,
    /// The lines that tasks print, if they are forwarded.
    pub(super) output: OutputForwarding,
    last_task: AtomicPtr<crate::registry::TableEntry>,
}

/// The parts of a `Runtime` that `assemble` creates.
pub struct Parts {
    pub rank: Rank,
    pub size: u32,
    pub config: Config,
    pub hosts: Vec<HostInfo>,
    pub ranks: Vec<(usize, u32)>,
    pub arena: Arc<Arena>,
    pub table: ResourceTable,
    pub capabilities: Vec<Capabilities>,
    pub worker_placements: Vec<WorkerPlacement>,
    pub router: Router,
    pub doorbells: Vec<Option<Arc<crate::memory::Doorbell>>>,
    pub arenas: Vec<Option<Arc<PeerArena>>>,
    pub has_unmapped_stores: bool,
    pub death_notifier: Option<Box<dyn crate::boot::DeathNotifier>>,
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

    /// Creates the `Runtime` and makes it the process's current one.
    pub(super) fn install(parts: Parts) -> &'static Runtime {
        let host = parts.hosts[parts.ranks[parts.rank as usize].0].name.clone();
        let seed = u64::from(std::process::id());
        let host_ranks = &parts.hosts[parts.ranks[parts.rank as usize].0].ranks;
        let stealing = StealState::new(parts.rank, parts.size, seed).on_host(host_ranks);
        let protocol = Protocol::new(parts.rank, parts.size, parts.has_unmapped_stores, stealing);
        protocol.copies.set_cache_bytes_max(parts.arena.bytes() / IDLE_COPIES_PART);
        let runtime: &'static Runtime = Box::leak(Box::new(Runtime {
            rank: parts.rank,
            size: parts.size,
            host,
            traces: Traces::new(parts.config.trace_tasks),
            spill: Spill::new(&parts.config),
            config: parts.config,
            hosts: parts.hosts,
            ranks: parts.ranks,
            capabilities: parts.capabilities,
            arena: RwLock::new(Some(parts.arena)),
            resident_blocks: ResidentBlocks::default(),
            space_waiters: SpaceWaiters::default(),
            waiting_reads: ReadsWaitingForSpace::default(),
            pressure: Pressure::default(),
            allocation_tags: AllocationTags::default(),
            table: parts.table,
            queues: Queues::new(),
            idle_workers: IdleWorkers::new(),
            workers: (0..WORKERS_MAX).map(|_| OnceLock::new()).collect(),
            worker_count: AtomicUsize::new(0),
            worker_placements: parts.worker_placements,
            threads: Mutex::default(),
            router: parts.router,
            doorbells: parts.doorbells,
            arenas: Mutex::new(parts.arenas),
            protocol,
            links: OnceLock::new(),
            owned_groups: OwnedGroups::new(seed),
            remote_load: RemoteLoad::default(),
            blocked_fibers: BlockedFibers::default(),
            stall: StallWatch::default(),
            requests: PendingRequests::default(),
            handle_requests: PendingRequests::default(),
            timers: Timers::default(),
            worker_watch: WorkerWatch::default(),
            reports: Reports::default(),
            next_spread: AtomicU32::new(0),
            waiting_for_cpu: AtomicUsize::new(0),
            blocked_count: AtomicUsize::new(0),
            death_notifier: Mutex::new(parts.death_notifier),
            shutdown: Shutdown::new(parts.size),
            arbitration: Mutex::default(),
            rank_0_suspected_at: Mutex::default(),
            ended_by: OnceLock::new(),
            stopping: AtomicBool::new(false),
            shutdown_thread: OnceLock::new(),
            output: OutputForwarding::default(),
            last_task: AtomicPtr::new(std::ptr::null_mut()),
        }));
        CURRENT.store(std::ptr::from_ref(runtime).cast_mut(), Ordering::Release);
        runtime
    }

    /// From now on the process has no cluster.
    pub(super) fn uninstall(&'static self) {
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// True if the shutdown has begun.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Begins the shutdown: wakes all waiters.
    pub(super) fn stop(&'static self) {
        self.stopping.store(true, Ordering::Release);
        self.workers().iter().for_each(|worker| worker.unpark());
        self.router.doorbell.notify_always();
        if let Some(thread) = self.shutdown_thread.get() {
            thread.unpark();
        }
    }

    /// This rank's workers.
    #[inline]
    pub(super) fn workers(&self) -> Workers<'_> {
        Workers { slots: &self.workers[..self.worker_count.load(Ordering::Acquire)] }
    }

    /// Adds a worker. Only one thread at a time calls it: the starting one, then the progress thread.
    pub(super) fn add_worker(&self, worker: &'static WorkerShared) {
        let count = self.worker_count.load(Ordering::Relaxed);
        let _ = self.workers[count].set(worker);
        self.worker_count.store(count + 1, Ordering::Release);
    }

    /// Pins the calling thread, worker `index`, if workers are to be pinned.
    pub(super) fn pin_worker(&self, index: usize) {
        if !self.config.pin {
            return;
        }
        // Workers that were started because tasks block are not pinned.
        let Some(placement) = self.worker_placements.get(index).filter(|placement| !placement.cpus.is_empty()) else {
            return;
        };
        if let Err(error) = crate::topology::bind_this_thread(&placement.cpus) {
            crate::base::log::log(crate::base::log::Level::Warn, || format!("worker {index} is not pinned: {error}"));
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
    pub(super) fn notify_rank(&self, rank: Rank) {
        if let Some(Some(doorbell)) = self.doorbells.get(rank as usize) {
            doorbell.notify_always();
        }
    }

    /// A task begins here: the lines printed from now on count as its own.
    #[inline]
    pub(super) fn mark_running(&self, header: &TaskHeader) {
        if let Some(entry) = header.entry {
            self.last_task.store(std::ptr::from_ref(entry).cast_mut(), Ordering::Relaxed);
        }
    }

    /// The task that printed a line that just came: the last one that began, which may be wrong on a rank with several
    /// workers.
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
