//! TODO

mod failover;
mod fd_poller;
mod peers;
pub mod transport_choice;
mod transport_table;

pub use fd_poller::LocalPeer;
pub use peers::Router;
pub use transport_table::{TransportReason, TransportRow, Transports};
