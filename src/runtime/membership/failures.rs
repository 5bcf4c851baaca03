//! What follows when a rank fails. The rank that detects it tells the others through rank 0; operations that wait for
//! the failed rank go on elsewhere or fail with an error that names it.
//!
//! How a failure is detected, and which rank decides:
//!
//! | failure of a rank | detected by | consequence |
//! |---|---|---|
//! | its process ended (pidfd) | each rank of its host, at once | each acts on it, tells rank 0 |
//! | it is stopped (`heartbeat`) | each rank of its host, after a time-out | rank 0 tells all |
//! | its connection to rank 0 ended | rank 0 | rank 0 tells all |
//! | a link to it failed | the rank that used the link | rank 0 decides (`arbitration`) |
//! | no response to a probe (`suspicion`) | ranks of other hosts that wait for it | rank 0 decides |
//! | any of these, of rank 0 | its host's ranks; any rank by its own link or probe | every rank ends |
//!
//! A rank that was declared dead stays dead. Its later messages are ignored, and what it writes into shared memory is
//! in cells that no rank reads (`shared_table`). It is notified by rank 0 when it is declared dead, by its bit in its
//! host's shared table, and by the response to whatever it sends next. Then it ends: otherwise it would be half alive.

use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::protocol::{FailureKind, LastWork, Message};
use crate::runtime::membership::arbitration::DeadRank;
use crate::runtime::membership::begun;
use crate::runtime::membership::death_text::describe;
use crate::runtime::membership::hangups::{check_hangups, on_connection_ended};
use crate::runtime::membership::heartbeat::{HeartbeatMonitor, Silent, is_stopped};
use crate::runtime::membership::remote_watch::{check_remote_ranks, on_rank_0_suspected};
use crate::runtime::membership::suspicion::SuspicionTimers;
use crate::runtime::router::ProcessEnd;
use crate::runtime::{Runtime, lifecycle, resources};
use std::time::{Duration, Instant};

/// How often a rank checks whether another died.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// How long a rank that ends because rank 0 died goes on sending its notices to ranks of other hosts.
const FLUSH_TIME: Duration = Duration::from_millis(200);

/// Polls in a row that find nothing once the last messages of a rank have been received, and the time between two.
const FINAL_POLLS: u32 = 3;
const FINAL_POLL_PAUSE: Duration = Duration::from_micros(100);

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

/// A peer is dead, for certain or by rank 0's decision; `last_work` is what its process ran when it ended. Nothing
/// happens the second time.
pub fn on_peer_failed(runtime: &'static Runtime, peer: Rank, reason: &str, last_work: LastWork) {
    if peer == runtime.cluster.rank {
        return on_declared_dead(runtime, reason);
    }
    if peer >= runtime.cluster.size || runtime.is_dead(peer) {
        return;
    }
    let last_work = match (runtime.cluster.host_index_of(peer), last_work) {
        (Some(index), LastWork::Unknown) => begun::last_work(runtime, index),
        (_, last_work) => last_work,
    };
    let error =
        Error::NodeDied { rank: peer, host: runtime.cluster.host_of(peer).to_string(), reason: reason.to_string() };
    // Before any thread can see that it is dead.
    lock(&runtime.membership.deaths).entry(peer).or_insert_with(|| (error.clone(), last_work.clone()));
    if !runtime.router.mark_dead(peer) {
        return;
    }
    runtime.lifecycle.shutdown.on_rank_failed(peer);
    lock(&runtime.membership.arbitration).on_peer_failed(peer);
    if runtime.stopping() {
        // Ranks leave during shutdown.
        return;
    }
    log(Level::Error, || format!("rank {} on {}: {error}", runtime.cluster.rank, runtime.cluster.host));
    if let Some(index) = runtime.cluster.host_index_of(peer) {
        runtime.resources.table.shared.mark_dead(index);
        // What it held is free; a rank that waits may have checked before.
        runtime.resources_freed();
    }
    if peer == 0 {
        return on_rank_0_failed(runtime, error);
    }
    if runtime.cluster.rank == 0 {
        let died = Message::Died { rank: peer, reason: reason.to_string(), last_work };
        (1..runtime.cluster.size).filter(|other| *other != peer).for_each(|other| runtime.send(other, &died));
        runtime.router.send_to_dead(peer, &died);
    }
    resources::groups_on_peer_failed(runtime, peer, &error);
    runtime.waiting.on_peer_failed(peer, &error);
    runtime.protocol.on_peer_failed(&runtime, peer, &error);
    runtime.readmit_pending();
    lifecycle::stop_when_all_done(runtime);
}

/// No link to a peer works any more, but it may live: rank 0 decides. Messages to it are queued until then.
pub fn on_unreachable(runtime: &'static Runtime, peer: Rank, reason: &str) {
    if runtime.cluster.rank == 0 || peer == 0 || runtime.stopping() {
        return on_connection_ended(runtime, peer, reason);
    }
    if !runtime.is_dead(peer) {
        let (reason, last_work) = (reason.to_string(), LastWork::Unknown);
        runtime.send(0, &Message::Suspect { rank: peer, reason, kind: FailureKind::Link, last_work });
    }
}

/// Handles `Suspect`: `from` does not reach `rank`.
pub fn on_suspect(
    runtime: &'static Runtime,
    from: Rank,
    rank: Rank,
    (reason, evidence): (&str, FailureKind),
    last_work: LastWork,
) {
    let on_one_host = runtime.cluster.share_host(from, rank);
    if evidence == FailureKind::Process && on_one_host && (runtime.cluster.rank == 0 || rank == 0) {
        return on_peer_failed(runtime, rank, reason, last_work);
    }
    if rank == 0 && runtime.cluster.rank != 0 && evidence == FailureKind::Timeout {
        return on_rank_0_suspected(runtime, reason);
    }
    if runtime.cluster.rank != 0 || rank == 0 || from == 0 || runtime.is_dead(rank) {
        return;
    }
    let round = lock(&runtime.membership.arbitration).suspect(from, rank, reason, evidence);
    if let Some(round) = round {
        log(Level::Warn, || format!("rank {from} does not reach rank {rank} ({reason}): asking both"));
        [from, rank].into_iter().for_each(|rank| runtime.send(rank, &Message::Probe { round }));
    }
}

/// Handles `Alive`: `from` responded to `Probe`.
pub fn on_alive(runtime: &'static Runtime, from: Rank, round: u64) {
    let decision = lock(&runtime.membership.arbitration).on_response(from, round);
    apply_decisions(runtime, decision);
}

fn apply_decisions(runtime: &'static Runtime, decisions: impl IntoIterator<Item = DeadRank>) {
    let uninvolved = LastWork::Uninvolved;
    decisions.into_iter().for_each(|(rank, reason)| on_peer_failed(runtime, rank, &reason, uninvolved.clone()));
}

/// Rank 0, whose driver decides when the cluster ends, is dead: the cluster ends.
fn on_rank_0_failed(runtime: &'static Runtime, error: Error) {
    // It may only have been stopped: if it is continued, it must not go on alone.
    runtime
        .router
        .send_to_dead(0, &Message::Died { rank: 0, reason: error.to_string(), last_work: LastWork::Uninvolved });
    // Ranks of other hosts may not see what those of its own host see; one of these notifies them.
    let notifier = runtime.cluster.host_ranks().iter().find(|rank| !runtime.is_dead(**rank));
    if runtime.cluster.host_index_of(0).is_some() && notifier == Some(&runtime.cluster.rank) {
        let reason = error.to_string();
        let others = (1..runtime.cluster.size)
            .filter(|other| *other != runtime.cluster.rank && runtime.cluster.host_index_of(*other).is_none());
        others.for_each(|other| {
            let (reason, last_work) = (reason.clone(), LastWork::Uninvolved);
            runtime.send(other, &Message::Suspect { rank: 0, reason, kind: FailureKind::Process, last_work });
        });
    }
    let _ = runtime.lifecycle.ended_by.set(error);
    runtime.stop();
}

/// The other ranks declared this one dead and go on without it: it ends.
fn on_declared_dead(runtime: &'static Runtime, reason: &str) {
    if runtime.stopping() {
        return;
    }
    let reason = format!(
        "the other ranks declared it dead and go on without it: {reason}. What they requested of it is done \
         elsewhere or failed; this process ends. A rank may be stopped for MOBULA_PEER_TIMEOUT_S, with 0 for ever"
    );
    let error = Error::NodeDied { rank: runtime.cluster.rank, host: runtime.cluster.host.clone(), reason };
    log(Level::Error, || error.to_string());
    let _ = runtime.lifecycle.ended_by.set(error);
    runtime.stop();
}

/// A dead rank sent a message: notifies it of its death.
pub fn reject_dead_rank(runtime: &'static Runtime, from: Rank) {
    if !runtime.stopping() {
        let reason = "it was declared dead before".to_string();
        runtime.router.send_to_dead(from, &Message::Died { rank: from, reason, last_work: LastWork::Uninvolved });
    }
}

/// Sends what is queued before a rank ends without an orderly shutdown.
pub fn flush_final_messages(runtime: &'static Runtime) {
    if runtime.cluster.hosts.len() < 2 {
        return;
    }
    let begun = Instant::now();
    while begun.elapsed() < FLUSH_TIME {
        runtime.poll();
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns true if any rank has died.
pub fn any_rank_died(runtime: &Runtime) -> bool {
    (0..runtime.cluster.size).any(|rank| runtime.is_dead(rank))
}

/// A failure detector that starts now: earlier silence does not count.
pub fn start_failure_detector(runtime: &Runtime) -> FailureDetector {
    let heartbeats = HeartbeatMonitor::new(runtime.cluster.host_ranks().len(), runtime.cluster.config.peer_timeout());
    let suspicion = SuspicionTimers::new(runtime.cluster.config.peer_timeout());
    let now = Instant::now();
    FailureDetector { last_check: now, last_heartbeat_check: now, heartbeats, last_remote_check: now, suspicion }
}

/// Checks for ranks that died: every `CHECK_INTERVAL`, and at once if a process of this host ended.
pub fn detect_failures(runtime: &'static Runtime, detector: &mut FailureDetector) {
    if runtime.cluster.size < 2 {
        return;
    }
    if runtime.resources.table.shared.is_marked_dead(runtime.resources.table.shared.index) {
        return on_declared_dead(runtime, "it was stopped, or its link to another rank failed");
    }
    let ended = runtime.router.take_ended();
    ended.into_iter().for_each(|(rank, end)| on_process_ended(runtime, rank, end));
    if detector.last_check.elapsed() < CHECK_INTERVAL {
        return;
    }
    let since = detector.last_check.elapsed();
    detector.last_check = Instant::now();
    let died =
        lock(&runtime.membership.death_notifier).as_mut().map_or_else(Vec::new, |notifier| notifier.take_deaths());
    if !died.is_empty() {
        // For instance that this rank was declared dead while it was stopped.
        receive_final_messages(runtime);
    }
    died.into_iter().for_each(|(rank, reason)| on_connection_ended(runtime, rank, &reason));
    check_hangups(runtime);
    let overdue = lock(&runtime.membership.arbitration).overdue(since, runtime.cluster.config.peer_timeout());
    apply_decisions(runtime, overdue);
    check_remote_ranks(runtime, &mut detector.suspicion, &mut detector.last_remote_check);
    if detector.last_heartbeat_check.elapsed() >= detector.heartbeats.interval() {
        check_heartbeats(runtime, detector);
    }
}

/// Receives what a rank sent before its death is acted on: for instance that the cluster ends, or why its process
/// did, or that this rank was declared dead. A poll finds nothing while another thread polls, or just after it did, so
/// several in a row must.
fn receive_final_messages(runtime: &'static Runtime) {
    let mut found_nothing = 0;
    for _ in 0..1000 {
        if runtime.poll() > 0 || runtime.router.pending() {
            found_nothing = 0;
        } else if found_nothing == FINAL_POLLS {
            break;
        } else {
            found_nothing += 1;
            std::thread::sleep(FINAL_POLL_PAUSE);
        }
    }
}

/// The process of a rank of this host ended.
fn on_process_ended(runtime: &'static Runtime, rank: Rank, end: ProcessEnd) {
    receive_final_messages(runtime);
    if runtime.is_dead(rank) {
        return;
    }
    let index = runtime.cluster.host_index_of(rank);
    let last_work = index.map_or(LastWork::Unknown, |index| begun::last_work(runtime, index));
    let reason = describe(runtime.cluster.pid_of(rank), end, &last_work);
    on_peer_failed(runtime, rank, &reason, last_work.clone());
    notify_rank_0(runtime, rank, reason, last_work);
}

/// Counts this rank's own heartbeat, and checks those of its host's other ranks.
fn check_heartbeats(runtime: &'static Runtime, detector: &mut FailureDetector) {
    let since = detector.last_heartbeat_check.elapsed();
    detector.last_heartbeat_check = Instant::now();
    let table = &runtime.resources.table.shared;
    table.count_heartbeat();
    let rank_at = |index: usize| runtime.cluster.host_ranks()[index];
    let is_stopped = |index| is_stopped(runtime.cluster.pid_of(rank_at(index)));
    for silent in detector.heartbeats.check(since, |index| table.heartbeats_of(index), is_stopped) {
        let (rank, state) = match silent {
            Silent::Stopped(index) => (rank_at(index), "is stopped"),
            Silent::WithoutCpu(index) => (rank_at(index), "gets no CPU or is frozen"),
        };
        // A rank that has shut down counts no heartbeats.
        if rank == runtime.cluster.rank
            || runtime.is_dead(rank)
            || (runtime.stopping() && runtime.lifecycle.shutdown.has_sent_ready(rank, 2))
        {
            continue;
        }
        let reason = format!(
            "its process ({}) {state}: no sign of life for at least {} s (MOBULA_PEER_TIMEOUT_S)",
            runtime.cluster.pid_of(rank),
            runtime.cluster.config.peer_timeout().as_secs_f64()
        );
        if runtime.cluster.rank == 0 || rank == 0 {
            on_peer_failed(runtime, rank, &reason, LastWork::Uninvolved);
        } else {
            notify_rank_0(runtime, rank, reason, LastWork::Uninvolved);
        }
    }
}

/// Tells rank 0 what this rank knows for certain about another of its host.
fn notify_rank_0(runtime: &'static Runtime, rank: Rank, reason: String, last_work: LastWork) {
    if runtime.cluster.rank != 0 && rank != 0 && !runtime.stopping() {
        runtime.send(0, &Message::Suspect { rank, reason, kind: FailureKind::Process, last_work });
    }
}
