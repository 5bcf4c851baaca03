//! Memory that processes of a host share: pages, segments, arenas, rings and doorbells.
//!
//! Owns: mappings and the bookkeeping of their contents. Never: interprets bytes, names a transport, starts a thread.
//!
//! Invariants:
//! - MEMORY-1: a segment never shrinks while it is mapped anywhere (sealed), so a mapped byte can always be read.
//! - MEMORY-2: a byte of an arena is handed out only after its page is populated: a shortage is a `None`, never a
//!   SIGBUS.
//! - MEMORY-3: a range of an arena belongs to at most one [`Block`], and is free again when the block is dropped.
//! - MEMORY-4: a value read from shared memory is checked before it is used as a length, an offset or an index.
//! - MEMORY-5: a process killed at any instant leaves shared memory in a state from which every other process can
//!   continue: everything is published by one atomic store, and there is no lock across processes.

mod arena;
mod doorbell;
mod file;
mod offsets;
mod pages;
mod peer;
mod region;
mod ring;
mod segment;

pub use arena::{Arena, Block};
pub use doorbell::{Doorbell, FIRST_SLEEP};
pub use file::{FileMap, punch_file, reserve_file};
pub use pages::{HUGE_PAGE_BYTES, hugepages_free, transparent_for_shared};
pub use peer::PeerArena;
#[cfg(test)]
pub use region::CudaRegion;
pub use region::{DeviceMemory, Region, RegionNumber, STORE};
pub use ring::{Consumer, Popped, RING_SEGMENT_BYTES, RingProducer, RingView};
pub use segment::{Access, Segment, SegmentHandle};
