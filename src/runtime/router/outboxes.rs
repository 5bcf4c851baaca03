//! The messages that no transport accepted yet.

use crate::base::Rank;
use crate::base::sync::{Ordering, lock};
use crate::protocol::{MESSAGE_HEADER_BYTES, Message, SendSequence, UNNUMBERED_HEADER};
use crate::runtime::router::failover::Failover;
use crate::runtime::router::part::Router;
use crate::transport::Refusal;
use std::collections::VecDeque;

/// Messages that may wait for one peer before threads that submit tasks to it have to wait too.
const OUTBOX_MESSAGES_MAX: usize = 4096;

/// Messages that no transport accepted yet, oldest first.
#[derive(Default)]
pub struct PeerOutbox {
    send_sequence: SendSequence,
    pub messages: VecDeque<Vec<u8>>,
    /// While the two ranks agree from which message on they continue over another transport.
    pub failover: Option<Failover>,
    /// If the peer left a transport that this rank still uses: how many messages the peer received over it.
    pub early_delivered: Option<u64>,
}

impl Router {
    /// Sends a final message to a rank that was declared dead, over the transport last used to it: it may only have
    /// been stopped. If the transport refuses the message, it is dropped: the rank's next message gets the same
    /// response.
    pub fn send_to_dead(&self, rank: Rank, message: &Message<'_>) {
        let transport_index = self.peers[rank as usize].transport_index.load(Ordering::Relaxed);
        if let Some(transport) = self.route_to(rank).get(transport_index as usize) {
            let _ = self.transports[*transport as usize].send(rank, &[&message.encode(UNNUMBERED_HEADER.to_vec())]);
        }
    }

    /// Sends over the transport in use now, or queues the message. True if it is the only one queued.
    #[inline]
    pub fn send_or_queue(&self, to: Rank, bytes: &[u8], unnumbered: bool, load: impl FnOnce() -> u8) -> bool {
        let peer = &self.peers[to as usize];
        if let Some(ring) = &peer.ring {
            let header = peer.ring_header.next(load);
            let sent = peer.direct.allowed() && ring.send(&header, bytes).is_ok();
            return !sent && self.send_by_outbox(to, bytes, |_| header);
        }
        self.send_by_outbox(to, bytes, |sequence| if unnumbered { UNNUMBERED_HEADER } else { sequence.next(load) })
    }

    /// As `send_or_queue`, in order with the messages in the outbox.
    fn send_by_outbox(
        &self,
        to: Rank,
        bytes: &[u8],
        header: impl FnOnce(&mut SendSequence) -> [u8; MESSAGE_HEADER_BYTES],
    ) -> bool {
        let peer = &self.peers[to as usize];
        let mut outbox = peer.outbox.lock();
        // Under the lock, which `mark_dead` and a failover take as well.
        let Some(transport) = self.transport_to(to) else { return false };
        let header = header(&mut outbox.send_sequence);
        let direct = outbox.messages.is_empty() && outbox.failover.is_none();
        if direct && self.transports[transport].send(to, &[&header, bytes]).is_ok() {
            return false;
        }
        // A lost link is reported by a poll; then the message takes another transport, or is dropped.
        outbox.messages.push_back([&header, bytes].concat());
        peer.direct.forbid();
        self.waiting.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Sends queued messages, as far as the transports accept them.
    pub(super) fn flush(&self) {
        self.flush_control();
        for (rank, peer) in self.peers.iter().enumerate() {
            let Some(mut outbox) = peer.outbox.try_lock() else { continue };
            if outbox.messages.is_empty() && outbox.failover.is_none() {
                continue;
            }
            let Some(transport) = self.transport_to(rank as Rank) else { continue };
            self.flush_one(&mut outbox, rank as Rank, transport);
        }
    }

    /// Sends a control message to `peer` over the transport that comes after the one whose links it is about. Called
    /// under locks of that transport: a message that cannot be sent now is sent by the next poll.
    pub fn send_control(&self, peer: Rank, bytes: &[u8]) {
        let message = Message::Control { bytes }.encode(UNNUMBERED_HEADER.to_vec());
        lock(&self.control_queue).push_back((peer, message));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.flush_control();
    }

    /// Handles a peer's control message about the links between the two.
    pub fn on_control(&self, peer: Rank, bytes: &[u8]) {
        self.transports.iter().for_each(|transport| transport.on_control_message(peer, bytes));
    }

    fn flush_control(&self) {
        let mut control_queue = lock(&self.control_queue);
        while let Some((peer, message)) = control_queue.front() {
            // After the transport that is set up there is one more in the route of both ranks.
            let transport = self.route_to(*peer).last().map(|transport| *transport as usize);
            if transport
                .is_some_and(|transport| self.transports[transport].send(*peer, &[message]) == Err(Refusal::Full))
            {
                break;
            }
            control_queue.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub fn flush_one(&self, outbox: &mut PeerOutbox, rank: Rank, transport: usize) {
        if let Some(failover) = &mut outbox.failover {
            failover.send_resume(|bytes| self.transports[transport].send(rank, &[bytes]).is_ok());
            return;
        }
        while let Some(message) = outbox.messages.front() {
            if self.transports[transport].send(rank, &[message]).is_err() {
                break;
            }
            outbox.messages.pop_front();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        if outbox.messages.is_empty() {
            self.peers[rank as usize].direct.allow();
        }
    }

    /// True if messages wait here to be sent.
    pub fn has_queued_messages(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// True if too many messages wait for `to`.
    pub(super) fn is_full(&self, to: Rank) -> bool {
        // The count of messages for all peers is read without a lock, and is nearly always 0.
        self.waiting.load(Ordering::Relaxed) > OUTBOX_MESSAGES_MAX
            && self.peers[to as usize].outbox.lock().messages.len() > OUTBOX_MESSAGES_MAX
    }

    /// Calls `visit` with each rank to which messages are queued.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
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
