//! Incoming messages: receives from any rank are posted ahead and tested in the order posted (MPI-TRANSPORT-1).

use super::comm::{Comm, MpiFailure};
use super::outbox::MESSAGE_TAG;
use super::page::Page;
use super::transfer::{ANY_SOURCE, Progress, Received, Transfer};
use std::collections::VecDeque;
use std::sync::Arc;

/// Receives posted ahead: 4 MiB of pages, of which those that no long message reached cost nothing.
const POSTED_RECEIVES: usize = 64;

/// The posted receives.
pub struct MpiInbox {
    /// The one posted longest ago first.
    posted: VecDeque<Transfer<Page>>,
    comm: Arc<Comm>,
}

impl MpiInbox {
    /// Posts every receive.
    pub fn new(comm: Arc<Comm>) -> Result<MpiInbox, MpiFailure> {
        let mut inbox = MpiInbox { posted: VecDeque::new(), comm };
        inbox.replace_missing()?;
        Ok(inbox)
    }

    /// A page is missing where the receiver of its message panicked, or its receive failed.
    fn replace_missing(&mut self) -> Result<(), MpiFailure> {
        while self.posted.len() < POSTED_RECEIVES {
            self.post(Page::new())?;
        }
        Ok(())
    }

    /// The next message, in the order sent by each peer; its page is posted again after it was handled.
    pub fn try_receive(&mut self) -> Result<Option<(Received, Page)>, MpiFailure> {
        self.replace_missing()?;
        let Some(transfer) = self.posted.pop_front() else { return Ok(None) };
        match transfer.test() {
            Progress::Pending(transfer) => {
                self.posted.push_front(transfer);
                Ok(None)
            }
            Progress::Done(page, ending) => Ok(Some((ending?, page))),
        }
    }

    /// Posts a page as the newest receive.
    pub fn post(&mut self, page: Page) -> Result<(), MpiFailure> {
        let transfer = Transfer::receive(&self.comm, ANY_SOURCE, MESSAGE_TAG, page).map_err(|(failure, _)| failure)?;
        self.posted.push_back(transfer);
        Ok(())
    }
}
