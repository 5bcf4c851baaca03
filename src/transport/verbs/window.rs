//! The segments in flight between a rank and one peer. Pure bookkeeping, by position.
//!
//! Positions count segments in the order sent, without end; slot = position modulo [`RING_SLOTS`]. A slot is free again
//! when the peer has credited the segment *and* the device has completed it:
//!
//! ```text
//!      credited                      head
//!   ------|------------|-------------|        sent, not yet credited: kept, because another transport may need them
//!                  completed                  the device has completed all up to here
//! ```
//!
//! The device reports a completion only for signalled segments (selective signalling): at the end of a message, about
//! every [`SIGNAL_SEGMENTS`]. A completion covers all segments before it.

use super::header::SegmentKind;
use crate::transport::credits::{OwedCredits, SendCredits};

/// Segments that one rank may have in flight to another.
pub const WINDOW_SEGMENTS: u32 = 64;

/// Segments that return credits and are in flight besides the window: each follows half a window of deliveries.
const CREDITS_UNDER_WAY: u32 = 4;

/// Slots that this rank uses for a peer: the most that can be in flight to it.
pub const RING_SLOTS: usize = (WINDOW_SEGMENTS + CREDITS_UNDER_WAY) as usize;

/// Segments between two signalled ones.
const SIGNAL_SEGMENTS: u32 = 16;

/// A segment that was assigned a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedSegment {
    /// The position of the segment.
    pub position: u64,
    /// True if the device reports its completion.
    pub signalled: bool,
}

/// Segments to one peer.
#[derive(Debug)]
pub struct SendWindow {
    kinds: [SegmentKind; RING_SLOTS],
    head: u64,
    credited: u64,
    completed: u64,
    credits: SendCredits<WINDOW_SEGMENTS>,
    since_signal: u32,
    /// Signalled segments whose completion is still to come.
    awaited_signals: u32,
    /// Messages of which every segment is credited.
    acked_messages: u64,
}

impl SendWindow {
    /// Nothing sent.
    pub fn new() -> SendWindow {
        SendWindow {
            kinds: [SegmentKind::Credits; RING_SLOTS],
            head: 0,
            credited: 0,
            completed: 0,
            credits: SendCredits::default(),
            since_signal: 0,
            awaited_signals: 0,
            acked_messages: 0,
        }
    }

    /// The slot of a position.
    pub fn slot(position: u64) -> usize {
        (position % RING_SLOTS as u64) as usize
    }

    /// True if `segments` that take credits may be sent now.
    pub fn fits(&self, segments: usize) -> bool {
        self.credits.has(segments as u32) && self.free() >= segments
    }

    /// The number of free slots.
    pub fn free(&self) -> usize {
        RING_SLOTS - (self.head - self.credited.min(self.completed)) as usize
    }

    /// Assigns the next slot to a segment of `kind`. Call it after `fits` or, for credits, `free`. The segment is
    /// signalled if it is its turn, or else if `signalled`: when the transport closes, every segment must have its
    /// completion reported.
    pub fn push(&mut self, kind: SegmentKind, signalled: bool) -> PostedSegment {
        assert!(self.free() > 0, "VERBS-3: a segment without a slot");
        if kind.spends() {
            assert!(self.credits.take(1), "VERBS-3: a segment without a credit");
        }
        let position = self.head;
        self.kinds[SendWindow::slot(position)] = kind;
        self.head += 1;
        self.since_signal += 1;
        let signalled = signalled || self.since_signal >= SIGNAL_SEGMENTS && kind != SegmentKind::Piece;
        if signalled {
            self.since_signal = 0;
            self.awaited_signals += 1;
        }
        self.pass_over_credits();
        PostedSegment { position, signalled }
    }

    /// The device completed `position`, which was signalled, and all before it; false if it was not in flight.
    pub fn on_completed(&mut self, position: u64) -> bool {
        if position < self.completed || position >= self.head {
            return false;
        }
        self.completed = position + 1;
        self.awaited_signals = self.awaited_signals.saturating_sub(1);
        true
    }

    /// The peer delivered `count` more segments; false if fewer were in flight.
    pub fn on_credits(&mut self, count: u16) -> bool {
        if !self.credits.on_returned(count.into()) {
            return false;
        }
        for _ in 0..count {
            if self.kinds[SendWindow::slot(self.credited)] == SegmentKind::Message {
                self.acked_messages += 1;
            }
            self.credited += 1;
            self.pass_over_credits();
        }
        true
    }

    /// Segments of the kind `Credits` are never credited.
    fn pass_over_credits(&mut self) {
        while self.credited < self.head && !self.kinds[SendWindow::slot(self.credited)].spends() {
            self.credited += 1;
        }
    }

    /// Signalled segments that the device has not completed.
    pub fn awaited_signals(&self) -> u32 {
        self.awaited_signals
    }

    /// True if the device has completed every segment.
    pub fn all_completed(&self) -> bool {
        self.completed == self.head
    }

    /// The number of messages that the peer is known to have.
    pub fn acked_messages(&self) -> u64 {
        self.acked_messages
    }

    /// The segments that the peer may not have, oldest first, with their slots; without those that only return credits.
    pub fn unacked(&self) -> impl Iterator<Item = (SegmentKind, usize)> + '_ {
        (self.credited..self.head)
            .map(SendWindow::slot)
            .map(|slot| (self.kinds[slot], slot))
            .filter(|(kind, _)| kind.spends())
    }
}

/// Counts the segments received from one peer.
#[derive(Debug, Default)]
pub struct ReceiveCount {
    /// Messages delivered.
    pub messages: u64,
    /// Segments of an unfinished message. They are not owed before it is delivered, because the sender keeps them until
    /// then.
    partial: u32,
    /// Segments delivered whose credits were not yet returned.
    pub owed: OwedCredits<{ WINDOW_SEGMENTS / 2 }>,
}

impl ReceiveCount {
    /// A segment of `kind` came; true if credits are due to be returned.
    pub fn on_segment(&mut self, kind: SegmentKind) -> bool {
        match kind {
            SegmentKind::Credits => return false,
            SegmentKind::Piece => {
                self.partial += 1;
                return false;
            }
            SegmentKind::Message => self.messages += 1,
            SegmentKind::Offer => {}
        }
        self.owed.add(1 + std::mem::take(&mut self.partial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ends of a pair: `here` sends, `there` receives.
    struct Pair {
        here: SendWindow,
        there: ReceiveCount,
        signalled: Vec<u64>,
    }

    impl Pair {
        fn new() -> Pair {
            Pair { here: SendWindow::new(), there: ReceiveCount::default(), signalled: Vec::new() }
        }

        fn send(&mut self, segments: usize) {
            for left in (0..segments).rev() {
                let kind = if left == 0 { SegmentKind::Message } else { SegmentKind::Piece };
                let posted = self.here.push(kind, false);
                self.signalled.extend(posted.signalled.then_some(posted.position));
            }
        }
    }

    #[test]
    fn full_window_reopens_when_credits_return() {
        let mut pair = Pair::new();
        while pair.here.fits(1) {
            pair.send(1);
        }
        assert_eq!(pair.here.unacked().count(), WINDOW_SEGMENTS as usize);
        let due = (0..WINDOW_SEGMENTS).filter(|_| pair.there.on_segment(SegmentKind::Message)).count();
        assert!(due > 0 && pair.there.owed.is_due());
        let back = pair.there.owed.take() as u16;
        assert_eq!((u32::from(back), pair.there.owed.take() as u16), (WINDOW_SEGMENTS, 0), "credits go back once");
        assert!(pair.here.on_credits(back));
        assert!(!pair.here.fits(RING_SLOTS), "the device has not completed the slots");
        let last = *pair.signalled.last().expect("some were signalled");
        assert!(pair.here.on_completed(last) && pair.here.fits(32));
        assert!(!pair.here.on_credits(1), "a credit that was never taken is a broken peer");
        assert!(!pair.here.on_completed(last), "a completion that came before");
    }

    #[test]
    fn signalled_completions_always_free_enough_slots() {
        let mut pair = Pair::new();
        for round in 0..10_000_usize {
            let segments = 1 + round * 7 % 17;
            if !pair.here.fits(segments) {
                // Everything arrived; the peer returns its credits, and the device completes the signalled segments.
                let back = if pair.there.owed.is_due() { pair.there.owed.take() as u16 } else { 0 };
                assert!(pair.here.on_credits(back));
                pair.signalled.drain(..).for_each(|position| assert!(pair.here.on_completed(position)));
                assert!(pair.here.fits(segments), "stuck in round {round}");
                assert_eq!(pair.here.awaited_signals(), 0);
            }
            pair.send(segments);
            (1..segments).for_each(|_| assert!(!pair.there.on_segment(SegmentKind::Piece)));
            pair.there.on_segment(SegmentKind::Message);
        }
        assert_eq!(pair.there.messages, 10_000);
    }

    #[test]
    fn unacked_returns_whole_messages_in_order() {
        let mut pair = Pair::new();
        pair.send(1);
        pair.send(3);
        pair.here.push(SegmentKind::Credits, false);
        pair.send(2);
        pair.there.on_segment(SegmentKind::Message);
        assert!(pair.here.on_credits(pair.there.owed.take() as u16));
        (0..2).for_each(|_| assert!(!pair.there.on_segment(SegmentKind::Piece)));
        assert_eq!(pair.there.owed.take() as u16, 0, "half a message is not delivered");
        let kinds = |window: &SendWindow| window.unacked().map(|(kind, _)| kind).collect::<Vec<_>>();
        let (piece, message) = (SegmentKind::Piece, SegmentKind::Message);
        assert_eq!(kinds(&pair.here), [piece, piece, message, piece, message]);
        pair.there.on_segment(SegmentKind::Message);
        assert!(pair.here.on_credits(pair.there.owed.take() as u16));
        assert_eq!((pair.here.acked_messages(), pair.there.messages), (2, 2));
        assert_eq!(kinds(&pair.here), [piece, message], "the credits between them are not a message");
    }

    #[test]
    fn credits_can_be_sent_without_credit() {
        let mut pair = Pair::new();
        while pair.here.fits(1) {
            pair.send(1);
        }
        assert!(pair.here.free() > 0);
        pair.here.push(SegmentKind::Credits, false);
        assert_eq!(pair.here.unacked().count(), WINDOW_SEGMENTS as usize);
    }
}
