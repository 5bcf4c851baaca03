//! Bulk reads: started, requested by message if no get is possible, and delivered when they finish.

use super::{MpiPoller, MpiTransport};
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::{Ordering, lock};
use crate::memory::{Block, STORE};
use crate::transport::mpi::comm::MpiFailure;
use crate::transport::mpi::header::MpiKind;
use crate::transport::mpi::reads::{MpiRead, MpiReads, ReadObserver, ReadStart};
use crate::transport::{ReadError, Refusal, RemoteAddress, TransportEvent};

impl MpiTransport {
    /// As [`crate::transport::Transport::read`].
    pub(super) fn start_read(
        &self,
        peer: Rank,
        from: RemoteAddress,
        into: Block,
        token: u64,
    ) -> Result<(), (Refusal, Block)> {
        let mut reads = lock(&self.reads);
        let Some(reads) = reads.as_mut().filter(|_| !self.peers.has_failed(peer)) else {
            return Err((Refusal::Lost, into));
        };
        if from.region != STORE {
            reads.fail_unreachable(into, token, ReadError::NotOverMpi { peer, region: from.region });
        } else {
            match reads.begin(peer, from.offset, into, token, &mut &*self) {
                Ok(ReadStart::Started) => {}
                Ok(ReadStart::NeedsRequest(read)) => {
                    if let Err((refusal, read)) = self.request(reads, read) {
                        return Err((refusal, reads.abort_start(read)));
                    }
                }
                Err(block) => return Err((Refusal::Full, block)),
            }
        }
        self.read_count.store(reads.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Makes progress with the reads, and delivers up to `count_max` that have finished.
    pub(super) fn finish_reads(
        &self,
        poller: &mut MpiPoller,
        count_max: usize,
        deliver: &mut dyn FnMut(TransportEvent<'_>),
    ) -> usize {
        if self.read_count.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        if let Some(reads) = lock(&self.reads).as_mut() {
            reads.advance(&mut &*self);
            self.retry_requests(reads);
            poller.finished_reads.extend(reads.take_finished(count_max));
            self.read_count.store(reads.len(), Ordering::Relaxed);
        }
        let count = poller.finished_reads.len();
        for (token, block) in poller.finished_reads.drain(..) {
            deliver(TransportEvent::ReadDone { token, block });
        }
        count
    }

    /// Requests the rest of a read from its peer; returns the read if no request can be sent.
    fn request(&self, reads: &mut MpiReads, read: MpiRead) -> Result<(), (Refusal, MpiRead)> {
        let request = read.request().encode();
        match self.post(read.peer(), MpiKind::Read, &[&request]) {
            Ok(()) => reads.await_response(read, &mut &*self),
            Err(refusal) => return Err((refusal, read)),
        }
        Ok(())
    }

    /// Sends requests for reads whose gets failed.
    fn retry_requests(&self, reads: &mut MpiReads) {
        while let Some(read) = reads.pop_unrequested() {
            match self.request(reads, read) {
                Ok(()) => {}
                Err((Refusal::Full, read)) => return reads.requeue_unrequested(read),
                Err((Refusal::Lost, read)) => reads.fail_unrequested(read),
            }
        }
    }
}

impl ReadObserver for &MpiTransport {
    fn on_receive_error(&mut self, peer: Rank, failure: MpiFailure) {
        self.on_peer_failed(peer, failure.to_string());
    }

    fn on_get_refused(&mut self, peer: Rank, failure: MpiFailure) {
        // While the ranks are still choosing the read method, the choice reports it.
        if self.read_method.get().is_some() {
            log(Level::Warn, || format!("bulk reads from rank {peer} use messages from now on: {failure}"));
        }
    }
}
