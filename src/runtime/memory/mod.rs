//! The memory of a rank: blocks of its store, and of the stores that it can read.
//!
//! Owns: the store, the mapped stores of the host's other ranks, the blocks that packed values need, blocks on disk,
//! reads of other ranks' stores, and who waits for space. Never: knows what an object is worth, or who has a reference
//! to it: that is the protocol's.
//!
//! - An allocation that fits nowhere evicts blocks without readers, then waits for a bounded time (`space`).
//! - Code that handles a message never waits (`in_callback`).

mod allocate;
mod allocation_tags;
mod backpressure;
mod blocks;
mod holders;
mod part;
mod pulls;
mod refetch;
mod resident_blocks;
mod runs;
mod scratch;
mod space;
mod spill;
mod spill_disk;
mod waiting_reads;

pub use allocate::{create_array, put_array};
pub use allocation_tags::Quota;
pub use backpressure::delay_submission;
pub use blocks::{OwnMemory, PeerMemory};
pub use part::Memory;
pub use pulls::{on_read_done, start_pulls};
pub use runs::{store_run, try_store};
pub use space::{allocate, in_callback, on_evict_request, prepare_store};
pub use spill::in_the_store;
pub use waiting_reads::pull_when_space;
