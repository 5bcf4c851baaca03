//! Bulk reads: blocks of other ranks' stores on their way into this one's, in chunks, from one holder or several.
//!
//! A block is filled in pieces, each by a read that owns it (F3), and is handed on when it is whole. A read that fails takes its
//! piece with it: when the others are over the block is put together again and the missing pieces are read anew, from another
//! holder or over another road. Where a road keeps the piece for itself (M2), another block takes the place of the whole.

use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, Result};
use crate::memory::Block;
use crate::objects::ArrayMemory;
use crate::runtime::Runtime;
use crate::runtime::memory::OwnMemory;
use crate::runtime::room::acting;
use crate::store::{CHUNK_BYTES, Chunks, Source};
use crate::transport::{Place, Refusal};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A block that is being filled.
struct Pull {
    sources: Vec<Source>,
    bytes: usize,
    chunks: Chunks,
    /// By chunk: its memory, while no road has it.
    pieces: Vec<Option<Block>>,
    /// A read failed and took its piece with it.
    torn: bool,
    /// It is among those that wait for a road.
    waits: bool,
    /// Why the last one failed.
    reason: String,
}

/// A chunk on its way.
#[derive(Clone, Copy)]
struct Read {
    /// The protocol's name for the block.
    pull: u64,
    chunk: u32,
    /// Its place among the sources.
    source: usize,
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
    under_way: FxHashMap<u64, Read>,
    pulls: FxHashMap<u64, Pull>,
    /// Those that a road took no more of.
    waiting: VecDeque<u64>,
}

/// What is to be said of a block, when no lock is held.
type Outcome = (u64, Result<Arc<dyn ArrayMemory>>);

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

impl Runtime {
    /// Starts to fill `block` from any of the sources.
    pub(super) fn pull(&'static self, token: u64, sources: &[Source], block: Block) {
        say(Level::Debug, || {
            let from: Vec<String> = sources.iter().map(|source| format!("rank {}", source.block.owner)).collect();
            format!("rank {} brings {} bytes of {} from {}", self.rank, block.len(), sources[0].block, from.join(", "))
        });
        let bytes = block.len();
        let pull = Pull {
            sources: sources.to_vec(),
            bytes,
            chunks: Chunks::new(bytes, sources.len()),
            pieces: block.split(CHUNK_BYTES).into_iter().map(Some).collect(),
            torn: false,
            waits: false,
            reason: String::new(),
        };
        let mut reads = lock(&self.roads.pulls.reads);
        reads.pulls.insert(token, pull);
        let outcome = self.go_on_with(&mut reads, token);
        self.roads.pulls.wait.store(!reads.waiting.is_empty(), Ordering::Relaxed);
        drop(reads);
        self.say_outcomes(outcome);
    }

    /// Starts the reads that wait, as far as their roads take them.
    pub(super) fn start_pulls(&'static self) {
        let outcomes: Vec<Outcome> = {
            let mut reads = lock(&self.roads.pulls.reads);
            let waiting = std::mem::take(&mut reads.waiting);
            let mut tried = |token| {
                reads.pulls.get_mut(&token)?.waits = false;
                self.go_on_with(&mut reads, token)
            };
            let outcomes = waiting.into_iter().filter_map(&mut tried).collect();
            self.roads.pulls.wait.store(!reads.waiting.is_empty(), Ordering::Relaxed);
            outcomes
        };
        self.say_outcomes(outcomes);
    }

    /// A read is over.
    pub(super) fn read_done(&'static self, token: u64, block: std::result::Result<Block, String>) {
        let outcome = {
            let mut reads = lock(&self.roads.pulls.reads);
            let Some(read) = reads.under_way.remove(&token) else { return };
            let Some(pull) = reads.pulls.get_mut(&read.pull) else { return };
            match block {
                Ok(piece) => {
                    pull.pieces[read.chunk as usize] = Some(piece);
                    pull.chunks.done(read.source);
                }
                Err(reason) => {
                    // A road that fails says so before or after its reads end: where there is another one, it is tried once.
                    let another_road = self.roads.way(pull.sources[read.source].block.owner).len() > 1;
                    pull.chunks.failed(read.chunk, read.source, another_road);
                    (pull.torn, pull.reason) = (true, reason);
                }
            }
            let outcome = self.go_on_with(&mut reads, read.pull);
            self.roads.pulls.wait.store(!reads.waiting.is_empty(), Ordering::Relaxed);
            outcome
        };
        self.say_outcomes(outcome);
    }

    fn say_outcomes(&'static self, outcomes: impl IntoIterator<Item = Outcome>) {
        outcomes.into_iter().for_each(|(token, outcome)| self.protocol.pulled(&self, token, outcome));
    }

    /// Starts what can be started of a block; its outcome where it is whole, or nothing can be.
    fn go_on_with(&'static self, reads: &mut Reads, token: u64) -> Option<Outcome> {
        let mut pull = reads.pulls.remove(&token)?;
        if pull.chunks.is_whole() {
            let block = Block::join(pull.pieces.into_iter().flatten());
            let whole = block.map(|block| Arc::new(OwnMemory::new(block)) as Arc<dyn ArrayMemory>);
            return Some((token, whole.ok_or_else(|| lost(&pull.sources, "a part of it was not handed back"))));
        }
        if pull.torn && pull.chunks.under_way() == 0 && !pull.chunks.is_stranded() && !self.mend(&mut pull) {
            return Some((token, Err(self.store_full(pull.bytes as u64))));
        }
        if !pull.torn && !self.start_chunks(reads, token, &mut pull) && !pull.waits {
            pull.waits = true;
            reads.waiting.push_back(token);
        }
        if pull.chunks.is_stranded() {
            return Some((token, Err(lost(&pull.sources, &pull.reason))));
        }
        reads.pulls.insert(token, pull);
        None
    }

    /// Puts a block together again from which pieces were lost; false where there is no room for another one.
    fn mend(&'static self, pull: &mut Pull) -> bool {
        let left = pull.pieces.iter_mut().filter_map(Option::take);
        let whole = Block::join(left).filter(|block| block.len() == pull.bytes);
        let block = whole.or_else(|| {
            pull.chunks.start_again();
            acting(|| self.allocate(pull.bytes)).ok()
        });
        let Some(block) = block else { return false };
        pull.pieces = block.split(CHUNK_BYTES).into_iter().map(Some).collect();
        pull.torn = false;
        true
    }

    /// Gives the roads as many chunks as they take; false where one took no more.
    fn start_chunks(&'static self, reads: &mut Reads, token: u64, pull: &mut Pull) -> bool {
        while let Some((chunk, source)) = pull.chunks.next() {
            let Source { block, offset } = pull.sources[source];
            let Some(road) = self.roads.to(block.owner) else {
                pull.chunks.failed(chunk, source, false);
                let host = self.host_of(block.owner);
                pull.reason = format!("rank {} on host {host}, whose store held it, is gone", block.owner);
                continue;
            };
            let Some(piece) = pull.pieces[chunk as usize].take() else {
                unreachable!("a chunk that waits has its memory, unless the block is torn")
            };
            reads.next_token += 1;
            let read = reads.next_token;
            reads.under_way.insert(read, Read { pull: token, chunk, source });
            let place = Place::in_store(offset + chunk as u64 * CHUNK_BYTES as u64);
            if let Err((Refusal::Full | Refusal::Lost, piece)) =
                self.roads.all[road].read(block.owner, place, piece, read)
            {
                // What is lost is said in a poll.
                reads.under_way.remove(&read);
                pull.pieces[chunk as usize] = Some(piece);
                pull.chunks.put_back(chunk, source);
                return false;
            }
        }
        true
    }
}

fn lost(sources: &[Source], reason: &str) -> Error {
    Error::ObjectLost { object: sources[0].block.to_string(), reason: reason.to_string() }
}
