//! Outgoing messages: each takes a credit and a page from a pool, which MPI owns until it is sent.

use super::comm::Comm;
use super::header::{MpiHeader, MpiKind};
use super::page::Page;
use super::peers::MpiPeers;
use super::transfer::{Progress, Transfer, Transfers};
use crate::base::Rank;
use crate::transport::Refusal;
use std::sync::Arc;

/// Messages that MPI has not sent yet, to all peers: 16 MiB of pages, allocated at first use.
const PAGES_MAX: usize = 256;

/// The tag of all messages of this transport.
pub const MESSAGE_TAG: i32 = 0;

/// The sending half; behind one lock, so that all threads send in one order (MPI-TRANSPORT-1).
pub struct MpiOutbox {
    free: Vec<Page>,
    pages: usize,
    sending: Transfers<Page>,
    peers: Arc<MpiPeers>,
    comm: Arc<Comm>,
}

impl MpiOutbox {
    /// An outbox with nothing in flight.
    pub fn new(comm: Arc<Comm>, peers: Arc<MpiPeers>) -> MpiOutbox {
        MpiOutbox { free: Vec::new(), pages: 0, sending: Transfers::new(comm.mpi()), peers, comm }
    }

    /// Messages that MPI has not sent yet.
    pub fn len(&self) -> usize {
        self.sending.len()
    }

    /// Sends the concatenation of `parts`. A `Credits` message needs no credit: it follows half a window of deliveries.
    /// `Full` where there is no credit or no page.
    pub fn post(&mut self, peer: Rank, kind: MpiKind, parts: &[&[u8]]) -> Result<(), Refusal> {
        if self.peers.has_failed(peer) {
            return Err(Refusal::Lost);
        }
        if self.free.is_empty() && self.pages < PAGES_MAX {
            self.free.push(Page::new());
            self.pages += 1;
        }
        let mut page = self.free.pop().ok_or(Refusal::Full)?;
        let mut credits = self.peers.credits(peer);
        if kind != MpiKind::Credits && !credits.sent.take(1) {
            self.free.push(page);
            return Err(Refusal::Full);
        }
        let returned = credits.owed.take() as u16;
        drop(credits);
        let length = parts.iter().map(|part| part.len()).sum::<usize>() as u32;
        page.fill(peer, MpiHeader { kind, credits: returned, length }, parts);
        let (page, ending) = match Transfer::send(&self.comm, peer, MESSAGE_TAG, page).map(Transfer::test) {
            Ok(Progress::Pending(transfer)) => {
                self.sending.push(transfer);
                return Ok(());
            }
            // MPI copies a small message at once: most pages are free again here.
            Ok(Progress::Done(page, ending)) => (page, ending.map(drop)),
            Err((failure, page)) => (page, Err(failure)),
        };
        self.free.push(page);
        ending.map_err(|failure| {
            self.peers.fail(peer, failure);
            Refusal::Lost
        })
    }

    /// Takes back the pages that MPI has sent.
    pub fn finish(&mut self) {
        self.sending.test();
        while let Some((page, ending)) = self.sending.pop_ended() {
            if let Err(failure) = ending {
                self.peers.fail(page.receiver(), failure);
            }
            self.free.push(page);
        }
    }
}
