//! The part of the failure detector that watches ranks of other hosts, whose heartbeats this rank cannot read. It
//! watches a rank only while this rank awaits a message from it (`suspicion` has the rule).
//!
//! Rank 0 decides about all other ranks, so each rank decides about rank 0 by itself. A rank that finds rank 0 silent
//! ends. Before, it tells some other ranks to probe rank 0 too: a rank that awaits nothing from rank 0 would not
//! notice.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::lock;
use crate::protocol::{FailureKind, LastWork, Message};
use crate::runtime::Runtime;
use crate::runtime::membership::failures::{on_peer_failed, on_unreachable};
use crate::runtime::membership::suspicion::{SuspicionStep, SuspicionTimers};
use std::collections::BTreeSet;
use std::time::Instant;

/// Checks whether the remote ranks from which this rank awaits something still send.
pub fn check_remote_ranks(runtime: &'static Runtime, timers: &mut SuspicionTimers, last_check: &mut Instant) {
    if runtime.cluster.hosts.len() < 2 || timers.is_endless() || last_check.elapsed() < timers.interval() {
        return;
    }
    let since = last_check.elapsed();
    *last_check = Instant::now();
    let awaited = awaited_remote_ranks(runtime);
    for step in timers.check(since, &awaited, |rank| runtime.protocol.receive_count(rank)) {
        match step {
            SuspicionStep::Probe(rank) => runtime.send(rank, &Message::Probe { round: 0 }),
            SuspicionStep::Suspect(rank) => on_unresponsive(runtime, rank),
            SuspicionStep::Disconnect(rank) => {
                on_unreachable(
                    runtime,
                    rank,
                    "rank 0 receives its messages, but this rank has received none for three times as long",
                );
            }
        }
    }
}

/// The ranks of other hosts from which this rank awaits something.
fn awaited_remote_ranks(runtime: &'static Runtime) -> BTreeSet<Rank> {
    let is_remote = |rank: Rank| {
        rank < runtime.cluster.size && !runtime.cluster.share_host(rank, runtime.cluster.rank) && !runtime.is_dead(rank)
    };
    let mut awaited = runtime.protocol.awaited(&is_remote);
    let mut visit = |rank| awaited.extend([rank]);
    runtime.waiting.each_awaited_rank(&mut visit);
    runtime.resources.each_awaited_rank(&mut visit);
    runtime.router.each_awaited_rank(&mut visit);
    if runtime.cluster.rank == 0 && runtime.lifecycle.driver_has_finished() {
        // Shutdown: rank 0 awaits the final message of every rank whose driver has not finished.
        let times = if runtime.stopping() { 2 } else { 1 };
        (1..runtime.cluster.size)
            .filter(|rank| !runtime.lifecycle.shutdown.has_sent_ready(*rank, times))
            .for_each(&mut visit);
    }
    let mut suspected_at = lock(&runtime.membership.rank_0_suspected_at);
    if suspected_at.is_some_and(|count| count == runtime.protocol.receive_count(0)) {
        visit(0);
    } else {
        *suspected_at = None;
    }
    // A peer that cannot be connected to is silent too; the transport says more about it, as late as a probe would.
    awaited.retain(|rank| is_remote(*rank) && !runtime.router.is_connecting(*rank));
    awaited
}

/// A rank that was probed has not responded in time.
fn on_unresponsive(runtime: &'static Runtime, rank: Rank) {
    let timeout_s = runtime.cluster.config.peer_timeout().as_secs_f64();
    let reason = format!(
        "no sign of life for {timeout_s} s, though it was probed (MOBULA_PEER_TIMEOUT_S): its process ({}) is \
         stopped, or its host is down",
        runtime.cluster.pid_of(rank)
    );
    if runtime.cluster.rank == 0 || runtime.stopping() {
        return on_peer_failed(runtime, rank, &reason, LastWork::Uninvolved);
    }
    if rank == 0 {
        on_rank_0_suspected(runtime, &reason);
        return on_peer_failed(runtime, rank, &reason, LastWork::Uninvolved);
    }
    log(Level::Warn, || format!("rank {rank} sends nothing for {timeout_s} s: notifying rank 0"));
    let last_work = LastWork::Uninvolved;
    runtime.send(0, &Message::Suspect { rank, reason, kind: FailureKind::Timeout, last_work });
}

/// This rank, or the rank that sent `Suspect`, receives nothing from rank 0. The first time, this rank notifies as
/// many others as the cluster's size has binary digits, so that in the end every rank is notified.
pub fn on_rank_0_suspected(runtime: &'static Runtime, reason: &str) {
    {
        let mut suspected_at = lock(&runtime.membership.rank_0_suspected_at);
        if suspected_at.is_some() {
            return;
        }
        *suspected_at = Some(runtime.protocol.receive_count(0));
    }
    let distances =
        (0..u32::BITS).map(|digit| 1u64 << digit).take_while(|distance| *distance < u64::from(runtime.cluster.size));
    for distance in distances {
        let other = ((u64::from(runtime.cluster.rank) + distance) % u64::from(runtime.cluster.size)) as Rank;
        if other != 0 && !runtime.is_dead(other) {
            let (reason, last_work) = (reason.to_string(), LastWork::Uninvolved);
            runtime.send(other, &Message::Suspect { rank: 0, reason, kind: FailureKind::Timeout, last_work });
        }
    }
}
