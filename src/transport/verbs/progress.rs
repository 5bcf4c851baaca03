//! The completions of the device: segments from peers, and work requests that have finished.

use super::completion::{CompletedWork, Completion};
use super::connection::{Assembly, VerbsConnection};
use super::error::VerbsError;
use super::header::{SegmentHeader, SegmentKind};
use super::receive_queue::{CHAIN, FilledBuffer};
use super::regions::RegionKeys;
use super::transport::{VerbsLink, VerbsTransport};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::limits::POLL_BATCH_MAX;
use crate::base::sync::lock;
use crate::memory::Block;
use crate::transport::{Deliver, TransportEvent};
use std::collections::VecDeque;

/// Polls after which failures and time-outs are checked even if the device always has more completions.
const BUSY_POLLS: u32 = 64;

/// State that only the polling thread uses.
#[derive(Default)]
pub(super) struct VerbsPoller {
    pub(super) found: VecDeque<Completion>,
    /// Buffers to be posted again; at most [`CHAIN`].
    used: Vec<FilledBuffer>,
    /// The message being delivered; kept here so that a panic of its receiver does not lose its buffer.
    delivering: Option<FilledBuffer>,
    /// Peers that may be waiting for credits.
    creditors: Vec<Rank>,
    polls: u32,
}

/// The result of checking a segment.
enum CheckedSegment<'a> {
    Message(&'a [u8]),
    Assembled(Assembly),
    Nothing,
}

impl VerbsTransport {
    /// Handles completions. Returns true if the device had no more, and once in [`BUSY_POLLS`] calls if it always has
    /// more.
    pub(super) fn progress(&self, poller: &mut VerbsPoller, delivered: &mut usize, deliver: Deliver<'_>) -> bool {
        poller.used.extend(poller.delivering.take());
        let mut drained = false;
        while *delivered < POLL_BATCH_MAX {
            let Some(completion) = poller.found.pop_front() else {
                match self.parts.completions.take(&mut poller.found) {
                    Ok(0) => {
                        drained = true;
                        break;
                    }
                    Ok(_) => continue,
                    Err(reason) => {
                        self.fail_all(reason);
                        drained = true;
                        break;
                    }
                }
            };
            *delivered += usize::from(self.on_completion(completion, poller, deliver));
            if poller.used.len() == CHAIN {
                self.repost_used(poller);
            }
        }
        self.repost_used(poller);
        poller.polls = poller.polls.wrapping_add(1);
        drained || poller.polls.is_multiple_of(BUSY_POLLS)
    }

    /// Posts buffers again whose messages were delivered.
    fn repost_used(&self, poller: &mut VerbsPoller) {
        if let Err(reason) = self.parts.receives.post(poller.used.drain(..)) {
            self.fail_all(reason);
        }
    }

    /// Handles one completion; true if it led to an event.
    fn on_completion(&self, completion: Completion, poller: &mut VerbsPoller, deliver: Deliver<'_>) -> bool {
        let Completion { queue_pair, work, failed } = completion;
        let peer = lock(&self.by_number).get(&queue_pair).copied();
        if let (Some(peer), Some(status)) = (peer, failed) {
            self.fail(peer, status.failure(self.device()));
        }
        match (work, peer, failed) {
            (CompletedWork::Receive(filled), Some(peer), None) => self.on_segment(peer, filled, poller, deliver),
            (CompletedWork::Receive(filled), ..) => {
                poller.used.push(filled);
                false
            }
            (CompletedWork::Send(position), Some(peer), None) => {
                if let VerbsLink::Live(connection) = &mut *lock(&self.links[peer as usize]) {
                    connection.window.on_completed(position);
                    connection.last_progress_ns = now_ns();
                }
                false
            }
            (CompletedWork::Read(slot), Some(peer), None) => {
                let over = self.on_piece_read(peer, slot);
                over.map(|(token, block)| deliver(TransportEvent::ReadDone { token, block: Ok(block) })).is_some()
            }
            // The peer's link has failed, or is about to.
            (CompletedWork::Send(_) | CompletedWork::Read(_), ..) => false,
        }
    }

    /// Handles a segment from `peer`, after checking it.
    fn on_segment(&self, peer: Rank, filled: FilledBuffer, poller: &mut VerbsPoller, deliver: Deliver<'_>) -> bool {
        let filled = poller.delivering.insert(filled);
        let checked = self.check_segment(peer, self.parts.receives.bytes(filled), &mut poller.creditors);
        match checked {
            CheckedSegment::Message(body) => deliver(TransportEvent::Message { from: peer, bytes: body }),
            CheckedSegment::Assembled(assembly) => {
                deliver(TransportEvent::Message { from: peer, bytes: assembly.bytes() });
                if let VerbsLink::Live(connection) = &mut *lock(&self.links[peer as usize]) {
                    connection.assembly = assembly.cleared();
                }
            }
            CheckedSegment::Nothing => {
                poller.used.extend(poller.delivering.take());
                return false;
            }
        }
        poller.used.extend(poller.delivering.take());
        true
    }

    fn check_segment<'a>(&self, peer: Rank, segment: &'a [u8], creditors: &mut Vec<Rank>) -> CheckedSegment<'a> {
        let mut link = lock(&self.links[peer as usize]);
        let VerbsLink::Live(connection) = &mut *link else { return CheckedSegment::Nothing };
        if connection.malformed {
            return CheckedSegment::Nothing;
        }
        let bytes = segment.len();
        let malformed = |connection: &mut VerbsConnection, instead| {
            connection.malformed = true;
            let fault = format!("sent {bytes} bytes that are {instead}");
            self.fail_link(peer, connection, VerbsError::Protocol { peer, fault });
            CheckedSegment::Nothing
        };
        let Some((header, body)) = SegmentHeader::decode(segment).filter(|(header, _)| {
            // A peer that sends has connected its end.
            let joined = connection.state.on_ready().map(|next| connection.state = next);
            joined.is_some() && connection.window.on_credits(header.credits)
        }) else {
            return malformed(connection, "no segment of mobula");
        };
        let checked = match header.kind {
            SegmentKind::Message if connection.assembly.is_empty() => CheckedSegment::Message(body),
            SegmentKind::Message | SegmentKind::Piece => {
                if !connection.assembly.append(body) {
                    return malformed(connection, "the end of no message");
                }
                match header.kind {
                    SegmentKind::Message => CheckedSegment::Assembled(std::mem::take(&mut connection.assembly)),
                    _ => CheckedSegment::Nothing,
                }
            }
            SegmentKind::Credits => CheckedSegment::Nothing,
            SegmentKind::Offer => match postcard::from_bytes::<RegionKeys>(body).ok().filter(RegionKeys::is_valid) {
                Some(keys) => {
                    connection.regions.push(keys);
                    CheckedSegment::Nothing
                }
                None => return malformed(connection, "no region's keys"),
            },
        };
        if connection.received.on_segment(header.kind) && !creditors.contains(&peer) {
            creditors.push(peer);
        }
        checked
    }

    /// Handles the completion of a piece: posts the next pieces; returns the token and block of a read that is
    /// finished.
    pub(super) fn on_piece_read(&self, peer: Rank, slot: u32) -> Option<(u64, Block)> {
        let mut link = lock(&self.links[peer as usize]);
        let VerbsLink::Live(connection) = &mut *link else { return None };
        connection.last_progress_ns = now_ns();
        let over = connection.reads.completed(slot);
        if let Some(store) = self.store_keys().filter(|_| connection.failed.is_none()) {
            let VerbsConnection { reads, pair, regions, .. } = &mut **connection;
            if let Err(reason) = reads.advance(pair, regions, &store) {
                self.fail_link(peer, connection, reason);
            }
        }
        over
    }

    /// Returns credits to peers to which no message carried them; a peer that cannot be sent to now is tried at a later
    /// poll.
    pub(super) fn return_credits(&self, poller: &mut VerbsPoller) {
        poller.creditors.retain(|&peer| {
            let mut link = lock(&self.links[peer as usize]);
            let VerbsLink::Live(connection) = &mut *link else { return false };
            if !connection.received.owed.is_due() || connection.failed.is_some() {
                return false;
            }
            if !connection.is_open() || connection.window.free() == 0 {
                return true;
            }
            if let Err(reason) = connection.send_credits(false) {
                self.fail_link(peer, connection, reason);
            }
            false
        });
    }
}
