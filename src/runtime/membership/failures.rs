//! What follows when a rank fails. The rank that detects it tells the others through rank 0; operations that wait for
//! the failed rank go on elsewhere or fail with an error that names it.
//!
//! How a failure is detected, and which rank decides:
//!
//! | failure | detected by | consequence |
//! |---|---|---|
//! | its process ended (pidfd) | every rank of its host, at once | each acts on it, and notifies rank 0 |
//! | it is stopped: no heartbeat (`heartbeat`) | each rank of its host, after MOBULA_PEER_TIMEOUT_S | rank 0 notifies
//! all | | its connection to rank 0 ended | rank 0 | rank 0 notifies all | | a link to it failed | the rank that used
//! the link | rank 0 decides (`arbitration`) | | it does not respond to a probe (`suspicion`) | ranks of other hosts
//! that await a message of it | rank 0 decides | | any of these, of rank 0 | its host's other ranks; any rank by its
//! own connection, link or probe | every rank ends |
//!
//! A rank that was declared dead stays dead. Its later messages are ignored, and what it writes into shared memory is
//! in cells that no rank reads (`shared_table`). It is notified by rank 0 when it is declared dead, by its bit in its
//! host's shared table, and by the response to whatever it sends next. Then it ends: otherwise it would be half alive.

use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::protocol::{FailureKind, Message};
use crate::runtime::Runtime;
use crate::runtime::membership::arbitration::DeadRank;
use crate::runtime::membership::heartbeat::HeartbeatMonitor;
use crate::runtime::membership::suspicion::SuspicionTimers;
use std::time::{Duration, Instant};

/// How often a rank checks whether another died.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// How long a rank that ends because rank 0 died goes on sending its notices to ranks of other hosts.
const FLUSH_TIME: Duration = Duration::from_millis(200);

/// The state of the failure detector; the progress thread owns it.
pub struct FailureDetector {
    last_check: Instant,
    /// The last check of the heartbeats of the host's other ranks.
    last_heartbeat_check: Instant,
    heartbeats: HeartbeatMonitor,
    /// The last check of the ranks of other hosts.
    last_remote_check: Instant,
    suspicion: SuspicionTimers,
}

impl Runtime {
    /// A peer is dead, for certain or by rank 0's decision. Nothing happens the second time.
    pub fn on_peer_failed(&'static self, peer: Rank, reason: &str) {
        if peer == self.rank {
            return self.on_declared_dead(reason);
        }
        if peer >= self.size || !self.router.mark_dead(peer) {
            return;
        }
        self.shutdown.on_rank_failed(peer);
        lock(&self.arbitration).on_peer_failed(peer);
        if self.stopping() {
            // Ranks leave during shutdown.
            return;
        }
        let error = Error::NodeDied { rank: peer, host: self.host_of(peer).to_string(), reason: reason.to_string() };
        log(Level::Error, || format!("rank {} on {}: {error}", self.rank, self.host));
        if let Some(index) = self.host_index_of(peer) {
            self.table.shared.mark_dead(index);
            // What it held is free; a rank that waits may have checked before.
            self.resources_freed();
        }
        if peer == 0 {
            return self.on_rank_0_failed(error);
        }
        if self.rank == 0 {
            let died = Message::Died { rank: peer, reason: reason.to_string() };
            (1..self.size).filter(|other| *other != peer).for_each(|other| self.send(other, &died));
            self.router.send_to_dead(peer, &died);
        }
        self.groups_on_peer_failed(peer, &error);
        self.requests.on_peer_failed(peer, || Err(error.clone()));
        self.handle_requests.on_peer_failed(peer, || Err(error.to_string()));
        self.protocol.on_peer_failed(&self, peer, &error);
        self.readmit_pending();
        self.stop_when_all_done();
    }

    /// No link to a peer works any more, but it may live: rank 0 decides. Messages to it are queued until then.
    pub fn on_unreachable(&'static self, peer: Rank, reason: &str) {
        if self.rank == 0 || peer == 0 || self.stopping() {
            return self.on_peer_failed(peer, reason);
        }
        if !self.is_dead(peer) {
            self.send(0, &Message::Suspect { rank: peer, reason: reason.to_string(), kind: FailureKind::Link });
        }
    }

    /// Handles `Suspect`: `from` does not reach `rank`.
    pub fn on_suspect(&'static self, from: Rank, rank: Rank, reason: &str, evidence: FailureKind) {
        let on_one_host =
            self.ranks.get(from as usize).map(|(host, _)| host) == self.ranks.get(rank as usize).map(|(host, _)| host);
        if evidence == FailureKind::Process && on_one_host && (self.rank == 0 || rank == 0) {
            return self.on_peer_failed(rank, reason);
        }
        if rank == 0 && self.rank != 0 && evidence == FailureKind::Timeout {
            return self.on_rank_0_suspected(reason);
        }
        if self.rank != 0 || rank == 0 || from == 0 || self.is_dead(rank) {
            return;
        }
        let round = lock(&self.arbitration).suspect(from, rank, reason, evidence);
        if let Some(round) = round {
            log(Level::Warn, || format!("rank {from} does not reach rank {rank} ({reason}): asking both"));
            [from, rank].into_iter().for_each(|rank| self.send(rank, &Message::Probe { round }));
        }
    }

    /// Handles `Alive`: `from` responded to `Probe`.
    pub fn on_alive(&'static self, from: Rank, round: u64) {
        let decision = lock(&self.arbitration).on_response(from, round);
        self.apply_decisions(decision);
    }

    fn apply_decisions(&'static self, decisions: impl IntoIterator<Item = DeadRank>) {
        decisions.into_iter().for_each(|(rank, reason)| self.on_peer_failed(rank, &reason));
    }

    /// Rank 0, whose driver decides when the cluster ends, is dead: the cluster ends.
    fn on_rank_0_failed(&'static self, error: Error) {
        // It may only have been stopped: if it is continued, it must not go on alone.
        self.router.send_to_dead(0, &Message::Died { rank: 0, reason: error.to_string() });
        // Ranks of other hosts may not see what those of its own host see; one of these notifies them.
        let notifier = self.host_ranks().iter().find(|rank| !self.is_dead(**rank));
        if self.host_index_of(0).is_some() && notifier == Some(&self.rank) {
            let reason = error.to_string();
            let others = (1..self.size).filter(|other| *other != self.rank && self.host_index_of(*other).is_none());
            others.for_each(|other| {
                self.send(other, &Message::Suspect { rank: 0, reason: reason.clone(), kind: FailureKind::Process })
            });
        }
        let _ = self.ended_by.set(error);
        self.stop();
    }

    /// The other ranks declared this one dead and go on without it: it ends.
    fn on_declared_dead(&'static self, reason: &str) {
        if self.stopping() {
            return;
        }
        let reason = format!(
            "the other ranks declared it dead and go on without it: {reason}. What they requested of it is done \
             elsewhere or failed; this process ends. A rank may be stopped for MOBULA_PEER_TIMEOUT_S, with 0 for ever"
        );
        let error = Error::NodeDied { rank: self.rank, host: self.host.clone(), reason };
        log(Level::Error, || error.to_string());
        let _ = self.ended_by.set(error);
        self.stop();
    }

    /// A dead rank sent a message: notifies it of its death.
    pub fn reject_dead_rank(&'static self, from: Rank) {
        if !self.stopping() {
            let reason = "it was declared dead before".to_string();
            self.router.send_to_dead(from, &Message::Died { rank: from, reason });
        }
    }

    /// The error of a wait that the end of the cluster cuts short.
    pub fn end_reason(&self) -> Error {
        let otherwise = || Error::config("the cluster was shut down while something was waited for");
        self.ended_by.get().cloned().unwrap_or_else(otherwise)
    }

    /// Sends what is queued before a rank ends without an orderly shutdown.
    pub fn flush_final_messages(&'static self) {
        if self.hosts.len() < 2 {
            return;
        }
        let begun = Instant::now();
        while begun.elapsed() < FLUSH_TIME {
            self.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns true if this rank was notified, or detected, that a peer is dead.
    pub fn is_dead(&self, rank: Rank) -> bool {
        self.router.is_dead(rank)
    }

    /// The error of an operation that needs a dead rank.
    pub fn death_of(&self, rank: Rank) -> Error {
        let reason = "it died while the cluster ran".to_string();
        Error::NodeDied { rank, host: self.host_of(rank).to_string(), reason }
    }

    /// Returns true if any rank has died.
    pub fn any_rank_died(&self) -> bool {
        (0..self.size).any(|rank| self.is_dead(rank))
    }

    /// A rank's index on this host, if it runs here.
    fn host_index_of(&self, rank: Rank) -> Option<usize> {
        self.host_ranks().iter().position(|other| *other == rank)
    }

    /// A failure detector that starts now: earlier silence does not count.
    pub fn start_failure_detector(&self) -> FailureDetector {
        let heartbeats = HeartbeatMonitor::new(self.host_ranks().len(), self.config.peer_timeout);
        let suspicion = SuspicionTimers::new(self.config.peer_timeout);
        let now = Instant::now();
        FailureDetector { last_check: now, last_heartbeat_check: now, heartbeats, last_remote_check: now, suspicion }
    }

    /// Checks for ranks that died: every `CHECK_INTERVAL`, and at once if a process of this host ended.
    pub fn detect_failures(&'static self, detector: &mut FailureDetector) {
        if self.size < 2 {
            return;
        }
        if self.table.shared.is_marked_dead(self.table.shared.index) {
            return self.on_declared_dead("it was stopped, or its link to another rank failed");
        }
        let ended = self.router.fd_poller.as_ref().map_or_else(Vec::new, |sentry| sentry.take_ended());
        ended.into_iter().for_each(|rank| self.on_process_ended(rank));
        if detector.last_check.elapsed() < CHECK_INTERVAL {
            return;
        }
        let since = detector.last_check.elapsed();
        detector.last_check = Instant::now();
        let died = lock(&self.death_notifier).as_mut().map_or_else(Vec::new, |notifier| notifier.take_deaths());
        if !died.is_empty() {
            // For instance that this rank was declared dead while it was stopped.
            self.receive_final_messages();
        }
        died.into_iter().for_each(|(rank, reason)| self.on_peer_failed(rank, &reason));
        let overdue = lock(&self.arbitration).overdue(since, self.config.peer_timeout);
        self.apply_decisions(overdue);
        self.check_remote_ranks(&mut detector.suspicion, &mut detector.last_remote_check);
        if detector.last_heartbeat_check.elapsed() >= detector.heartbeats.interval() {
            self.check_heartbeats(detector);
        }
    }

    /// Receives what a rank sent before its death is acted on: for instance that the cluster ends, or why its process
    /// did.
    fn receive_final_messages(&'static self) {
        for _ in 0..1000 {
            if self.poll() == 0 && !self.router.pending() {
                break;
            }
        }
    }

    /// The process of a rank of this host ended.
    fn on_process_ended(&'static self, rank: Rank) {
        self.receive_final_messages();
        if self.is_dead(rank) {
            return;
        }
        let reason = format!("its process ({}) ended", self.pid_of(rank));
        self.on_peer_failed(rank, &reason);
        self.notify_rank_0(rank, reason);
    }

    /// Counts this rank's own heartbeat, and checks those of its host's other ranks.
    fn check_heartbeats(&'static self, detector: &mut FailureDetector) {
        let since = detector.last_heartbeat_check.elapsed();
        detector.last_heartbeat_check = Instant::now();
        let table = &self.table.shared;
        table.count_heartbeat();
        for index in detector.heartbeats.check(since, |index| table.heartbeats_of(index)) {
            let rank = self.host_ranks()[index];
            // A rank that has shut down counts no heartbeats.
            if rank == self.rank || self.is_dead(rank) || (self.stopping() && self.shutdown.is_done(rank)) {
                continue;
            }
            let reason = format!(
                "its process ({}) is stopped: no sign of life for {} s (MOBULA_PEER_TIMEOUT_S)",
                self.pid_of(rank),
                self.config.peer_timeout.as_secs_f64()
            );
            if self.rank == 0 || rank == 0 {
                self.on_peer_failed(rank, &reason);
            } else {
                self.notify_rank_0(rank, reason);
            }
        }
    }

    /// Tells rank 0 what this rank knows for certain about another of its host.
    fn notify_rank_0(&'static self, rank: Rank, reason: String) {
        if self.rank != 0 && rank != 0 && !self.stopping() {
            self.send(0, &Message::Suspect { rank, reason, kind: FailureKind::Process });
        }
    }
}
