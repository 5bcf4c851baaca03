//! The part of the failure detector that watches ranks of other hosts, whose heartbeats this rank cannot read. It
//! watches a rank only while this rank awaits a message from it (`suspicion` has the rule).
//!
//! Rank 0 decides about all other ranks, so each rank decides about rank 0 by itself. A rank that finds rank 0 silent
//! ends. Before, it tells some other ranks to probe rank 0 too: a rank that awaits nothing from rank 0 would not
//! notice.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::{Ordering, lock};
use crate::protocol::{FailureKind, Message};
use crate::runtime::Runtime;
use crate::runtime::membership::suspicion::{SuspicionStep, SuspicionTimers};
use std::collections::BTreeSet;
use std::time::Instant;

impl Runtime {
    fn is_on_this_host(&self, rank: Rank) -> bool {
        let host = |rank: Rank| self.ranks.get(rank as usize).map(|(host, _)| *host);
        host(rank) == host(self.rank)
    }

    /// Checks whether the remote ranks from which this rank awaits something still send.
    pub fn check_remote_ranks(&'static self, timers: &mut SuspicionTimers, last_check: &mut Instant) {
        if self.hosts.len() < 2 || timers.is_endless() || last_check.elapsed() < timers.interval() {
            return;
        }
        let since = last_check.elapsed();
        *last_check = Instant::now();
        let awaited = self.awaited_remote_ranks();
        for step in timers.check(since, &awaited, |rank| self.protocol.receive_count(rank)) {
            match step {
                SuspicionStep::Probe(rank) => self.send(rank, &Message::Probe { round: 0 }),
                SuspicionStep::Suspect(rank) => self.on_unresponsive(rank),
                SuspicionStep::Disconnect(rank) => {
                    self.on_unreachable(rank, "rank 0 receives its messages, but this rank has received none for three times as long");
                }
            }
        }
    }

    /// The ranks of other hosts from which this rank awaits something.
    fn awaited_remote_ranks(&'static self) -> BTreeSet<Rank> {
        let is_remote = |rank: Rank| rank < self.size && !self.is_on_this_host(rank) && !self.is_dead(rank);
        let mut awaited = self.protocol.awaited(&is_remote);
        let mut visit = |rank| awaited.extend([rank]);
        self.requests.each_awaited_rank(&mut visit);
        self.handle_requests.each_awaited_rank(&mut visit);
        self.owned_groups.each_awaited_rank(&mut visit);
        self.router.each_awaited_rank(&mut visit);
        if self.rank == 0 && self.shutdown_thread.get().is_some() {
            // Shutdown: rank 0 awaits the final message of every rank whose driver has not finished.
            let times = if self.stopping() { 2 } else { 1 };
            (1..self.size).filter(|rank| !self.shutdown.has_sent_ready(*rank, times)).for_each(&mut visit);
        }
        let mut suspected_at = lock(&self.rank_0_suspected_at);
        if suspected_at.is_some_and(|count| count == self.protocol.receive_count(0)) {
            visit(0);
        } else {
            *suspected_at = None;
        }
        awaited.retain(|rank| is_remote(*rank));
        awaited
    }

    /// A rank that was probed has not responded in time.
    fn on_unresponsive(&'static self, rank: Rank) {
        let timeout_s = self.config.peer_timeout.as_secs_f64();
        let reason = format!(
            "no sign of life for {timeout_s} s, though it was probed (MOBULA_PEER_TIMEOUT_S): its process ({}) is \
             stopped, or its host is down",
            self.pid_of(rank)
        );
        if self.rank == 0 || self.stopping() {
            return self.on_peer_failed(rank, &reason);
        }
        if rank == 0 {
            self.on_rank_0_suspected(&reason);
            return self.on_peer_failed(rank, &reason);
        }
        log(Level::Warn, || format!("rank {rank} sends nothing for {timeout_s} s: notifying rank 0"));
        self.send(0, &Message::Suspect { rank, reason, kind: FailureKind::Timeout });
    }

    /// This rank, or the rank that sent `Suspect`, hears nothing from rank 0. The first time, this rank notifies as
    /// many others as the cluster's size has binary digits, so that in the end every rank is notified.
    pub fn on_rank_0_suspected(&'static self, reason: &str) {
        {
            let mut suspected_at = lock(&self.rank_0_suspected_at);
            if suspected_at.is_some() {
                return;
            }
            *suspected_at = Some(self.protocol.receive_count(0));
        }
        let distances =
            (0..u32::BITS).map(|digit| 1u64 << digit).take_while(|distance| *distance < u64::from(self.size));
        for distance in distances {
            let other = ((u64::from(self.rank) + distance) % u64::from(self.size)) as Rank;
            if other != 0 && !self.is_dead(other) {
                let reason = reason.to_string();
                self.send(other, &Message::Suspect { rank: 0, reason, kind: FailureKind::Timeout });
            }
        }
    }
}

impl crate::runtime::router::Router {
    /// Calls `visit` with each rank to which messages are queued.
    fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        for (rank, peer) in self.peers.iter().enumerate() {
            if !peer.outbox.lock().messages.is_empty() {
                visit(rank as Rank);
            }
        }
    }
}
