//! Jobs that wait on a simulated rank, and how they are woken.

use crate::base::sync::lock;
use crate::objects::{ArrayMemory, Waiter};
use crate::sim::resident::Reader;
use crate::sim::world::SimEnvironment;
use std::sync::Arc;

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
        if let Some(Some((_, pinned))) = lock(&self.env.node().state).jobs.get_mut(self.slot) {
            pinned.push(memory);
        }
    }
}
