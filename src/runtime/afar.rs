//! The watch over ranks of other hosts, whose beats this one cannot feel: those of which it awaits something, as long as it
//! does (`silence` has the rule).
//!
//! Of rank 0 each decides for itself, for rank 0 decides about all others. Who finds it silent ends; before, it tells some of
//! the others to look too: of those that await nothing of rank 0, nobody would notice.

use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::base::sync::{Ordering, lock};
use crate::protocol::{Evidence, Message};
use crate::runtime::Runtime;
use crate::runtime::silence::{Silence, Step};
use std::collections::BTreeSet;
use std::time::Instant;

impl Runtime {
    fn is_of_this_host(&self, rank: Rank) -> bool {
        let host = |rank: Rank| self.ranks.get(rank as usize).map(|(host, _)| *host);
        host(rank) == host(self.rank)
    }

    /// Listens whether those of which something is awaited say something.
    pub(super) fn listen_afar(&'static self, silence: &mut Silence, listened: &mut Instant) {
        if self.hosts.len() < 2 || silence.is_endless() || listened.elapsed() < silence.interval() {
            return;
        }
        let since = listened.elapsed();
        *listened = Instant::now();
        let awaited = self.awaited_afar();
        for step in silence.look(since, &awaited, |rank| self.protocol.heard_of(rank)) {
            match step {
                Step::Ask(rank) => self.send(rank, &Message::Probe { round: 0 }),
                Step::Suspect(rank) => self.found_silent(rank),
                Step::CutOff(rank) => {
                    self.lost_touch(rank, "rank 0 hears it, and nothing comes from it for three times as long");
                }
            }
        }
    }

    /// The ranks of other hosts of which something is awaited here.
    fn awaited_afar(&'static self) -> BTreeSet<Rank> {
        let is_far = |rank: Rank| rank < self.size && !self.is_of_this_host(rank) && !self.is_dead(rank);
        let mut awaited = self.protocol.awaited(&is_far);
        let mut note = |rank| awaited.extend([rank]);
        self.questions.awaited(&mut note);
        self.handles.awaited(&mut note);
        self.own_groups.awaited(&mut note);
        self.roads.awaited(&mut note);
        if self.rank == 0 && self.leaver.get().is_some() {
            // The end: everybody's last word but this is said, or their drivers' work goes on.
            let times = if self.stopping() { 2 } else { 1 };
            (1..self.size).filter(|rank| !self.parting.has_left(*rank, times)).for_each(&mut note);
        }
        let mut doubted = lock(&self.driver_doubted);
        if doubted.is_some_and(|heard| heard == self.protocol.heard_of(0)) {
            note(0);
        } else {
            *doubted = None;
        }
        awaited.retain(|rank| is_far(*rank));
        awaited
    }

    /// A rank that was asked has not answered in time.
    fn found_silent(&'static self, rank: Rank) {
        let patience = self.config.peer_timeout.as_secs_f64();
        let reason = format!(
            "no sign of life for {patience} s, though it was asked (MOBULA_PEER_TIMEOUT_S): its process ({}) stands still, or \
             its host is gone",
            self.pid_of(rank)
        );
        if self.rank == 0 || self.stopping() {
            return self.lost(rank, &reason);
        }
        if rank == 0 {
            self.doubt_driver(&reason);
            return self.lost(rank, &reason);
        }
        say(Level::Warn, || format!("rank {rank} says nothing for {patience} s: rank 0 is told"));
        self.send(0, &Message::Suspect { rank, reason, evidence: Evidence::Silence });
    }

    /// Rank 0 is silent to this rank, or to one that said so: the first time, some others hear it from here, as many as the
    /// size has digits in binary, so that in the end all have heard it.
    pub(super) fn doubt_driver(&'static self, reason: &str) {
        {
            let mut doubted = lock(&self.driver_doubted);
            if doubted.is_some() {
                return;
            }
            *doubted = Some(self.protocol.heard_of(0));
        }
        let distances =
            (0..u32::BITS).map(|digit| 1u64 << digit).take_while(|distance| *distance < u64::from(self.size));
        for distance in distances {
            let other = ((u64::from(self.rank) + distance) % u64::from(self.size)) as Rank;
            if other != 0 && !self.is_dead(other) {
                let reason = reason.to_string();
                self.send(other, &Message::Suspect { rank: 0, reason, evidence: Evidence::Silence });
            }
        }
    }
}

impl crate::runtime::roads::Roads {
    /// Names the ranks towards which messages wait.
    fn awaited(&self, note: &mut impl FnMut(Rank)) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        for (rank, peer) in self.peers.iter().enumerate() {
            if !peer.outbox.lock().messages.is_empty() {
                note(rank as Rank);
            }
        }
    }
}
