//! What a road by TCP uses: the handshake.

mod frame;
pub mod handshake;
mod inbox;
mod interface;
mod outbox;
mod listener;
mod reads;
mod socket;
mod watch;

pub use interface::Addresses;
pub use listener::{Listener, TcpCard};
