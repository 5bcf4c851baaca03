//! Failover: when a link fails and the peer may live, the two ranks go on over the next transport, with no message lost
//! or repeated.
//!
//! Each side closes the failed link, tells the other over the next transport how many of its messages were delivered
//! (`Resume`), and sends nothing else there until it has received the same. Then it sends again what was not delivered,
//! and goes on. A transport that cannot tell what was delivered (`Transport::take_unacked`) has no failover: rank 0
//! decides which rank is dead (`arbitration`).

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::Ordering;
use crate::protocol::{Message, UNNUMBERED_HEADER};
use crate::runtime::cluster::ClusterInfo;
use crate::runtime::router::outboxes::PeerOutbox;
use crate::runtime::router::part::Router;
use crate::runtime::{Runtime, membership, memory};

/// One side of a failover that is not complete.
pub struct Failover {
    /// The encoded `Resume`, the first message over the next transport, until it is sent.
    resume: Option<Vec<u8>>,
    /// The number of the first message that is queued, counted from the first one over the failed link.
    first: u64,
}

impl Failover {
    /// Tries to send `Resume`, once.
    pub fn send_resume(&mut self, send: impl FnOnce(&[u8]) -> bool) {
        if self.resume.as_deref().is_some_and(send) {
            self.resume = None;
        }
    }
}

/// The link to `peer` over `transport`, an index into the router's transports, failed.
pub fn on_link_down(runtime: &'static Runtime, transport: usize, peer: Rank, reason: &str) {
    if let Err(error) = runtime.router.on_link_down(&runtime.cluster, transport, peer, reason) {
        membership::on_unreachable(runtime, peer, &error.to_string());
    }
}

/// Handles `Resume`: over the transport at `transport_index` of the route, `peer` tells how many messages of this rank
/// were delivered over the one before.
pub fn on_resume(runtime: &'static Runtime, peer: Rank, transport_index: u8, delivered: u64) {
    match runtime.router.on_resume(peer, transport_index, delivered) {
        Ok(true) => memory::start_pulls(runtime),
        Ok(false) => {}
        Err(error) => membership::on_unreachable(runtime, peer, &error.to_string()),
    }
}

/// Why a link cannot be replaced by the next transport.
#[derive(Debug, thiserror::Error)]
enum FailoverError {
    /// No transport is left, or this one cannot tell what was delivered.
    #[error("{reason}")]
    NoTransport { reason: String },
    /// The peer's `Resume` contradicts what was sent to it.
    #[error("it claims that {delivered} messages were delivered, which cannot be")]
    ImpossibleResume { delivered: u64 },
}

impl Router {
    /// As the function of this name.
    ///
    /// # Errors
    /// Why no transport leads to the peer any more.
    fn on_link_down(
        &self,
        cluster: &ClusterInfo,
        transport: usize,
        peer: Rank,
        reason: &str,
    ) -> Result<(), FailoverError> {
        let mut outbox = self.peers[peer as usize].outbox.lock();
        if self.transport_to(peer) != Some(transport) {
            // A transport no longer in use, or not yet: messages queued for it learn of the failure when it is used.
            return Ok(());
        }
        if !self.fail_over(cluster, &mut outbox, peer, reason) {
            return Err(FailoverError::NoTransport { reason: reason.to_string() });
        }
        // The other side's `Resume` may have come first.
        let early = outbox.early_delivered.take();
        early.map_or(Ok(()), |delivered| self.resync(&mut outbox, peer, delivered))
    }

    /// As the function of this name; true unless the link's failure is still to be detected here.
    ///
    /// # Errors
    /// Why the two cannot go on over that transport.
    fn on_resume(&self, peer: Rank, transport_index: u8, delivered: u64) -> Result<bool, FailoverError> {
        let state = &self.peers[peer as usize];
        let mut outbox = state.outbox.lock();
        let current = state.transport_index.load(Ordering::Relaxed);
        if transport_index == current.saturating_add(1) {
            // The peer left a link whose failure this side has not detected yet.
            outbox.early_delivered = Some(delivered);
            return Ok(false);
        }
        if transport_index == current {
            self.resync(&mut outbox, peer, delivered)?;
        }
        Ok(true)
    }

    /// Changes from the transport now used to `peer` to the next one. Returns false if there is none, or the transport
    /// cannot tell what was delivered.
    fn fail_over(&self, cluster: &ClusterInfo, outbox: &mut PeerOutbox, peer: Rank, reason: &str) -> bool {
        let state = &self.peers[peer as usize];
        let (route, transport_index) = (self.route_to(peer), state.transport_index.load(Ordering::Relaxed));
        let (Some(failed), Some(next)) = (route.get(transport_index as usize), route.get(transport_index as usize + 1))
        else {
            return false;
        };
        let (failed, next) = (&self.transports[*failed as usize], *next as usize);
        let Some(unacked) = failed.take_unacked(peer) else { return false };
        log(Level::Warn, || {
            format!(
                "rank {}: the {} link to rank {peer} on {} failed ({reason}); failing over to {}",
                cluster.rank,
                failed.name(),
                cluster.host_of(peer),
                self.transports[next].name()
            )
        });
        self.waiting.fetch_add(unacked.messages.len(), Ordering::Relaxed);
        unacked.messages.into_iter().rev().for_each(|message| outbox.messages.push_front(message));
        state.transport_index.store(transport_index + 1, Ordering::Relaxed);
        let resume = Message::Resume { transport_index: transport_index + 1, delivered: unacked.delivered }
            .encode(UNNUMBERED_HEADER.to_vec());
        outbox.failover = Some(Failover { resume: Some(resume), first: unacked.first });
        self.flush_one(outbox, peer, next);
        // The polling thread sends the rest; there may be nothing else that wakes it.
        self.doorbell.notify_always();
        true
    }

    /// Both sides have told what was delivered: what `peer` has is dropped here, the rest is sent.
    fn resync(&self, outbox: &mut PeerOutbox, peer: Rank, delivered: u64) -> Result<(), FailoverError> {
        let Some(failover) = outbox.failover.take() else { return Ok(()) };
        let waiting = outbox.messages.len() as u64;
        let known = delivered.checked_sub(failover.first).filter(|known| *known <= waiting);
        let known = known.ok_or(FailoverError::ImpossibleResume { delivered })?;
        outbox.messages.drain(..known as usize);
        self.waiting.fetch_sub(known as usize, Ordering::Relaxed);
        // This side's `Resume` goes first, also if the other side's came before it was sent.
        if let Some(resume) = failover.resume {
            outbox.messages.push_front(resume);
            self.waiting.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(transport) = self.transport_to(peer) {
            self.flush_one(outbox, peer, transport);
        }
        Ok(())
    }
}
