//! Allocation in this rank's store.

use crate::base::{Error, Result};
use crate::memory::Block;
use crate::objects::{Array, ArrayMut};
use crate::runtime::Runtime;
use crate::runtime::memory::allocation_tags::{AllocationTag, QuotaUse};
use crate::runtime::memory::blocks::{Attribution, OwnDraft, OwnMemory};
use crate::runtime::memory::holders::holders;
use crate::runtime::memory::space::allocate;
use bytemuck::Pod;
use std::sync::Arc;

/// The error of a full store.
pub fn store_full(runtime: &Runtime, wanted_bytes: u64) -> Error {
    let (used_bytes, store_bytes) = runtime.memory.arena().map_or((0, 0), |arena| (arena.used_bytes(), arena.bytes()));
    Error::StoreFull { wanted_bytes, used_bytes, store_bytes, rank: runtime.cluster.rank, holders: holders(runtime) }
}

/// A block for an array that the calling task or driver creates, and its attribution.
fn allocate_for_caller(runtime: &'static Runtime, bytes: usize) -> Result<(Block, Attribution)> {
    let quota_use = QuotaUse::for_caller(bytes)?;
    let block = allocate(runtime, bytes)?;
    let tag = AllocationTag::of(runtime, block.offset(), bytes);
    Ok((block, (tag, quota_use)))
}

fn bytes_of<T>(length: usize) -> Result<usize> {
    length
        .checked_mul(size_of::<T>())
        .ok_or_else(|| Error::config(format!("an array of {length} elements of {} bytes has no size", size_of::<T>())))
}

/// A new array in this rank's store, to be written.
///
/// # Errors
/// `StoreFull`, `MemoryLimit`, or `Config` outside of a cluster.
pub fn create_array<T: Pod + Send + Sync>(length: usize) -> Result<ArrayMut<T>> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("create_array"))?;
    let (block, attribution) = allocate_for_caller(runtime, bytes_of::<T>(length)?)?;
    Ok(ArrayMut::over(Box::new(OwnDraft { runtime, attribution, block }), length))
}

/// Copies `slice` into this rank's store.
///
/// # Errors
/// As `create_array`.
pub fn put_array<T: Pod + Send + Sync>(slice: &[T]) -> Result<Array<T>> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("put_array"))?;
    let bytes: &[u8] = bytemuck::cast_slice(slice);
    let (mut block, attribution) = allocate_for_caller(runtime, bytes.len())?;
    block.as_mut_slice()[..bytes.len()].copy_from_slice(bytes);
    Array::over(Arc::new(OwnMemory::with_attribution(runtime, block, attribution)), slice.len())
        .ok_or_else(|| Error::config("the store cannot hold elements that need more than 64 bytes of alignment"))
}
