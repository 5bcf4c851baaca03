//! Bulk reads between ranks of a host: a copy out of the peer's mapped arena, delivered by a later poll.

use crate::base::Rank;
use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::memory::{Block, PeerArena, STORE};
use crate::transport::{ReadError, Refusal, RemoteAddress, TransportEvent};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

/// Completed reads that are not yet delivered, at most.
const DONE_MAX: usize = 1024;

struct ReadCompletion {
    token: u64,
    block: Result<Block, ReadError>,
}

#[derive(Default)]
pub(super) struct ReadCompletions {
    arenas: OnceLock<Vec<(Rank, Arc<PeerArena>)>>,
    done: Mutex<VecDeque<ReadCompletion>>,
    /// The length of `done`, readable without its lock. Changed under the lock.
    waiting: AtomicUsize,
}

impl ReadCompletions {
    /// Panics when called twice.
    pub(super) fn set_arenas(&self, arenas: Vec<(Rank, Arc<PeerArena>)>) {
        assert!(self.arenas.set(arenas).is_ok(), "the arenas of a host's ranks are set once");
    }

    pub(super) fn start(
        &self,
        peer: Rank,
        from: RemoteAddress,
        mut into: Block,
        token: u64,
    ) -> Result<(), (Refusal, Block)> {
        let arenas = self.arenas.get().map_or(&[][..], Vec::as_slice);
        let Some((_, arena)) = arenas.iter().find(|(rank, _)| *rank == peer) else { return Err((Refusal::Lost, into)) };
        if self.waiting() >= DONE_MAX {
            return Err((Refusal::Full, into));
        }
        let RemoteAddress { region, offset } = from;
        let block = match arena.slice(offset, into.len()).filter(|_| region == STORE) {
            Some(bytes) => {
                into.as_mut_slice().copy_from_slice(bytes);
                Ok(into)
            }
            None => {
                let (bytes, store_bytes) = (into.len(), arena.bytes());
                Err(ReadError::OutsideStore { bytes, offset, region, peer, store_bytes })
            }
        };
        let mut done = lock(&self.done);
        done.push_back(ReadCompletion { token, block });
        // Release: pairs with the Acquire in `waiting`, for a poller that then finds the queue as it is here.
        self.waiting.store(done.len(), Ordering::Release);
        Ok(())
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Delivers the oldest completion; false where there is none. Holds no lock while it delivers.
    pub(super) fn deliver_one(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> bool {
        if self.waiting() == 0 {
            return false;
        }
        let mut done = lock(&self.done);
        let Some(ReadCompletion { token, block }) = done.pop_front() else { return false };
        self.waiting.store(done.len(), Ordering::Release);
        drop(done);
        deliver(TransportEvent::ReadDone { token, block });
        true
    }
}
