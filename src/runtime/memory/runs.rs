//! Long runs of bytes of values that leave this rank: copied into its store while the value is encoded.

use crate::base::copy::copy_to;
use crate::objects::{ArrayMemory, Attachment, attach};
use crate::runtime::Runtime;
use crate::runtime::memory::blocks::OwnMemory;
use std::sync::Arc;

/// Runs take at most 1/`STORE_PART` of the store, together with all that is in it. Arguments that are retained for a
/// retry hold theirs until their task has finished, and cannot be evicted: arrays must not lack their space.
const STORE_PART: u64 = 2;

/// Copies `bytes` into the store of this process's rank and attaches them to the value that is being encoded: the index
/// of the attachment. `None` if the store has too little free space; nothing is evicted, and nothing waits.
pub fn store_run(bytes: &[u8]) -> Option<u32> {
    let runtime = Runtime::current()?;
    let arena = runtime.memory.arena()?;
    if (arena.used_bytes() + bytes.len() as u64) * STORE_PART > arena.bytes() {
        return None;
    }
    attach(Attachment::Array(try_store(runtime, bytes)?))
}

/// Copies `bytes` into the store, if it has the space now; nothing is evicted, and nothing waits.
pub fn try_store(runtime: &'static Runtime, bytes: &[u8]) -> Option<Arc<dyn ArrayMemory>> {
    let mut block = runtime.memory.arena()?.allocate(bytes.len())?;
    copy_to(&mut block.as_mut_slice()[..bytes.len()], bytes);
    Some(Arc::new(OwnMemory::new(runtime, block)))
}
