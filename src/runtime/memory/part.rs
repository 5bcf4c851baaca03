//! The memory of a rank: its store, those of its host's other ranks, and what is known about the blocks in them.

use crate::base::sync::lock;
use crate::base::{Config, Rank};
use crate::memory::{Arena, PeerArena};
use crate::runtime::memory::allocation_tags::AllocationTags;
use crate::runtime::memory::backpressure::Pressure;
use crate::runtime::memory::pulls::Pulls;
use crate::runtime::memory::resident_blocks::ResidentBlocks;
use crate::runtime::memory::space::SpaceWaiters;
use crate::runtime::memory::spill::Spill;
use crate::runtime::memory::waiting_reads::ReadsWaitingForSpace;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// The memory of a rank.
pub struct Memory {
    /// This rank's store, until the cluster ends.
    arena: RwLock<Option<Arc<Arena>>>,
    /// By rank: the stores of this host's other ranks.
    peer_arenas: Mutex<Vec<Option<Arc<PeerArena>>>>,
    /// The blocks that packed values need.
    pub(super) resident_blocks: ResidentBlocks,
    /// The waiters for space in the store.
    pub(super) space_waiters: SpaceWaiters,
    pub(super) waiting_reads: ReadsWaitingForSpace,
    pub(super) pulls: Pulls,
    /// Tells if drivers that submit tasks are to wait for space.
    pub(super) pressure: Pressure,
    /// Which task allocated each block of it.
    pub(super) allocation_tags: AllocationTags,
    /// Blocks on disk, for which the store has no space.
    pub(super) spill: Spill,
}

impl Memory {
    /// With this store; `peer_arenas` are those of the host's other ranks, by rank.
    pub fn new(config: &Config, arena: Arc<Arena>, peer_arenas: Vec<Option<Arc<PeerArena>>>) -> Memory {
        Memory {
            arena: RwLock::new(Some(arena)),
            peer_arenas: Mutex::new(peer_arenas),
            resident_blocks: ResidentBlocks::default(),
            space_waiters: SpaceWaiters::default(),
            waiting_reads: ReadsWaitingForSpace::default(),
            pulls: Pulls::default(),
            pressure: Pressure::default(),
            allocation_tags: AllocationTags::default(),
            spill: Spill::new(config),
        }
    }

    /// The store, while the cluster runs.
    pub fn arena(&self) -> Option<Arc<Arena>> {
        self.arena_guard().clone()
    }

    /// Bytes of the store; 0 once the cluster has ended.
    pub fn store_bytes(&self) -> u64 {
        self.arena_guard().as_ref().map_or(0, |arena| arena.bytes())
    }

    /// True if the store of any other rank than `own` is not mapped here.
    pub fn has_unmapped_stores(&self, own: Rank) -> bool {
        let is_unmapped = |(rank, arena): (usize, &Option<_>)| arena.is_none() && rank != own as usize;
        lock(&self.peer_arenas).iter().enumerate().any(is_unmapped)
    }

    /// The store behind a read guard, to be held briefly: shutdown waits for it.
    pub(super) fn arena_guard(&self) -> RwLockReadGuard<'_, Option<Arc<Arena>>> {
        self.arena.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store of `rank`, another of this host, if it is mapped here.
    pub fn arena_of(&self, rank: Rank) -> Option<Arc<PeerArena>> {
        lock(&self.peer_arenas).get(rank as usize)?.clone()
    }

    /// Returns true if the store of `rank` can be read here as memory; `own` is this rank.
    pub fn is_readable(&self, rank: Rank, own: Rank) -> bool {
        rank == own || self.arena_of(rank).is_some()
    }

    /// True if drivers that submit tasks are to wait for space.
    #[inline]
    pub fn is_under_pressure(&self) -> bool {
        self.pressure.is_high()
    }

    /// Blocks may have become evictable, or were freed.
    #[inline]
    pub fn on_space_maybe_freed(&self) {
        self.space_waiters.on_space_maybe_freed();
    }

    /// What waits for space, as texts.
    pub fn space_waits(&self) -> Vec<String> {
        self.space_waiters.descriptions()
    }

    /// True if reads of other ranks' stores are in flight, or wait to be started.
    pub fn any_pulls(&self) -> bool {
        self.pulls.any()
    }

    /// True if reads of other ranks' stores wait to be started.
    #[inline]
    pub fn any_pulls_waiting(&self) -> bool {
        self.pulls.any_waiting()
    }

    /// Unmaps the stores of other ranks: the cluster ends.
    pub fn close_peers(&self) {
        lock(&self.peer_arenas).clear();
    }

    /// Removes what is on disk, and this rank's own store as soon as no array is left in it: the cluster ends.
    pub fn close(&self) {
        self.spill.clear();
        *self.arena.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
