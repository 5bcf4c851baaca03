//! A rank is gone: who finds out tells the others through rank 0, and what waited for it goes on or fails by name.
//!
//! A rank that was declared gone stays so: nothing that it says later is listened to (it would be half alive otherwise).

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::node::Node;
use crate::protocol::Message;
use std::time::{Duration, Instant};

/// How often rank 0 and the others look whether one of them died.
const VIGIL: Duration = Duration::from_millis(100);

impl Node {
    /// A peer is gone. Nothing happens the second time.
    pub fn lost(&'static self, peer: Rank, reason: &str) {
        if peer == self.rank || peer >= self.size || !self.roads.bury(peer) {
            return;
        }
        self.parting.gone(peer);
        if self.stopping() {
            // Ranks leave at the end.
            return;
        }
        let error = Error::NodeDied { rank: peer, host: self.host_of(peer).to_string(), reason: reason.to_string() };
        say(Level::Error, || format!("rank {} on {}: {error}", self.rank, self.host));
        if peer == 0 {
            return self.orphaned(error);
        }
        if self.rank == 0 {
            for other in (1..self.size).filter(|other| *other != peer) {
                self.send(other, &Message::Died { rank: peer, reason: reason.to_string() });
            }
        }
        if let Some(place) = self.host_ranks().iter().position(|rank| *rank == peer) {
            self.table.reclaim(place);
            // Who waits may have looked before this rank gave it all back.
            self.resources_freed();
        }
        self.groups_lost(peer, &error);
        self.questions.lost(peer, || Err(error.clone()));
        self.handles.lost(peer, || Err(error.to_string()));
        self.protocol.lost(&self, peer, &error);
        self.feed_starved();
        self.stop_when_all_left();
    }

    /// The rank whose driver decides when the cluster ends is gone, and with it the cluster.
    fn orphaned(&'static self, error: Error) {
        let _ = self.orphaned.set(error);
        self.stop();
    }

    /// Whether this rank was told, or found out, that a peer is gone.
    pub(super) fn is_dead(&self, rank: Rank) -> bool {
        self.roads.is_dead(rank)
    }

    /// The error of what needs a rank that is gone.
    pub(super) fn death_of(&self, rank: Rank) -> Error {
        let reason = "it died while the cluster ran".to_string();
        Error::NodeDied { rank, host: self.host_of(rank).to_string(), reason }
    }

    /// Whether any rank has died.
    pub(super) fn mourns(&self) -> bool {
        (0..self.size).any(|rank| self.is_dead(rank))
    }

    /// Looks for ranks that died, every `VIGIL`.
    pub(super) fn keep_vigil(&'static self, last: &mut Instant) {
        if last.elapsed() < VIGIL {
            return;
        }
        *last = Instant::now();
        let departed = lock(&self.vigil).as_mut().map_or_else(Vec::new, |vigil| vigil.departed());
        departed.into_iter().for_each(|(rank, reason)| self.lost(rank, &reason));
    }
}
