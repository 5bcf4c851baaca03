//! Jobs that wait on a simulated rank, and how they are woken.

use super::SimNode;
use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::{ArrayMemory, Waiter};
use crate::sim::names::NameOutcome;
use crate::sim::resident::Reader;
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

impl SimNode {
    /// The job of a slot sends a name request to `directory_rank`; returns its token.
    pub fn add_name_request(&self, slot: usize, directory_rank: Rank) -> u64 {
        lock(&self.state).name_requests.add(slot, directory_rank)
    }

    /// Adds the response to a name request; returns the slot of the requesting job, if it waits.
    pub fn complete_name_request(&self, token: u64, outcome: NameOutcome) -> Option<usize> {
        lock(&self.state).name_requests.complete(token, outcome)
    }

    /// Takes the response to the name request of a slot's job, with the directory rank.
    pub fn take_name_response(&self, slot: usize) -> Option<(Rank, NameOutcome)> {
        lock(&self.state).name_requests.take(slot)
    }

    /// Takes the arrays that the job of a slot waited for.
    pub(super) fn take_pinned(&self, slot: usize) -> Vec<Arc<dyn ArrayMemory>> {
        lock(&self.state).pinned.remove(&slot).unwrap_or_default()
    }
}

/// Wakes the script of a slot when a value is there. It does not hold the script: a script that waits for a value that
/// it holds itself would keep itself alive.
pub struct JobWaker {
    env: SimEnvironment,
    slot: usize,
}

impl JobWaker {
    /// The waker of that slot's script.
    pub fn new(env: &SimEnvironment, slot: usize) -> Arc<JobWaker> {
        Arc::new(JobWaker { env: env.clone(), slot })
    }
}

impl Waiter for JobWaker {
    fn notify(self: Arc<Self>) {
        let node = self.env.node();
        if !node.is_dead() {
            lock(&node.state).ready.push_back(self.slot);
            self.env.schedule_work();
        }
    }
}

impl Reader for JobWaker {
    fn pin(&self, memory: Arc<dyn ArrayMemory>) {
        let node = self.env.node();
        if !node.is_dead() {
            lock(&node.state).pinned.entry(self.slot).or_default().push(memory);
        }
    }
}
