//! A block on its way: who is asked for it, who waits for it, and what a death means for it.

use super::kept::Here;
use super::message::{CopyMessage, Source};
use super::{Actions, Copies, CopyAction, Entry, Peers, Way};
use crate::base::{Error, ObjectId, Rank};
use std::sync::Arc;

/// Up to so many bytes a keeper reads the original without asking whether there are other holders: that would take longer.
const LOCATED_BYTES_MIN: u64 = 1 << 20;

/// How far a block on its way is.
pub(super) enum Stage {
    /// The keeper was asked.
    Asked(Rank),
    /// The owner was asked who has it.
    Locating,
    /// These were asked for theirs; some have answered.
    Borrowing { asked: Vec<Rank>, sources: Vec<Source> },
    /// It is being read, under grants of this rank's own where it is `counted` (Y1).
    Reading { token: u64, sources: Vec<Source>, counted: bool },
}

/// A block on its way.
pub(super) struct Coming<W> {
    pub(super) bytes: u64,
    /// Where the original lies.
    original: Source,
    /// Whether only this rank needs it: nothing is kept.
    alone: bool,
    pub(super) stage: Stage,
    pub(super) waiters: Vec<W>,
    /// Ranks that asked for the copy.
    pub(super) askers: Vec<Rank>,
    /// Holders that could not serve.
    pub(super) without: Vec<Rank>,
}

impl<W> Coming<W> {
    /// Whether the owner was asked, and knows this rank as one that will hold a copy.
    pub(super) fn is_located(&self) -> bool {
        match self.stage {
            Stage::Asked(_) => false,
            Stage::Locating | Stage::Borrowing { .. } => true,
            Stage::Reading { counted, .. } => counted,
        }
    }
}

impl<M: ?Sized, W> Copies<M, W> {
    /// Names the ranks that were asked for blocks, or for word of them, and those that blocks are read from.
    pub fn awaited(&self, note: &mut impl FnMut(Rank)) {
        for (block, entry) in &self.table {
            let Entry::Coming(coming) = entry else { continue };
            match &coming.stage {
                Stage::Asked(keeper) => note(*keeper),
                Stage::Locating => note(block.owner),
                Stage::Borrowing { asked, .. } => asked.iter().copied().for_each(&mut *note),
                Stage::Reading { sources, .. } => sources.iter().for_each(|source| note(source.block.owner)),
            }
        }
    }

    pub(super) fn add_asker(&mut self, block: ObjectId, asker: Rank) {
        if let Some(Entry::Coming(coming)) = self.table.get_mut(&block)
            && !coming.askers.contains(&asker)
        {
            coming.askers.push(asker);
        }
    }

    pub(super) fn begin(
        &mut self,
        original: Source,
        bytes: u64,
        way: Way,
        peers: &impl Peers,
        actions: &mut Actions<M, W>,
    ) {
        let (waiters, askers, without) = (Vec::new(), Vec::new(), Vec::new());
        let alone = way == Way::Alone;
        let coming = Coming { bytes, original, alone, stage: Stage::Locating, waiters, askers, without };
        self.table.insert(original.block, Entry::Coming(coming));
        match way {
            Way::Alone => self.read_as(original.block, vec![original], false, actions),
            Way::Keeper(keeper) => self.ask(original.block, keeper, peers, actions),
        }
    }

    pub(super) fn ask(&mut self, block: ObjectId, keeper: Rank, peers: &impl Peers, actions: &mut Actions<M, W>) {
        if keeper == self.me {
            return self.locate(block, peers, actions);
        }
        if let Some(Entry::Coming(coming)) = self.table.get_mut(&block) {
            coming.stage = Stage::Asked(keeper);
            let (original, bytes) = (coming.original, coming.bytes);
            actions.push(CopyAction::Send(keeper, CopyMessage::Want { original, bytes }));
        }
    }

    pub(super) fn locate(&mut self, block: ObjectId, peers: &impl Peers, actions: &mut Actions<M, W>) {
        let Some(Entry::Coming(coming)) = self.table.get_mut(&block) else { return };
        coming.stage = Stage::Locating;
        if !peers.is_dead(block.owner) {
            if coming.bytes <= LOCATED_BYTES_MIN && coming.without.is_empty() {
                let original = coming.original;
                return self.read_as(block, vec![original], false, actions);
            }
            let (bytes, without) = (coming.bytes, coming.without.clone());
            actions.push(CopyAction::Send(block.owner, CopyMessage::Where { block, bytes, without }));
        } else if !(coming.waiters.is_empty() && coming.askers.is_empty()) {
            self.fail(block, &peers.death_of(block.owner), actions);
        }
    }

    /// After `begin`, which knows nobody yet to whom an error could be said.
    pub(super) fn fail_where_owner_is_dead(
        &mut self,
        block: ObjectId,
        peers: &impl Peers,
        actions: &mut Actions<M, W>,
    ) {
        let locating = |coming: &Coming<W>| matches!(coming.stage, Stage::Locating);
        if peers.is_dead(block.owner)
            && matches!(self.table.get(&block), Some(Entry::Coming(coming)) if locating(coming))
        {
            self.fail(block, &peers.death_of(block.owner), actions);
        }
    }

    /// Somebody lent a copy or did not: when all have answered, it is read.
    pub(super) fn borrowed(&mut self, block: ObjectId, peers: &impl Peers, actions: &mut Actions<M, W>) {
        let Some(Entry::Coming(coming)) = self.table.get_mut(&block) else { return };
        let Stage::Borrowing { asked, sources } = &mut coming.stage else { return };
        if !asked.is_empty() {
            return;
        }
        let sources = std::mem::take(sources);
        if sources.is_empty() {
            self.locate(block, peers, actions);
        } else {
            self.read(block, sources, actions);
        }
    }

    pub(super) fn read(&mut self, block: ObjectId, sources: Vec<Source>, actions: &mut Actions<M, W>) {
        self.read_as(block, sources, true, actions);
    }

    pub(super) fn read_as(
        &mut self,
        block: ObjectId,
        sources: Vec<Source>,
        counted: bool,
        actions: &mut Actions<M, W>,
    ) {
        let Some(Entry::Coming(coming)) = self.table.get_mut(&block) else { return };
        self.next_token += 1;
        let token = self.next_token;
        self.reading.insert(token, block);
        coming.stage = Stage::Reading { token, sources: sources.clone(), counted };
        actions.push(CopyAction::Read { token, bytes: coming.bytes, sources });
    }

    /// The bytes are here.
    pub(super) fn arrived(&mut self, block: ObjectId, memory: Arc<M>, peers: &impl Peers, actions: &mut Actions<M, W>) {
        let Some(Entry::Coming(coming)) = self.table.remove(&block) else { return };
        let tell = |waiter| CopyAction::Deliver { waiter, block, outcome: Ok(memory.clone()) };
        actions.extend(coming.waiters.into_iter().map(tell));
        actions.extend(coming.askers.into_iter().map(|to| CopyAction::Lend { to, block, memory: memory.clone() }));
        let is_keeper = !matches!(coming.stage, Stage::Asked(_));
        if !coming.alone {
            self.clock += 1;
            // An owner that is gone will not say when the block is.
            let listed = is_keeper && !peers.is_dead(block.owner);
            let (bytes, last_use, weak) = (coming.bytes, self.clock, Arc::downgrade(&memory));
            let here = Here { memory: weak, kept: None, bytes, last_use, listed };
            self.table.insert(block, Entry::Here(here));
            if listed {
                actions.push(CopyAction::Send(block.owner, CopyMessage::Holds { block }));
                self.keep(block, &memory, actions);
            }
            self.sweep(actions);
        }
        // Its memory goes, where nobody took it, outside of the lock.
        actions.push(CopyAction::Drop(memory));
    }

    /// It will not come.
    pub(super) fn fail(&mut self, block: ObjectId, error: &Error, actions: &mut Actions<M, W>) {
        let Some(Entry::Coming(coming)) = self.table.remove(&block) else { return };
        if coming.is_located() {
            actions.push(CopyAction::Send(block.owner, CopyMessage::Left { block }));
        }
        actions.extend(coming.askers.iter().map(|asker| refusal(*asker, block, error.clone())));
        let tell = |waiter| CopyAction::Deliver { waiter, block, outcome: Err(error.clone()) };
        actions.extend(coming.waiters.into_iter().map(tell));
    }

    /// What the death of `rank` means for a block on its way.
    pub(super) fn lost_for(&mut self, block: ObjectId, rank: Rank, peers: &impl Peers, actions: &mut Actions<M, W>) {
        let Some(Entry::Coming(coming)) = self.table.get_mut(&block) else { return };
        let nobody_asks = coming.askers.is_empty() && coming.waiters.is_empty();
        match &mut coming.stage {
            Stage::Asked(_) if nobody_asks => drop(self.table.remove(&block)),
            Stage::Asked(keeper) if *keeper == rank => {
                self.ask(block, peers.keeper_of(block), peers, actions);
            }
            Stage::Locating if block.owner == rank => self.fail(block, &peers.death_of(rank), actions),
            Stage::Borrowing { asked, sources }
                if asked.contains(&rank) || sources.iter().any(|source| source.block.owner == rank) =>
            {
                coming.without.push(rank);
                asked.retain(|other| *other != rank);
                // What it lent is gone with it.
                let (void, good) = sources.iter().partition(|source| source.block.owner == rank);
                *sources = good;
                let void: Vec<Source> = void;
                actions.extend(void.into_iter().map(|source| CopyAction::Return(source.block)));
                self.borrowed(block, peers, actions);
            }
            _ => {}
        }
    }
}

/// Why there is no copy for who asked.
pub(super) fn refusal<M: ?Sized, W>(to: Rank, block: ObjectId, error: Error) -> CopyAction<M, W> {
    CopyAction::Send(to, CopyMessage::Have { block, bytes: 0, copy: Err(error) })
}

/// The error of who was sent here in vain.
pub(super) fn no_copy(block: ObjectId, rank: Rank) -> Error {
    Error::ObjectLost { object: block.to_string(), reason: format!("rank {rank} has no copy of it any more") }
}
