//! The copies that a host has of blocks in other hosts' stores: fetched once, however many tasks read them.
//!
//! ```text
//!   rank of the host          the block's cache rank            owner             a holder
//!        | ---- Request ------------> |                            |                  |
//!        |                            | ---- Locate -------------> |                  |
//!        |                            | <--- Holders ------------- |                  |     the original itself, or
//!        |                            | ---- ShareRequest -------------------------->  |     ranks that have one
//!        |                            | <--- CopyReply -----------------------------  |     when its copy is complete
//!        |                            | ==== reads, in chunks ======================  |
//!        | <--- CopyReply ----------- | ---- CopyComplete -------> |                  |
//! ```
//! All ranks of a host compute the same cache rank for a block. A copy is an ordinary block of the cache rank's store:
//! ranks of the host map it, and cache ranks of other hosts read it. Up to a size the cache rank reads the original
//! without asking its owner; a smaller block, or one needed by one rank only, is read by the rank that needs it
//! (`FetchRoute::Direct`).
//!
//! - COPIES-1: a copy that is being read lives, whichever rank dies meanwhile: its reader has a grant from the holder
//!   for that read (`Holders`, `CopyReply`), returned afterwards. An original that is read without asking lives while
//!   any rank that waits for it has the grant that came with its name. When all of those ranks are dead the read may
//!   return other bytes; no reader sees them: a rank that waits for the block later has a grant, and then the block was
//!   never freed; numbers are used once, and sealed bytes never change.
//! - COPIES-2: a copy holds no grant of its original. When the original is freed its owner sends `Freed`, and the copy
//!   lives on only while it is in use. Until then the most recent copies are cached, up to a share of the store, also
//!   while they are not in use.
//! - COPIES-3: a waiter is notified once: with bytes or an error. A cache rank that dies is followed by the next one, a
//!   holder that dies by another one; the owner's death is an error, unless a holder was found already.
//! - COPIES-4: a rank waits for another of its host only if that one has a higher hash weight as cache rank, and for
//!   one of another host only as the owner says (LOCATIONS-1): so no ranks wait in a circle, also while not all have
//!   learned of a death.

mod cached;
mod fetch;
mod message;

pub use message::{CopyMessage, CopySource, Holders};

use crate::base::{Error, ObjectId, Rank};
use cached::{CachedCopy, SWEEP_MIN};
use fetch::{FetchStage, PendingFetch, no_copy, refusal};
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// How a block is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchRoute {
    /// Read from its owner, for this rank alone.
    Direct,
    /// Through the cache rank of this host, perhaps this rank itself.
    Cached(Rank),
}

/// A copy served by another rank.
pub enum ServedCopy<M: ?Sized> {
    /// Memory that is mapped here.
    Mapped(Arc<M>),
    /// A block to be read, with a grant.
    Granted(CopySource),
}

/// An action of the caller.
pub enum CopyAction<M: ?Sized, W> {
    /// Send it.
    Send(Rank, CopyMessage),
    /// Reply with `CopyReply`, with a grant for this memory.
    Serve {
        /// The requester.
        to: Rank,
        /// The block as requested.
        block: ObjectId,
        /// The copy.
        memory: Arc<M>,
    },
    /// Read into a new block of this store, from any of the sources, and call [`Copies::on_read_done`].
    Read {
        /// Identifies the read in `on_read_done`.
        token: u64,
        /// The length.
        bytes: u64,
        /// The holders of the bytes.
        sources: Vec<CopySource>,
    },
    /// The grant for this block is not needed any more.
    ReleaseGrant(ObjectId),
    /// Notify a waiter.
    Deliver {
        /// The waiter.
        waiter: W,
        /// The block that it requested.
        block: ObjectId,
        /// Its memory.
        outcome: Result<Arc<M>, Error>,
    },
    /// Drop this while no lock is held.
    Drop(#[allow(dead_code)] Arc<M>),
}

/// What a table knows of other ranks.
pub trait HostPeers {
    /// True if that rank was declared dead.
    fn is_dead(&self, rank: Rank) -> bool;
    /// The error for work that needs a dead rank.
    fn death_of(&self, rank: Rank) -> Error;
    /// The living rank of this host that caches copies of that block.
    fn cache_rank(&self, block: ObjectId) -> Rank;
}

/// The state of a block of another host on this rank.
enum CopyEntry<M: ?Sized, W> {
    Fetching(PendingFetch<W>),
    Present(CachedCopy<M>),
}

/// The copies of one rank: those that it caches for its host, and those that it uses. `M` is a block's memory, `W` a
/// waiter.
pub struct Copies<M: ?Sized, W> {
    me: Rank,
    table: HashMap<ObjectId, CopyEntry<M, W>>,
    reading: HashMap<u64, ObjectId>,
    next_token: u64,
    clock: u64,
    cached_bytes: u64,
    cached_bytes_max: u64,
    sweep_at: usize,
}

type Actions<M, W> = Vec<CopyAction<M, W>>;

impl<M: ?Sized, W> Copies<M, W> {
    /// Of rank `me`.
    pub fn new(me: Rank) -> Copies<M, W> {
        Copies {
            me,
            table: HashMap::default(),
            reading: HashMap::default(),
            next_token: 0,
            clock: 0,
            cached_bytes: 0,
            cached_bytes_max: u64::MAX,
            sweep_at: SWEEP_MIN,
        }
    }

    /// Unused copies take at most so many bytes of the store from now on.
    pub fn set_cache_limit(&mut self, bytes: u64) {
        self.cached_bytes_max = bytes;
    }

    /// A block is needed here.
    pub fn fetch(
        &mut self,
        original: CopySource,
        bytes: u64,
        route: FetchRoute,
        waiter: W,
        peers: &impl HostPeers,
    ) -> Actions<M, W> {
        let (block, mut actions) = (original.block, Vec::new());
        if let Some(memory) = self.lookup(block, &mut actions) {
            actions.push(CopyAction::Deliver { waiter, block, outcome: Ok(memory) });
            return actions;
        }
        let (fetch, is_new) = self.join(original, bytes, route == FetchRoute::Direct);
        fetch.waiters.push(waiter);
        match route {
            _ if !is_new => {}
            FetchRoute::Direct => self.read(block, vec![original], false, &mut actions),
            FetchRoute::Cached(cache_rank) => self.request_cached(block, cache_rank, peers, &mut actions),
        }
        actions
    }

    /// A rank of this host requests the block from this one as its cache rank.
    pub fn on_request(
        &mut self,
        original: CopySource,
        bytes: u64,
        from: Rank,
        peers: &impl HostPeers,
    ) -> Actions<M, W> {
        let (block, mut actions) = (original.block, Vec::new());
        if peers.is_dead(from) {
            return actions;
        }
        if let Some(memory) = self.lookup(block, &mut actions) {
            actions.push(CopyAction::Serve { to: from, block, memory });
            return actions;
        }
        let (fetch, is_new) = self.join(original, bytes, false);
        fetch.add_requester(from);
        if is_new {
            self.locate(block, peers, &mut actions);
        }
        actions
    }

    /// The owner has directed a rank of another host to this one.
    pub fn on_share_request(&mut self, block: ObjectId, from: Rank, peers: &impl HostPeers) -> Actions<M, W> {
        let mut actions = Vec::new();
        if peers.is_dead(from) {
            return actions;
        }
        if let Some(memory) = self.lookup(block, &mut actions) {
            actions.push(CopyAction::Serve { to: from, block, memory });
            return actions;
        }
        match self.fetching(block) {
            // Only copies that the owner knows of are waited for (COPIES-4).
            Some(fetch) if fetch.is_located() => fetch.add_requester(from),
            _ => actions.push(refusal(from, block, no_copy(block, self.me))),
        }
        actions
    }

    /// The owner names the holders of a block, or why there is none.
    pub fn on_holders(
        &mut self,
        block: ObjectId,
        holders: Result<Holders, Error>,
        peers: &impl HostPeers,
    ) -> Actions<M, W> {
        let mut actions = Vec::new();
        let me = self.me;
        let Some(fetch) = self.fetching(block).filter(|fetch| matches!(fetch.stage, FetchStage::Locating { .. }))
        else {
            // No fetch waits for this reply any more.
            actions.extend(holders.ok().and_then(|holders| holders.original).map(|_| CopyAction::ReleaseGrant(block)));
            return actions;
        };
        match holders {
            // Those that joined after the owner was asked have grants: it knows the block again.
            Err(_) if matches!(fetch.stage, FetchStage::Locating { joined: true }) => {
                self.locate(block, peers, &mut actions);
            }
            Err(error) => self.fail(block, &error, &mut actions),
            Ok(holders) => {
                let (dead, alive): (Vec<Rank>, Vec<Rank>) =
                    holders.others.iter().partition(|rank| peers.is_dead(**rank) || **rank == me);
                fetch.excluded.extend(dead);
                actions.extend(alive.iter().map(|rank| CopyAction::Send(*rank, CopyMessage::ShareRequest { block })));
                let sources = holders.original.map(|offset| CopySource { block, offset }).into_iter().collect();
                fetch.stage = FetchStage::CopiesRequested { pending: alive, sources };
                self.read_when_all_replied(block, peers, &mut actions);
            }
        }
        actions
    }

    /// A rank serves its copy, or refuses with the reason.
    pub fn on_copy_reply(
        &mut self,
        block: ObjectId,
        from: Rank,
        reply: Result<ServedCopy<M>, Error>,
        peers: &impl HostPeers,
    ) -> Actions<M, W> {
        let mut actions = Vec::new();
        let Some(fetch) = self.fetching(block) else {
            release_served(reply, &mut actions);
            return actions;
        };
        match (&mut fetch.stage, reply) {
            (FetchStage::CacheRequested(cache_rank), reply) if *cache_rank == from => match reply {
                Ok(ServedCopy::Mapped(memory)) => self.on_arrived(block, memory, peers, &mut actions),
                Ok(ServedCopy::Granted(source)) => self.read(block, vec![source], true, &mut actions),
                // This rank may have free space for a block for which the cache rank had none.
                Err(_) => self.locate(block, peers, &mut actions),
            },
            (FetchStage::CopiesRequested { pending, sources }, reply) if pending.contains(&from) => {
                pending.retain(|other| *other != from);
                match reply {
                    Ok(ServedCopy::Mapped(memory)) => {
                        actions.extend(sources.iter().map(|source| CopyAction::ReleaseGrant(source.block)));
                        self.on_arrived(block, memory, peers, &mut actions);
                    }
                    Ok(ServedCopy::Granted(source)) => {
                        sources.push(source);
                        self.read_when_all_replied(block, peers, &mut actions);
                    }
                    Err(_) => {
                        fetch.excluded.push(from);
                        self.read_when_all_replied(block, peers, &mut actions);
                    }
                }
            }
            (_, reply) => release_served(reply, &mut actions),
        }
        actions
    }

    /// A read has ended.
    pub fn on_read_done(
        &mut self,
        token: u64,
        outcome: Result<Arc<M>, Error>,
        peers: &impl HostPeers,
    ) -> Actions<M, W> {
        let mut actions = Vec::new();
        let block = self.reading.remove(&token);
        let read = block.and_then(|block| match &self.fetching(block)?.stage {
            FetchStage::Reading { token: current, sources, granted } if *current == token => {
                Some((block, sources.clone(), *granted))
            }
            _ => None,
        });
        let Some((block, sources, granted)) = read else {
            actions.extend(outcome.ok().map(CopyAction::Drop));
            return actions;
        };
        if granted {
            actions.extend(sources.iter().map(|source| CopyAction::ReleaseGrant(source.block)));
        }
        match outcome {
            Ok(memory) => self.on_arrived(block, memory, peers, &mut actions),
            Err(error) => {
                let read_original = sources.iter().any(|source| source.block == block);
                if !granted || read_original || matches!(error, Error::StoreFull { .. }) {
                    self.fail(block, &error, &mut actions);
                } else {
                    let failed = sources.iter().map(|source| source.block.owner);
                    self.fetching(block).into_iter().for_each(|fetch| fetch.excluded.extend(failed.clone()));
                    self.locate(block, peers, &mut actions);
                }
            }
        }
        actions
    }

    /// The owner has freed a block: its copy is not cached any more.
    pub fn on_freed(&mut self, block: ObjectId) -> Actions<M, W> {
        let mut actions = Vec::new();
        if matches!(self.table.get(&block), Some(CopyEntry::Present(_))) {
            self.forget(block, false, &mut actions);
        }
        actions
    }

    /// A rank failed, and with it the waiters that `lost` names: they had their grants from it.
    pub fn on_rank_failed(&mut self, rank: Rank, lost: impl Fn(&W) -> bool, peers: &impl HostPeers) -> Actions<M, W> {
        let mut actions = Vec::new();
        let blocks: Vec<ObjectId> = self.table.keys().copied().collect();
        for block in blocks {
            match self.table.get_mut(&block) {
                Some(CopyEntry::Fetching(fetch)) => {
                    fetch.waiters.retain(|waiter| !lost(waiter));
                    fetch.requesters.retain(|asker| *asker != rank);
                    self.on_failure_for(block, rank, peers, &mut actions);
                }
                // No rank will report when it is freed; current users may continue.
                Some(CopyEntry::Present(copy)) if block.owner == rank => {
                    copy.listed = false;
                    self.uncache(block, &mut actions);
                }
                _ => {}
            }
        }
        actions
    }

    /// How many blocks are being fetched.
    pub fn fetching_count(&self) -> usize {
        self.table.values().filter(|entry| matches!(entry, CopyEntry::Fetching(_))).count()
    }

    /// Forgets everything at shutdown. What is returned is to be dropped while no lock is held.
    pub fn clear(&mut self) -> impl Sized + use<M, W> {
        self.cached_bytes = 0;
        std::mem::take(&mut self.table)
    }
}

/// The rank among `alive`, those of one host, that caches copies of a block: the one with the highest hash of both. So
/// if two ranks disagree about which are alive, each still asks one with a higher weight than its own (COPIES-4).
pub fn cache_rank(block: ObjectId, alive: impl Iterator<Item = Rank>) -> Option<Rank> {
    let weight = |rank: Rank| {
        let mixed = (u64::from(block.owner) << 32 | u64::from(rank)) ^ block.number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The finalizer of splitmix64.
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    alive.max_by_key(|rank| (weight(*rank), *rank))
}

fn release_served<M: ?Sized, W>(reply: Result<ServedCopy<M>, Error>, actions: &mut Actions<M, W>) {
    match reply {
        Ok(ServedCopy::Mapped(memory)) => actions.push(CopyAction::Drop(memory)),
        Ok(ServedCopy::Granted(source)) => actions.push(CopyAction::ReleaseGrant(source.block)),
        Err(_) => {}
    }
}

#[cfg(test)]
#[path = "copies/tests.rs"]
mod tests;
