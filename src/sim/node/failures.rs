//! What a simulated rank does when it learns of a death.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::{Environment, LastWork, Liveness, Message, Messenger};
use crate::sim::world::SimEnvironment;

impl SimEnvironment {
    /// Handles the death of a rank.
    pub fn on_rank_dead(&self, dead: Rank) {
        if dead != self.rank && !self.node().mark_dead(dead) {
            return;
        }
        if dead == self.rank {
            // This rank was declared dead.
            return self.world.kill_rank(dead);
        }
        if dead == 0 {
            // The rank whose driver decides when the cluster ends: without it there is none.
            return self.world.kill_rank(self.rank);
        }
        if self.rank == 0 {
            let died =
                Message::Died { rank: dead, reason: "no heartbeats".to_string(), last_work: LastWork::Uninvolved };
            (1..self.size()).filter(|other| *other != dead).for_each(|other| self.send(other, &died));
            self.world.send(self.rank, dead, &died, || 0);
        }
        let unanswered: Vec<u64> = {
            let state = lock(&self.node().state);
            let pending = state.pending_names.iter().filter(|(.., directory_rank)| *directory_rank == dead);
            pending.map(|(token, ..)| *token).collect()
        };
        for token in unanswered {
            self.on_name_response(token, Err(self.death_error(dead).into()));
        }
        self.protocol().on_peer_failed(self, dead, &self.death_error(dead));
    }
}
