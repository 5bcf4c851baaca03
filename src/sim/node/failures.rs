//! What a simulated rank does when it learns of a death, and when the cluster ends for it.

use super::Health;
use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::{Environment, Liveness, Message, Messenger};
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
            let died = Message::Died { rank: dead, reason: "no heartbeats".to_string() };
            (1..self.size()).filter(|other| *other != dead).for_each(|other| self.send(other, &died));
            self.world.send(self.rank, dead, &died, || 0);
        }
        let unanswered = lock(&self.node().state).name_requests.pending_at(dead);
        unanswered.into_iter().for_each(|token| self.on_name_response(token, Err(self.death_error(dead).into())));
        self.protocol().on_peer_failed(self, dead, &self.death_error(dead));
    }

    /// The cluster ends for this rank.
    pub fn end(&self) {
        lock(&self.node().state).health = Health::Dead;
        self.node().clear();
    }
}
