//! Who waits on a simulated rank, and how it is woken.

use super::Site;
use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::{ArrayMemory, Waiter};
use crate::sim::holding::Reader;
use crate::sim::naming::Outcome;
use crate::sim::world::Here;
use std::sync::Arc;

impl Site {
    /// The job of a slot asks `keeper` about a name: the number of the question.
    pub fn asks(&self, slot: usize, keeper: Rank) -> u64 {
        lock(&self.desk).asked.ask(slot, keeper)
    }

    /// The answer about a name: the slot of who asked, where anybody waits for it.
    pub fn answer(&self, token: u64, outcome: Outcome) -> Option<usize> {
        lock(&self.desk).asked.answer(token, outcome)
    }

    /// The answer about a name for the job of a slot, and of whom.
    pub fn take_answer(&self, slot: usize) -> Option<(Rank, Outcome)> {
        lock(&self.desk).asked.take(slot)
    }

    /// What the job of a slot was waiting for.
    pub(super) fn take_held(&self, slot: usize) -> Vec<Arc<dyn ArrayMemory>> {
        lock(&self.desk).held.remove(&slot).unwrap_or_default()
    }
}

/// Wakes the script of a slot when a value is there. It holds no script: one that waits for a value that it holds
/// itself would keep itself alive.
pub struct Awaited {
    here: Here,
    slot: usize,
}

impl Awaited {
    /// For the script of that slot.
    pub fn new(here: &Here, slot: usize) -> Arc<Awaited> {
        Arc::new(Awaited { here: here.clone(), slot })
    }
}

impl Waiter for Awaited {
    fn ready(self: Arc<Self>) {
        let site = self.here.site();
        if !site.is_gone() {
            lock(&site.desk).ready.push_back(self.slot);
            self.here.rouse();
        }
    }
}

impl Reader for Awaited {
    fn holds(&self, memory: Arc<dyn ArrayMemory>) {
        let site = self.here.site();
        if !site.is_gone() {
            lock(&site.desk).held.entry(self.slot).or_default().push(memory);
        }
    }
}
