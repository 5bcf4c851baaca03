//! The completions of the device: segments from peers, and work requests that have finished.

use super::completion::{CompletedWork, Completion};
use super::connection::{Assembly, failure};
use super::error::VerbsError;
use super::header::{SegmentHeader, SegmentKind};
use super::receive_queue::{CHAIN, FilledBuffer};
use super::regions::RegionKeys;
use super::transport::{VerbsLink, VerbsTransport};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::limits::POLL_BATCH_MAX;
use crate::base::sync::lock;
use crate::transport::TransportEvent;
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
    pub(super) fn progress(
        &self,
        poller: &mut VerbsPoller,
        delivered: &mut usize,
        deliver: &mut dyn FnMut(TransportEvent<'_>),
    ) -> bool {
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
    fn on_completion(
        &self,
        completion: Completion,
        poller: &mut VerbsPoller,
        deliver: &mut dyn FnMut(TransportEvent<'_>),
    ) -> bool {
        let Completion { queue_pair, work, failed } = completion;
        let peer = lock(&self.by_number).get(&queue_pair).copied();
        if let (Some(peer), Some(status)) = (peer, failed) {
            self.fail(peer, failure(self.device(), status));
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
                let event = over.map(|(token, block)| TransportEvent::ReadDone { token, block: Ok(block) });
                event.map(deliver).is_some()
            }
            // The peer's link has failed, or is about to.
            (CompletedWork::Send(_) | CompletedWork::Read(_), ..) => false,
        }
    }

    /// Handles a segment from `peer`, after checking it.
    fn on_segment(
        &self,
        peer: Rank,
        filled: FilledBuffer,
        poller: &mut VerbsPoller,
        deliver: &mut dyn FnMut(TransportEvent<'_>),
    ) -> bool {
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
        let malformed_reason = |instead| VerbsError::MalformedSegment { peer, bytes: segment.len(), instead };
        let Some((header, body)) = SegmentHeader::decode(segment).filter(|(header, _)| {
            // A peer that sends has connected its end.
            let joined = connection.state.on_ready().map(|(next, _)| connection.state = next);
            joined.is_some() && connection.window.on_credits(header.credits)
        }) else {
            connection.malformed = true;
            self.fail_link(peer, connection, malformed_reason("no segment of mobula"));
            return CheckedSegment::Nothing;
        };
        let checked = match header.kind {
            SegmentKind::Message if connection.assembly.is_empty() => CheckedSegment::Message(body),
            SegmentKind::Message | SegmentKind::Piece => {
                if !connection.assembly.append(body) {
                    connection.malformed = true;
                    self.fail_link(peer, connection, malformed_reason("the end of no message"));
                    return CheckedSegment::Nothing;
                }
                let ends = header.kind == SegmentKind::Message;
                if ends {
                    CheckedSegment::Assembled(std::mem::take(&mut connection.assembly))
                } else {
                    CheckedSegment::Nothing
                }
            }
            SegmentKind::Credits => CheckedSegment::Nothing,
            SegmentKind::Offer => match postcard::from_bytes::<RegionKeys>(body).ok().filter(RegionKeys::is_valid) {
                Some(keys) => {
                    connection.regions.push(keys);
                    CheckedSegment::Nothing
                }
                None => {
                    connection.malformed = true;
                    self.fail_link(peer, connection, malformed_reason("no region's keys"));
                    return CheckedSegment::Nothing;
                }
            },
        };
        if connection.received.on_segment(header.kind) && !creditors.contains(&peer) {
            creditors.push(peer);
        }
        checked
    }

    /// Returns credits to peers to which no message carried them; a peer that cannot be sent to now is tried at a later
    /// poll.
    pub(super) fn return_credits(&self, poller: &mut VerbsPoller) {
        poller.creditors.retain(|&peer| {
            let mut link = lock(&self.links[peer as usize]);
            let VerbsLink::Live(connection) = &mut *link else { return false };
            if !connection.received.owes_credits() || connection.failed.is_some() {
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
