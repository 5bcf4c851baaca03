//! A rank of a running cluster: its parts, and the few operations that tie parts together.

use crate::base::sync::{Ordering, statics};
use crate::base::{Error, Rank};
use crate::boot::DeathNotifier;
use crate::objects::Links;
use crate::protocol::{Protocol, ProtocolLinks};
use crate::runtime::cluster::ClusterInfo;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::membership::Membership;
use crate::runtime::memory::Memory;
use crate::runtime::output::Output;
use crate::runtime::resources::Resources;
use crate::runtime::router::Router;
use crate::runtime::threads::PoolCache;
use crate::runtime::waiting::Waiting;
use crate::runtime::workers::Workers;
use crate::scheduling::StealState;
use crate::topology::RankCores;
use std::sync::{Arc, OnceLock};

/// Copies of other hosts' arrays that are not in use take at most 1/`IDLE_COPIES_PART` of the store.
const IDLE_COPIES_PART: u64 = 4;

/// One rank of a running cluster: its parts. Each part owns its fields; functions of one part's folder that need others
/// take the `Runtime`.
pub struct Runtime {
    /// Which rank of which cluster it is.
    pub cluster: ClusterInfo,
    pub(super) lifecycle: Lifecycle,
    pub(super) router: Router,
    pub(super) membership: Membership,
    pub(super) workers: Workers,
    pub(super) waiting: Waiting,
    pub(super) memory: Memory,
    pub(super) resources: Resources,
    pub(super) output: Output,
    pub(super) pools: PoolCache,
    pub(super) protocol: Protocol,
    links: OnceLock<Arc<dyn Links>>,
}

/// The number of the next cluster's first object. The program may still have references of those that have ended: no
/// object of another cluster has the number of theirs.
static NEXT_NUMBER: statics::AtomicU64 = statics::AtomicU64::new(1);

impl Runtime {
    /// A rank whose transports are open and whose memory is mapped. It has no threads yet.
    pub(super) fn new(
        cluster: ClusterInfo,
        router: Router,
        memory: Memory,
        resources: Resources,
        cores: RankCores,
        death_notifier: Option<DeathNotifier>,
    ) -> Runtime {
        let (rank, size) = (cluster.rank, cluster.size);
        let seed = u64::from(std::process::id());
        let stealing = StealState::new(rank, size, seed).on_host(cluster.host_ranks());
        let protocol =
            Protocol::new(rank, size, memory.has_unmapped_stores(rank), cluster.config.short_calls, stealing);
        protocol.objects.references.number_from(NEXT_NUMBER.load(Ordering::Relaxed));
        protocol.objects.copies.set_cache_bytes_max(memory.store_bytes() / IDLE_COPIES_PART);
        Runtime {
            lifecycle: Lifecycle::new(size),
            membership: Membership::new(death_notifier),
            workers: Workers::new(cores, router.doorbell.clone()),
            waiting: Waiting::default(),
            output: Output::new(&cluster.config),
            pools: PoolCache::default(),
            links: OnceLock::new(),
            cluster,
            router,
            memory,
            resources,
            protocol,
        }
    }

    /// The next cluster of this process goes on with the numbers of this one's objects.
    pub(super) fn keep_numbers(&self) {
        NEXT_NUMBER.fetch_max(self.protocol.objects.references.fresh_number(), Ordering::Relaxed);
    }

    /// True if the shutdown has begun.
    #[inline]
    pub fn stopping(&self) -> bool {
        self.lifecycle.is_stopping()
    }

    /// Begins the shutdown: wakes all waiters.
    pub(super) fn stop(&'static self) {
        self.lifecycle.begin_stop();
        self.workers.unpark_all();
        self.router.doorbell.notify_always();
    }

    /// The links that references of other ranks use.
    pub(super) fn links(&'static self) -> Arc<dyn Links> {
        self.links.get_or_init(|| Arc::new(ProtocolLinks(self))).clone()
    }

    /// The error of an operation that needs a dead rank: the first that this rank got of its death.
    pub(super) fn death_of(&self, rank: Rank) -> Error {
        self.membership.death_of(rank).unwrap_or_else(|| {
            let reason = "it died while the cluster ran".to_string();
            Error::NodeDied { rank, host: self.cluster.host_of(rank).to_string(), reason }
        })
    }

    /// Returns true if this rank was notified, or detected, that a peer is dead.
    pub(super) fn is_dead(&self, rank: Rank) -> bool {
        self.router.is_dead(rank)
    }
}
