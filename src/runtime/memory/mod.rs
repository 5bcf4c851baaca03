//! TODO

mod allocate;
mod allocation_tags;
mod backpressure;
mod blocks;
mod holders;
mod pulls;
mod refetch;
mod resident_blocks;
mod scratch;
mod space;
mod spill;
mod waiting_reads;

pub use allocate::{create_array, put_array};
pub use allocation_tags::{AllocationTags, Quota};
pub use backpressure::Pressure;
pub use blocks::{OwnMemory, PeerMemory};
pub use pulls::Pulls;
pub use resident_blocks::ResidentBlocks;
pub use space::{SpaceWaiters, in_callback};
pub use spill::Spill;
pub use waiting_reads::ReadsWaitingForSpace;
