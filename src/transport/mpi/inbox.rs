//! Messages that come: receives posted ahead, from anybody, looked at in the order posted (M1).

use super::comm::{Comm, Failure};
use super::outbox::MESSAGE_TAG;
use super::page::Page;
use super::transfer::{ANYONE, Arrived, Progress, Transfer};
use std::sync::Arc;

/// Receives posted ahead: 1 MiB of pages.
const RECEIVES: usize = 16;

/// A place of the ring.
enum Place {
    Posted(Transfer<Page>),
    /// Holds a message, or nothing any more.
    Idle(Page),
    /// Between two states.
    Taken,
}

/// A ring of posted receives; `head` is the one posted longest ago.
pub struct Inbox {
    places: [Place; RECEIVES],
    head: usize,
    comm: Arc<Comm>,
}

impl Inbox {
    /// Posts every receive.
    pub fn new(comm: Arc<Comm>) -> Result<Inbox, Failure> {
        let mut inbox = Inbox { places: std::array::from_fn(|_| Place::Idle(Page::new())), head: 0, comm };
        for _ in 0..RECEIVES {
            inbox.release()?;
        }
        Ok(inbox)
    }

    /// The next message, in the order of the sends of each pair; the inbox stays at it until `release`.
    pub fn arrived(&mut self) -> Result<Option<(Arrived, &Page)>, Failure> {
        // A panic in the hands of the last message's receiver may have left it unreleased.
        while !matches!(self.places[self.head], Place::Posted(_)) {
            self.release()?;
        }
        let Place::Posted(transfer) = std::mem::replace(&mut self.places[self.head], Place::Taken) else {
            return Ok(None);
        };
        let place = &mut self.places[self.head];
        match transfer.test() {
            Progress::Pending(transfer) => {
                *place = Place::Posted(transfer);
                Ok(None)
            }
            Progress::Done(page, ending) => {
                *place = Place::Idle(page);
                let Place::Idle(page) = place else { return Ok(None) };
                Ok(Some((ending?, page)))
            }
        }
    }

    /// Posts the head's page again, as the newest receive.
    pub fn release(&mut self) -> Result<(), Failure> {
        let page = match std::mem::replace(&mut self.places[self.head], Place::Taken) {
            Place::Posted(transfer) => {
                self.places[self.head] = Place::Posted(transfer);
                return Ok(());
            }
            Place::Idle(page) => page,
            Place::Taken => Page::new(),
        };
        let transfer = Transfer::receive(&self.comm, ANYONE, MESSAGE_TAG, page).map_err(|(failure, _)| failure)?;
        self.places[self.head] = Place::Posted(transfer);
        self.head = (self.head + 1) % RECEIVES;
        Ok(())
    }
}
