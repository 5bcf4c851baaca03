//! The messages that wait for blocks from elsewhere, by sender.

use crate::base::sync::{AtomicUsize, Ordering};
use crate::base::{Error, ObjectId, Rank};
use crate::objects::ArrayMemory;
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The messages of one peer that wait for blocks from elsewhere. It exists only while there are such messages.
#[derive(Default)]
struct Deferred {
    messages: VecDeque<Vec<u8>>,
    /// How many blocks the first of them still lacks.
    missing: usize,
    /// True while a thread processes the first of them.
    in_progress: bool,
    fetched: FetchedBlocks,
}

/// The deferred messages, by sender.
#[derive(Default)]
pub struct DeferredMessages {
    deferred: Mutex<FxHashMap<Rank, Deferred>>,
    /// How many senders there are, readable without the lock.
    senders: AtomicUsize,
}

impl DeferredMessages {
    /// Defers the message if others of that sender are deferred; returns whether it did.
    pub(super) fn defer_behind(&self, from: Rank, bytes: &[u8]) -> bool {
        if self.senders.load(Ordering::Acquire) == 0 {
            return false;
        }
        match lock(&self.deferred).get_mut(&from) {
            Some(deferred) => {
                deferred.messages.push_back(bytes.to_vec());
                true
            }
            None => false,
        }
    }

    /// Defers the first message of a sender.
    pub(super) fn defer(&self, from: Rank, bytes: &[u8]) {
        let mut deferred = lock(&self.deferred);
        deferred.entry(from).or_default().messages.push_back(bytes.to_vec());
        self.senders.store(deferred.len(), Ordering::Release);
    }

    /// The first message of a sender, if it lacks no block, with the blocks that were fetched for it. No other thread
    /// gets it until `set_missing` or `finish_first`.
    pub(super) fn next(&self, from: Rank) -> Option<(Vec<u8>, FetchedBlocks)> {
        let mut deferred = lock(&self.deferred);
        let entry = deferred.get_mut(&from).filter(|entry| entry.missing == 0 && !entry.in_progress)?;
        let bytes = entry.messages.front()?.clone();
        entry.in_progress = true;
        Some((bytes, entry.fetched.clone()))
    }

    /// Replaces the first message of a sender by these.
    pub(super) fn replace_first(&self, from: Rank, messages: Vec<Vec<u8>>) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            deferred.in_progress = false;
            deferred.messages.pop_front();
            messages.into_iter().rev().for_each(|message| deferred.messages.push_front(message));
        }
    }

    /// The first message of a sender lacks so many blocks.
    pub(super) fn set_missing(&self, from: Rank, blocks: usize) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            (deferred.missing, deferred.in_progress) = (blocks, false);
        }
    }

    /// A block was fetched, or cannot be.
    pub(super) fn on_block(&self, from: Rank, block: ObjectId, outcome: Result<Arc<dyn ArrayMemory>, Error>) {
        if let Some(deferred) = lock(&self.deferred).get_mut(&from) {
            deferred.missing = deferred.missing.saturating_sub(1);
            deferred.fetched.insert(block, outcome);
        }
    }

    /// The first message of a sender has been processed.
    pub(super) fn finish_first(&self, from: Rank) {
        let mut deferred = lock(&self.deferred);
        let Some(entry) = deferred.get_mut(&from) else { return };
        entry.messages.pop_front();
        entry.in_progress = false;
        let _dropped_outside_of_the_lock = std::mem::take(&mut entry.fetched);
        if entry.messages.is_empty() {
            deferred.remove(&from);
            self.senders.store(deferred.len(), Ordering::Release);
        }
        drop(deferred);
    }

    /// The number of senders.
    pub fn len(&self) -> usize {
        lock(&self.deferred).len()
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.deferred))
    }

    /// Forgets the messages of a dead rank.
    pub fn on_peer_failed(&self, from: Rank) {
        let mut deferred = lock(&self.deferred);
        let _dropped_outside_of_the_lock = deferred.remove(&from);
        self.senders.store(deferred.len(), Ordering::Release);
        drop(deferred);
    }
}
