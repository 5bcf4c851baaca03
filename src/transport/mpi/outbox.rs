//! Outgoing messages: each takes a credit and a page from a pool, which MPI owns until it is sent.

use super::comm::{Comm, MpiFailure};
use super::credits::PeerStates;
use super::header::{MpiHeader, MpiKind};
use super::page::Page;
use super::transfer::{Progress, Transfer, TransferResult, Transfers};
use crate::base::Rank;
use std::sync::Arc;

/// Messages that MPI has not sent yet, to all peers: 16 MiB of pages, allocated at first use.
const PAGES_MAX: usize = 256;

/// The tag of all messages of this transport.
pub const MESSAGE_TAG: i32 = 0;

/// Why a message was not posted.
pub enum PostError {
    /// No credit or no page.
    Full,
    /// MPI returned an error.
    Failed(MpiFailure),
}

/// The sending half; behind one lock, so that all threads send in one order (MPI-TRANSPORT-1).
pub struct MpiOutbox {
    free: Vec<Page>,
    pages: usize,
    sending: Transfers<Page>,
    ended: Vec<(Page, TransferResult)>,
    comm: Arc<Comm>,
}

impl MpiOutbox {
    /// An outbox with nothing in flight.
    pub fn new(comm: Arc<Comm>) -> MpiOutbox {
        MpiOutbox { free: Vec::new(), pages: 0, sending: Transfers::new(), ended: Vec::new(), comm }
    }

    /// Messages that MPI has not sent yet.
    pub fn len(&self) -> usize {
        self.sending.len()
    }

    /// Sends the concatenation of `parts`. A `Credits` message needs no credit: it follows half a window of deliveries.
    pub fn post(&mut self, peers: &PeerStates, peer: Rank, kind: MpiKind, parts: &[&[u8]]) -> Result<(), PostError> {
        let spends = kind != MpiKind::Credits;
        if spends && !peers.has_credit(peer) {
            return Err(PostError::Full);
        }
        let mut page = self.page().ok_or(PostError::Full)?;
        let length = parts.iter().map(|part| part.len()).sum::<usize>() as u32;
        page.fill(peer, MpiHeader { kind, credits: peers.take_owed(peer), length }, parts);
        if spends {
            peers.take_credit(peer);
        }
        match Transfer::send(&self.comm, peer, MESSAGE_TAG, page) {
            Err((failure, page)) => {
                self.free.push(page);
                Err(PostError::Failed(failure))
            }
            // MPI copies a small message at once: most pages are free again here.
            Ok(transfer) => match transfer.test() {
                Progress::Pending(transfer) => {
                    self.sending.push(transfer);
                    Ok(())
                }
                Progress::Done(page, ending) => {
                    self.free.push(page);
                    ending.map(drop).map_err(PostError::Failed)
                }
            },
        }
    }

    /// Takes back the pages that MPI has sent; calls `failed` for those that it could not send.
    pub fn finish(&mut self, mut failed: impl FnMut(Rank, MpiFailure)) {
        self.sending.finish(&mut self.ended);
        for (page, ending) in self.ended.drain(..) {
            if let Err(failure) = ending {
                failed(page.receiver(), failure);
            }
            self.free.push(page);
        }
    }

    fn page(&mut self) -> Option<Page> {
        if let Some(page) = self.free.pop() {
            return Some(page);
        }
        (self.pages < PAGES_MAX).then(|| {
            self.pages += 1;
            Page::new()
        })
    }
}
