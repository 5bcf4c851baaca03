//! A block that is being fetched: which rank is asked for it, its waiters, and the effect of a rank's death.

use super::cached::CachedCopy;
use super::message::{CopyMessage, CopySource};
use super::{Actions, Copies, CopyAction, CopyEntry, HostPeers};
use crate::base::{Error, ObjectId, Rank};
use std::sync::Arc;

/// Up to so many bytes a cache rank reads the original without asking for other holders: that would take longer.
const LOCATED_BYTES_MIN: u64 = 1 << 20;

/// The stage of a fetch.
pub(super) enum FetchStage {
    /// The block was requested from the cache rank.
    CacheRequested(Rank),
    /// The owner was asked for the holders; some waiter or requester `joined` after that.
    Locating { joined: bool },
    /// These holders were asked for their copies; some have replied.
    CopiesRequested { pending: Vec<Rank>, sources: Vec<CopySource> },
    /// It is being read, under grants of this rank's own if it is `granted` (COPIES-1).
    Reading { token: u64, sources: Vec<CopySource>, granted: bool },
}

/// A block that is being fetched.
pub(super) struct PendingFetch<W> {
    pub(super) bytes: u64,
    /// The location of the original.
    original: CopySource,
    /// True if only this rank needs it: the copy is not cached.
    direct: bool,
    pub(super) stage: FetchStage,
    pub(super) waiters: Vec<W>,
    /// Ranks that requested the copy.
    pub(super) requesters: Vec<Rank>,
    /// Holders that could not serve.
    pub(super) excluded: Vec<Rank>,
}

impl<W> PendingFetch<W> {
    /// Another rank needs the copy.
    pub(super) fn add_requester(&mut self, requester: Rank) {
        if !self.requesters.contains(&requester) {
            self.requesters.push(requester);
        }
    }

    /// True if the owner was pending, and knows this rank as a future holder.
    pub(super) fn is_located(&self) -> bool {
        match self.stage {
            FetchStage::CacheRequested(_) => false,
            FetchStage::Locating { .. } | FetchStage::CopiesRequested { .. } => true,
            FetchStage::Reading { granted, .. } => granted,
        }
    }
}

impl<M: ?Sized, W> Copies<M, W> {
    /// Visits the ranks that were asked for blocks or their locations, and those that blocks are read from.
    pub fn visit_awaited(&self, visit: &mut impl FnMut(Rank)) {
        for (block, entry) in &self.table {
            let CopyEntry::Fetching(fetch) = entry else { continue };
            match &fetch.stage {
                FetchStage::CacheRequested(cache_rank) => visit(*cache_rank),
                FetchStage::Locating { .. } => visit(block.owner),
                FetchStage::CopiesRequested { pending, .. } => pending.iter().copied().for_each(&mut *visit),
                FetchStage::Reading { sources, .. } => sources.iter().for_each(|source| visit(source.block.owner)),
            }
        }
    }

    /// The fetch of a block, if it is being fetched.
    pub(super) fn fetching(&mut self, block: ObjectId) -> Option<&mut PendingFetch<W>> {
        match self.table.get_mut(&block) {
            Some(CopyEntry::Fetching(fetch)) => Some(fetch),
            _ => None,
        }
    }

    /// The fetch of a block that is not here, for one more rank that has a grant of the original; true if it is new.
    pub(super) fn join(&mut self, original: CopySource, bytes: u64, direct: bool) -> (&mut PendingFetch<W>, bool) {
        let is_new = self.fetching(original.block).is_none();
        let (waiters, requesters, excluded) = (Vec::new(), Vec::new(), Vec::new());
        let stage = FetchStage::Locating { joined: false };
        let new = || PendingFetch { bytes, original, direct, stage, waiters, requesters, excluded };
        let entry = self.table.entry(original.block).or_insert_with(|| CopyEntry::Fetching(new()));
        let CopyEntry::Fetching(fetch) = entry else { unreachable!("a copy that is here was looked up before") };
        if let FetchStage::Locating { joined } = &mut fetch.stage {
            *joined = !is_new;
        }
        (fetch, is_new)
    }

    pub(super) fn request_cached(
        &mut self,
        block: ObjectId,
        cache_rank: Rank,
        peers: &impl HostPeers,
        actions: &mut Actions<M, W>,
    ) {
        if cache_rank == self.me {
            return self.locate(block, peers, actions);
        }
        if let Some(fetch) = self.fetching(block) {
            fetch.stage = FetchStage::CacheRequested(cache_rank);
            let (original, bytes) = (fetch.original, fetch.bytes);
            actions.push(CopyAction::Send(cache_rank, CopyMessage::Request { original, bytes }));
        }
    }

    pub(super) fn locate(&mut self, block: ObjectId, peers: &impl HostPeers, actions: &mut Actions<M, W>) {
        let Some(fetch) = self.fetching(block) else { return };
        fetch.stage = FetchStage::Locating { joined: false };
        let (original, bytes, excluded) = (fetch.original, fetch.bytes, fetch.excluded.clone());
        if peers.is_dead(block.owner) {
            self.fail(block, &peers.death_of(block.owner), actions);
        } else if bytes <= LOCATED_BYTES_MIN && excluded.is_empty() {
            self.read(block, vec![original], false, actions);
        } else {
            actions.push(CopyAction::Send(block.owner, CopyMessage::Locate { block, bytes, excluded }));
        }
    }

    /// A holder served its copy or refused: when all have replied, it is read.
    pub(super) fn read_when_all_replied(
        &mut self,
        block: ObjectId,
        peers: &impl HostPeers,
        actions: &mut Actions<M, W>,
    ) {
        let Some(fetch) = self.fetching(block) else { return };
        let FetchStage::CopiesRequested { pending, sources } = &mut fetch.stage else { return };
        if !pending.is_empty() {
            return;
        }
        let sources = std::mem::take(sources);
        if sources.is_empty() {
            self.locate(block, peers, actions);
        } else {
            self.read(block, sources, true, actions);
        }
    }

    /// Reads the block, under grants of this rank's own if it is `granted`.
    pub(super) fn read(
        &mut self,
        block: ObjectId,
        sources: Vec<CopySource>,
        granted: bool,
        actions: &mut Actions<M, W>,
    ) {
        self.next_token += 1;
        let token = self.next_token;
        let Some(fetch) = self.fetching(block) else { return };
        fetch.stage = FetchStage::Reading { token, sources: sources.clone(), granted };
        actions.push(CopyAction::Read { token, bytes: fetch.bytes, sources });
        self.reading.insert(token, block);
    }

    /// The bytes have arrived.
    pub(super) fn on_arrived(
        &mut self,
        block: ObjectId,
        memory: Arc<M>,
        peers: &impl HostPeers,
        actions: &mut Actions<M, W>,
    ) {
        let Some(CopyEntry::Fetching(fetch)) = self.table.remove(&block) else { return };
        let tell = |waiter| CopyAction::Deliver { waiter, block, outcome: Ok(memory.clone()) };
        actions.extend(fetch.waiters.into_iter().map(tell));
        actions.extend(fetch.requesters.into_iter().map(|to| CopyAction::Serve { to, block, memory: memory.clone() }));
        let is_cache_rank = !matches!(fetch.stage, FetchStage::CacheRequested(_));
        if !fetch.direct {
            self.clock += 1;
            // A dead owner cannot report when the block is freed.
            let listed = is_cache_rank && !peers.is_dead(block.owner);
            let (bytes, last_use, weak) = (fetch.bytes, self.clock, Arc::downgrade(&memory));
            let copy = CachedCopy { memory: weak, cached: None, bytes, last_use, listed };
            self.table.insert(block, CopyEntry::Present(copy));
            if listed {
                actions.push(CopyAction::Send(block.owner, CopyMessage::CopyComplete { block }));
                self.cache(block, &memory, actions);
            }
            self.sweep(actions);
        }
        // If no waiter took the memory, it is dropped outside of the lock.
        actions.push(CopyAction::Drop(memory));
    }

    /// The fetch failed.
    pub(super) fn fail(&mut self, block: ObjectId, error: &Error, actions: &mut Actions<M, W>) {
        let Some(CopyEntry::Fetching(fetch)) = self.table.remove(&block) else { return };
        if fetch.is_located() {
            actions.push(CopyAction::Send(block.owner, CopyMessage::CopyDropped { block }));
        }
        actions.extend(fetch.requesters.iter().map(|requester| refusal(*requester, block, error.clone())));
        let tell = |waiter| CopyAction::Deliver { waiter, block, outcome: Err(error.clone()) };
        actions.extend(fetch.waiters.into_iter().map(tell));
    }

    /// The effect of the death of `rank` on a fetch.
    pub(super) fn on_failure_for(
        &mut self,
        block: ObjectId,
        rank: Rank,
        peers: &impl HostPeers,
        actions: &mut Actions<M, W>,
    ) {
        let Some(fetch) = self.fetching(block) else { return };
        let is_unused = fetch.requesters.is_empty() && fetch.waiters.is_empty();
        match &mut fetch.stage {
            FetchStage::CacheRequested(_) if is_unused => drop(self.table.remove(&block)),
            FetchStage::CacheRequested(cache_rank) if *cache_rank == rank => {
                self.request_cached(block, peers.cache_rank(block), peers, actions);
            }
            FetchStage::Locating { .. } if block.owner == rank => self.fail(block, &peers.death_of(rank), actions),
            FetchStage::CopiesRequested { pending, sources }
                if pending.contains(&rank) || sources.iter().any(|source| source.block.owner == rank) =>
            {
                fetch.excluded.push(rank);
                pending.retain(|other| *other != rank);
                // The copy that it served died with it.
                let (void, good) = sources.iter().partition(|source| source.block.owner == rank);
                *sources = good;
                let void: Vec<CopySource> = void;
                actions.extend(void.into_iter().map(|source| CopyAction::ReleaseGrant(source.block)));
                self.read_when_all_replied(block, peers, actions);
            }
            _ => {}
        }
    }
}

/// The reply to a requester for which there is no copy.
pub(super) fn refusal<M: ?Sized, W>(to: Rank, block: ObjectId, error: Error) -> CopyAction<M, W> {
    CopyAction::Send(to, CopyMessage::CopyReply { block, bytes: 0, copy: Err(error) })
}

/// The error of a reader that was directed to a rank without a copy.
pub(super) fn no_copy(block: ObjectId, rank: Rank) -> Error {
    Error::ObjectLost { object: block.to_string(), reason: format!("rank {rank} has no copy of it any more") }
}
