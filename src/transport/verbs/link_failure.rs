//! How links end: by an error of the device, by a time-out, by a control message from the peer, or when the transport
//! closes.
//!
//! A failed link is stopped at once. The poller closes it later, when the device has no more completions of it.
//! Messages delivered until then are counted; the peer still has the others, so the result does not depend on when the
//! link is closed.

use super::connection::VerbsConnection;
use super::control::ControlMessage;
use super::error::VerbsError;
use super::transport::{VerbsLink, VerbsTransport};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::transport::{ReadError, Transport, TransportEvent};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long `close` waits for messages that the device has not yet sent.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

impl VerbsTransport {
    /// Fails the link to `peer`, if it is live.
    pub(super) fn fail(&self, peer: Rank, reason: impl Into<Arc<VerbsError>>) {
        if let VerbsLink::Live(connection) = &mut *lock(&self.links[peer as usize]) {
            self.fail_link(peer, connection, reason);
        }
    }

    /// Fails the link and notifies the peer, which may have nothing in flight that would show the failure.
    pub(super) fn fail_link(&self, peer: Rank, connection: &mut VerbsConnection, reason: impl Into<Arc<VerbsError>>) {
        if connection.failed.is_none() {
            let reason = reason.into();
            self.control.send(peer, &ControlMessage::Broken(reason.to_string()).encode());
            self.fail_without_notice(peer, connection, reason);
        }
    }

    /// Fails the link without a control message, because the peer knows.
    pub(super) fn fail_without_notice(&self, peer: Rank, connection: &mut VerbsConnection, reason: Arc<VerbsError>) {
        if connection.failed.is_none() {
            connection.failed = Some(reason);
            connection.pair.stop();
            self.queue_failing(peer);
        }
    }

    pub(super) fn fail_all(&self, reason: VerbsError) {
        let reason = Arc::new(reason);
        for peer in self.live() {
            self.fail(peer, reason.clone());
        }
    }

    fn live(&self) -> Vec<Rank> {
        lock(&self.by_number).values().copied().collect()
    }

    /// Closes the failed links. Only the poller calls it, when the device had no more completions or after enough
    /// polls.
    pub(super) fn close_failed_links(&self) {
        while let Some(peer) = self.failing.pop() {
            let mut link = lock(&self.links[peer as usize]);
            let VerbsLink::Live(mut connection) = std::mem::replace(&mut *link, VerbsLink::Failed(None)) else {
                continue;
            };
            lock(&self.by_number).remove(&connection.pair.number());
            let reason = connection.failed.take().map_or_else(String::new, |reason| reason.to_string());
            let reason = format!("rank {peer} cannot be reached from rank {}: {reason}", self.me);
            let shared: Arc<str> = reason.as_str().into();
            let (unacked, reads) = connection.close();
            *link = VerbsLink::Failed(Some(unacked));
            drop(link);
            for token in reads {
                self.queue_event(TransportEvent::ReadDone { token, block: Err(ReadError::LinkFailed(shared.clone())) });
            }
            self.queue_event(TransportEvent::LinkDown { peer, reason });
        }
    }

    /// Checks, at intervals, whether a peer or its device has been silent for too long.
    pub(super) fn check_timeouts(&self) {
        let now = now_ns();
        let peer_timeout = self.peer_timeout.as_nanos() as u64;
        {
            let mut checked = lock(&self.checked_ns);
            if now.saturating_sub(*checked) < peer_timeout / 8 {
                return;
            }
            *checked = now;
        }
        for peer in self.live() {
            let mut link = lock(&self.links[peer as usize]);
            let VerbsLink::Live(connection) = &mut *link else { continue };
            let is_silent = now.saturating_sub(connection.last_progress_ns) > peer_timeout;
            if !std::mem::replace(&mut connection.suspected, is_silent) || !is_silent || connection.failed.is_some() {
                continue;
            }
            let device = self.device().to_string();
            if !connection.is_open() {
                self.fail_link(peer, connection, VerbsError::NoAnswer { waited: self.peer_timeout, device });
            } else if connection.awaits_completions() {
                self.fail_link(peer, connection, VerbsError::NothingDelivered { waited: self.peer_timeout, device });
            }
        }
    }

    /// Waits, for a second at most, until the device has sent everything. No events are delivered any more.
    pub(super) fn drain(&self) {
        for peer in self.live() {
            let mut link = lock(&self.links[peer as usize]);
            let VerbsLink::Live(connection) = &mut *link else { continue };
            if connection.is_open() && !connection.window.all_completed() && connection.window.free() > 0 {
                // If this fails, the link has failed too.
                let _ = connection.send_credits(true);
            }
        }
        let began = Instant::now();
        let is_unfinished = |peer: &Rank| match &*lock(&self.links[*peer as usize]) {
            VerbsLink::Live(connection) => connection.is_open() && !connection.window.all_completed(),
            VerbsLink::Idle | VerbsLink::Failed(_) => false,
        };
        while began.elapsed() < CLOSE_WAIT && self.live().iter().any(is_unfinished) {
            self.poll(&mut |_| {});
            std::thread::yield_now();
        }
    }
}
