//! The memory of shared values, used again: who drops the last reference to a value keeps the block for the next value
//! of that size.
//!
//! A task costs one block, and the system's allocator several hundred instructions for it once many are alive at the
//! same time, or one thread creates what another drops. Here a thread has, for each size, one chain of blocks that it
//! takes from and gives to, and one full chain in reserve. Full chains beyond that go to a list of all threads, and who
//! has no block takes a chain from there: one lock for each `CHAIN_BLOCKS` blocks (Bonwick and Adams, "Magazines and
//! Vmem", USENIX 2001).
//!
//! A block is the allocation of an `Arc` whose value is gone. Its counters stay what they were for the last reference:
//! one strong, no weak. So it becomes an `Arc` again by writing a value of the same size and alignment into it.
#![allow(unsafe_code)]

use crate::base::sync::lock;
use std::cell::Cell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

/// Larger values are left to the allocator.
const VALUE_BYTES_MAX: usize = 512;

/// The alignment of the values, and what their sizes are multiples of.
const UNIT_BYTES: usize = align_of::<FreeBlock>();

/// One class for each size.
const CLASSES: usize = VALUE_BYTES_MAX / UNIT_BYTES + 1;

/// Blocks of a full chain.
const CHAIN_BLOCKS: u32 = 64;

/// Chains of one size that no thread has. What is more is freed.
const SHARED_CHAINS_MAX: usize = 256;

/// The value's part of an allocation without a value.
struct FreeBlock {
    next: *mut FreeBlock,
}

/// Frees a block.
type Free = fn(NonNull<FreeBlock>);

/// Blocks of one size, each leading to the next.
struct Chain {
    first: NonNull<FreeBlock>,
    count: u32,
    free: Free,
}

// SAFETY: a block holds no value, and who has the chain is the only one that reaches its blocks.
unsafe impl Send for Chain {}

impl Chain {
    fn free(self) {
        let mut next = self.first.as_ptr();
        while let Some(block) = NonNull::new(next) {
            // SAFETY: the chain owns its blocks, and `block` is not freed yet.
            next = unsafe { block.as_ref() }.next;
            (self.free)(block);
        }
    }
}

/// The chains that no thread has, by class.
static SHARED: [Mutex<Vec<Chain>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

/// What a thread has of one size.
struct Kept {
    first: Cell<*mut FreeBlock>,
    count: Cell<u32>,
    /// Null, or the first of `CHAIN_BLOCKS` more.
    reserve: Cell<*mut FreeBlock>,
    /// Set before there is a block.
    free: Cell<Option<Free>>,
}

struct KeptByClass([Kept; CLASSES]);

thread_local! {
    static KEPT: KeptByClass = const { KeptByClass([const { Kept::nothing() }; CLASSES]) };
}

impl Kept {
    const fn nothing() -> Kept {
        Kept {
            first: Cell::new(std::ptr::null_mut()),
            count: Cell::new(0),
            reserve: Cell::new(std::ptr::null_mut()),
            free: Cell::new(None),
        }
    }

    /// Gets a chain: its own reserve, or one that no thread has. Returns its first block.
    #[cold]
    fn refill(&self, class: usize) -> Option<NonNull<FreeBlock>> {
        if let Some(first) = NonNull::new(self.reserve.replace(std::ptr::null_mut())) {
            self.count.set(CHAIN_BLOCKS);
            return Some(first);
        }
        let chain = lock(&SHARED[class]).pop()?;
        self.count.set(chain.count);
        self.free.set(Some(chain.free));
        Some(chain.first)
    }

    /// Its chain is full: it becomes the reserve.
    #[cold]
    fn set_aside(&self, class: usize) {
        let full = self.reserve.replace(self.first.replace(std::ptr::null_mut()));
        self.count.set(0);
        self.share(class, full, CHAIN_BLOCKS);
    }

    /// Hands a chain to all threads, if there are not too many of that size.
    fn share(&self, class: usize, first: *mut FreeBlock, count: u32) {
        let (Some(first), Some(free)) = (NonNull::new(first), self.free.get()) else { return };
        let chain = Chain { first, count, free };
        let mut shared = lock(&SHARED[class]);
        if shared.len() < SHARED_CHAINS_MAX {
            return shared.push(chain);
        }
        drop(shared);
        chain.free();
    }
}

impl Drop for KeptByClass {
    fn drop(&mut self) {
        for (class, kept) in self.0.iter().enumerate() {
            kept.share(class, kept.first.replace(std::ptr::null_mut()), kept.count.replace(0));
            kept.share(class, kept.reserve.replace(std::ptr::null_mut()), CHAIN_BLOCKS);
        }
    }
}

/// A block of that class, if one is kept. A thread that ends keeps none.
fn take(class: usize) -> Option<NonNull<FreeBlock>> {
    KEPT.try_with(|kept| {
        let kept = &kept.0[class];
        let block = match NonNull::new(kept.first.get()) {
            Some(block) => block,
            None => kept.refill(class)?,
        };
        // SAFETY: the blocks of this thread's chain are its own.
        kept.first.set(unsafe { block.as_ref() }.next);
        kept.count.set(kept.count.get() - 1);
        Some(block)
    })
    .ok()
    .flatten()
}

/// Keeps a block of that class, which the caller owns.
fn give(class: usize, block: NonNull<FreeBlock>, free: Free) {
    let kept = KEPT.try_with(|kept| {
        let kept = &kept.0[class];
        if kept.count.get() == CHAIN_BLOCKS {
            kept.set_aside(class);
        }
        // SAFETY: the caller owns the block, which holds nothing, and has the size of a pointer at least.
        unsafe { block.write(FreeBlock { next: kept.first.get() }) };
        kept.first.set(block.as_ptr());
        kept.count.set(kept.count.get() + 1);
        kept.free.set(Some(free));
    });
    if kept.is_err() {
        free(block);
    }
}

/// The class of a type; `None` if its values are left to the allocator. A checker's own values do not outlive a run.
const fn class_of<T>() -> Option<usize> {
    let fits = size_of::<T>() >= size_of::<FreeBlock>() && size_of::<T>() <= VALUE_BYTES_MAX;
    if fits && align_of::<T>() == UNIT_BYTES && !cfg!(loom) { Some(size_of::<T>() / UNIT_BYTES) } else { None }
}

/// A shared value; its block is one that is kept, if there is one. The value is made in its place there; if that
/// panics, the block is leaked.
#[inline]
pub fn new_with<T>(value: impl FnOnce() -> T) -> Arc<T> {
    let Some(class) = (const { class_of::<T>() }) else { return Arc::new(value()) };
    match take(class) {
        Some(block) => {
            let place = block.cast::<T>();
            // SAFETY: the block was an `Arc`'s of T's size and alignment, with counters as for one reference
            // (`take_back`), it holds no value, and this function is its only owner.
            unsafe {
                place.write(value());
                Arc::from_raw(place.as_ptr())
            }
        }
        None => Arc::new(value()),
    }
}

/// As `new_with`.
#[inline]
pub fn new<T>(value: T) -> Arc<T> {
    new_with(|| value)
}

/// Frees the block of a value of type `T`.
fn free<T>(block: NonNull<FreeBlock>) {
    // SAFETY: the block is the allocation of an `Arc` of T's size and alignment, its counters are those of one
    // reference, and the caller owns it.
    drop(unsafe { Arc::from_raw(block.cast::<MaybeUninit<T>>().as_ptr()) });
}

/// If this is the only reference, hands out the place of the value, which the caller then owns.
#[inline]
fn take_back<T>(arc: &mut Arc<T>) -> Option<(usize, NonNull<T>)> {
    let class = const { class_of::<T>() }?;
    // Unique: no other strong reference and no weak one, now or ever again.
    Some((class, NonNull::from(Arc::get_mut(arc)?)))
}

/// Drops a reference; if it is the last, the block is kept.
#[inline]
pub fn recycle<T>(mut arc: Arc<T>) {
    let Some((class, _)) = take_back(&mut arc) else { return };
    let Some(place) = NonNull::new(Arc::into_raw(arc).cast_mut()) else { return };
    // SAFETY: `take_back` found the only reference, which is forgotten: the value and the block are this function's. If
    // the value's drop panics, the block is leaked.
    unsafe { place.drop_in_place() };
    give(class, place.cast(), free::<T>);
}

/// The value of the only reference, whose block is kept.
#[inline]
pub fn into_inner<T>(mut arc: Arc<T>) -> Option<T> {
    let Some((class, _)) = take_back(&mut arc) else { return Arc::into_inner(arc) };
    let place = NonNull::new(Arc::into_raw(arc).cast_mut())?;
    // SAFETY: as in `recycle`; the value is moved out, so the block holds none.
    let value = unsafe { place.read() };
    give(class, place.cast(), free::<T>);
    Some(value)
}

/// A value that knows without its type how to drop a reference to it.
pub trait Recycle {
    /// Drops the reference: by the function `recycle`, if the block is to be kept.
    fn recycle(self: Arc<Self>) {}
}

/// A reference to a shared value whose block is kept when the last one is dropped.
pub struct Recycled<T: Recycle + ?Sized>(ManuallyDrop<Arc<T>>);

impl<T: Recycle + ?Sized> Recycled<T> {
    /// As that reference.
    #[inline]
    pub fn new(arc: Arc<T>) -> Recycled<T> {
        Recycled(ManuallyDrop::new(arc))
    }
}

impl<T: Recycle + ?Sized> Clone for Recycled<T> {
    #[inline]
    fn clone(&self) -> Recycled<T> {
        Recycled::new(Arc::clone(&self.0))
    }
}

impl<T: Recycle + ?Sized> Deref for Recycled<T> {
    type Target = Arc<T>;
    #[inline]
    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T: Recycle + ?Sized> Drop for Recycled<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: nothing uses the field after `drop`.
        let arc = unsafe { ManuallyDrop::take(&mut self.0) };
        // Of two threads that drop the last two at once both may see two: then the allocator gets the block.
        if Arc::strong_count(&arc) == 1 {
            arc.recycle();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A size that no other test uses.
    type Large = [u64; 61];

    #[test]
    fn block_of_the_last_reference_is_used_again() {
        let first = new([1u64; 60]);
        let (address, second) = (Arc::as_ptr(&first).addr(), first.clone());
        recycle(first);
        assert_eq!(second[0], 1, "it was not the last");
        recycle(second);
        let next = new([2u64; 60]);
        assert_eq!((Arc::as_ptr(&next).addr(), *next), (address, [2u64; 60]));
        let weak = Arc::downgrade(&next);
        recycle(next);
        assert!(weak.upgrade().is_none(), "dropped, though the block is not kept");
        assert_eq!(into_inner(new([3u64; 60])), Some([3u64; 60]));
    }

    #[test]
    fn values_are_dropped_once_and_blocks_pass_between_threads() {
        let value = Arc::new(());
        let create = |_| new((value.clone(), [0u64; 50]));
        for _ in 0..3 {
            let arcs: Vec<_> = (0..1000).map(create).collect();
            assert_eq!(Arc::strong_count(&value), 1001);
            // Joined: only then it has given away what it kept.
            std::thread::scope(|scope| {
                scope.spawn(|| arcs.into_iter().for_each(recycle)).join().expect("no panic");
            });
            assert_eq!(Arc::strong_count(&value), 1);
        }
        let class = class_of::<(Arc<()>, [u64; 50])>().expect("a class");
        let kept: u32 = lock(&SHARED[class]).iter().map(|chain| chain.count).sum();
        assert_eq!(kept, 1000, "each block was used three times");
    }

    #[test]
    fn chains_beyond_the_bound_are_freed() {
        let count = (SHARED_CHAINS_MAX + 8) * CHAIN_BLOCKS as usize;
        let arcs: Vec<Arc<Large>> = (0..count).map(|_| new([0; 61])).collect();
        arcs.into_iter().for_each(recycle);
        let class = class_of::<Large>().expect("a class");
        assert_eq!(lock(&SHARED[class]).len(), SHARED_CHAINS_MAX);
    }
}
