//! The road over RDMA: reliable queue pairs for messages, and bulk reads straight from store to store.
//!
//! ```text
//! send  --> Connection: slot of the ring, credit spent, posted ---> Receives: one shared queue of buffers for all peers
//!           SendWindow keeps the slot until the peer gave the credit back and the device told of it
//! read  --> Reads: pieces of a block, RDMA READ <================== the peer's registered region; its processor sleeps
//! first use --> Word::Greeting over the side road <--> Word::Greeting: the two queue pairs are joined
//! ```
//!
//! A message larger than a segment goes in several, which arrive in order; arrays go by reads. RDMA WRITE is not used:
//! the reader knows where its block is, so that a write would only add the message that asks for it.
//!
//! Owns: the device, its queues, buffers for segments, keys of regions. Never: waits, starts a thread, connects by
//! itself: what two ranks must say to each other before there is a queue pair goes over a [`SideRoad`].
//!
//! Invariants:
//! - V1: a reliable queue pair brings segments in the order posted, each once (F1). Those of one pair are posted under
//!   its link's lock.
//! - V2: a message counts as delivered when it is handed over here, and its sender keeps it until it is told so
//!   (credits), whatever the device acknowledged: `salvage` of both ends leaves no gap.
//! - V3: a peer has at most [`window::RING_SLOTS`] segments under way here, and every link brings as many buffers and
//!   those that were credited but not yet posted again: the shared queue does not run dry.
//! - V4: memory that the device may write is owned by its slab, or by its read until that is over or the pair destroyed.
//! - V5: what is made with a device's part holds that part: everything is destroyed before what it stands on.
//!
//! InfiniBand's own addresses (LID) and memory of GPUs are written and were never tried for want of such devices;
//! RoCE was tried with Linux's software device.

// What needs no device is pure and tested in every build.
#![cfg_attr(not(feature = "verbs"), allow(dead_code))]

// Without the feature there is only what says so.
#[cfg(not(feature = "verbs"))]
mod absent;
mod card;
mod choice;
mod greeting;
mod header;
mod probe;
mod regions;
mod side;
mod sysfs;
mod window;

#[cfg(feature = "verbs")]
mod completion;
#[cfg(feature = "verbs")]
mod connection;
#[cfg(feature = "verbs")]
mod device;
#[cfg(feature = "verbs")]
mod ending;
#[cfg(feature = "verbs")]
mod endpoint;
#[cfg(feature = "verbs")]
mod incoming;
#[cfg(feature = "verbs")]
mod joining;
#[cfg(feature = "verbs")]
mod queue_pair;
#[cfg(feature = "verbs")]
mod reading;
#[cfg(feature = "verbs")]
mod reads;
#[cfg(feature = "verbs")]
mod receives;
#[cfg(feature = "verbs")]
mod registration;
#[cfg(feature = "verbs")]
mod road;
#[cfg(all(test, feature = "verbs"))]
mod tests;
#[cfg(feature = "verbs")]
mod waker;

#[cfg(not(feature = "verbs"))]
pub use absent::{VerbsEndpoint, VerbsFabric};
pub use card::VerbsCard;
#[cfg(test)]
pub use choice::LinkLayer;
#[cfg(feature = "verbs")]
pub use endpoint::VerbsEndpoint;

#[cfg(feature = "verbs")]
pub use road::VerbsFabric;
pub use side::SideRoad;
