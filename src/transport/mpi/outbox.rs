//! Outgoing messages: each takes a credit and a page from a pool, which MPI owns until it is sent.

use super::batch::SHARED_BYTES_MAX;
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
    /// Batches that still grow; they were not handed to MPI yet. One a peer at most.
    growing: Vec<Page>,
    peers: Arc<MpiPeers>,
    comm: Arc<Comm>,
}

impl MpiOutbox {
    /// An outbox with nothing in flight.
    pub fn new(comm: Arc<Comm>, peers: Arc<MpiPeers>) -> MpiOutbox {
        MpiOutbox { free: Vec::new(), pages: 0, sending: Transfers::new(comm.mpi()), growing: Vec::new(), peers, comm }
    }

    /// Messages that MPI has not sent yet.
    pub fn len(&self) -> usize {
        self.sending.len()
    }

    /// Batches that were not handed to MPI yet.
    pub fn growing(&self) -> usize {
        self.growing.len()
    }

    /// Adds a message to its peer's batch, which `send_batches` sends. A long message is sent at once. `Full` as for
    /// `post`.
    pub fn share(&mut self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        if parts.iter().map(|part| part.len()).sum::<usize>() > SHARED_BYTES_MAX {
            return self.post(peer, MpiKind::Message, parts);
        }
        if self.peers.has_failed(peer) {
            return Err(Refusal::Lost);
        }
        if let Some(page) = self.growing.iter_mut().find(|page| page.receiver() == peer)
            && page.append(parts)
        {
            return Ok(());
        }
        self.send_batch_to(peer)?;
        let mut page = self.take_page()?;
        // The batch has its credit from the beginning: what grows never waits for one, and its page comes back.
        if !self.peers.credits(peer).sent.take(1) {
            self.free.push(page);
            return Err(Refusal::Full);
        }
        page.begin_batch(peer);
        page.append(parts);
        self.growing.push(page);
        Ok(())
    }

    /// Sends the batches that still grow.
    pub fn send_batches(&mut self) {
        for at in (0..self.growing.len()).rev() {
            // The failure of a peer was reported.
            let _ = self.send_batch_at(at);
        }
    }

    /// Sends what `peer` is sent next after the messages that share a page.
    fn send_batch_to(&mut self, peer: Rank) -> Result<(), Refusal> {
        let at = self.growing.iter().position(|page| page.receiver() == peer);
        at.map_or(Ok(()), |at| self.send_batch_at(at))
    }

    fn send_batch_at(&mut self, at: usize) -> Result<(), Refusal> {
        let peer = self.growing[at].receiver();
        if self.peers.has_failed(peer) {
            let page = self.growing.swap_remove(at);
            self.free.push(page);
            return Err(Refusal::Lost);
        }
        let returned = self.peers.credits(peer).owed.take() as u16;
        let mut page = self.growing.swap_remove(at);
        page.end_batch(returned);
        self.start(page)
    }

    fn take_page(&mut self) -> Result<Page, Refusal> {
        if self.free.is_empty() && self.pages < PAGES_MAX {
            self.free.push(Page::new());
            self.pages += 1;
        }
        self.free.pop().ok_or(Refusal::Full)
    }

    /// Sends the concatenation of `parts`, after what shares a page for the same peer. A `Credits` message needs no
    /// credit, since it follows half a window of deliveries, and no such order. `Full` where there is no credit or no
    /// page.
    pub fn post(&mut self, peer: Rank, kind: MpiKind, parts: &[&[u8]]) -> Result<(), Refusal> {
        if self.peers.has_failed(peer) {
            return Err(Refusal::Lost);
        }
        if kind != MpiKind::Credits {
            self.send_batch_to(peer)?;
        }
        let mut page = self.take_page()?;
        let mut credits = self.peers.credits(peer);
        if kind != MpiKind::Credits && !credits.sent.take(1) {
            self.free.push(page);
            return Err(Refusal::Full);
        }
        let returned = credits.owed.take() as u16;
        drop(credits);
        let length = parts.iter().map(|part| part.len()).sum::<usize>() as u32;
        page.fill(peer, MpiHeader { kind, credits: returned, length }, parts);
        self.start(page)
    }

    /// Hands a whole page to MPI.
    fn start(&mut self, page: Page) -> Result<(), Refusal> {
        let peer = page.receiver();
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
