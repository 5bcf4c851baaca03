//! The road over TCP, between any two ranks, and what else connects by TCP uses: the handshake, the addresses of this host.

pub mod handshake;
pub mod interface;

mod stub;
pub use interface::Addresses;
pub use stub::*;
