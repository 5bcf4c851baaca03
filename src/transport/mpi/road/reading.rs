//! Bulk reads through the road: started, asked for by message where no get serves, and handed over when they end.

use super::{MpiFabric, Poller};
use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::base::sync::{Ordering, lock};
use crate::memory::{Block, STORE};
use crate::transport::mpi::comm::Failure;
use crate::transport::mpi::header::Kind;
use crate::transport::mpi::reads::{Begun, Heeds, Landing, Reads};
use crate::transport::{Event, Place, Refusal};

impl MpiFabric {
    /// As [`crate::transport::Fabric::read`] says.
    pub(super) fn start_read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut reads = lock(&self.reads);
        let Some(reads) = reads.as_mut().filter(|_| !self.peers.is_lost(peer)) else {
            return Err((Refusal::Lost, into));
        };
        if from.region != STORE {
            reads.refuse(into, token, format!("the road over MPI reaches no region {} of rank {peer}", from.region));
        } else {
            match reads.begin(peer, from.offset, into, token, &mut &*self) {
                Ok(Begun::Yes) => {}
                Ok(Begun::Asks(landing)) => {
                    if let Err((refusal, landing)) = self.ask(reads, landing) {
                        return Err((refusal, reads.put_back(landing)));
                    }
                }
                Err(block) => return Err((Refusal::Full, block)),
            }
        }
        self.read_count.store(reads.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Goes on with the reads, and delivers up to `room` of those that are over.
    pub(super) fn finish_reads(&self, poller: &mut Poller, room: usize, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        if self.read_count.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        if let Some(reads) = lock(&self.reads).as_mut() {
            reads.advance(&mut &*self);
            self.ask_again(reads);
            poller.reads_over.extend(reads.take_over(room));
            self.read_count.store(reads.len(), Ordering::Relaxed);
        }
        let count = poller.reads_over.len();
        for (token, block) in poller.reads_over.drain(..) {
            deliver(Event::ReadDone { token, block });
        }
        count
    }

    /// Asks a peer for the rest of a read; hands the read back where it cannot be asked.
    fn ask(&self, reads: &mut Reads, landing: Landing) -> Result<(), (Refusal, Landing)> {
        let request = landing.request().encode();
        match self.post(landing.peer(), Kind::Read, &[bytemuck::cast_slice(&request)]) {
            Ok(()) => reads.expect(landing, &mut &*self),
            Err(refusal) => return Err((refusal, landing)),
        }
        Ok(())
    }

    /// Asks for reads whose gets failed.
    fn ask_again(&self, reads: &mut Reads) {
        while let Some(landing) = reads.unasked() {
            match self.ask(reads, landing) {
                Ok(()) => {}
                Err((Refusal::Full, landing)) => return reads.put_off(landing),
                Err((Refusal::Lost, landing)) => reads.give_up_unasked(landing),
            }
        }
    }
}

impl Heeds for &MpiFabric {
    fn failed(&mut self, peer: Rank, failure: Failure) {
        self.lose(peer, failure.to_string());
    }

    fn refused(&mut self, peer: Rank, failure: Failure) {
        // While the ranks still decide, the decision says it.
        if self.reads_by.get().is_some() {
            say(Level::Warn, || {
                format!("bulk reads from rank {peer} come in answers to messages from now on: {failure}")
            });
        }
    }
}
