//! What C owns: made by `give`, used by `owned`, and given up by `take`.
//!
//! Each begins with a stamp of its type, which ends with it. So a handle that was freed, or is of another type, is
//! refused: surely in builds with debug assertions and under AddressSanitizer, where the memory of freed ones is never
//! used again. In others, memory that holds a new handle by then looks as the new one: a
//! thread uses that of small ones again.

use crate::cluster::{Given, OfCluster};
use crate::objects::KeptArray;
use crate::status::Fault;
use mobula::__native::{NativeArray, NativeDraft, NativeHandle};
use mobula::ObjectRef;
use std::cell::RefCell;
use std::fmt::Display;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// The stamp of what was freed.
const FREED: u64 = 0;

/// Where freed values were, if their memory is never used again: reachable, so that nothing is reported as leaked.
static NEVER_USED_AGAIN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl Given for ObjectRef<NativeArray> {
    const STAMP: u64 = u64::from_ne_bytes(*b"mobula_r");
    const NAME: &'static str = "mobula_ref";
}

impl Given for NativeHandle {
    const STAMP: u64 = u64::from_ne_bytes(*b"mobula_a");
    const NAME: &'static str = "mobula_actor";
}

impl Given for NativeDraft {
    const STAMP: u64 = u64::from_ne_bytes(*b"mobula_b");
    const NAME: &'static str = "mobula_buffer";
}

impl Given for KeptArray {
    const STAMP: u64 = u64::from_ne_bytes(*b"mobula_v");
    const NAME: &'static str = "mobula_view";
}

/// Memory of a small value: a stamp, a reference and its cluster.
type Block = MaybeUninit<[u64; 5]>;

/// Blocks that a thread keeps at most: a program makes thousands of references before it frees the first.
const BLOCKS_KEPT: usize = 4096;

thread_local! {
    /// Memory of what this thread has taken back: the system's allocator takes longer than a call does. C has had the
    /// address of each, so they are boxes.
    #[allow(clippy::vec_box)]
    static BLOCKS: RefCell<Vec<Box<Block>>> = const { RefCell::new(Vec::new()) };
}

/// True if such a value is given in a block.
const fn uses_block<T>() -> bool {
    size_of::<T>() <= size_of::<Block>() && align_of::<T>() <= align_of::<Block>()
}

/// True if memory of freed values is never used again: with debug assertions, and in a program of AddressSanitizer.
#[inline]
fn keeps_all() -> bool {
    cfg!(debug_assertions) || mobula::__native::has_address_sanitizer()
}

/// Gives a value to C, which owns it until it is taken back.
pub fn give<T>(value: OfCluster<T>) -> *mut OfCluster<T> {
    if !uses_block::<OfCluster<T>>() || keeps_all() {
        return Box::into_raw(Box::new(value));
    }
    // A thread that is ending keeps none, here and below.
    let kept = BLOCKS.try_with(|blocks| blocks.borrow_mut().pop()).ok().flatten();
    let block = Box::into_raw(kept.unwrap_or_else(|| Box::new(Block::uninit()))).cast::<OfCluster<T>>();
    // SAFETY: the block is ours, and has the size and the alignment for it.
    unsafe { block.write(value) };
    block
}

/// Keeps the memory of a block for the next value.
fn keep(block: Box<Block>) {
    let _ = BLOCKS.try_with(|blocks| {
        let mut blocks = blocks.borrow_mut();
        if blocks.len() < BLOCKS_KEPT {
            blocks.push(block);
        }
    });
}

/// What C has; it may not be NULL.
///
/// # Errors
/// `InvalidArgument`, with the argument's name, for NULL, and for what was freed or is of another type.
///
/// # Safety
/// It is NULL, or memory that can be read: that of a value that is not taken back while the caller uses what is
/// returned, or of another one of `give`, which may have been taken back.
pub unsafe fn owned<'a, T: Given>(
    pointer: *const OfCluster<T>,
    argument: impl Display,
) -> Result<&'a OfCluster<T>, Fault> {
    if pointer.is_null() {
        return Err(Fault::null(&argument.to_string()));
    }
    // SAFETY: the caller's promise; the stamp is first. Not a plain read, of memory that may be no value any more.
    if !pointer.is_aligned() || unsafe { pointer.cast::<u64>().read_volatile() } != T::STAMP {
        let name = T::NAME;
        return Err(Fault::invalid(format!(
            "{argument} is no {name}, or was freed already: nothing uses it after that"
        )));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { &*pointer })
}

/// Takes a value back; NULL is none, and a forked child leaves the value alone, which is its parent's too.
///
/// # Errors
/// As of `owned`.
///
/// # Safety
/// As of `owned`, and nothing else uses the value.
pub unsafe fn take<T: Given>(
    pointer: *mut OfCluster<T>,
    argument: impl Display,
) -> Result<Option<OfCluster<T>>, Fault> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { owned(pointer, argument) }?;
    if mobula::__native::is_forked() {
        return Ok(None);
    }
    // SAFETY: the caller's promise: it came from `give`, and is moved out of its memory here, once: the stamp says so
    // to later calls. Not a plain write, which the end of the memory would make needless.
    let value = unsafe {
        let value = pointer.read();
        pointer.cast::<u64>().write_volatile(FREED);
        value
    };
    if keeps_all() {
        NEVER_USED_AGAIN.lock().unwrap_or_else(PoisonError::into_inner).push(pointer.expose_provenance());
    } else if uses_block::<OfCluster<T>>() {
        // SAFETY: `give` made the block as a box, and its value was moved out.
        keep(unsafe { Box::from_raw(pointer.cast::<Block>()) });
    } else {
        // SAFETY: the memory is that of a box, and its value was moved out.
        drop(unsafe { Box::from_raw(pointer.cast::<MaybeUninit<OfCluster<T>>>()) });
    }
    Ok(Some(value))
}
