//! The road over TCP, between any two ranks, and what else connects by TCP uses: the handshake, the addresses of this host.

mod dial;
mod doors;
mod frame;
mod guest;
pub mod handshake;
mod inbox;
mod incoming;
mod interface;
mod listener;
mod outbox;
mod peers;
mod poller;
mod reads;
mod road;
mod socket;
#[cfg(test)]
mod tests;
mod watch;

pub use interface::Addresses;
pub use listener::{Listener, TcpCard};
pub use road::TcpFabric;
