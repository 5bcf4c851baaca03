//! Waiting for free space in this rank's store.
//!
//! An allocation that finds no space evicts blocks that have no reader. If that is not enough it waits, for a bounded
//! time, as `get` does. It is woken when a block is freed, which is never missed (`Arena::await_space`), and when a
//! block may have become evictable. The latter is a hint: the drop of a reader's own copy of an array's handle may go
//! unnoticed, so a waiter checks again now and then.

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, Rank, Result};
use crate::memory::{Arena, Block};
use crate::objects::{Waiter, in_context};
use crate::runtime::Runtime;
use crate::runtime::memory::allocate::store_full;
use crate::runtime::memory::resident_blocks::evict;
use crate::runtime::tasks::context;
use crate::runtime::waiting::WaitEvent;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// How often a waiter checks whether blocks without readers can be evicted.
pub const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// How long blocks are not written to disk while other ranks may release some that need not be: a request and its
/// response take much less if the other rank is well.
const RELEASE_TIME: Duration = Duration::from_millis(40);

/// The waiters for space.
#[derive(Default)]
pub struct SpaceWaiters {
    /// True if the list may not be empty.
    has_waiters: AtomicBool,
    waiters: Mutex<Vec<Weak<WaitEvent>>>,
    /// What the waiters wait for, as texts.
    descriptions: Mutex<WaitDescriptions>,
    /// Blocks of another rank's store are being written to disk.
    evicting_for_peer: AtomicBool,
}

#[derive(Default)]
struct WaitDescriptions {
    next: u64,
    texts: BTreeMap<u64, String>,
}

/// The description of a wait, listed until this is dropped.
pub struct WaitDescription<'a> {
    waiters: &'a SpaceWaiters,
    number: u64,
}

impl Drop for WaitDescription<'_> {
    fn drop(&mut self) {
        lock(&self.waiters.descriptions).texts.remove(&self.number);
    }
}

impl SpaceWaiters {
    fn add(&self, event: &Arc<WaitEvent>) {
        let mut waiters = lock(&self.waiters);
        waiters.retain(|waiter| waiter.strong_count() > 0);
        waiters.push(Arc::downgrade(event));
        self.has_waiters.store(true, Ordering::Relaxed);
    }

    /// Lists a wait with this text.
    pub fn describe_wait(&self, text: String) -> WaitDescription<'_> {
        let mut descriptions = lock(&self.descriptions);
        descriptions.next += 1;
        let number = descriptions.next;
        descriptions.texts.insert(number, text);
        WaitDescription { waiters: self, number }
    }

    /// The texts of the present waits.
    pub fn descriptions(&self) -> Vec<String> {
        lock(&self.descriptions).texts.values().cloned().collect()
    }

    /// A block was freed: all waiters try again.
    pub fn on_space_freed(&self) {
        let waiters = {
            let mut waiters = lock(&self.waiters);
            self.has_waiters.store(false, Ordering::Relaxed);
            std::mem::take(&mut *waiters)
        };
        waiters.iter().filter_map(Weak::upgrade).for_each(Waiter::notify);
    }

    /// A block may have become evictable.
    #[inline]
    pub fn on_space_maybe_freed(&self) {
        if self.has_waiters.load(Ordering::Relaxed) {
            self.on_space_freed();
        }
    }
}

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`, which handles a peer's message: nothing below it may wait.
pub fn in_callback<R>(body: impl FnOnce() -> R) -> R {
    let before = IN_CALLBACK.replace(true);
    let result = body();
    IN_CALLBACK.set(before);
    result
}

/// True if the calling code may wait: it does not handle a message, and does not encode or decode.
pub fn may_wait() -> bool {
    !IN_CALLBACK.get() && !in_context()
}

/// The store notifies from now on when it has space, and the first rank of each host removes what killed processes
/// left.
pub fn prepare_store(runtime: &'static Runtime) {
    if let Some(arena) = runtime.memory.arena() {
        arena.on_space(|| runtime.memory.space_waiters.on_space_freed());
    }
    if runtime.cluster.host_ranks().first() == Some(&runtime.cluster.rank) {
        runtime.memory.spill.begin_sweep();
    }
}

/// Allocates a block of the store. If there is no space, evicts blocks without readers; then, if the caller may,
/// waits.
///
/// # Errors
/// `StoreFull` if there is no space in time; what ends a wait.
pub fn allocate(runtime: &'static Runtime, bytes: usize) -> Result<Block> {
    // Mostly there is space: then the store's reference count need not be touched.
    if let Some(block) = runtime.memory.arena_guard().as_ref().and_then(|arena| arena.allocate(bytes)) {
        return Ok(block);
    }
    let arena = runtime.memory.arena().ok_or_else(|| Error::no_cluster("an allocation"))?;
    find_space(runtime, &arena, bytes, may_wait())
}

#[cold]
fn find_space(runtime: &'static Runtime, arena: &Arc<Arena>, bytes: usize, wait: bool) -> Result<Block> {
    let Some(footprint) = arena.footprint(bytes) else { return Err(store_full(runtime, bytes as u64)) };
    let begun = Instant::now();
    let mut found = try_once(runtime, arena, bytes, footprint, wait.then_some(begun));
    if found.is_none() {
        runtime.memory.pressure.raise();
    }
    let deadline = begun + runtime.cluster.config.store_wait;
    let descriptions = || format!("{} waits for space for {bytes} bytes in the store", caller_label());
    let _description = (found.is_none() && wait).then(|| runtime.memory.space_waiters.describe_wait(descriptions()));
    while found.is_none() && wait && Instant::now() < deadline {
        request_eviction(runtime, footprint);
        wait_for_space(runtime, deadline, |event| {
            found = allocate_evicting(runtime, arena, bytes, footprint, Some(begun));
            if found.is_some() {
                event.clone().notify();
            }
        })?;
    }
    found.or_else(|| arena.allocate(bytes)).ok_or_else(|| store_full(runtime, bytes as u64))
}

/// As `find_space`, once, for a read that has waited `since`.
pub fn try_find_space(runtime: &'static Runtime, bytes: usize, since: Instant) -> Option<Block> {
    let arena = runtime.memory.arena()?;
    let footprint = arena.footprint(bytes)?;
    try_once(runtime, &arena, bytes, footprint, Some(since))
}

/// Allocates a block after evicting copies of other hosts' blocks that are not in use: they can be fetched again. If
/// that is not enough, evicts what `allocate_evicting` does.
fn try_once(
    runtime: &'static Runtime,
    arena: &Arc<Arena>,
    bytes: usize,
    footprint: u64,
    begun: Option<Instant>,
) -> Option<Block> {
    runtime.protocol.objects.copies.evict(&runtime, footprint);
    allocate_evicting(runtime, arena, bytes, footprint, begun)
}

/// Requests of the host's other ranks that hold blocks of this store to release those without readers there.
pub fn request_eviction(runtime: &'static Runtime, bytes: u64) {
    runtime.protocol.objects.request_evictions(&runtime, bytes);
}

/// A rank of this host has no space, and this one may hold blocks of its store: writes those without readers to
/// disk.
pub fn on_evict_request(runtime: &'static Runtime, from: Rank, bytes: u64) {
    if runtime.memory.space_waiters.evicting_for_peer.swap(true, Ordering::AcqRel) {
        // It requests again while it waits.
        return;
    }
    // Writing takes long: the thread that polls the transports must not wait for it.
    let writer = std::thread::Builder::new().name(format!("mobula-{}-evict", runtime.cluster.rank)).spawn(move || {
        evict(runtime, from, bytes);
        runtime.memory.space_waiters.evicting_for_peer.store(false, Ordering::Release);
    });
    if writer.is_err() {
        runtime.memory.space_waiters.evicting_for_peer.store(false, Ordering::Release);
    }
}

/// Waits until space may have been freed, or for `CHECK_INTERVAL`. `check` is called once the event can no longer
/// be missed, and ends the wait if it succeeds.
///
/// # Errors
/// What ends a wait.
pub fn wait_for_space(runtime: &'static Runtime, deadline: Instant, check: impl FnOnce(&Arc<WaitEvent>)) -> Result<()> {
    runtime.block(1, Some(deadline.min(Instant::now() + CHECK_INTERVAL)), |event| {
        notify_of_space(runtime, event);
        check(event);
    })
}

/// From now on the event is notified of space that was freed, or may have been.
pub fn notify_of_space(runtime: &'static Runtime, event: &Arc<WaitEvent>) {
    runtime.memory.space_waiters.add(event);
    if let Some(arena) = runtime.memory.arena() {
        arena.await_space();
    }
}

/// Allocates a block, and evicts as much as can and must be evicted for it. Blocks that other ranks were requested
/// to release need not be written to disk: an allocation that has waited only since `begun` waits for their
/// response first.
fn allocate_evicting(
    runtime: &'static Runtime,
    arena: &Arc<Arena>,
    bytes: usize,
    footprint: u64,
    begun: Option<Instant>,
) -> Option<Block> {
    loop {
        if let Some(block) = arena.allocate(bytes) {
            return Some(block);
        }
        let waits_for_peers = runtime.cluster.config.store_wait > RELEASE_TIME
            && begun.is_some_and(|begun| begun.elapsed() < RELEASE_TIME);
        if waits_for_peers && runtime.protocol.objects.awaits_reclaim() {
            return None;
        }
        let evicted = evict(runtime, runtime.cluster.rank, footprint);
        if evicted.freed == 0 && evicted.requested == 0 {
            return None;
        }
    }
}

/// The calling task or driver as text.
pub fn caller_label() -> String {
    context::function().map_or_else(|| "a driver".to_string(), |task| format!("`{task}`"))
}
