//! Reference counts when a rank dies: a rank that is asked to drain the dead rank's messages acknowledges only when it
//! processes none of them any more.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, Ordering};
use crate::protocol::environment::Environment;
use crate::protocol::locks::lock;
use crate::protocol::recovery::Recovery;
use crate::store::CountMessage;
use std::sync::Mutex;

/// Owners whose drain requests wait while a thread still processes messages of a dead rank.
#[derive(Default)]
pub struct PendingDrains {
    any: AtomicBool,
    /// The owners, and their requests.
    waiting: Mutex<Vec<(Rank, CountMessage)>>,
}

impl Recovery {
    /// A message about reference counts.
    pub(in crate::protocol) fn on_count(&self, env: &impl Environment, from: Rank, message: CountMessage) {
        if let CountMessage::DrainRequest { dead, .. } | CountMessage::BorrowerLost { dead } = message {
            if dead == env.rank() || dead == from {
                // A rank that is declared dead is told so by rank 0.
                return;
            }
            if !env.is_dead(dead) {
                env.declare_dead(dead, &format!("rank {from} found it dead"));
            }
        }
        if let CountMessage::DrainRequest { .. } = message {
            lock(&self.pending_drains.waiting).push((from, message));
            self.pending_drains.any.store(true, Ordering::SeqCst);
            return self.process_pending_drains(env);
        }
        env.protocol().objects.references.handle(env, from, message);
    }

    /// Answers the waiting drain requests, unless a thread still processes messages of a dead rank: the owner must
    /// first learn of the references in those messages. That thread calls this again when it is done.
    pub(in crate::protocol) fn process_pending_drains(&self, env: &impl Environment) {
        if !self.pending_drains.any.load(Ordering::SeqCst)
            || (0..env.size()).any(|rank| env.protocol().inbound.sequence.is_processing(rank) && env.is_dead(rank))
        {
            return;
        }
        let waiting = {
            let mut waiting = lock(&self.pending_drains.waiting);
            self.pending_drains.any.store(false, Ordering::SeqCst);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(|(owner, message)| env.protocol().objects.references.handle(env, owner, message));
    }
}
