//! Connections that ended: the other ranks of the same host know more of the reason. They see how the process ended and
//! what it ran, and notify rank 0 at once. The end of a connection is acted on only if they do not.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::LastWork;
use crate::runtime::Runtime;
use crate::runtime::membership::failures::on_peer_failed;
use std::time::{Duration, Instant};

/// How long the other ranks of a host have to notify this one of how a process ended.
const NOTICE_TIME: Duration = Duration::from_secs(1);

/// A rank whose connection ended.
pub struct Hangup {
    rank: Rank,
    reason: String,
    since: Instant,
}

/// The connection to a rank ended, as far as this rank, which decides about it, can tell.
pub fn on_connection_ended(runtime: &'static Runtime, rank: Rank, reason: &str) {
    if rank >= runtime.cluster.size {
        return;
    }
    let others = runtime.cluster.host_info_of(rank).ranks.iter();
    let has_others = others.into_iter().any(|other| *other != rank && !runtime.is_dead(*other));
    if rank == 0 || runtime.stopping() || !has_others {
        return on_peer_failed(runtime, rank, reason, LastWork::Unknown);
    }
    let mut hangups = lock(&runtime.membership.hangups);
    if !runtime.is_dead(rank) && hangups.iter().all(|hangup| hangup.rank != rank) {
        hangups.push(Hangup { rank, reason: reason.to_string(), since: Instant::now() });
    }
}

/// Acts on the connections of whose end no rank sent the reason.
pub fn check_hangups(runtime: &'static Runtime) {
    let mut overdue = Vec::new();
    lock(&runtime.membership.hangups).retain_mut(|hangup| {
        let is_overdue = hangup.since.elapsed() >= NOTICE_TIME || runtime.stopping();
        if is_overdue {
            overdue.push((hangup.rank, std::mem::take(&mut hangup.reason)));
        }
        !is_overdue && !runtime.is_dead(hangup.rank)
    });
    overdue.into_iter().for_each(|(rank, reason)| on_peer_failed(runtime, rank, &reason, LastWork::Unknown));
}
