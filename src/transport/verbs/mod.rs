//! The transport over RDMA: reliable queue pairs for messages, and bulk reads straight from store to store.
//!
//! ```text
//! send  --> VerbsConnection: slot of the ring, credit taken, posted --> ReceiveQueue: one shared queue for all peers
//!           SendWindow keeps the slot until the peer returned the credit and the device completed the send
//! read  --> VerbsReads: pieces of a block, RDMA READ <========= the peer's registered region; its processor sleeps
//! first use --> ControlMessage::Connect over the control channel, both ways: the two queue pairs are connected
//! ```
//!
//! A message larger than a segment is sent as several, which arrive in order; arrays are transferred by reads. RDMA
//! WRITE is not used: the reader knows where its block is, so a write would only add the message that requests it.
//!
//! Owns: the device, its queues, buffers for segments, keys of regions. Never: blocks, starts a thread, opens a channel
//! to a peer: the control messages that connect two queue pairs are sent over a [`ControlChannel`].
//!
//! Invariants:
//! - VERBS-1: a reliable queue pair delivers segments in the order posted, each once (TRANSPORT-1). Those of one pair
//!   are posted under its link's lock.
//! - VERBS-2: a message counts as delivered when it is handed to the receiver here, and its sender keeps it until the
//!   credits for it come back, whatever the device acknowledged: `take_unacked` at both ends leaves no gap.
//! - VERBS-3: a peer has at most [`window::RING_SLOTS`] segments in flight to this rank, and every link adds as many
//!   receive buffers and those that were credited but not yet posted again: the shared queue does not run empty.
//! - VERBS-4: memory that the device may write is owned by its slab, or by its read until that has finished or the
//!   queue pair is destroyed.
//! - VERBS-5: an object that is created with a device's part owns a reference to it: everything is destroyed before
//!   what it depends on.
//!
//! Addressing by LID (InfiniBand) and reads of GPU memory are implemented but were never run, for want of such devices;
//! RoCE was tested with Linux's software device.

// Modules that need no device are compiled and tested in every build.
#![cfg_attr(not(feature = "verbs"), allow(dead_code))]

mod address;
mod choice;
mod control;
mod error;
mod header;
mod open;
mod regions;
mod sysfs;
mod window;

#[cfg(feature = "verbs")]
mod completion;
#[cfg(feature = "verbs")]
mod connect;
#[cfg(feature = "verbs")]
mod connection;
#[cfg(feature = "verbs")]
mod device;
#[cfg(feature = "verbs")]
mod endpoint;
#[cfg(feature = "verbs")]
mod link_failure;
#[cfg(feature = "verbs")]
mod progress;
#[cfg(feature = "verbs")]
mod queue_pair;
#[cfg(feature = "verbs")]
mod reads;
#[cfg(feature = "verbs")]
mod receive_queue;
#[cfg(feature = "verbs")]
mod registration;
#[cfg(all(test, feature = "verbs"))]
mod tests;
#[cfg(feature = "verbs")]
mod transport;
#[cfg(feature = "verbs")]
mod waker;

pub use address::VerbsAddress;
#[cfg(test)]
pub use choice::LinkLayer;
pub use error::VerbsError;
pub use open::{ControlChannel, OpenPort, VerbsPeers, open};
