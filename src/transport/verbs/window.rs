//! What one rank keeps of the segments between it and one peer: pure bookkeeping, by position.
//!
//! Positions count segments in the order sent, for ever; slot = position modulo [`RING_SLOTS`]. A slot is free again
//! when the peer said that it delivered the segment *and* the device is done with it:
//!
//! ```text
//!      credited                      head
//!   ------|------------|-------------|        sent, not yet credited: kept, because another road may need them
//!                  completed                  the device has been heard of up to here
//! ```
//!
//! The device says so only where it was asked to (selective signalling): at the end of a message, every
//! [`SIGNAL_SEGMENTS`] or so. What it says of one segment holds for all before it.

use super::header::Kind;

/// Segments that one rank may have under way to another.
pub const WINDOW_SEGMENTS: u32 = 64;

/// Segments after which credits go back in one of their own.
const RETURN_SEGMENTS: u32 = WINDOW_SEGMENTS / 2;

/// Segments that give credits back, under way beside the window: each answers half a window.
const CREDITS_UNDER_WAY: u32 = 4;

/// Slots that this rank fills for a peer: what can be under way to it.
pub const RING_SLOTS: usize = (WINDOW_SEGMENTS + CREDITS_UNDER_WAY) as usize;

/// Segments between two of which the device tells.
const SIGNAL_SEGMENTS: u32 = 16;

/// A segment that was given a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub position: u64,
    /// Whether the device is to tell when it is done with it.
    pub signalled: bool,
}

/// Segments to one peer.
#[derive(Debug)]
pub struct SendWindow {
    kinds: [Kind; RING_SLOTS],
    head: u64,
    credited: u64,
    completed: u64,
    credits: u32,
    since_signal: u32,
    /// Signalled and not yet heard of.
    awaited: u32,
    /// Messages whose every segment is credited.
    confirmed_messages: u64,
}

impl SendWindow {
    /// Nothing sent.
    pub fn new() -> SendWindow {
        SendWindow {
            kinds: [Kind::Credits; RING_SLOTS],
            head: 0,
            credited: 0,
            completed: 0,
            credits: WINDOW_SEGMENTS,
            since_signal: 0,
            awaited: 0,
            confirmed_messages: 0,
        }
    }

    /// The slot of a position.
    pub fn slot(position: u64) -> usize {
        (position % RING_SLOTS as u64) as usize
    }

    /// Whether `segments` that spend credits may go now.
    pub fn fits(&self, segments: usize) -> bool {
        self.credits as usize >= segments && self.free() >= segments
    }

    /// Slots that nobody needs any more.
    pub fn free(&self) -> usize {
        RING_SLOTS - (self.head - self.credited.min(self.completed)) as usize
    }

    /// A segment of `kind` goes into the next slot. After `fits` or, for credits, `free`.
    pub fn push(&mut self, kind: Kind) -> Posted {
        assert!(self.free() > 0, "V3: a segment without a slot");
        if kind.spends() {
            self.credits = self.credits.checked_sub(1).expect("V3: a segment without a credit");
        }
        let position = self.head;
        self.kinds[SendWindow::slot(position)] = kind;
        self.head += 1;
        self.since_signal += 1;
        let signalled = self.since_signal >= SIGNAL_SEGMENTS && kind != Kind::Piece;
        if signalled {
            self.signalled();
        }
        self.pass_over_credits();
        Posted { position, signalled }
    }

    /// The last pushed segment is to be told of after all: nothing may be under way unheard of when the road closes.
    pub fn signalled(&mut self) {
        self.since_signal = 0;
        self.awaited += 1;
    }

    /// The device is done with `position`, which was signalled, and with all before it; false where it never was under way.
    pub fn completed(&mut self, position: u64) -> bool {
        if position < self.completed || position >= self.head {
            return false;
        }
        self.completed = position + 1;
        self.awaited = self.awaited.saturating_sub(1);
        true
    }

    /// The peer delivered `count` segments more; false where that is more than were under way.
    pub fn credited(&mut self, count: u16) -> bool {
        for _ in 0..count {
            if self.credited == self.head {
                return false;
            }
            if self.kinds[SendWindow::slot(self.credited)] == Kind::Message {
                self.confirmed_messages += 1;
            }
            self.credited += 1;
            self.credits += 1;
            self.pass_over_credits();
        }
        true
    }

    /// Segments of the kind `Credits` are never answered.
    fn pass_over_credits(&mut self) {
        while self.credited < self.head && !self.kinds[SendWindow::slot(self.credited)].spends() {
            self.credited += 1;
        }
    }

    /// Signalled segments that the device has not told of.
    pub fn awaited(&self) -> u32 {
        self.awaited
    }

    /// Whether the device has told of every segment.
    pub fn all_completed(&self) -> bool {
        self.completed == self.head
    }

    /// How many messages the peer is known to have.
    pub fn confirmed_messages(&self) -> u64 {
        self.confirmed_messages
    }

    /// The segments that the peer may not have, oldest first, with their slots; credits aside.
    pub fn unconfirmed(&self) -> impl Iterator<Item = (Kind, usize)> + '_ {
        (self.credited..self.head)
            .map(SendWindow::slot)
            .map(|slot| (self.kinds[slot], slot))
            .filter(|(kind, _)| kind.spends())
    }
}

/// What came from one peer.
#[derive(Debug, Default)]
pub struct ReceiveCount {
    /// Messages delivered.
    pub messages: u64,
    /// Segments of a message that has not ended; not owed before it is delivered, because the sender keeps it till then.
    open: u32,
    /// Segments delivered that the peer does not know of.
    owed: u32,
}

impl ReceiveCount {
    /// A segment of `kind` came; true where it is time to tell the peer.
    pub fn received(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Credits => return false,
            Kind::Piece => {
                self.open += 1;
                return false;
            }
            Kind::Message => self.messages += 1,
            Kind::Offer => {}
        }
        self.owed += 1 + std::mem::take(&mut self.open);
        self.owes_many()
    }

    /// Whether the peer waits to be told of its deliveries.
    pub fn owes_many(&self) -> bool {
        self.owed >= RETURN_SEGMENTS
    }

    /// What the segment that now goes to the peer gives back.
    pub fn settle(&mut self) -> u16 {
        std::mem::take(&mut self.owed) as u16
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
                let kind = if left == 0 { Kind::Message } else { Kind::Piece };
                let posted = self.here.push(kind);
                self.signalled.extend(posted.signalled.then_some(posted.position));
            }
        }
    }

    #[test]
    fn a_full_window_opens_again_by_what_was_delivered() {
        let mut pair = Pair::new();
        while pair.here.fits(1) {
            pair.send(1);
        }
        assert_eq!(pair.here.unconfirmed().count(), WINDOW_SEGMENTS as usize);
        let told = (0..WINDOW_SEGMENTS).filter(|_| pair.there.received(Kind::Message)).count();
        assert!(told > 0 && pair.there.owes_many());
        let back = pair.there.settle();
        assert_eq!((u32::from(back), pair.there.settle()), (WINDOW_SEGMENTS, 0), "credits go back once");
        assert!(pair.here.credited(back));
        assert!(!pair.here.fits(RING_SLOTS), "the device still has the slots");
        let last = *pair.signalled.last().expect("some were signalled");
        assert!(pair.here.completed(last) && pair.here.fits(32));
        assert!(!pair.here.credited(1), "a credit that was never spent is a broken peer");
        assert!(!pair.here.completed(last), "a completion that was heard of already");
    }

    #[test]
    fn whatever_is_sent_the_device_tells_often_enough_to_go_on() {
        let mut pair = Pair::new();
        for round in 0..10_000_usize {
            let segments = 1 + round * 7 % 17;
            if !pair.here.fits(segments) {
                // Everything arrived; the peer gives back what it owes, and the device tells what it was asked to.
                let back = if pair.there.owes_many() { pair.there.settle() } else { 0 };
                assert!(pair.here.credited(back));
                pair.signalled.drain(..).for_each(|position| assert!(pair.here.completed(position)));
                assert!(pair.here.fits(segments), "stuck in round {round}");
                assert_eq!(pair.here.awaited(), 0);
            }
            pair.send(segments);
            (1..segments).for_each(|_| assert!(!pair.there.received(Kind::Piece)));
            pair.there.received(Kind::Message);
        }
        assert_eq!(pair.there.messages, 10_000);
    }

    #[test]
    fn what_the_peer_may_not_have_is_whole_messages_in_order() {
        let mut pair = Pair::new();
        pair.send(1);
        pair.send(3);
        pair.here.push(Kind::Credits);
        pair.send(2);
        pair.there.received(Kind::Message);
        assert!(pair.here.credited(pair.there.settle()));
        (0..2).for_each(|_| assert!(!pair.there.received(Kind::Piece)));
        assert_eq!(pair.there.settle(), 0, "half a message is not delivered");
        let kinds = |window: &SendWindow| window.unconfirmed().map(|(kind, _)| kind).collect::<Vec<_>>();
        let (piece, message) = (Kind::Piece, Kind::Message);
        assert_eq!(kinds(&pair.here), [piece, piece, message, piece, message]);
        pair.there.received(Kind::Message);
        assert!(pair.here.credited(pair.there.settle()));
        assert_eq!((pair.here.confirmed_messages(), pair.there.messages), (2, 2));
        assert_eq!(kinds(&pair.here), [piece, message], "the credits between them are not a message");
    }

    #[test]
    fn credits_go_also_without_credit() {
        let mut pair = Pair::new();
        while pair.here.fits(1) {
            pair.send(1);
        }
        assert!(pair.here.free() > 0);
        pair.here.push(Kind::Credits);
        assert_eq!(pair.here.unconfirmed().count(), WINDOW_SEGMENTS as usize);
    }
}
