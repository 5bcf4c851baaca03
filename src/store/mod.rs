//! Holders of objects and blocks: reference counts across ranks, copies of blocks on hosts that need them, and
//! evictions from a full store. Pure.
//!
//! Owns: for each object that left its rank, how many grants each borrower has; for each borrowed one, how many were
//! received; what is pinned while a reference travels between two borrowers. Which blocks of other hosts are here or
//! being fetched, for whom, from where; at a block's owner, which ranks have copies. The order in which blocks are
//! evicted. Never: the values, the memory, the messages, the disk; the runtime holds what an entry here represents.

mod chunks;
mod copies;
mod counts;
mod eviction;
mod object_locations;

pub use chunks::{CHUNK_BYTES, Chunks};
pub use copies::{Copies, CopyAction, CopyMessage, CopySource, FetchRoute, Holders, HostPeers, ServedCopy, cache_rank};
pub use counts::{CountAction, CountMessage, Counts};
pub use eviction::{Eviction, EvictionCandidate, EvictionClass, choose_evictions};
pub use object_locations::ObjectLocations;
