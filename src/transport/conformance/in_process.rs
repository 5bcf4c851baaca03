//! Endpoints within one process, for tests: plain queues with little space.

use crate::base::Rank;
use crate::base::limits::{MESSAGE_BYTES_MAX, POLL_BATCH_MAX};
use crate::base::sync::lock;
use crate::memory::{Arena, Block};
use crate::transport::{ReadError, Refusal, RemoteAddress, Transport, TransportEvent};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Messages that one rank may have in flight towards another rank.
const IN_FLIGHT_MAX: usize = 8;

/// A message, kept so that its bytes are aligned to 8.
struct QueuedMessage {
    words: Vec<u64>,
    length: usize,
}

impl QueuedMessage {
    fn new(parts: &[&[u8]]) -> QueuedMessage {
        let bytes = parts.concat();
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        QueuedMessage { words, length: bytes.len() }
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }
}

struct SharedQueues {
    /// By receiver, then by sender.
    queues: Vec<Vec<Mutex<VecDeque<QueuedMessage>>>>,
    arenas: Vec<Arc<Arena>>,
}

/// One rank's end.
pub struct InProcess {
    me: Rank,
    shared: Arc<SharedQueues>,
    polling: Mutex<()>,
    reads: Mutex<VecDeque<(u64, Result<Block, ReadError>)>>,
}

/// As many ends as there are arenas, joined; each serves reads from its own arena.
pub fn endpoints(arenas: &[Arc<Arena>]) -> Vec<Arc<InProcess>> {
    let size = arenas.len();
    let queues = (0..size).map(|_| (0..size).map(|_| Mutex::default()).collect()).collect();
    let shared = Arc::new(SharedQueues { queues, arenas: arenas.to_vec() });
    let end = |me| InProcess { me, shared: shared.clone(), polling: Mutex::new(()), reads: Mutex::default() };
    (0..size as Rank).map(|me| Arc::new(end(me))).collect()
}

impl Transport for InProcess {
    fn name(&self) -> &'static str {
        "in-process"
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        let message = QueuedMessage::new(parts);
        assert!(message.length <= MESSAGE_BYTES_MAX, "a message of {} bytes", message.length);
        let mut queue = lock(&self.shared.queues[peer as usize][self.me as usize]);
        if queue.len() == IN_FLIGHT_MAX {
            return Err(Refusal::Full);
        }
        queue.push_back(message);
        Ok(())
    }

    fn poll(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        let Ok(_only_one) = self.polling.try_lock() else { return 0 };
        let mut events = 0;
        while events < POLL_BATCH_MAX {
            let Some((token, block)) = lock(&self.reads).pop_front() else { break };
            deliver(TransportEvent::ReadDone { token, block });
            events += 1;
        }
        for (from, queue) in (0..).zip(&self.shared.queues[self.me as usize]) {
            while events < POLL_BATCH_MAX {
                let Some(message) = lock(queue).pop_front() else { break };
                deliver(TransportEvent::Message { from, bytes: message.bytes() });
                events += 1;
            }
        }
        events
    }

    fn pending(&self) -> bool {
        let full = |queue: &Mutex<VecDeque<QueuedMessage>>| !lock(queue).is_empty();
        !lock(&self.reads).is_empty() || self.shared.queues[self.me as usize].iter().any(full)
    }

    fn uses_doorbell(&self) -> bool {
        false
    }

    fn read(&self, peer: Rank, from: RemoteAddress, mut into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        let mut reads = lock(&self.reads);
        if reads.len() == IN_FLIGHT_MAX {
            return Err((Refusal::Full, into));
        }
        let block = match self.shared.arenas[peer as usize].slice(from.offset, into.len()) {
            Some(bytes) => {
                into.as_mut_slice().copy_from_slice(bytes);
                Ok(into)
            }
            None => Err(ReadError::outside(peer, from, into.len())),
        };
        reads.push_back((token, block));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Pages;
    use crate::transport::conformance;

    fn conforms(size: u32) {
        let arenas: Vec<_> = (0..size).map(|_| Arena::create(16 << 20, Pages::Plain).expect("made")).collect();
        let ends = endpoints(&arenas);
        conformance::full(&*ends[0], 0, &*ends[1], 1).expect("full and empty again");
        std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..size)
                .map(|rank| {
                    let (end, arena) = (&ends[rank as usize], &arenas[rank as usize]);
                    scope.spawn(move || conformance::run(&**end, rank, size, arena))
                })
                .collect();
            for (rank, thread) in ranks.into_iter().enumerate() {
                thread.join().expect("no panic").unwrap_or_else(|error| panic!("rank {rank}: {error}"));
            }
        });
    }

    #[test]
    fn two_ends_conform() {
        conforms(2);
    }

    #[test]
    fn five_ends_conform() {
        conforms(5);
    }
}
