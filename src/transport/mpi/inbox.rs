//! Incoming messages: receives from any rank are posted ahead and tested in the order posted (MPI-TRANSPORT-1).

use super::comm::{Comm, MpiFailure};
use super::outbox::MESSAGE_TAG;
use super::page::Page;
use super::transfer::{ANY_SOURCE, Progress, Received, Transfer};
use std::sync::Arc;

/// Receives posted ahead: 1 MiB of pages.
const POSTED_RECEIVES: usize = 16;

/// A slot of the ring.
enum ReceiveSlot {
    Posted(Transfer<Page>),
    /// Holds a delivered message, or none.
    Idle(Page),
    /// Between two states.
    Taken,
}

/// A ring of posted receives; `head` is the one posted longest ago.
pub struct MpiInbox {
    slots: [ReceiveSlot; POSTED_RECEIVES],
    head: usize,
    comm: Arc<Comm>,
}

impl MpiInbox {
    /// Posts every receive.
    pub fn new(comm: Arc<Comm>) -> Result<MpiInbox, MpiFailure> {
        let mut inbox = MpiInbox { slots: std::array::from_fn(|_| ReceiveSlot::Idle(Page::new())), head: 0, comm };
        for _ in 0..POSTED_RECEIVES {
            inbox.repost()?;
        }
        Ok(inbox)
    }

    /// The next message, in the order sent by each peer; the inbox stays at it until `repost`.
    pub fn try_receive(&mut self) -> Result<Option<(Received, &Page)>, MpiFailure> {
        // If the receiver of the last message panicked, it was not reposted.
        while !matches!(self.slots[self.head], ReceiveSlot::Posted(_)) {
            self.repost()?;
        }
        let ReceiveSlot::Posted(transfer) = std::mem::replace(&mut self.slots[self.head], ReceiveSlot::Taken) else {
            return Ok(None);
        };
        let slot = &mut self.slots[self.head];
        match transfer.test() {
            Progress::Pending(transfer) => {
                *slot = ReceiveSlot::Posted(transfer);
                Ok(None)
            }
            Progress::Done(page, ending) => {
                *slot = ReceiveSlot::Idle(page);
                let ReceiveSlot::Idle(page) = slot else { return Ok(None) };
                Ok(Some((ending?, page)))
            }
        }
    }

    /// Posts the head's page again, as the newest receive.
    pub fn repost(&mut self) -> Result<(), MpiFailure> {
        let page = match std::mem::replace(&mut self.slots[self.head], ReceiveSlot::Taken) {
            ReceiveSlot::Posted(transfer) => {
                self.slots[self.head] = ReceiveSlot::Posted(transfer);
                return Ok(());
            }
            ReceiveSlot::Idle(page) => page,
            ReceiveSlot::Taken => Page::new(),
        };
        let transfer = Transfer::receive(&self.comm, ANY_SOURCE, MESSAGE_TAG, page).map_err(|(failure, _)| failure)?;
        self.slots[self.head] = ReceiveSlot::Posted(transfer);
        self.head = (self.head + 1) % POSTED_RECEIVES;
        Ok(())
    }
}
