//! The shutdown protocol. Rank 0 counts the ranks that are ready, and ends the cluster when all live ranks are.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::Message;
use crate::runtime::Runtime;
use std::sync::Mutex;

/// How far each rank is in the shutdown; used by rank 0 only.
pub struct Shutdown {
    state: Mutex<ShutdownState>,
}

struct ShutdownState {
    /// By rank: how many `ShutdownReady` messages came; `FAILED` for a dead rank.
    ready_counts: Vec<u8>,
    /// `Shutdown` was sent to all ranks.
    shutdown_sent: bool,
}

const FAILED: u8 = u8::MAX;

impl Shutdown {
    /// For a cluster of `size` ranks, none of which is ready.
    pub fn new(size: u32) -> Shutdown {
        Shutdown { state: Mutex::new(ShutdownState { ready_counts: vec![0; size as usize], shutdown_sent: false }) }
    }

    /// The shutdown does not wait for a dead rank.
    pub fn on_rank_failed(&self, rank: Rank) {
        lock(&self.state).ready_counts[rank as usize] = FAILED;
    }

    fn record_ready(&self, rank: Rank) {
        let count = &mut lock(&self.state).ready_counts[rank as usize];
        *count = count.saturating_add(1);
    }

    /// True if the rank has sent `ShutdownReady` at least `times` times, or is dead.
    pub fn has_sent_ready(&self, rank: Rank, times: u8) -> bool {
        lock(&self.state).ready_counts[rank as usize] >= times
    }

    /// True if every live rank has sent `ShutdownReady` at least `times` times.
    pub fn all_sent_ready(&self, times: u8) -> bool {
        lock(&self.state).ready_counts.iter().all(|count| *count >= times)
    }

    /// True, once, when `Shutdown` is to be sent to all ranks.
    fn try_begin(&self) -> bool {
        let mut state = lock(&self.state);
        !state.shutdown_sent && state.ready_counts.iter().all(|count| *count >= 1) && {
            state.shutdown_sent = true;
            true
        }
    }
}

/// A rank's driver has finished; the second time, the rank has sent its last message.
pub fn on_shutdown_ready(runtime: &'static Runtime, from: Rank) {
    runtime.lifecycle.shutdown.record_ready(from);
    stop_when_all_done(runtime);
}

/// Ends the cluster if every driver has finished.
pub fn stop_when_all_done(runtime: &'static Runtime) {
    if runtime.cluster.rank == 0 && runtime.lifecycle.shutdown.try_begin() {
        (0..runtime.cluster.size).rev().for_each(|rank| runtime.send(rank, &Message::Shutdown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_rank_does_not_delay_shutdown() {
        let shutdown = Shutdown::new(3);
        shutdown.record_ready(0);
        shutdown.record_ready(2);
        assert!(!shutdown.try_begin());
        shutdown.on_rank_failed(1);
        assert!(shutdown.try_begin() && !shutdown.try_begin());
        assert!(!shutdown.all_sent_ready(2));
        shutdown.record_ready(0);
        shutdown.record_ready(2);
        assert!(shutdown.all_sent_ready(2));
    }
}
