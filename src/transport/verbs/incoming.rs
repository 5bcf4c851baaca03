//! What the device tells: segments of peers, and work requests that are over.

use super::completion::{Completion, Work};
use super::connection::{Assembly, failure};
use super::header::{Header, Kind};
use super::receives::{CHAIN, Filled};
use super::regions::RegionKeys;
use super::road::{Link, VerbsFabric};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::limits::POLL_BATCH_MAX;
use crate::base::sync::lock;
use crate::transport::Event;
use std::collections::VecDeque;

/// Polls after which failures and silence are looked at though the device never runs out of what to tell.
const BUSY_POLLS: u32 = 64;

/// What only the poller touches.
#[derive(Default)]
pub(super) struct Poller {
    pub(super) found: VecDeque<Completion>,
    /// Buffers that the device may fill again; at most [`CHAIN`].
    used: Vec<Filled>,
    /// The message that is being delivered; here so that a panic of its receiver does not lose its buffer.
    delivering: Option<Filled>,
    /// Peers that may wait for credits.
    creditors: Vec<Rank>,
    polls: u32,
}

/// What a checked segment is.
enum Accepted<'a> {
    Message(&'a [u8]),
    Assembled(Assembly),
    Nothing,
}

impl VerbsFabric {
    /// Takes what the device has to tell; true where that was all, and now and then where there is always more.
    pub(super) fn progress(
        &self,
        poller: &mut Poller,
        delivered: &mut usize,
        deliver: &mut dyn FnMut(Event<'_>),
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
                        self.fail_all(&reason);
                        drained = true;
                        break;
                    }
                }
            };
            *delivered += usize::from(self.handle(completion, poller, deliver));
            if poller.used.len() == CHAIN {
                self.post_used(poller);
            }
        }
        self.post_used(poller);
        poller.polls = poller.polls.wrapping_add(1);
        drained || poller.polls.is_multiple_of(BUSY_POLLS)
    }

    /// Lets the device fill buffers again that were delivered.
    fn post_used(&self, poller: &mut Poller) {
        if let Err(reason) = self.parts.receives.post(poller.used.drain(..)) {
            self.fail_all(&reason);
        }
    }

    /// Whether it led to an event.
    fn handle(&self, completion: Completion, poller: &mut Poller, deliver: &mut dyn FnMut(Event<'_>)) -> bool {
        let Completion { queue_pair, work, failed } = completion;
        let peer = lock(&self.by_number).get(&queue_pair).copied();
        if let (Some(peer), Some(status)) = (peer, failed) {
            self.fail(peer, failure(self.device(), status));
        }
        match (work, peer, failed) {
            (Work::Receive(filled), Some(peer), None) => self.receive(peer, filled, poller, deliver),
            (Work::Receive(filled), ..) => {
                poller.used.push(filled);
                false
            }
            (Work::Send(position), Some(peer), None) => {
                if let Link::Live(connection) = &mut *lock(&self.links[peer as usize]) {
                    connection.window.completed(position);
                    connection.heard_ns = now_ns();
                }
                false
            }
            (Work::Read(slot), Some(peer), None) => {
                let over = self.piece_read(peer, slot);
                let event = over.map(|(token, block)| Event::ReadDone { token, block: Ok(block) });
                event.map(deliver).is_some()
            }
            // Of a peer that is lost already, or about to be.
            (Work::Send(_) | Work::Read(_), ..) => false,
        }
    }

    /// A segment of `peer` came. Checks it before it is taken for anything.
    fn receive(&self, peer: Rank, filled: Filled, poller: &mut Poller, deliver: &mut dyn FnMut(Event<'_>)) -> bool {
        let filled = poller.delivering.insert(filled);
        let accepted = self.accept(peer, self.parts.receives.bytes(filled), &mut poller.creditors);
        match accepted {
            Accepted::Message(body) => deliver(Event::Message { from: peer, bytes: body }),
            Accepted::Assembled(assembly) => {
                deliver(Event::Message { from: peer, bytes: assembly.bytes() });
                if let Link::Live(connection) = &mut *lock(&self.links[peer as usize]) {
                    connection.assembly = assembly.cleared();
                }
            }
            Accepted::Nothing => {
                poller.used.extend(poller.delivering.take());
                return false;
            }
        }
        poller.used.extend(poller.delivering.take());
        true
    }

    fn accept<'a>(&self, peer: Rank, segment: &'a [u8], creditors: &mut Vec<Rank>) -> Accepted<'a> {
        let mut link = lock(&self.links[peer as usize]);
        let Link::Live(connection) = &mut *link else { return Accepted::Nothing };
        if connection.nonsense {
            return Accepted::Nothing;
        }
        let broken = |what: &str| format!("rank {peer} sent {} bytes that are {what}", segment.len());
        let Some((header, body)) = Header::decode(segment).filter(|(header, _)| {
            // Who sends has joined.
            let joined = connection.joining.ready().map(|(next, _)| connection.joining = next);
            joined.is_some() && connection.window.credited(header.credits)
        }) else {
            connection.nonsense = true;
            self.fail_link(peer, connection, broken("no segment of mobula"));
            return Accepted::Nothing;
        };
        let accepted = match header.kind {
            Kind::Message if connection.assembly.is_empty() => Accepted::Message(body),
            Kind::Message | Kind::Piece => {
                if !connection.assembly.append(body) {
                    connection.nonsense = true;
                    self.fail_link(peer, connection, broken("the end of no message"));
                    return Accepted::Nothing;
                }
                let ends = header.kind == Kind::Message;
                if ends { Accepted::Assembled(std::mem::take(&mut connection.assembly)) } else { Accepted::Nothing }
            }
            Kind::Credits => Accepted::Nothing,
            Kind::Offer => match postcard::from_bytes::<RegionKeys>(body).ok().filter(RegionKeys::is_sound) {
                Some(keys) => {
                    connection.regions.push(keys);
                    Accepted::Nothing
                }
                None => {
                    connection.nonsense = true;
                    self.fail_link(peer, connection, broken("no region's keys"));
                    return Accepted::Nothing;
                }
            },
        };
        if connection.received.received(header.kind) && !creditors.contains(&peer) {
            creditors.push(peer);
        }
        accepted
    }

    /// Tells peers of their deliveries where no message of ours did; who cannot be told now is told by a later poll.
    pub(super) fn return_credits(&self, poller: &mut Poller) {
        poller.creditors.retain(|&peer| {
            let mut link = lock(&self.links[peer as usize]);
            let Link::Live(connection) = &mut *link else { return false };
            if !connection.received.owes_many() || connection.failed.is_some() {
                return false;
            }
            if !connection.is_open() || connection.window.free() == 0 {
                return true;
            }
            if let Err(reason) = connection.give_credits(false) {
                self.fail_link(peer, connection, reason);
            }
            false
        });
    }
}
