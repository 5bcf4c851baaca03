//! Flow control by credits: bounds what one rank has in flight to another, in the unit that the transport chooses
//! (messages, segments or bytes). Pure.
//!
//! ```text
//!   sender                                    receiver
//!   SendCredits::take ------- message ------> OwedCredits::add, once it is delivered
//!   SendCredits::on_returned <--- credits --- OwedCredits::take, on any message that goes back; once as many are due
//!                                             that the sender may wait for them, in a message of their own
//! ```
//!
//! Invariants:
//! - CREDITS-1: what is in flight, owed, or on its way back is at most the window together: a receiver that holds a
//!   window of a peer's messages has space for all that the peer sends.
//! - CREDITS-2: credits are returned once half a window is owed, at the latest, so a sender that needs no more than the
//!   other half is never left waiting.

// Counted messages are those of mpi and verbs.
#![cfg_attr(not(all(feature = "mpi", feature = "verbs")), allow(dead_code))]

use super::framing::{WireField, wire_struct};

/// The sender's state: at most `WINDOW` units are in use.
#[derive(Debug, Default)]
pub struct SendCredits<const WINDOW: u32> {
    in_use: u32,
}

impl<const WINDOW: u32> SendCredits<WINDOW> {
    /// Units that are in flight, or whose credits have not come back yet.
    pub fn in_use(&self) -> u32 {
        self.in_use
    }

    /// True if so many units may be sent.
    pub fn has(&self, units: u32) -> bool {
        units <= WINDOW - self.in_use
    }

    /// Takes the credits of a message; false where there are too few, and then takes none.
    pub fn take(&mut self, units: u32) -> bool {
        let has = self.has(units);
        self.in_use += if has { units } else { 0 };
        has
    }

    /// The receiver returned credits; false if that is more than were taken, as only a broken peer does.
    pub fn on_returned(&mut self, units: u32) -> bool {
        let rest = self.in_use.checked_sub(units);
        self.in_use = rest.unwrap_or(self.in_use);
        rest.is_some()
    }
}

/// The receiver's state: credits are due once `DUE` units are owed.
#[derive(Debug, Default)]
pub struct OwedCredits<const DUE: u32> {
    owed: u32,
}

impl<const DUE: u32> OwedCredits<DUE> {
    /// So many units were delivered; true if credits are due.
    pub fn add(&mut self, units: u32) -> bool {
        self.owed += units;
        self.is_due()
    }

    /// True if the sender may be waiting for credits.
    pub fn is_due(&self) -> bool {
        self.owed >= DUE
    }

    /// The credits that the message being sent returns.
    pub fn take(&mut self) -> u32 {
        std::mem::take(&mut self.owed)
    }
}

/// Bytes of a [`CreditHeader`]; keeps the body aligned to 8.
pub const HEADER_BYTES: usize = 8;

wire_struct! {
    /// The header of a message whose credits are counted in messages or segments.
    ///
    /// ```text
    /// word 0   | kind 16 | credits 16 | length 32 |     low bits first
    /// ```
    pub struct CreditHeader<Kind> [HEADER_BYTES] {
        /// The kind of the message.
        pub kind: Kind,
        /// What the sender delivered of the receiver's messages since it last returned credits.
        pub credits: u16,
        /// Bytes of the body.
        pub length: u32,
    }
}

impl<Kind: WireField> CreditHeader<Kind> {
    /// A peer's message as header and body; `None` if the bytes are none.
    pub fn split(message: &[u8]) -> Option<(CreditHeader<Kind>, &[u8])> {
        let (header, body) = message.split_first_chunk()?;
        let header = CreditHeader::parse(header)?;
        (body.len() == header.length as usize).then_some((header, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_window_reopens_when_credits_return() {
        let (mut here, mut there) = (SendCredits::<64>::default(), OwedCredits::<32>::default());
        let sent = (0..100).filter(|_| here.take(1)).count();
        assert_eq!((sent, here.in_use()), (64, 64));
        let due = (0..sent).filter(|_| there.add(1)).count();
        assert_eq!(due, 33, "from half a window on");
        let back = there.take();
        assert_eq!((back, there.take(), there.is_due()), (64, 0, false), "credits go back once");
        assert!(here.on_returned(back) && here.has(64));
        assert!(!here.on_returned(1), "a credit that was never taken is a broken peer");
    }

    #[test]
    fn refused_take_takes_nothing() {
        let mut credits = SendCredits::<10>::default();
        assert!(credits.take(7) && !credits.take(4) && credits.take(3) && !credits.has(1));
        assert!(!credits.on_returned(11) && credits.in_use() == 10);
    }

    /// However much is delivered before credits return, a message of at most half a window is sent in the end.
    #[test]
    fn sender_of_half_a_window_is_never_stuck() {
        let (mut here, mut there) = (SendCredits::<64>::default(), OwedCredits::<32>::default());
        for round in 0..10_000_u32 {
            let units = 1 + round * 7 % 32;
            if !here.has(units) {
                let back = if there.is_due() { there.take() } else { 0 };
                assert!(here.on_returned(back) && here.has(units), "stuck in round {round}");
            }
            assert!(here.take(units));
            there.add(units);
        }
    }
}
