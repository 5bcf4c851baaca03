//! Bulk reads: blocks of other ranks' stores on their way into this one's.

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{ObjectId, Rank};
use crate::fabric::{Place, Refusal};
use crate::mem::Block;
use crate::node::Node;
use crate::node::memory::OwnMemory;
use crate::protocol::Purpose;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A read of one block.
struct Pull {
    /// Whose store it lies in, and where.
    home: Rank,
    offset: u64,
    /// What for, and which block.
    purpose: Purpose,
    id: ObjectId,
    bytes: usize,
    /// How often it failed.
    failures: u8,
}

/// The reads of a rank.
#[derive(Default)]
pub struct Pulls {
    reads: Mutex<Reads>,
    /// Whether some of them could not be started yet.
    wait: AtomicBool,
}

#[derive(Default)]
struct Reads {
    next_token: u64,
    under_way: FxHashMap<u64, Pull>,
    /// Not started, with the blocks to fill.
    waiting: VecDeque<(Pull, Block)>,
}

impl Pulls {
    /// Whether bytes are on their way, or wait to be.
    pub(super) fn any(&self) -> bool {
        let reads = lock(&self.reads);
        !reads.under_way.is_empty() || !reads.waiting.is_empty()
    }

    /// Whether some reads wait to be started.
    pub(super) fn wait(&self) -> bool {
        self.wait.load(Ordering::Relaxed)
    }
}

impl Node {
    /// Starts to bring a block of `home`'s store into `block`.
    pub fn pull(&'static self, home: Rank, offset: u64, block: Block, purpose: Purpose, id: ObjectId) {
        let pull = Pull { home, offset, purpose, id, bytes: block.len(), failures: 0 };
        lock(&self.roads.pulls.reads).waiting.push_back((pull, block));
        self.start_pulls();
    }

    /// Starts the reads that wait, as far as their roads take them.
    pub(super) fn start_pulls(&'static self) {
        let mut homeless = Vec::new();
        {
            let mut reads = lock(&self.roads.pulls.reads);
            for _ in 0..reads.waiting.len() {
                let Some((pull, block)) = reads.waiting.pop_front() else { break };
                let Some(road) = self.roads.to(pull.home) else {
                    homeless.push(pull);
                    continue;
                };
                reads.next_token += 1;
                let token = reads.next_token;
                let (home, place) = (pull.home, Place::in_store(pull.offset));
                reads.under_way.insert(token, pull);
                if let Err((Refusal::Full | Refusal::Lost, block)) =
                    self.roads.all[road].read(home, place, block, token)
                {
                    // What is lost is said in a poll.
                    let Some(pull) = reads.under_way.remove(&token) else { continue };
                    reads.waiting.push_back((pull, block));
                }
            }
            self.roads.pulls.wait.store(!reads.waiting.is_empty(), Ordering::Relaxed);
        }
        for pull in homeless {
            let reason =
                format!("rank {} on host {}, whose store held it, is gone", pull.home, self.host_of(pull.home));
            self.protocol.pulled(&self, pull.purpose, pull.id, Err(reason));
        }
    }

    /// A read is over.
    pub(super) fn read_done(&'static self, token: u64, block: Result<Block, String>) {
        let Some(mut pull) = lock(&self.roads.pulls.reads).under_way.remove(&token) else { return };
        pull.failures += u8::from(block.is_err());
        // A road that fails says so before or after its reads end: where there is another one, a read is tried again once.
        let again = block.is_err() && pull.failures == 1 && self.roads.way(pull.home).len() > 1;
        let fresh = again.then(|| self.arena()?.allocate(pull.bytes)).flatten();
        match fresh {
            Some(fresh) => {
                lock(&self.roads.pulls.reads).waiting.push_back((pull, fresh));
                self.roads.pulls.wait.store(true, Ordering::Relaxed);
            }
            None => self.protocol.pulled(
                &self,
                pull.purpose,
                pull.id,
                block.map(|block| Arc::new(OwnMemory::new(block)) as _),
            ),
        }
    }
}
