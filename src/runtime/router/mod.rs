//! The ways of messages to other ranks and back.
//!
//! Owns: the transports, which of them leads to each peer now, messages that no transport accepted yet, which peers are
//! dead, and the thread that waits on descriptors. Never: looks into a message, or decides that a peer is dead
//! (`membership`).
//!
//! - Messages to a peer arrive in order and once, also over a failover.
//! - Sending never blocks.

mod direct;
mod failover;
mod fd_poller;
mod outboxes;
mod part;
mod polling;
mod process_end;
mod receive;
pub mod transport_choice;
mod transport_table;

pub use failover::on_resume;
pub use fd_poller::LocalPeer;
pub use part::Router;
pub use process_end::ProcessEnd;
pub use receive::throttle;
pub use transport_table::{TransportReason, TransportRow, Transports};
