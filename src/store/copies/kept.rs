//! Copies that are whole: those that are kept while nobody uses them, and how they go.

use super::message::CopyMessage;
use super::{Actions, Copies, CopyAction, Entry};
use crate::base::ObjectId;
use std::sync::{Arc, Weak};

/// Entries of the table before those of copies that are gone are looked for.
pub(super) const SWEEP_MIN: usize = 64;

/// A copy that is whole.
pub(super) struct Here<M: ?Sized> {
    pub(super) memory: Weak<M>,
    /// Keeps it while nobody uses it.
    pub(super) kept: Option<Arc<M>>,
    pub(super) bytes: u64,
    pub(super) last_use: u64,
    /// Whether the owner knows of it.
    pub(super) listed: bool,
}

impl<M: ?Sized, W> Copies<M, W> {
    /// Gives up copies that nobody uses, the least recently used first, until `bytes` are free; how many will be, once the
    /// actions are done. Where that is too few, copies in use are not kept either when their users are through.
    pub fn evict(&mut self, bytes: u64) -> (u64, Actions<M, W>) {
        let mut actions = Vec::new();
        let mut freed = 0;
        for idle in [true, false] {
            for (block, _) in self.kept_by_age(idle) {
                if freed >= bytes {
                    return (freed, actions);
                }
                freed += self.let_go(block, &mut actions);
            }
        }
        (freed, actions)
    }

    /// The memory of a copy that is here.
    pub(super) fn here(&mut self, block: ObjectId, actions: &mut Actions<M, W>) -> Option<Arc<M>> {
        self.clock += 1;
        let Some(Entry::Here(here)) = self.table.get_mut(&block) else { return None };
        here.last_use = self.clock;
        let memory = here.memory.upgrade();
        if memory.is_none() {
            self.forget(block, true, actions);
        }
        memory
    }

    /// Keeps a copy while nobody uses it, at the expense of those that were used before.
    pub(super) fn keep(&mut self, block: ObjectId, memory: &Arc<M>, actions: &mut Actions<M, W>) {
        let Some(Entry::Here(here)) = self.table.get_mut(&block) else { return };
        if here.bytes > self.kept_bytes_max {
            return;
        }
        here.kept = Some(memory.clone());
        self.kept_bytes += here.bytes;
        for (other, _) in self.kept_by_age(true).into_iter().chain(self.kept_by_age(false)) {
            if self.kept_bytes <= self.kept_bytes_max {
                break;
            }
            if other != block {
                self.let_go(other, actions);
            }
        }
    }

    /// The copies that are kept, the least recently used first: those that nobody uses, or those that somebody does.
    pub(super) fn kept_by_age(&self, idle: bool) -> Vec<(ObjectId, u64)> {
        let kept = self.table.iter().filter_map(|(block, copy)| match copy {
            Entry::Here(Here { kept: Some(memory), last_use, .. }) if (Arc::strong_count(memory) == 1) == idle => {
                Some((*block, *last_use))
            }
            _ => None,
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_unstable_by_key(|(_, last_use)| *last_use);
        kept
    }

    /// Does not keep a copy any more; how many bytes that frees.
    pub(super) fn let_go(&mut self, block: ObjectId, actions: &mut Actions<M, W>) -> u64 {
        let Some(Entry::Here(here)) = self.table.get_mut(&block) else { return 0 };
        let Some(memory) = here.kept.take() else { return 0 };
        let bytes = here.bytes;
        self.kept_bytes -= bytes;
        let idle = Arc::strong_count(&memory) == 1;
        actions.push(CopyAction::Drop(memory));
        if idle {
            self.forget(block, true, actions);
        }
        if idle { bytes } else { 0 }
    }

    /// There is no copy any more; the owner is told where it does not know.
    pub(super) fn forget(&mut self, block: ObjectId, tell: bool, actions: &mut Actions<M, W>) {
        let Some(Entry::Here(here)) = self.table.remove(&block) else { return };
        if here.kept.is_some() {
            self.kept_bytes -= here.bytes;
        }
        actions.extend(here.kept.map(CopyAction::Drop));
        if tell && here.listed {
            actions.push(CopyAction::Send(block.owner, CopyMessage::Left { block }));
        }
    }

    /// Forgets copies whose last user is gone.
    pub(super) fn sweep(&mut self, actions: &mut Actions<M, W>) {
        if self.table.len() < self.sweep_at {
            return;
        }
        let is_dead = |copy: &Entry<M, W>| matches!(copy, Entry::Here(here) if here.memory.strong_count() == 0);
        let dead: Vec<ObjectId> =
            self.table.iter().filter(|(_, copy)| is_dead(copy)).map(|(block, _)| *block).collect();
        dead.into_iter().for_each(|block| self.forget(block, true, actions));
        self.sweep_at = (2 * self.table.len()).max(SWEEP_MIN);
    }
}
