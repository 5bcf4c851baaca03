//! Messages that leave: pages from a pool, each a credit, each owned by MPI until it is sent.

use super::comm::{Comm, Failure};
use super::credits::Peers;
use super::header::{Header, Kind};
use super::page::Page;
use super::transfer::{Ending, Progress, Transfer, Transfers};
use crate::base::Rank;
use std::sync::Arc;

/// Messages that MPI has not yet taken, towards all peers: 16 MiB of pages, made when first needed.
const PAGES_MAX: usize = 256;

/// The tag of all messages of this road.
pub const MESSAGE_TAG: i32 = 0;

/// Why a message was not posted.
pub enum Unposted {
    /// No credit or no page.
    Full,
    /// MPI refused.
    Failed(Failure),
}

/// The sending half; behind one lock, so that messages leave in one order (M1).
pub struct Outbox {
    free: Vec<Page>,
    pages: usize,
    sending: Transfers<Page>,
    ended: Vec<(Page, Ending)>,
    comm: Arc<Comm>,
}

impl Outbox {
    /// Nothing under way.
    pub fn new(comm: Arc<Comm>) -> Outbox {
        Outbox { free: Vec::new(), pages: 0, sending: Transfers::new(), ended: Vec::new(), comm }
    }

    /// Messages that MPI has not yet taken.
    pub fn len(&self) -> usize {
        self.sending.len()
    }

    /// Sends the concatenation of `parts`. A `Credits` message needs no credit: it follows half a window of deliveries.
    pub fn post(&mut self, peers: &Peers, peer: Rank, kind: Kind, parts: &[&[u8]]) -> Result<(), Unposted> {
        let spends = kind != Kind::Credits;
        if spends && !peers.has_credit(peer) {
            return Err(Unposted::Full);
        }
        let mut page = self.page().ok_or(Unposted::Full)?;
        let length = parts.iter().map(|part| part.len()).sum::<usize>() as u32;
        page.fill(peer, Header { kind, credits: peers.settle(peer), length }, parts);
        if spends {
            peers.spend(peer);
        }
        match Transfer::send(&self.comm, peer, MESSAGE_TAG, page) {
            Err((failure, page)) => {
                self.free.push(page);
                Err(Unposted::Failed(failure))
            }
            // MPI copies a small message at once: most pages come back here.
            Ok(transfer) => match transfer.test() {
                Progress::Pending(transfer) => {
                    self.sending.push(transfer);
                    Ok(())
                }
                Progress::Done(page, ending) => {
                    self.free.push(page);
                    ending.map(drop).map_err(Unposted::Failed)
                }
            },
        }
    }

    /// Takes back pages that MPI is done with; `failed` hears of those that it could not send.
    pub fn finish(&mut self, mut failed: impl FnMut(Rank, Failure)) {
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
