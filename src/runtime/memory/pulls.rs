//! Bulk reads: blocks of other ranks' stores are read into this rank's store, in chunks, from one holder or several.
//!
//! A block is filled in pieces, each by a read that owns it (TRANSPORT-3), and is handed on when it is complete. A read
//! that fails takes its piece with it: when the other reads have ended, the block is reassembled and the missing pieces
//! are read again, from another holder or over another transport. Where a transport keeps the piece for itself
//! (MEMORY-2), another block replaces the whole.

use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, Result};
use crate::memory::Block;
use crate::objects::ArrayMemory;
use crate::runtime::Runtime;
use crate::runtime::memory::allocate::store_full;
use crate::runtime::memory::blocks::OwnMemory;
use crate::runtime::memory::space::{allocate, in_callback};
use crate::store::{CHUNK_BYTES, Chunks, CopySource};
use crate::transport::{ReadError, Refusal, RemoteAddress};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A block that is being filled.
struct Pull {
    sources: Vec<CopySource>,
    bytes: usize,
    chunks: Chunks,
    /// By chunk: its memory, while no transport reads into it.
    pieces: Vec<Option<Block>>,
    /// A read failed and took its piece with it.
    has_lost_pieces: bool,
    /// It is in the queue of those that wait for a transport.
    is_queued: bool,
    /// Why the last read failed.
    reason: String,
}

/// A chunk that is being read.
#[derive(Clone, Copy)]
struct ChunkRead {
    /// The protocol's name for the block.
    pull: u64,
    chunk: u32,
    /// Its index among the sources.
    source: usize,
}

/// The reads of a rank.
#[derive(Default)]
pub struct Pulls {
    reads: Mutex<PullState>,
    /// True if some of them could not be started yet.
    has_waiting: AtomicBool,
}

#[derive(Default)]
struct PullState {
    next_token: u64,
    in_flight: FxHashMap<u64, ChunkRead>,
    pulls: FxHashMap<u64, Pull>,
    /// Pulls of which a transport accepted no more reads.
    waiting: VecDeque<u64>,
}

/// The result of a pull, reported when no lock is held.
type Outcome = (u64, Result<Arc<dyn ArrayMemory>>);

impl Pulls {
    /// True if reads are in flight, or wait to be started.
    pub fn any(&self) -> bool {
        let reads = lock(&self.reads);
        !reads.in_flight.is_empty() || !reads.waiting.is_empty()
    }

    /// True if some reads wait to be started.
    pub fn any_waiting(&self) -> bool {
        self.has_waiting.load(Ordering::Relaxed)
    }
}

/// Starts to fill `block` from any of the sources.
pub fn pull(runtime: &'static Runtime, token: u64, sources: &[CopySource], block: Block) {
    log(Level::Debug, || {
        let from: Vec<String> = sources.iter().map(|source| format!("rank {}", source.block.owner)).collect();
        format!(
            "rank {} fetches {} bytes of {} from {}",
            runtime.cluster.rank,
            block.len(),
            sources[0].block,
            from.join(", ")
        )
    });
    let bytes = block.len();
    let pull = Pull {
        sources: sources.to_vec(),
        bytes,
        chunks: Chunks::new(bytes, sources.len()),
        pieces: block.split(CHUNK_BYTES).into_iter().map(Some).collect(),
        has_lost_pieces: false,
        is_queued: false,
        reason: String::new(),
    };
    let mut reads = lock(&runtime.memory.pulls.reads);
    reads.pulls.insert(token, pull);
    let outcome = advance(runtime, &mut reads, token);
    runtime.memory.pulls.has_waiting.store(!reads.waiting.is_empty(), Ordering::Relaxed);
    drop(reads);
    report_outcomes(runtime, outcome);
}

/// Starts the reads that wait, as far as their transports accept them.
pub fn start_pulls(runtime: &'static Runtime) {
    let outcomes: Vec<Outcome> = {
        let mut reads = lock(&runtime.memory.pulls.reads);
        let waiting = std::mem::take(&mut reads.waiting);
        let mut retry = |token| {
            reads.pulls.get_mut(&token)?.is_queued = false;
            advance(runtime, &mut reads, token)
        };
        let outcomes = waiting.into_iter().filter_map(&mut retry).collect();
        runtime.memory.pulls.has_waiting.store(!reads.waiting.is_empty(), Ordering::Relaxed);
        outcomes
    };
    report_outcomes(runtime, outcomes);
}

/// A read has ended.
pub fn on_read_done(runtime: &'static Runtime, token: u64, block: std::result::Result<Block, ReadError>) {
    let outcome = {
        let mut reads = lock(&runtime.memory.pulls.reads);
        let Some(read) = reads.in_flight.remove(&token) else { return };
        let Some(pull) = reads.pulls.get_mut(&read.pull) else { return };
        match block {
            Ok(piece) => {
                pull.pieces[read.chunk as usize] = Some(piece);
                pull.chunks.on_done(read.source);
            }
            Err(reason) => {
                // A link that fails is reported before or after its reads end: if there is another one, it is tried
                // once.
                let has_other_transport = runtime.router.route_to(pull.sources[read.source].block.owner).len() > 1;
                pull.chunks.on_failed(read.chunk, read.source, has_other_transport);
                (pull.has_lost_pieces, pull.reason) = (true, reason.to_string());
            }
        }
        let outcome = advance(runtime, &mut reads, read.pull);
        runtime.memory.pulls.has_waiting.store(!reads.waiting.is_empty(), Ordering::Relaxed);
        outcome
    };
    report_outcomes(runtime, outcome);
}

fn report_outcomes(runtime: &'static Runtime, outcomes: impl IntoIterator<Item = Outcome>) {
    outcomes
        .into_iter()
        .for_each(|(token, outcome)| runtime.protocol.objects.copies.on_pulled(&runtime, token, outcome));
}

/// Starts what can be started of a block; returns its outcome if it is complete, or nothing can be started.
fn advance(runtime: &'static Runtime, reads: &mut PullState, token: u64) -> Option<Outcome> {
    let mut pull = reads.pulls.remove(&token)?;
    if pull.chunks.is_complete() {
        let block = Block::join(pull.pieces.into_iter().flatten());
        let whole = block.map(|block| Arc::new(OwnMemory::new(runtime, block)) as Arc<dyn ArrayMemory>);
        return Some((token, whole.ok_or_else(|| object_lost(&pull.sources, "a part of it was not handed back"))));
    }
    if pull.has_lost_pieces
        && pull.chunks.in_flight() == 0
        && !pull.chunks.has_no_source()
        && !reassemble(runtime, &mut pull)
    {
        return Some((token, Err(store_full(runtime, pull.bytes as u64))));
    }
    if !pull.has_lost_pieces && !start_chunks(runtime, reads, token, &mut pull) && !pull.is_queued {
        pull.is_queued = true;
        reads.waiting.push_back(token);
    }
    if pull.chunks.has_no_source() {
        return Some((token, Err(object_lost(&pull.sources, &pull.reason))));
    }
    reads.pulls.insert(token, pull);
    None
}

/// Reassembles a block of which pieces were lost; false if there is no space for another one.
fn reassemble(runtime: &'static Runtime, pull: &mut Pull) -> bool {
    let remaining = pull.pieces.iter_mut().filter_map(Option::take);
    let whole = Block::join(remaining).filter(|block| block.len() == pull.bytes);
    let block = whole.or_else(|| {
        pull.chunks.restart();
        in_callback(|| allocate(runtime, pull.bytes)).ok()
    });
    let Some(block) = block else { return false };
    pull.pieces = block.split(CHUNK_BYTES).into_iter().map(Some).collect();
    pull.has_lost_pieces = false;
    true
}

/// Gives the transports as many chunks as they accept; false if one accepted no more.
fn start_chunks(runtime: &'static Runtime, reads: &mut PullState, token: u64, pull: &mut Pull) -> bool {
    while let Some((chunk, source)) = pull.chunks.next() {
        let CopySource { block, offset } = pull.sources[source];
        let Some(transport) = runtime.router.transport_to(block.owner) else {
            pull.chunks.on_failed(chunk, source, false);
            let host = runtime.cluster.host_of(block.owner);
            pull.reason = format!("rank {} on host {host}, whose store held it, died", block.owner);
            continue;
        };
        let Some(piece) = pull.pieces[chunk as usize].take() else {
            unreachable!("a chunk that waits has its memory, unless the block has lost pieces")
        };
        reads.next_token += 1;
        let read = reads.next_token;
        reads.in_flight.insert(read, ChunkRead { pull: token, chunk, source });
        let address = RemoteAddress::in_store(offset + chunk as u64 * CHUNK_BYTES as u64);
        if let Err((Refusal::Full | Refusal::Lost, piece)) =
            runtime.router.read(transport, block.owner, address, piece, read)
        {
            // A lost link is reported by a poll.
            reads.in_flight.remove(&read);
            pull.pieces[chunk as usize] = Some(piece);
            pull.chunks.put_back(chunk, source);
            return false;
        }
    }
    true
}

fn object_lost(sources: &[CopySource], reason: &str) -> Error {
    Error::ObjectLost { object: sources[0].block.to_string(), reason: reason.to_string() }
}
