//! TODO

mod failover;
mod fd_poller;
mod outboxes;
mod part;
mod receive;
pub mod transport_choice;
mod transport_table;

pub use failover::on_resume;
pub use fd_poller::LocalPeer;
pub use part::Router;
pub use receive::throttle;
pub use transport_table::{TransportReason, TransportRow, Transports};
