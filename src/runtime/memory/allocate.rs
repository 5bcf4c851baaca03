//! Allocation in this rank's store.

use crate::base::copy::copy_to;
use crate::base::{Error, Result};
use crate::memory::Block;
use crate::objects::{Array, ArrayMut};
use crate::runtime::Runtime;
use crate::runtime::memory::allocation_tags::{AllocationTag, QuotaUse};
use crate::runtime::memory::blocks::{Attribution, OwnDraft};
use crate::runtime::memory::holders::holders;
use crate::runtime::memory::space::allocate;
use bytemuck::Pod;

/// Alignment that elements of an array may need at most: a page.
const ALIGN_MAX: usize = 4096;

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

/// A new array in this rank's store, to be written.
///
/// # Errors
/// `StoreFull`, `MemoryLimit`, or `Config` outside of a cluster, and for elements that need more alignment than a page.
pub fn create_array<T: Pod + Send + Sync>(length: usize) -> Result<ArrayMut<T>> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("create_array"))?;
    let (name, bytes) = (std::any::type_name::<T>(), size_of::<T>());
    if align_of::<T>() > ALIGN_MAX {
        let align = align_of::<T>();
        return Err(Error::config(format!(
            "elements of type {name} need {align} bytes of alignment: {ALIGN_MAX} is most"
        )));
    }
    let bytes = ArrayMut::<T>::bytes_for(length).ok_or_else(|| {
        Error::config(format!("an array of {length} elements of {bytes} bytes ({name}) is longer than any memory"))
    })?;
    let (block, attribution) = allocate_for_caller(runtime, bytes)?;
    Ok(ArrayMut::over(Box::new(OwnDraft { runtime, attribution, block }), length))
}

/// Copies `slice` into this rank's store.
///
/// # Errors
/// As `create_array`.
pub fn put_array<T: Pod + Send + Sync>(slice: &[T]) -> Result<Array<T>> {
    let mut array = create_array(slice.len())?;
    copy_to(array.as_mut_slice(), slice);
    Ok(array.seal())
}
