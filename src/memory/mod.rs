//! Memory that processes of a host share: pages, segments, arenas, rings and bells.
//!
//! Owns: mappings and the bookkeeping of what lies in them. Never: interprets bytes, names a fabric, starts a thread.
//!
//! Invariants:
//! - M1: a segment never shrinks while it is mapped anywhere (sealed), so a mapped byte can always be read.
//! - M2: a byte of an arena is handed out only after its page is there: a shortage is a `None`, never a SIGBUS.
//! - M3: a range of an arena belongs to at most one [`Block`], and is free again when the block is dropped.
//! - M4: what is read from shared memory is checked before it is used as a length, an offset or an index.
//! - M5: a process killed at any instant leaves shared memory in a state that every other process can go on from:
//!   what is published is published by one atomic store, and there is no lock across processes.

mod arena;
mod bell;
mod file;
mod memory;
mod offsets;
mod pages;
mod peer;
mod region;
mod ring;
mod segment;

pub use arena::{Arena, Block};
pub use bell::{Bell, FIRST_SLEEP};
pub use file::{FileMap, punch_file, reserve_file};
pub use pages::{HUGE_PAGE_BYTES, hugepages_free, transparent_for_shared};
pub use peer::PeerArena;
#[cfg(test)]
pub use region::CudaRegion;
pub use region::{Region, RegionNumber, STORE};
pub use ring::{Consumer, Popped, Producer, RING_SEGMENT_BYTES, Watch};
pub use segment::{Access, Segment, SegmentCard};
