//! Links end: by an error of the device, by silence, by what the peer says, or with the road.
//!
//! A link that fails is stopped at once and ended by the poller, when the device has nothing more to tell of it. What
//! it delivered until then is counted; what it did not, the peer still has, so nothing depends on when that is.

use super::connection::Connection;
use super::greeting::Word;
use super::road::{Link, Notice, VerbsFabric};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::transport::Fabric;
use std::time::{Duration, Instant};

/// How long `close` waits for messages that the device has not yet brought away.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

impl VerbsFabric {
    /// The link to `peer` fails, where it lives.
    pub(super) fn fail(&self, peer: Rank, reason: String) {
        if let Link::Live(connection) = &mut *lock(&self.links[peer as usize]) {
            self.fail_link(peer, connection, reason);
        }
    }

    /// The link fails, and the peer is told, who may have nothing under way that would show it.
    pub(super) fn fail_link(&self, peer: Rank, connection: &mut Connection, reason: String) {
        if connection.failed.is_none() {
            self.side.send(peer, &Word::Broken(reason.clone()).encode());
            self.fail_silently(peer, connection, reason);
        }
    }

    /// The link fails; the peer knows.
    pub(super) fn fail_silently(&self, peer: Rank, connection: &mut Connection, reason: String) {
        if connection.failed.is_none() {
            connection.failed = Some(reason);
            connection.pair.stop();
            self.note_failing(peer);
        }
    }

    pub(super) fn fail_all(&self, reason: &str) {
        for peer in self.live() {
            self.fail(peer, reason.to_string());
        }
    }

    fn live(&self) -> Vec<Rank> {
        lock(&self.by_number).values().copied().collect()
    }

    /// Ends what failed. The poller alone calls it, when the device had nothing more to tell, or has had enough time.
    pub(super) fn end_failing(&self) {
        for peer in self.take_failing() {
            let mut link = lock(&self.links[peer as usize]);
            let Link::Live(mut connection) = std::mem::replace(&mut *link, Link::Lost(None)) else { continue };
            lock(&self.by_number).remove(&connection.pair.number());
            let reason = connection.failed.take().unwrap_or_default();
            let reason = format!("rank {peer} cannot be reached from rank {}: {reason}", self.me);
            let (salvage, reads) = connection.end();
            *link = Link::Lost(Some(salvage));
            drop(link);
            for token in reads {
                self.notify(Notice::ReadDone { token, block: Err(reason.clone()) });
            }
            self.notify(Notice::Lost { peer, reason });
        }
    }

    /// Looks, now and then, whether a peer or its device has been silent for too long.
    pub(super) fn check_silence(&self) {
        let now = now_ns();
        let silence = self.silence.as_nanos() as u64;
        {
            let mut checked = lock(&self.checked_ns);
            if now.saturating_sub(*checked) < silence / 8 {
                return;
            }
            *checked = now;
        }
        for peer in self.live() {
            let mut link = lock(&self.links[peer as usize]);
            let Link::Live(connection) = &mut *link else { continue };
            let silent = now.saturating_sub(connection.heard_ns) > silence;
            if !std::mem::replace(&mut connection.suspected, silent) || !silent || connection.failed.is_some() {
                continue;
            }
            let device = self.device();
            if !connection.is_open() {
                let reason = format!("it did not answer for {:?} when a queue pair of {device} was made", self.silence);
                self.fail_link(peer, connection, reason);
            } else if connection.awaits() {
                self.fail_link(peer, connection, format!("{device} brought nothing to it for {:?}", self.silence));
            }
        }
    }

    /// Waits, for a second at most, until the device has brought everything away. Events are not delivered any more.
    pub(super) fn drain(&self) {
        for peer in self.live() {
            let mut link = lock(&self.links[peer as usize]);
            let Link::Live(connection) = &mut *link else { continue };
            if connection.is_open() && !connection.window.all_completed() && connection.window.free() > 0 {
                // Where it fails, so has the link.
                let _ = connection.give_credits(true);
            }
        }
        let began = Instant::now();
        let leaves = |peer: &Rank| match &*lock(&self.links[*peer as usize]) {
            Link::Live(connection) => connection.is_open() && !connection.window.all_completed(),
            Link::Idle | Link::Lost(_) => false,
        };
        while began.elapsed() < CLOSE_WAIT && self.live().iter().any(leaves) {
            self.poll(&mut |_| {});
            std::thread::yield_now();
        }
    }
}
