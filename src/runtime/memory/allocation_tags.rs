//! Attribution of the larger blocks in this rank's store: which task created a block, and which quota it counts
//! against.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Result};
use crate::registry::{Options, TaskHeader};
use crate::runtime::Runtime;
use crate::runtime::tasks::context;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// Blocks from this size on are tagged: below, a tag would cost more than the bytes.
const TAGGED_BYTES_MIN: usize = 64 << 10;

/// The tagged blocks, by offset in the store.
#[derive(Default)]
pub struct AllocationTags(Mutex<FxHashMap<u64, Allocation>>);

/// Which task created a block.
#[derive(Clone, Copy)]
pub struct Allocation {
    /// The task's function, or "a driver".
    pub name: &'static str,
    /// The block's length.
    pub bytes: u64,
}

impl AllocationTags {
    /// All of them.
    pub fn all(&self) -> Vec<(u64, Allocation)> {
        lock(&self.0).iter().map(|(offset, allocation)| (*offset, *allocation)).collect()
    }
}

/// The tag of one block, removed when dropped.
pub struct AllocationTag {
    runtime: &'static Runtime,
    offset: u64,
}

impl AllocationTag {
    /// Tags a block at `offset` that the calling task created; `None` if it is small.
    pub fn of(runtime: &'static Runtime, offset: u64, bytes: usize) -> Option<AllocationTag> {
        if bytes < TAGGED_BYTES_MIN {
            return None;
        }
        let name = context::function().unwrap_or("a driver");
        lock(&runtime.memory.allocation_tags.0).insert(offset, Allocation { name, bytes: bytes as u64 });
        Some(AllocationTag { runtime, offset })
    }
}

impl Drop for AllocationTag {
    fn drop(&mut self) {
        lock(&self.runtime.memory.allocation_tags.0).remove(&self.offset);
    }
}

/// How many bytes in the store a task or an actor may have at once.
pub struct Quota {
    name: String,
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl Quota {
    /// The quota of a task that requested memory; `None` if it did not.
    #[inline]
    pub fn of(header: &TaskHeader) -> Option<Arc<Quota>> {
        let options = header.options.as_ref()?;
        Quota::new(options, header.name())
    }

    /// The quota that `options` request for `name`.
    pub fn new(options: &Options, name: &str) -> Option<Arc<Quota>> {
        let limit_bytes = options.memory_bytes()?;
        Some(Arc::new(Quota { name: name.to_string(), limit_bytes, used_bytes: AtomicU64::new(0) }))
    }

    /// Takes `bytes` of the quota, until the `QuotaUse` is dropped.
    ///
    /// # Errors
    /// `MemoryLimit` if it is more than what is left.
    fn reserve(self: Arc<Quota>, bytes: u64) -> Result<QuotaUse> {
        let more = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit_bytes);
        match self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(QuotaUse { quota: self, bytes }),
            Err(used_bytes) => Err(Error::MemoryLimit {
                task: self.name.clone(),
                limit_bytes: self.limit_bytes,
                used_bytes,
                wanted_bytes: bytes,
            }),
        }
    }
}

/// Bytes that a block takes of a quota.
pub struct QuotaUse {
    quota: Arc<Quota>,
    bytes: u64,
}

impl QuotaUse {
    /// Takes `bytes` of the calling task's quota, if it has one.
    ///
    /// # Errors
    /// `MemoryLimit`.
    pub fn for_caller(bytes: usize) -> Result<Option<QuotaUse>> {
        context::quota().map(|quota| quota.reserve(bytes as u64)).transpose()
    }
}

impl Drop for QuotaUse {
    fn drop(&mut self) {
        self.quota.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_a_use_returns_its_bytes_to_the_quota() {
        let quota = Arc::new(Quota { name: "greedy".to_string(), limit_bytes: 100, used_bytes: AtomicU64::new(0) });
        let most = quota.clone().reserve(90).unwrap();
        let error = quota.clone().reserve(11).err().unwrap().to_string();
        assert!(
            error.contains("greedy") && error.contains("100") && error.contains("90") && error.contains("11"),
            "{error}"
        );
        assert!(quota.clone().reserve(u64::MAX).is_err());
        let remaining = quota.clone().reserve(10).unwrap();
        drop((most, remaining));
        assert!(quota.reserve(100).is_ok());
    }
}
