//! Copies that are complete: those that are cached while they are not in use, and their eviction.

use super::message::CopyMessage;
use super::{Actions, Copies, CopyAction, CopyEntry};
use crate::base::ObjectId;
use std::sync::{Arc, Weak};

/// Entries of the table above which entries of dropped copies are removed.
pub(super) const SWEEP_MIN: usize = 64;

/// A copy that is complete.
pub(super) struct CachedCopy<M: ?Sized> {
    pub(super) memory: Weak<M>,
    /// Holds the memory while it is not in use.
    pub(super) cached: Option<Arc<M>>,
    pub(super) bytes: u64,
    pub(super) last_use: u64,
    /// True if the owner knows of it.
    pub(super) listed: bool,
}

impl<M: ?Sized, W> Copies<M, W> {
    /// Evicts copies that are not in use, the least recently used first, until `bytes` are free; returns how many will
    /// be, once the actions are done. If that is too few, copies in use are not cached any more after their users have
    /// dropped them.
    pub fn evict(&mut self, bytes: u64) -> (u64, Actions<M, W>) {
        let mut actions = Vec::new();
        let mut freed = 0;
        for idle in [true, false] {
            for (block, _) in self.cached_by_age(idle) {
                if freed >= bytes {
                    return (freed, actions);
                }
                freed += self.uncache(block, &mut actions);
            }
        }
        (freed, actions)
    }

    /// The memory of a copy that is on this host.
    pub(super) fn lookup(&mut self, block: ObjectId, actions: &mut Actions<M, W>) -> Option<Arc<M>> {
        self.clock += 1;
        let Some(CopyEntry::Present(copy)) = self.table.get_mut(&block) else { return None };
        copy.last_use = self.clock;
        let memory = copy.memory.upgrade();
        if memory.is_none() {
            self.forget(block, true, actions);
        }
        memory
    }

    /// Caches a copy, and evicts those that were used before it.
    pub(super) fn cache(&mut self, block: ObjectId, memory: &Arc<M>, actions: &mut Actions<M, W>) {
        let Some(CopyEntry::Present(copy)) = self.table.get_mut(&block) else { return };
        if copy.bytes > self.cached_bytes_max {
            return;
        }
        copy.cached = Some(memory.clone());
        self.cached_bytes += copy.bytes;
        for idle in [true, false] {
            if self.cached_bytes <= self.cached_bytes_max {
                return;
            }
            for (other, _) in self.cached_by_age(idle) {
                if self.cached_bytes > self.cached_bytes_max && other != block {
                    self.uncache(other, actions);
                }
            }
        }
    }

    /// The cached copies, the least recently used first: those that are not in use (`idle`), or those that are.
    pub(super) fn cached_by_age(&self, idle: bool) -> Vec<(ObjectId, u64)> {
        let cached = self.table.iter().filter_map(|(block, copy)| match copy {
            CopyEntry::Present(CachedCopy { cached: Some(memory), last_use, .. })
                if (Arc::strong_count(memory) == 1) == idle =>
            {
                Some((*block, *last_use))
            }
            _ => None,
        });
        let mut cached: Vec<_> = cached.collect();
        cached.sort_unstable_by_key(|(_, last_use)| *last_use);
        cached
    }

    /// Does not cache a copy any more; returns how many bytes that frees.
    pub(super) fn uncache(&mut self, block: ObjectId, actions: &mut Actions<M, W>) -> u64 {
        let Some(CopyEntry::Present(copy)) = self.table.get_mut(&block) else { return 0 };
        let Some(memory) = copy.cached.take() else { return 0 };
        let bytes = copy.bytes;
        self.cached_bytes -= bytes;
        let idle = Arc::strong_count(&memory) == 1;
        actions.push(CopyAction::Drop(memory));
        if idle {
            self.forget(block, true, actions);
        }
        if idle { bytes } else { 0 }
    }

    /// Removes the entry of a copy; with `tell` the owner is notified.
    pub(super) fn forget(&mut self, block: ObjectId, tell: bool, actions: &mut Actions<M, W>) {
        let Some(CopyEntry::Present(copy)) = self.table.remove(&block) else { return };
        if copy.cached.is_some() {
            self.cached_bytes -= copy.bytes;
        }
        actions.extend(copy.cached.map(CopyAction::Drop));
        if tell && copy.listed {
            actions.push(CopyAction::Send(block.owner, CopyMessage::CopyDropped { block }));
        }
    }

    /// Forgets copies whose last user has dropped them.
    pub(super) fn sweep(&mut self, actions: &mut Actions<M, W>) {
        if self.table.len() < self.sweep_at {
            return;
        }
        let is_dead =
            |copy: &CopyEntry<M, W>| matches!(copy, CopyEntry::Present(copy) if copy.memory.strong_count() == 0);
        let dead: Vec<ObjectId> =
            self.table.iter().filter(|(_, copy)| is_dead(copy)).map(|(block, _)| *block).collect();
        dead.into_iter().for_each(|block| self.forget(block, true, actions));
        self.sweep_at = (2 * self.table.len()).max(SWEEP_MIN);
    }
}
