//! TODO

mod allocate;
mod allocation_tags;
mod backpressure;
mod blocks;
mod holders;
mod part;
mod pulls;
mod refetch;
mod resident_blocks;
mod scratch;
mod space;
mod spill;
mod waiting_reads;

pub use allocate::{create_array, put_array};
pub use allocation_tags::Quota;
pub use backpressure::delay_submission;
pub use blocks::{OwnMemory, PeerMemory};
pub use part::Memory;
pub use pulls::{on_read_done, start_pulls};
pub use space::{allocate, in_callback, on_evict_request, prepare_store};
pub use spill::in_the_store;
pub use waiting_reads::pull_when_space;
