//! Bulk reads for which there is no space in this rank's store: they wait as `put` does, without blocking a thread that
//! polls the transports.
//!
//! A thread, which exists only while there are such reads, goes through the same steps for them: it evicts copies that
//! are not in use, then blocks that can be fetched or computed again, then writes blocks to disk. Any read that fits
//! begins, so that a large one does not delay a small one; blocks are evicted for the one that has waited longest.

use crate::base::sync::lock;
use crate::base::{Error, Result};
use crate::runtime::Runtime;
use crate::runtime::memory::allocate::store_full;
use crate::runtime::memory::pulls::pull;
use crate::runtime::memory::space::{
    CHECK_INTERVAL, WaitDescription, in_callback, notify_of_space, request_eviction, try_find_space,
};
use crate::runtime::waiting::WaitEvent;
use crate::store::CopySource;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

/// A read that has no block yet.
struct WaitingRead {
    /// The protocol's token of the read.
    token: u64,
    bytes: usize,
    sources: Vec<CopySource>,
    since: Instant,
    _description: WaitDescription<'static>,
}

/// The reads that wait for space.
#[derive(Default)]
pub struct ReadsWaitingForSpace(Mutex<WaitingReadQueue>);

#[derive(Default)]
struct WaitingReadQueue {
    reads: VecDeque<WaitingRead>,
    /// A thread serves them.
    is_served: bool,
}

/// Begins to read now, or when there is space.
///
/// # Errors
/// `StoreFull` if there never will be space. A later failure is passed to the protocol.
pub fn pull_when_space(runtime: &'static Runtime, token: u64, bytes: usize, sources: &[CopySource]) -> Result<()> {
    let arena = runtime.memory.arena().ok_or_else(|| Error::no_cluster("an allocation"))?;
    if let Some(block) = arena.allocate(bytes) {
        pull(runtime, token, sources, block);
        return Ok(());
    }
    if arena.footprint(bytes).is_none() {
        return Err(store_full(runtime, bytes as u64));
    }
    let text = format!(
        "{} of rank {} waits for space for {bytes} bytes in the store",
        sources[0].block, sources[0].block.owner
    );
    let description = runtime.memory.space_waiters.describe_wait(text);
    let read =
        WaitingRead { token, bytes, sources: sources.to_vec(), since: Instant::now(), _description: description };
    let begins = {
        let mut queue = lock(&runtime.memory.waiting_reads.0);
        queue.reads.push_back(read);
        !std::mem::replace(&mut queue.is_served, true)
    };
    if begins {
        let serve = move || in_callback(|| serve_waiting_reads(runtime));
        if std::thread::Builder::new().name(format!("mobula-{}-space", runtime.cluster.rank)).spawn(serve).is_err() {
            let mut queue = lock(&runtime.memory.waiting_reads.0);
            queue.is_served = false;
            queue.reads.retain(|read| read.token != token);
            return Err(store_full(runtime, bytes as u64));
        }
    }
    Ok(())
}

/// Serves the waiting reads, until there are none.
fn serve_waiting_reads(runtime: &'static Runtime) {
    while !runtime.stopping() {
        let event = WaitEvent::of_thread(1);
        notify_of_space(runtime, &event);
        let any_left_the_queue = try_waiting_reads(runtime);
        let first_bytes = {
            let mut queue = lock(&runtime.memory.waiting_reads.0);
            let Some(first) = queue.reads.front() else {
                queue.is_served = false;
                return;
            };
            first.bytes
        };
        if any_left_the_queue {
            continue;
        }
        runtime.memory.pressure.raise();
        request_eviction(runtime, first_bytes as u64);
        if event.try_sleep() {
            std::thread::park_timeout(CHECK_INTERVAL);
        }
        event.cancel();
    }
}

/// Begins the reads for which there is space now, and fails those that have waited long enough; true if there were
/// any.
fn try_waiting_reads(runtime: &'static Runtime) -> bool {
    let reads = std::mem::take(&mut lock(&runtime.memory.waiting_reads.0).reads);
    let (all, mut waiting) = (reads.len(), VecDeque::new());
    for read in reads {
        let block = if waiting.is_empty() {
            try_find_space(runtime, read.bytes, read.since)
        } else {
            runtime.memory.arena().and_then(|arena| arena.allocate(read.bytes))
        };
        match block {
            Some(block) => pull(runtime, read.token, &read.sources, block),
            None if read.since.elapsed() < runtime.cluster.config.store_wait => waiting.push_back(read),
            None => runtime.protocol.objects.copies.on_pulled(
                &runtime,
                read.token,
                Err(store_full(runtime, read.bytes as u64)),
            ),
        }
    }
    let some = waiting.len() < all;
    let mut queue = lock(&runtime.memory.waiting_reads.0);
    waiting.append(&mut queue.reads);
    queue.reads = waiting;
    some
}
