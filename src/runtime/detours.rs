//! When a road fails and the peer may live: the two ranks go on over the next road, with no message lost or repeated.
//!
//! Each side stops the failed road, tells the other over the next one how many of its messages it was handed (`Resume`),
//! and sends nothing else there until it has heard the same. Then it sends again what the other was not handed, and goes on.
//! A road that cannot say what was handed over (`Fabric::salvage`) has no detour: rank 0 decides who is gone (`verdicts`).

use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::base::sync::Ordering;
use crate::protocol::{ABOUT_ROADS, Message};
use crate::runtime::Runtime;
use crate::runtime::roads::Outbox;

/// One side of the agreement.
pub(super) struct Detour {
    /// What is to be said first over the next road, until it is.
    resume: Option<Vec<u8>>,
    /// The number of the first message that waits, counted from the first one of the failed road.
    first: u64,
}

impl Detour {
    /// Tries to say how much was handed over here, once.
    pub(super) fn announce(&mut self, send: impl FnOnce(&[u8]) -> bool) {
        if self.resume.as_deref().is_some_and(send) {
            self.resume = None;
        }
    }
}

impl Runtime {
    /// The road at `place` leads to `peer` no more.
    pub(super) fn road_failed(&'static self, place: usize, peer: Rank, reason: &str) {
        let mut outbox = self.roads.peers[peer as usize].outbox.lock();
        if self.roads.to(peer) != Some(place) {
            // A road that is not taken any more, or not yet: what waits for it is told when it is taken.
            return;
        }
        let verdict = if self.take_detour(&mut outbox, peer, reason) {
            // The other side may have been quicker.
            outbox.early.take().map_or(Ok(()), |delivered| self.settle(&mut outbox, peer, delivered))
        } else {
            Err(reason.to_string())
        };
        drop(outbox);
        if let Err(reason) = verdict {
            self.lost_touch(peer, &reason);
        }
    }

    /// Leaves the road that is taken to `peer` for the next one; false where there is none, or the road cannot say what
    /// was handed over.
    fn take_detour(&'static self, outbox: &mut Outbox, peer: Rank, reason: &str) -> bool {
        let state = &self.roads.peers[peer as usize];
        let (way, leg) = (self.roads.way(peer), state.leg.load(Ordering::Relaxed));
        let (Some(failed), Some(next)) = (way.get(leg as usize), way.get(leg as usize + 1)) else { return false };
        let (failed, next) = (&self.roads.all[*failed as usize], *next as usize);
        let Some(salvage) = failed.salvage(peer) else { return false };
        say(Level::Warn, || {
            format!(
                "rank {}: the {} road to rank {peer} on {} failed ({reason}); going on over {}",
                self.rank,
                failed.name(),
                self.host_of(peer),
                self.roads.all[next].name()
            )
        });
        self.roads.waiting.fetch_add(salvage.unconfirmed.len(), Ordering::Relaxed);
        salvage.unconfirmed.into_iter().rev().for_each(|message| outbox.messages.push_front(message));
        state.leg.store(leg + 1, Ordering::Relaxed);
        let resume = Message::Resume { leg: leg + 1, delivered: salvage.delivered }.encode(ABOUT_ROADS.to_vec());
        outbox.detour = Some(Detour { resume: Some(resume), first: salvage.first });
        self.roads.flush_one(outbox, peer, next);
        // Whoever polls sends the rest; there may be nothing else that wakes it.
        self.roads.bell.ring();
        true
    }

    /// `peer` says over the road of `leg` how many messages of this rank it was handed over the one before.
    pub(super) fn on_resume(&'static self, peer: Rank, leg: u8, delivered: u64) {
        let state = &self.roads.peers[peer as usize];
        let mut outbox = state.outbox.lock();
        let here = state.leg.load(Ordering::Relaxed);
        if leg == here.saturating_add(1) {
            // It left a road whose end this side has not been told of yet.
            outbox.early = Some(delivered);
            return;
        }
        let verdict = if leg == here { self.settle(&mut outbox, peer, delivered) } else { Ok(()) };
        drop(outbox);
        match verdict {
            Ok(()) => self.start_pulls(),
            Err(reason) => self.lost_touch(peer, &reason),
        }
    }

    /// Both sides have said what they were handed: what `peer` has is dropped here, the rest is sent.
    fn settle(&self, outbox: &mut Outbox, peer: Rank, delivered: u64) -> Result<(), String> {
        let Some(detour) = outbox.detour.take() else { return Ok(()) };
        let waiting = outbox.messages.len() as u64;
        let known = delivered.checked_sub(detour.first).filter(|known| *known <= waiting);
        let known = known.ok_or_else(|| format!("it says that it was handed {delivered} messages, which cannot be"))?;
        outbox.messages.drain(..known as usize);
        self.roads.waiting.fetch_sub(known as usize, Ordering::Relaxed);
        // What this side has to say goes first, also where the other was quicker.
        if let Some(resume) = detour.resume {
            outbox.messages.push_front(resume);
            self.roads.waiting.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(road) = self.roads.to(peer) {
            self.roads.flush_one(outbox, peer, road);
        }
        Ok(())
    }
}
